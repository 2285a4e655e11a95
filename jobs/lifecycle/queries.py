"""Every read of jobs. What a person sees takes that person."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.models import Max, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.fields.json import KT

from equipment.certifications.queries import is_certified
from equipment.machines.models import MachineKind
from equipment.machines.states import AT_WORK, STALE_AFTER_S, STARTED_BY_LINE, STREAMED, Driver, Report
from equipment.sites.models import Site, SiteRole
from equipment.sites.queries import is_on_site, present_people
from equipment.sites.states import STAFF_ROLES, Role
from fablab.core.clock import local_day
from fablab.core.errors import NotFound
from fablab.people.models import User
from jobs.inspection.findings import Finding
from jobs.lifecycle.models import Approval, Attempt, AttemptJob, Job, JobEvent, Order
from jobs.lifecycle.states import UNSETTLED, OrderState, State
from jobs.lifecycle.table import MAX_ATTEMPTS, ROWS, Action, Who, actions_of
from jobs.preparation.queries import findings_for

HEARD_WITHIN_S = 30 + STALE_AFTER_S  # a sign of life is written every 30 s at the latest
SHORTEST_WORK_S = 30.0  # a cut of a second takes a person longer than that
HELPING_ROLES = STAFF_ROLES | {Role.INSTRUCTOR}  # see all jobs of their site


class Viewer:
    """A person with the roles they hold, read once: every question about one page asks the same viewer."""

    def __init__(self, person: User, at: datetime) -> None:
        self.person = person
        self.at = at
        self._roles: dict[str, set[Role]] | None = None
        self._here: dict[str, bool] = {}
        self._operates: dict[tuple[str, str], bool] = {}

    def roles_at(self, site_id: str) -> set[Role]:
        if self._roles is None:
            self._roles = {}
            for site, role in SiteRole.objects.filter(person=self.person).values_list("site_id", "role"):
                self._roles.setdefault(site, set()).add(Role(role))
        return self._roles.get(site_id, set())

    def is_on_site(self, site_id: str) -> bool:
        if site_id not in self._here:
            self._here[site_id] = is_on_site(self.person, site_id, self.at)
        return self._here[site_id]

    def parts(self, job: Job, *, linked: bool) -> frozenset[Who]:
        """Return the parts that this person plays for ``job``."""
        roles = self.roles_at(job.site_id)
        parts: set[Who] = set()
        if job.owner_id == self.person.pk:
            parts.add(Who.OWNER)
        if Role.INSTRUCTOR in roles:
            parts.add(Who.INSTRUCTOR)
        if roles & STAFF_ROLES:
            parts.add(Who.STAFF)
        if not linked and (
            (parts & {Who.INSTRUCTOR, Who.STAFF} and self.is_on_site(job.site_id))
            or (Who.OWNER in parts and self.operates(job.machine_model.kind, job.site))
        ):
            parts.add(Who.OPERATOR)
        return frozenset(parts)

    def operates(self, kind: MachineKind, site: Site) -> bool:
        """Say whether this person may make their own objects at this kind of machine now.

        The kind's guide must say so, the person must be trained for it, and somebody on duty must be in the house:
        nobody can prove that a member stands at the machine, so their word holds only where it can be looked at.
        """
        key = kind.pk, site.pk
        if key not in self._operates:
            self._operates[key] = (
                kind.by_hand.owner_operates
                and bool(self.roles_at(site.pk))
                and (
                    not kind.needs_certificate
                    or is_certified(self.person, kind.pk, site.pk, local_day(self.at, site.time_zone))
                )
                and present_people(site.pk, self.at).exists()
            )
        return self._operates[key]


def visible_jobs(viewer: User) -> QuerySet[Job]:
    """Return one's own jobs, and all jobs of the sites where one is instructor, staff or manager."""
    sites = SiteRole.objects.filter(person=viewer, role__in=HELPING_ROLES).values("site_id")
    return Job.objects.filter(Q(owner=viewer) | Q(site_id__in=sites))


