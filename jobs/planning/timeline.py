"""When machines are free, and the earliest free time that is long enough. Pure; whole microseconds from now.

Jobs are always put at the beginning of a free time, so a free time only ever shrinks from its front. Among those that
end at the same moment the one that begins first is then also the longest: it alone need be looked at. So for each set
of machines that take the same files one short list is kept, of the first free time for each end, by its beginning.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

from fablab.core.clock import Span, within, without
from jobs.planning.facts import CHANGEOVER, HORIZON, Held, MachineNow

TICK = timedelta(microseconds=1)
NEVER = timedelta(days=36500) // TICK  # later than anything
EMPTYING = CHANGEOVER // TICK


class Gap:
    """A free time: something may begin in ``[start, end)`` and must be over at ``hard``."""

    __slots__ = ("bucket", "end", "hard", "machine", "start")

    def __init__(self, start: int, end: int, hard: int, machine: "Timeline") -> None:
        self.start = start
        self.end = end
        self.hard = hard
        self.machine = machine
        self.bucket: _Bucket | None = None


class Timeline:
    """One machine's free times, and those that a booking's person alone may use (``own``, by person)."""

    __slots__ = ("gaps", "longest", "machine", "opens", "own", "rank", "room")

    def __init__(
        self,
        machine: MachineNow,
        rank: int,
        at: datetime,
        owners: frozenset[str],
        awaited: frozenset[str] = frozenset(),
    ) -> None:
        """``owners``: who has jobs that wait; ``awaited``: bookings that have a job of their own."""
        self.machine = machine
        self.rank = rank
        self.opens = [(_ticks(span.start, at), _ticks(span.end, at)) for span in machine.open]
        self.gaps: list[Gap] = []
        self.own: dict[str, list[Gap]] = {}
        if machine.usable and machine.open:
            self._lay_out(at, owners, awaited)
        self.longest = max((gap.hard - gap.start for gap in self.gaps), default=0)
        self.room = _room(machine, at)

    def _lay_out(self, at: datetime, owners: frozenset[str], awaited: frozenset[str]) -> None:
        machine = self.machine
        last = at + HORIZON
        walls = [*machine.cuts, *(Span(start, end or last) for start, end in machine.outages)]
        open_ = without(within(machine.open, at + self._busy_for(at), last), walls)
        # What may overrun other bookings does not overrun the job that is planned in one.
        kept = [hold for hold in machine.held if hold.booking_id in awaited]
        begins = sorted(
            _ticks(begin, at) for begin in (*(wall.start for wall in walls), *(hold.start for hold in kept))
        )

        def gap(span: Span) -> Gap:
            start, end = _ticks(span.start, at), _ticks(span.end, at)
            hard = end
            if machine.may_overrun:
                hard = next((begin for begin in begins if begin >= end), NEVER)
            return Gap(start, end, hard, self)

        held = [Span(hold.start, hold.end) for hold in machine.held]
        self.gaps = [gap(span) for span in (without(open_, held) if held else open_)]
        for hold in machine.held:
            if hold.person_id in owners:
                self.own.setdefault(hold.person_id, []).extend(map(gap, _inside(open_, hold)))

    def _busy_for(self, at: datetime) -> timedelta:
        """Return how long nothing can begin. When nobody knows: for as long as the lab is open today."""
        if not self.machine.at_work:
            return timedelta()
        free_at = self.machine.free_at
        if free_at is None:
            free_at = self.machine.open_until(at) or at
        return max(free_at - at, TICK)

    def first_fit(self, length: int, not_before: int, owner: str) -> int | None:
        """Return the earliest start on this machine alone, in its owner's bookings too."""
        own = self.own.get(owner)
        for start, end, hard in self._joined(own) if own else ((g.start, g.end, g.hard) for g in self.gaps):
            begin = max(start, not_before)
            if begin < end and begin + length <= hard:
                return begin
        return None

    def _joined(self, own: Sequence[Gap]) -> Iterable[tuple[int, int, int]]:
        found: list[tuple[int, int, int]] = []
        for gap in sorted([*self.gaps, *own], key=lambda gap: gap.start):
            if gap.start >= gap.end:
                continue
            if found and found[-1][1] == gap.start:
                found[-1] = (found[-1][0], gap.end, max(found[-1][2], gap.hard))
            else:
                found.append((gap.start, gap.end, gap.hard))
        return found

    def free_after(self, start: int, length: int | None) -> int:
        """Return when the machine is empty again after what begins at ``start``; with the day, when nobody knows."""
        if length is not None:
            return start + length + EMPTYING
        return next((end for opens, end in self.opens if opens <= start < end), start + EMPTYING)


