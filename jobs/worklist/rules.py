"""What needs a hand now, most urgent first. Pure: facts of one place go in, entries come out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from equipment.sites.states import Role
from jobs.lifecycle.states import STARTED, State
from jobs.worklist.states import URGENCY, Need

PICK_UP_AFTER = timedelta(days=7)
HANDLED_FOR = timedelta(minutes=15)  # then somebody else may go: nothing is forgotten
OVERDUE_AFTER = timedelta(minutes=10)  # an estimate is an estimate
NOTHING_THERE = frozenset({State.SENDING, State.LOADED})
OF_PLATE = frozenset({Need.PLATE, Need.PLATE_WAITED})


@dataclass(frozen=True)
class JobNow:
    """An object as the list names it."""

    id: str
    number: int
    title: str
    owner: str
    state: State
    since: datetime


@dataclass(frozen=True)
class TryNow:
    """What is on a machine. ``refused``: the outcome of the last start, when it did not happen."""

    job: JobNow
    more: int = 0  # jobs on the same plate
    asked: bool = False  # a start is on its way: nobody presses it once more
    unsure_since: datetime | None = None
    unsure_why: str = ""
    refused: str = ""
    refused_at: datetime | None = None
    ends_at: datetime | None = None  # expected, of one that has begun
    overruns_at: datetime | None = None  # when the next person's time begins, if it will not end before


@dataclass(frozen=True)
class MachineNow:
    """A machine as the list sees it."""

    id: str
    name: str
    linked: bool
    out_of_order: bool = False
    plate_to_clear: bool = False
    plate_number: int = 0
    plate_word: str = "plate"  # what its kind calls it
    plate_since: datetime | None = None
    lies_there: tuple[JobNow, ...] = ()  # what is to be taken off the plate
    unreachable_since: datetime | None = None
    trouble: str = ""
    help_since: datetime | None = None
    help_why: str = ""
    on_it: TryNow | None = None
    at_work: bool = False  # something of ours or not moves there: its plate is nobody's now
    waited_by: int = 0  # queued objects that could go there
    carried: bool = False  # people carry files to it
    next_job: JobNow | None = None  # the first of them
    maintenance_due: bool = False


@dataclass(frozen=True)
class CallNow:
    """A person who asked that somebody comes; at which machine, if they said so."""

    id: str
    person: str
    since: datetime
    machine_id: str = ""
    machine_name: str = ""


@dataclass(frozen=True)
class SiteNow:
    """All that the list rests on, read at one moment."""

    at: datetime
    machines: Sequence[MachineNow] = ()
    clock_why: str = ""
    clock_since: datetime | None = None
    disk_why: str = ""
    disk_since: datetime | None = None
    interrupted_since: datetime | None = None
    interrupted: frozenset[str] = frozenset()  # jobs that the screen after the cut settles
    calls: Sequence[CallNow] = ()
    failed: Sequence[tuple[JobNow, str, str]] = ()  # with its machine's id and name
    on_shelf: Sequence[JobNow] = ()
    to_decide: int = 0
    to_decide_since: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """One thing that needs a hand; ``why`` is a code, a person's words, or the name of who asks."""

    need: Need
    about: str  # id of a machine, a job, a call or the site
    since: datetime | None
    machine_id: str = ""
    machine_name: str = ""
    job: JobNow | None = None
    why: str = ""
    count: int = 0
    lies_there: tuple[JobNow, ...] = ()
    plate_number: int = 0  # what is looked at, if it is about a plate
    plate_word: str = "plate"

    @property
    def key(self) -> str:
        """A name that stays the same as long as the thing does: a plate stays one when somebody begins to wait."""
        return f"{Need.PLATE if self.need is Need.PLATE_WAITED else self.need}:{self.about}"


def entries(site_id: str, now: SiteNow) -> list[Entry]:
    """Return what needs a hand at a site: by urgency, then what waits longest. Same facts, same list."""
    found: list[Entry] = []
    if now.clock_why:
        found.append(Entry(Need.CLOCK, site_id, now.clock_since, why=now.clock_why))
    if now.disk_why:
        found.append(Entry(Need.DISK, site_id, now.disk_since, why=now.disk_why))
    if now.interrupted_since is not None:
        count = len(now.interrupted)
        found.append(Entry(Need.INTERRUPTED, site_id, now.interrupted_since, count=count))
    for call in now.calls:
        found.append(
            Entry(Need.ASKED, call.id, call.since, call.machine_id, call.machine_name, why=call.person)
        )
    for machine in now.machines:
        found += _of_machine(machine, now)
    for job, machine_id, name in now.failed:
        if job.id not in now.interrupted:
            found.append(Entry(Need.FAILED, job.id, job.since, machine_id, name, job))
    for job in now.on_shelf:
        if now.at - job.since >= PICK_UP_AFTER:
            found.append(Entry(Need.PICK_UP, job.id, job.since, job=job))
    if now.to_decide:
        found.append(Entry(Need.DECIDE, site_id, now.to_decide_since, count=now.to_decide))
    return sorted(found, key=_place)