def with_all_that_pages_show(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """Load what a job's page or answer shows, in a fixed number of queries."""
    parts = AttemptJob.objects.select_related("attempt__machine", "attempt__machine_file").order_by("number")
    return jobs.select_related(
        "owner",
        "site",
        "upload",
        "machine_model__kind",
        "machine",
        "preparation__result",
        "machine_file",
        "booking",
    ).prefetch_related(Prefetch("parts", queryset=parts, to_attr="loaded_parts"))


def job_for(viewer: User, job_id: str) -> Job:
    """Return the job, with what pages show. Raises ``NotFound`` when unknown or not visible."""
    job = with_all_that_pages_show(visible_jobs(viewer)).filter(pk=job_id).first()
    if job is None:
        raise NotFound
    return job


def attempts_of(job: Job) -> list[AttemptJob]:
    """Return the job's tries, first to last; uses what ``with_all_that_pages_show`` loaded."""
    loaded = getattr(job, "loaded_parts", None)
    if loaded is None:
        loaded = list(
            job.parts.select_related("attempt__machine", "attempt__machine_file").order_by("number")
        )
    return list(loaded)


def live_part(job: Job) -> AttemptJob | None:
    """Return the job's live try, if any."""
    return next((part for part in attempts_of(job) if part.live), None)


def is_unsure(job: Job, at: datetime) -> bool:
    """Say whether nobody knows what became of the job's live try: shown as "On vérifie la machine"."""
    part = live_part(job)
    return part is not None and part.attempt.unsure_since is not None


def events_of(job: Job) -> QuerySet[JobEvent]:
    return job.events.select_related("actor").order_by("version")


def actions_for(job: Job, viewer: Viewer) -> tuple[Action, ...]:
    """Return what the viewer may do now: the table, less what a guard would refuse at once."""
    part = live_part(job)
    machine = part.attempt.machine if part else job.machine
    linked = machine.linked if machine else True
    parts = viewer.parts(job, linked=linked)
    return tuple(
        action
        for action in actions_of(State(job.state), parts, linked=linked)
        if action not in {Action.CLAIM, Action.LOAD if linked else None, Action.SHELVE}
        and not _would_be_refused(action, job, part, parts, viewer, linked=linked)
    )


def _would_be_refused(
    action: Action,
    job: Job,
    part: AttemptJob | None,
    parts: frozenset[Who],
    viewer: Viewer,
    *,
    linked: bool,
) -> bool:
    match action:
        case Action.APPROVE:
            return Who.OWNER in parts and not job.site.self_approval
        case Action.START:
            driver = part.attempt.machine.driver if part else job.machine.driver if job.machine else None
            if part is not None and part.attempt.machine.out_of_order_since is not None:
                return True
            by_line = linked or (driver is not None and Driver(driver) in STARTED_BY_LINE)
            return by_line and (
                State(job.state) is not State.LOADED
                or not parts & ROWS[Action.START].ordered_by
                or not job.machine_model.kind.remote_start
                or not viewer.is_on_site(job.site_id)
                # Where no look will tell, what has left is not sent again.
                or (not linked and part is not None and may_have_started(part.attempt))
            )
        case Action.RESUME:
            return linked and not viewer.is_on_site(job.site_id)
        case Action.RELEASE:
            return part is None or may_have_started(part.attempt)
        case Action.STOPPED | Action.FINISH | Action.FAIL:
            return linked and part is not None and machine_vouches(part.attempt, viewer.at)
        case Action.REQUEUE:
            return job.attempts_made >= MAX_ATTEMPTS
        case _:
            return False


def may_have_started(attempt: Attempt) -> bool:
    """Say whether the machine moved, or may have: then it is never called "not started" without proof."""
    return attempt.started_at is not None or attempt.start_sent_at is not None


def by_the_clock(attempt: Attempt, at: datetime) -> tuple[float | None, int | None]:
    """Return (percent, seconds left) of a try on a machine that says nothing: the time since its start, measured by
    the file's own estimate. It never says 100: only a person knows when it is done.

    A machine that is fed while it works cannot have made more than it has taken, so it is at most that far: it may
    take a short file at once, and none while somebody changes its blade. Without an estimate that is all we know.
    """
    if attempt.started_at is None:
        return None, None
    minutes = (attempt.machine_file.report or {}).get("minutes")
    taken = _taken(attempt)
    if minutes is None:
        return (None if taken is None else min(99.0, taken)), None
    whole = max(float(minutes) * 60, SHORTEST_WORK_S)
    passed = max(0.0, (at - attempt.started_at).total_seconds())
    if taken is not None:
        passed = min(passed, whole * taken / 100)
    return min(99.0, 100 * passed / whole), max(0, round(whole - passed))


def _taken(attempt: Attempt) -> float | None:
    """Return how much of the file has gone into a machine that makes what arrives, in percent."""
    if Driver(attempt.machine.driver) not in STREAMED or not attempt.machine_file.size:
        return None
    return 100 * attempt.sent_bytes / attempt.machine_file.size


def machine_vouches(attempt: Attempt, at: datetime) -> bool:
    """Say whether the machine itself is heard working on this attempt: then no person settles it by hand.

    What it said before we went away, or while nobody watched, vouches for nothing.
    """
    machine = attempt.machine
    return (
        attempt.unsure_since is None
        and machine.seen_at is not None
        and (at - machine.seen_at).total_seconds() < HEARD_WITHIN_S
        and Report(machine.report) in AT_WORK
        and machine.report_path == attempt.remote_path
    )


# --- for dispatch and supervision: no viewer, a machine asks ---------------------------------------------------


@dataclass(frozen=True)
class LiveAttempt:
    """What supervision must know of the try that is on a machine now."""

    id: str
    machine_id: str
    site_id: str
    job_ids: tuple[str, ...]
    state: State  # of its jobs; of the least advanced one when they differ
    remote_path: str
    remote_sha1: str
    remote_runs: int
    file_path: Path
    file_sha256: str
    file_size: int
    file_format: str
    lease_number: int
    claimed_at: datetime
    loaded_at: datetime | None
    start_sent_at: datetime | None
    started_at: datetime | None
    unsure_since: datetime | None
    unsure_why: str
    sent_bytes: int  # stored there, or taken with the start


_ADVANCE = (State.SENDING, State.LOADED, State.RUNNING, State.PAUSED, State.STOPPING)


def _live(attempt: Attempt) -> LiveAttempt:
    jobs = [part.job for part in attempt.parts.all() if part.live]
    states = [State(job.state) for job in jobs]
    return LiveAttempt(
        id=attempt.pk,
        machine_id=attempt.machine_id,
        site_id=attempt.machine.site_id,
        job_ids=tuple(job.pk for job in jobs),
        state=min(states, key=_ADVANCE.index) if states else State.LOADED,
        remote_path=attempt.remote_path,
        remote_sha1=attempt.remote_sha1,
        remote_runs=attempt.remote_runs,
        file_path=attempt.machine_file.path,
        file_sha256=attempt.file_sha256,
        file_size=attempt.machine_file.size,
        file_format=attempt.machine_file.format,
        lease_number=attempt.lease_number,
        claimed_at=attempt.claimed_at,
        loaded_at=attempt.loaded_at,
        start_sent_at=attempt.start_sent_at,
        started_at=attempt.started_at,
        unsure_since=attempt.unsure_since,
        unsure_why=attempt.unsure_why,
        sent_bytes=attempt.sent_bytes,
    )


def live_attempt(machine_id: str) -> LiveAttempt | None:
    """Return the try that is on this machine now. Supervision reads it at every look: large columns stay unread."""
    parts = (
        AttemptJob.objects.filter(live=True)
        .select_related("job")
        .only("attempt_id", "live", "number", "job__state")
    )
    attempt = (
        Attempt.objects.filter(machine_id=machine_id, ended_at__isnull=True)
        .select_related("machine", "machine_file")
        .defer("machine_file__report")
        .prefetch_related(Prefetch("parts", parts))
        .first()
    )
    return _live(attempt) if attempt else None


def live_attempts(machine_ids: Iterable[str]) -> Mapping[str, Attempt]:
    """Return the live tries of many machines, by machine."""
    found = (
        Attempt.objects.filter(machine_id__in=list(machine_ids), ended_at__isnull=True)
        .select_related("machine", "machine_file")
        .prefetch_related("parts__job__owner")
    )
    return {attempt.machine_id: attempt for attempt in found}


def undeleted_remote_files(machine_id: str) -> list[tuple[str, str]]:
    """Return (attempt, path) of files that are still on the machine after their end."""
    return list(
        Attempt.objects.filter(machine_id=machine_id, ended_at__isnull=False, remote_deleted_at__isnull=True)
        .exclude(remote_path="")
        .order_by("ended_at")
        .values_list("pk", "remote_path")[:50]
    )


def waiting_orders(machine_id: str) -> list[Order]:
    """Return the orders for this machine that nobody has taken, oldest first."""
    return list(
        Order.objects.filter(attempt__machine_id=machine_id, state=OrderState.WAITING)
        .select_related("attempt")
        .order_by("created_at")
    )


def open_orders(attempt_id: str) -> list[Order]:
    """Return the orders that are not settled yet: pages say "Pause demandée"."""
    return list(Order.objects.filter(attempt_id=attempt_id, state__in=UNSETTLED).order_by("created_at"))


def last_orders(attempt_ids: Iterable[str]) -> Mapping[str, Order]:
    """Return the newest order of each try, by try: pages say when it was refused, and why."""
    found = Order.objects.filter(attempt_id__in=list(attempt_ids)).order_by("created_at")
    return {order.attempt_id: order for order in found}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A queued job as planning and dispatch see it."""

    job_id: str
    owner_id: str
    site_id: str
    machine_id: str | None  # the machine it names
    machine_model_id: str
    booking_id: str | None
    format: str
    minutes: float | None
    nozzle_mm: float | None  # what its file was made for
    material: str
    frame: str
    approved_at: datetime | None
    queued_at: datetime
    priority: int
    waiting_for: list[dict[str, Any]]


def queued(site_ids: Iterable[str] | None = None) -> list[Candidate]:
    """Return the queued jobs of these sites, or of all, that have a machine file; in one query, in no order.

    Only what is needed is read of the files' reports: thousands may wait.
    """
    jobs = Job.objects.filter(
        state=State.QUEUED, machine_file__isnull=False, queued_at__isnull=False
    ).order_by()
    if site_ids is not None:
        jobs = jobs.filter(site_id__in=list(site_ids))
    valid = Approval.objects.filter(job=OuterRef("pk"), voided_at__isnull=True).values("at")[:1]
    rows = jobs.values_list(
        "pk",
        "owner_id",
        "site_id",
        "machine_id",
        "machine_model_id",
        "booking_id",
        "machine_file__format",
        "machine_file__report__minutes",
        "machine_file__report__facts__nozzle_mm",
        KT("settings__material"),
        KT("settings__frame"),  # as text: "100" is a name
        Subquery(valid),
        "queued_at",
        "priority",
        "waiting_for",
    )
    return [_candidate(*row) for row in rows]


def _candidate(*row: Any) -> Candidate:
    told, (minutes, nozzle, material, frame), rest = row[:7], row[7:11], row[11:]
    return Candidate(
        *(*told, _number(minutes), _number(nozzle), str(material or ""), str(frame or ""), *rest)
    )


def _number(given: Any) -> float | None:
    return float(given) if isinstance(given, (int, float)) and not isinstance(given, bool) else None


def last_ends(machine_ids: Iterable[str]) -> Mapping[str, datetime]:
    """Return when each machine last ended a try: the longest idle one is chosen first."""
    rows = (
        Attempt.objects.filter(machine_id__in=list(machine_ids), ended_at__isnull=False)
        .values("machine_id")
        .annotate(last=Max("ended_at"))
    )
    return {row["machine_id"]: row["last"] for row in rows}


def findings_of(job: Job) -> list[Finding]:
    """Return what stands against or beside a job: its file for its model, and the preparation's own remarks."""
    told = job.upload.report
    found = findings_for(job.upload, job.machine_model, job.settings) if told else []
    if job.preparation is not None:
        found += [Finding.from_json(row) for row in job.preparation.findings]
    return found
