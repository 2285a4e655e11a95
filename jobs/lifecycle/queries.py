"""Every read of jobs. What a person sees takes that person."""

from datetime import datetime

from django.db.models import Prefetch, Q, QuerySet

from equipment.certifications.queries import is_certified
from equipment.machines.models import Machine, MachineKind
from equipment.machines.states import AT_WORK, STALE_AFTER_S, STARTED_BY_LINE, STREAMED, Driver, Report
from equipment.sites.models import Site, SiteRole
from equipment.sites.queries import is_on_site, present_people
from equipment.sites.states import STAFF_ROLES, Role
from fablab.core.clock import local_day
from fablab.core.errors import NotFound
from fablab.people.models import User
from jobs.inspection.findings import Finding
from jobs.lifecycle.models import Attempt, AttemptJob, Job, JobEvent
from jobs.lifecycle.states import State
from jobs.lifecycle.table import CLOCK_SKEW_S, MAX_ATTEMPTS, ROWS, Action, Who, actions_of
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


def heard_lately(machine: Machine, at: datetime) -> bool:
    """Say whether the last sign of life is new enough; one from ahead of the clock is of nobody knows when."""
    seen = machine.seen_at
    return seen is not None and -CLOCK_SKEW_S <= (at - seen).total_seconds() < HEARD_WITHIN_S


def machine_vouches(attempt: Attempt, at: datetime) -> bool:
    """Say whether the machine itself is heard working on this attempt: then no person settles it by hand.

    What it said before we went away, or while nobody watched, vouches for nothing.
    """
    machine = attempt.machine
    return (
        attempt.unsure_since is None
        and heard_lately(machine, at)
        and Report(machine.report) in AT_WORK
        and machine.report_path == attempt.remote_path
    )


def findings_of(job: Job) -> list[Finding]:
    """Return what stands against or beside a job: its file for its model, and the preparation's own remarks."""
    told = job.upload.report
    found = findings_for(job.upload, job.machine_model, job.settings) if told else []
    if job.preparation is not None:
        found += [Finding.from_json(row) for row in job.preparation.findings]
    return found
