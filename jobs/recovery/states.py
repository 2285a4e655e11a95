"""What may have become of an object that was on a machine when the power, or we, went away."""

from enum import StrEnum


class Outcome(StrEnum):
    """What a person says of an interrupted object; the first four are choices."""

    AGAIN = "again"  # it failed: back into the queue, with its old place
    DONE = "done"  # it was finished all the same
    STOP = "stop"  # it failed, and nobody tries again now
    LEAVE = "leave"  # it goes on, or somebody will see later: nothing is changed


class Now(StrEnum):
    """What is known of it now."""

    LOST = "lost"  # failed: the machine came back without it
    UNKNOWN = "unknown"  # still on a machine that nobody hears, or that has no link
    GOES_ON = "goes_on"  # the machine itself is heard making it
    MADE = "made"  # finished meanwhile
