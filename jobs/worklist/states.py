"""What may need a hand."""

from enum import StrEnum


class Need(StrEnum):
    """Why somebody must come or look; the order is how urgent it is."""

    CLOCK = "clock"  # nothing happens by itself before somebody says the time
    DISK = "disk"  # nearly full, or a file was refused for lack of room
    INTERRUPTED = "interrupted"  # after a power cut: one screen for all
    ASKED = "asked"  # a person asks that somebody comes to them
    UNSURE = "unsure"  # nobody knows what became of a print
    HELP = "help"  # somebody said that the machine needs help
    PAUSED = "paused"
    NOT_STARTED = "not_started"  # a start was refused, or nobody saw it happen
    UNREACHABLE = "unreachable"
    OVERRUN = "overrun"  # it will not end before the next person's time
    OVERDUE = "overdue"  # made by hand, and the estimate is over
    PLATE_WAITED = "plate_waited"  # to be emptied, and an object waits for it
    PUT_BACK = "put_back"  # ready on a machine that is out of order
    LOADED = "loaded"  # ready on the machine, one tap starts it
    TO_TAKE = "to_take"  # a file to be carried to a machine that is free
    FAILED = "failed"  # somebody decides whether to try again
    PLATE = "plate"
    DECIDE = "decide"  # files to look at
    PICK_UP = "pick_up"  # lies on the shelf for days
    MAINTENANCE = "maintenance"


URGENCY = {need: number for number, need in enumerate(Need)}
