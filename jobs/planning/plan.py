"""Where each waiting job goes, about when, and why not yet. Pure: facts in, places out.

In the order of the queue, each job gets the earliest time at which it fits on a machine that can make it: inside
opening hours, outside other people's bookings, outages and announced power cuts, after what is planned there already.
No job is ever put off by one that comes after it. What is to begin now is what dispatch claims, and nothing else.

Places and starts are rough: they assume that machines are emptied and started without delay, and that estimates hold.
n jobs take n log n steps; machines that take the same files cost as much as one (``timeline``).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from jobs.planning.facts import MachineNow, Place, Reason, Waiting
from jobs.planning.guards import (
    BUSY,
    GUARDS,
    NO_MACHINE,
    OPERATOR,
    TURN,
    UNDO,
    About,
    could_take,
    why_not,
)
from jobs.planning.order import Turns, in_order
from jobs.planning.timeline import TICK, Line, Timeline, occupy

OF_JOB = tuple(guard for guard in GUARDS if guard.about is About.JOB)
OF_MACHINE = tuple(guard for guard in GUARDS if guard.about is About.MACHINE)
OF_FIT = tuple(guard for guard in GUARDS if guard.about is About.FIT)
OF_PAIR = tuple(guard for guard in GUARDS if guard.about is About.PAIR)
RANK_OF_CODE = {guard.code: number for number, guard in reversed(list(enumerate(GUARDS)))}

Needs = tuple[str, str | None, str, str, float | None, str]


def plan(
    jobs: Iterable[Waiting],
    machines: Sequence[MachineNow],
    at: datetime,
    *,
    used: Mapping[str, timedelta] | None = None,
    on_machines: Turns | None = None,
) -> Mapping[str, Place]:
    """Return each job's place, by job, in the order of the queue.

    ``used``: machine time of the last days, by owner; ``on_machines``: how many jobs (owner, model) has on machines.
    """
    waiting = list(jobs)
    planning = _Planning(waiting, machines, at)
    order = in_order(
        waiting, used=used or {}, on_machines=on_machines or {}, takes_turn=planning.can_be_placed
    )
    return planning.places(order)


class _Planning:
    """One plan in the making."""

    def __init__(self, jobs: Sequence[Waiting], machines: Sequence[MachineNow], at: datetime) -> None:
        self.at = at
        owners = frozenset(job.owner_id for job in jobs)
        awaited = frozenset(job.own_booking.booking_id for job in jobs if job.own_booking is not None)
        ranked = sorted(machines, key=lambda machine: machine.rank)
        self.timelines = {
            machine.id: Timeline(machine, rank, at, owners, awaited) for rank, machine in enumerate(ranked)
        }
        alike: dict[tuple[object, ...], list[Timeline]] = {}
        self._of_model: dict[str, list[Timeline]] = {}
        for one in self.timelines.values():
            machine = one.machine
            kind = (
                machine.model_id,
                machine.only_named,
                machine.formats,
                machine.material,
                machine.nozzle_mm,
                machine.frame,
            )
            alike.setdefault(kind, []).append(one)
            self._of_model.setdefault(machine.model_id, []).append(one)
        self._lines = [Line(group) for group in alike.values()]
        self._holders = {
            person: [one for one in self.timelines.values() if person in one.own]
            for person in {person for one in self.timelines.values() for person in one.own}
        }
        self._lines_for: dict[Needs, list[Line]] = {}
        self._lines_of: dict[str, list[Line]] = {}
        self._settled = at - UNDO  # what was approved until then can be made now
        self._to_explain: dict[Needs, Timeline | None] = {}
        self._given: set[str] = set()  # what begins now
        self._against: dict[str, tuple[Reason, ...]] = {}

    # --- where it could go ------------------------------------------------------------------------------------------

    def lines_for(self, job: Waiting) -> list[Line]:
        """Return the machines that may make this job, whatever the time."""
        found = self._lines_of.get(job.id)
        if found is not None:
            return found
        needs = _needs(job)
        found = self._lines_for.get(needs)
        if found is None:
            found = [line for line in self._lines if self._fits(job, line.machines[0].machine)]
            self._lines_for[needs] = found
        self._lines_of[job.id] = found
        return found

    @staticmethod
    def _fits(job: Waiting, machine: MachineNow) -> bool:
        return could_take(job, machine) and not any(
            guard.check(job, machine, _WHENEVER) is not None for guard in OF_FIT
        )

    def can_be_placed(self, job: Waiting) -> bool:
        """Say whether the job waits for its turn on a machine, not for something else."""
        if job.approved_at is None or job.own_booking is not None:
            return False
        length = job.must_fit // TICK
        if job.named is not None:
            named = self.timelines.get(job.named)
            return named is not None and self._fits(job, named.machine) and length <= named.longest
        return any(length <= line.longest for line in self.lines_for(job))

    # --- when ---------------------------------------------------------------------------------------------------

    def places(self, order: Sequence[Waiting]) -> dict[str, Place]:
        starts: dict[str, tuple[int, Timeline]] = {}
        # A booking is kept for its own job: nothing that is planned before may eat the time after it.
        for job in sorted(order, key=lambda job: job.own_booking is None):
            found = self._place(job)
            if found is not None:
                starts[job.id] = found
        numbers: Counter[str] = Counter()
        places = {}
        for job in order:
            numbers[job.model_id] += 1
            found = starts.get(job.id)
            places[job.id] = Place(
                job.id,
                numbers[job.model_id],
                found[1].machine.id if found else None,
                self.at + found[0] * TICK if found else None,
                self._reasons(job, found),
                found[1].machine.name if found else "",
            )
        return places

    def _place(self, job: Waiting) -> tuple[int, Timeline] | None:
        if job.approved_at is None:
            return None
        length = job.must_fit // TICK
        not_before = 0 if job.approved_at <= self._settled else (job.approved_at - self._settled) // TICK
        if job.own_booking is not None:
            not_before = max(not_before, (job.own_booking.start - self.at) // TICK)
            if job.named != job.booked_machine_id:
                return None
        found = self._earliest(job, length, not_before)
        if found is None:
            return None
        start, machine, number = found
        occupy(
            machine,
            start,
            machine.free_after(start, None if job.length is None else length),
            first=number,
        )
        if start == 0:
            self._given.add(machine.machine.id)
        return start, machine

    def _earliest(self, job: Waiting, length: int, not_before: int) -> tuple[int, Timeline, int] | None:
        """Return (start, machine, the number of a free time of it before which nothing changes)."""
        best: tuple[int, int, Timeline, int] | None = None
        refused = (
            {machine for machine, (_, until) in job.put_off.items() if until > self.at}
            if job.put_off
            else frozenset()
        )
        if job.named is None and not refused:
            for line in self.lines_for(job):
                free = line.first_fit(length, not_before)
                if free is not None and (best is None or free[:2] < best[:2]):
                    gap = free[2]
                    best = (free[0], free[1], gap.machine, gap.machine.gaps.index(gap))
            one_by_one = self._holders.get(job.owner_id, [])
        elif job.named is not None:
            one_by_one = [one for one in [self.timelines.get(job.named)] if one is not None]
        else:
            one_by_one = [one for line in self.lines_for(job) for one in line.machines]
        for one in one_by_one:
            if one.machine.id in refused or not self._fits(job, one.machine):
                continue
            start = one.first_fit(length, not_before, job.owner_id)
            if start is not None and (best is None or (start, one.rank) < best[:2]):
                best = (start, one.rank, one, 0)
        return None if best is None else (best[0], best[2], best[3])

    # --- why not yet --------------------------------------------------------------------------------------------

    def _reasons(self, job: Waiting, found: tuple[int, Timeline] | None) -> tuple[Reason, ...]:
        if found is not None and found[0] == 0:
            machine = found[1].machine
            return () if machine.by_line else (Reason(OPERATOR, {"machine": machine.name}),)
        one = found[1] if found is not None else self._lacks_least(job)
        if one is None:
            return (Reason(NO_MACHINE, {}),)
        machine = one.machine
        same = self._standing(one)
        if found is not None and self._only_the_machine(job, one):
            return same or (Reason(TURN, {"machine": machine.name}),)
        reasons = [
            *why_not(job, machine, self.at, among=OF_JOB),
            *(why_not(job, machine, self.at, among=OF_FIT) if found is None else ()),
            *same,
            *why_not(job, machine, self.at, among=OF_PAIR),
        ]
        if not reasons:
            reasons.append(Reason(TURN, {"machine": machine.name}))
        return tuple(sorted(reasons, key=lambda reason: RANK_OF_CODE.get(reason.code, len(GUARDS))))

    def _standing(self, one: Timeline) -> tuple[Reason, ...]:
        """Return what stands against every job on this machine now; once every job has its place."""
        machine = one.machine
        known = self._against.get(machine.id)
        if known is None:
            known = why_not(_NOBODYS, machine, self.at, among=OF_MACHINE)
            if machine.id in self._given:
                known += (Reason(BUSY, {"machine": machine.name}),)
            self._against[machine.id] = known
        return known

    def _only_the_machine(self, job: Waiting, one: Timeline) -> bool:
        """Say, without asking each, that no guard fails which asks for the job, or for the job on this machine."""
        return (
            job.must_fit <= one.room
            and job.own_booking is None
            and not job.put_off
            and job.approved_at is not None
            and job.approved_at <= self._settled
        )

    def _lacks_least(self, job: Waiting) -> Timeline | None:
        """Return the machine whose reasons are told for a job that goes nowhere."""
        needs = _needs(job)
        if needs not in self._to_explain:
            self._to_explain[needs] = min(
                (one for one in self._of_model.get(job.model_id, ()) if could_take(job, one.machine)),
                key=lambda one: (
                    len(why_not(job, one.machine, self.at, among=OF_FIT)),
                    len(self._standing(one)),
                    one.rank,
                ),
                default=None,
            )
        return self._to_explain[needs]


_WHENEVER = datetime.min.replace(tzinfo=UTC)  # what is in a machine does not depend on the time
_NOBODYS = Waiting(id="", owner_id="", model_id="", queued_at=_WHENEVER)


def _needs(job: Waiting) -> Needs:
    return (job.model_id, job.named, job.format, job.material, job.nozzle_mm, job.frame)