def open_to(found: Iterable[Entry], roles: Collection[Role]) -> list[Entry]:
    """Return the entries that somebody with these roles can do something about: files are decided by instructors."""
    return [entry for entry in found if entry.need is not Need.DECIDE or Role.INSTRUCTOR in roles]


def _place(entry: Entry) -> tuple[int, bool, float, str, str]:
    since = entry.since.timestamp() if entry.since else 0.0
    return (URGENCY[entry.need], entry.since is None, since, entry.machine_name, entry.about)


def _of_machine(machine: MachineNow, now: SiteNow) -> list[Entry]:
    """At most one entry about its work, one about help, one about maintenance: one person goes there once."""

    def entry(need: Need, since: datetime | None, *, job: JobNow | None = None, why: str = "") -> Entry:
        there = machine.lies_there if need in OF_PLATE else ()
        return Entry(
            need,
            machine.id,
            since,
            machine.id,
            machine.name,
            job,
            why,
            machine.waited_by,
            there,
            machine.plate_number,
            machine.plate_word,
        )

    found = []
    if machine.help_since is not None:
        found.append(entry(Need.HELP, machine.help_since, why=machine.help_why))
    if machine.maintenance_due and not machine.out_of_order:
        found.append(entry(Need.MAINTENANCE, None))
    work = _work(machine, now)
    if work is not None:
        need, since, why = work
        job = machine.on_it.job if machine.on_it else machine.next_job if need is Need.TO_TAKE else None
        found.append(entry(need, since, job=job, why=why))
    return found


def _work(machine: MachineNow, now: SiteNow) -> tuple[Need, datetime | None, str] | None:
    tried = machine.on_it
    if tried is not None and tried.unsure_since is not None:
        if tried.job.id in now.interrupted:
            return None
        return Need.UNSURE, tried.unsure_since, tried.unsure_why
    if machine.out_of_order:
        return _of_broken(machine, now.at)
    if machine.unreachable_since is not None:
        if tried is not None and tried.job.id in now.interrupted:
            return None
        return Need.UNREACHABLE, machine.unreachable_since, machine.trouble
    if tried is not None:
        return _of_try(machine, tried, now.at)
    if machine.at_work:
        return None
    if machine.plate_to_clear:
        need = Need.PLATE_WAITED if machine.waited_by else Need.PLATE
        return need, machine.plate_since, ""
    if machine.carried and machine.next_job is not None:
        return Need.TO_TAKE, machine.next_job.since, ""
    return None


def _of_broken(machine: MachineNow, at: datetime) -> tuple[Need, datetime | None, str] | None:
    """What lies ready there goes back to the queue, and what was made there to the shelf; nobody waits for it.

    What is being made there is not forgotten: somebody says what became of it.
    """
    tried = machine.on_it
    if tried is not None and tried.job.state in STARTED:
        return _of_try(machine, tried, at)
    if tried is not None:
        return (Need.PUT_BACK, tried.job.since, "") if tried.job.state is State.LOADED else None
    if machine.plate_to_clear and machine.lies_there and not machine.at_work:
        return Need.PLATE, machine.plate_since, ""
    return None


def _of_try(machine: MachineNow, tried: TryNow, at: datetime) -> tuple[Need, datetime | None, str] | None:
    state = tried.job.state
    if state is State.PAUSED:
        return Need.PAUSED, tried.job.since, ""
    if state in NOTHING_THERE and tried.refused:
        return Need.NOT_STARTED, tried.refused_at, tried.refused
    if state in STARTED:
        if tried.overruns_at is not None:
            return Need.OVERRUN, tried.overruns_at, ""
        if not machine.linked and tried.ends_at is not None and at - tried.ends_at >= OVERDUE_AFTER:
            return Need.OVERDUE, tried.ends_at, ""
        return None
    if tried.asked:
        return None
    if machine.plate_to_clear:
        return Need.PLATE_WAITED, machine.plate_since or tried.job.since, ""
    return (Need.LOADED, tried.job.since, "") if state is State.LOADED else None
