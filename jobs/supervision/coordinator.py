"""When to look at a machine again, and what is worth a line in the log. No Django, no network, no clock of its own.

One place decides how often a machine is asked: every 10 to 15 s while its push channel speaks, more often while it does
not, very soon when a change is expected, and ever less often when it does not answer. Times are monotonic seconds.
"""

from dataclasses import dataclass
from random import Random

POLL_S = (10.0, 15.0)
POLL_WITHOUT_PUSH_S = (3.0, 5.0)
EXPECTED_S = 0.5  # while a change is expected
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 15.0


class Backoff:
    """Pauses that double from a second to a cap, each shortened by chance so that machines do not knock together."""

    def __init__(self, chance: Random, longest_s: float = LONGEST_PAUSE_S) -> None:
        self._chance = chance
        self._longest_s = longest_s
        self._failures = 0

    def failed(self) -> float:
        """Return the seconds to wait after one more failure."""
        pause = min(self._longest_s, FIRST_PAUSE_S * 2.0 ** min(self._failures, 10))
        self._failures += 1
        return pause * self._chance.uniform(0.5, 1.0)

    def worked(self) -> None:
        self._failures = 0


@dataclass(frozen=True, slots=True)
class Contact:
    """A change of contact, for one line in the log. ``lost_s``: how long it was gone, None at the loss itself."""

    reason: str
    lost_s: float | None = None


class Coordinator:
    """The rhythm of looks at one machine."""

    def __init__(self, chance: Random, now: float) -> None:
        self._chance = chance
        self._backoff = Backoff(chance)
        # The first look comes at once: after a power cut all machines are connected together.
        self._next_at = now
        self._expecting_until = now
        self._lost_at: float | None = None
        self._reason = ""
        self.push_is_up = False

    @property
    def in_contact(self) -> bool:
        return self._lost_at is None

    def wait_s(self, now: float) -> float:
        """Return the seconds until the next look is due; 0 when it is."""
        return max(0.0, self._next_at - now)

    def look_now(self, now: float) -> None:
        """Something happened that a look explains."""
        self._next_at = min(self._next_at, now)

    def look_within(self, now: float, seconds: float) -> None:
        """Look in ``seconds`` at the latest."""
        self._next_at = min(self._next_at, now + seconds)

    def expect_change(self, now: float, seconds: float = 10.0) -> None:
        """A change is expected within ``seconds``: look often until then."""
        self._expecting_until = max(self._expecting_until, now + seconds)
        self._next_at = min(self._next_at, now + EXPECTED_S)

    def heard(self, now: float) -> Contact | None:
        """Plan the next look after an answer. Returns a contact when it had been lost before."""
        self._backoff.worked()
        if now < self._expecting_until:
            self._next_at = now + EXPECTED_S
        else:
            self._next_at = now + self._chance.uniform(*(POLL_S if self.push_is_up else POLL_WITHOUT_PUSH_S))
        if self._lost_at is None:
            return None
        contact = Contact(self._reason, now - self._lost_at)
        self._lost_at, self._reason = None, ""
        return contact

    def missed(self, now: float, reason: str) -> Contact | None:
        """Plan the next look after no answer. Returns a contact at the loss, and when the reason became another."""
        self._next_at = now + self._backoff.failed()
        if self._lost_at is not None and reason == self._reason:
            return None
        self._lost_at = now if self._lost_at is None else self._lost_at
        self._reason = reason
        return Contact(reason)