class _Bucket:
    """The free times of one line that must be over at the same moment; ``key`` is that of the first in the list."""

    __slots__ = ("hard", "heap", "key", "line", "number")

    def __init__(self, line: "Line", number: int, hard: int) -> None:
        self.line = line
        self.number = number
        self.hard = hard
        self.heap: list[tuple[int, int, int, Gap]] = []
        self.key: _Key | None = None

    def refresh(self) -> None:
        """Bring the line's list up to what is first here now."""
        heap = self.heap
        while heap and (heap[0][0] != heap[0][3].start or heap[0][0] >= heap[0][3].end):
            heappop(heap)
        front = self.line.front
        if self.key is not None:
            del front[bisect_left(front, self.key)]
        self.key = (heap[0][0], heap[0][1], self.number, self.hard, self) if heap else None
        if self.key is not None:
            insort(front, self.key)


_Key = tuple[int, int, int, int, _Bucket]  # start, the machine's rank, the bucket's number, its end, itself


class Line:
    """Machines that take the same jobs."""

    __slots__ = ("front", "longest", "machines")

    def __init__(self, machines: Sequence[Timeline]) -> None:
        self.machines = machines
        self.longest = max((one.longest for one in machines), default=0)
        self.front: list[_Key] = []
        buckets: dict[int, _Bucket] = {}
        for one in machines:
            for number, gap in enumerate(one.gaps):
                bucket = buckets.get(gap.hard)
                if bucket is None:
                    bucket = buckets[gap.hard] = _Bucket(self, len(buckets), gap.hard)
                gap.bucket = bucket
                bucket.heap.append((gap.start, one.rank, number, gap))
        for bucket in buckets.values():
            heapify(bucket.heap)
            bucket.refresh()

    def first_fit(self, length: int, not_before: int) -> tuple[int, int, Gap] | None:
        """Return (start, the machine's rank, the free time) where ``length`` fits earliest."""
        for start, rank, _, hard, bucket in self.front:
            if start + length > hard:  # most are too short: what is left at the end of days
                continue
            begin = start if start > not_before else not_before
            if begin + length <= hard:
                gap = bucket.heap[0][3]
                if begin < gap.end:
                    return begin, rank, gap
        return None


def occupy(machine: Timeline, start: int, until: int, *, first: int = 0) -> None:
    """Take ``[start, until)`` from a machine's free times, of which those before number ``first`` lie earlier."""
    gaps = machine.gaps
    for number in range(first, len(gaps)):
        gap = gaps[number]
        if gap.start >= until:
            break
        if gap.end <= start or gap.start >= gap.end:
            continue
        gap.start = until
        bucket = gap.bucket
        assert bucket is not None  # every free time of a machine stands in its line
        if until < gap.end:
            heappush(bucket.heap, (until, machine.rank, number, gap))
        bucket.refresh()
    for own in machine.own.values():
        for gap in own:
            if gap.start < until and gap.end > start:
                gap.start = until


def _room(machine: MachineNow, at: datetime) -> timedelta:
    """Return how long nothing that is known will disturb the machine, from now on."""
    closes = machine.open_until(at)
    if closes is None:
        return timedelta()
    ahead = [hold.start for hold in machine.held if hold.end > at]
    ahead += [cut.start for cut in machine.cuts if cut.end > at]
    ahead += [start for start, end in machine.outages if end is None or end > at]
    return min([closes, *ahead]) - at


def _ticks(moment: datetime, at: datetime) -> int:
    return (moment - at) // TICK


def _inside(open_: Sequence[Span], hold: Held) -> list[Span]:
    return within(open_, hold.start, hold.end)
