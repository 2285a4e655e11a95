"""When a lab counts as interrupted, and what most likely became of its objects. Pure."""

from datetime import timedelta

from jobs.lifecycle.states import MADE, ON_MACHINE, STARTED, State
from jobs.recovery.states import Now, Outcome

SILENCE = timedelta(minutes=2)  # without a sign of life of ours: an ordinary restart is quicker
TOGETHER = timedelta(minutes=3)  # machines that lose their work within this time lost it for one reason
LOSSES = frozenset({"lost", "connection"})  # reasons with which work ends that a machine did not keep
LATELY = timedelta(hours=6)  # what one machine lost alone is shown for as long, where people look after a cut
DEFAULT_GAP_S = 60  # between two starts after a cut, where the place has no gap of its own
GAP_KEPT = timedelta(minutes=30)  # after settling: until everything heats again


def was_interrupted(*, silent_for: timedelta, computer_restarted: bool) -> bool:
    """Say whether nobody watched: we were away for longer than a restart takes, or our own computer went off.

    A clock that went back meanwhile (``silent_for`` below nothing) tells of a computer that went off, too.
    """
    return abs(silent_for) > SILENCE or computer_restarted


def lost_together(*, lost: int, silent: int, alive: int) -> bool:
    """Say whether a place's machines lost their work for one reason, as by a power cut.

    ``lost`` machines came back without their work, ``silent`` ones hold work and are not heard, ``alive`` ones are
    heard making theirs. Two at least, and more of them than of those that went on: one broken printer is no cut.
    """
    return lost >= 2 and lost + silent > alive


def now_of(state: State, *, started: bool, vouched: bool, last_try: bool) -> Now | None:
    """Return what is known of an object that was on a machine; None when there is nothing to say any more."""
    if not last_try:
        return None
    if state is State.FAILED:
        return Now.LOST
    if state in MADE:
        return Now.MADE
    if state in ON_MACHINE and (started or state in STARTED):
        return Now.GOES_ON if vouched else Now.UNKNOWN
    return None


def choices_for(now: Now, *, tries_left: bool, started: bool = True) -> tuple[Outcome, ...]:
    """Return what a person may say of it; nothing where nothing is to be decided.

    What was only asked to start (``started`` false) cannot have ended well without having been seen.
    """
    again = (Outcome.AGAIN,) if tries_left else ()
    match now:
        case Now.LOST:
            return (*again, Outcome.STOP)
        case Now.UNKNOWN:
            done = (Outcome.DONE,) if started else ()
            return (*again, *done, Outcome.STOP, Outcome.LEAVE)
        case _:
            return ()


def most_likely(now: Now, *, tries_left: bool, told: bool, linked: bool = True) -> Outcome | None:
    """Return what is chosen before anybody touches the page. ``told``: the machine was asked since, and has lost it.

    Nothing for what people make by hand: no machine will ever tell, so somebody looks and says.
    """
    if now not in {Now.LOST, Now.UNKNOWN} or (now is Now.UNKNOWN and not linked):
        return None
    if now is Now.UNKNOWN and not told:
        return Outcome.LEAVE  # nothing tells of it yet: who stands there knows better
    return Outcome.AGAIN if tries_left else Outcome.STOP
