"""The next job for each idle machine: chosen, claimed, sent, given back. Nothing here enters the network."""

import logging
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from equipment.bookings import hit
from equipment.bookings.use import end_uses
from equipment.machines.live import power_turned
from equipment.machines.outages import tell_turned
from equipment.sites.queries import cuts_turned, open_until
from fablab.core.errors import DomainError
from fablab.core.witness import clock_is_trusted
from jobs.dispatch.starting import start_what_lies_ready
from jobs.inspection.endings import usual_ending
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import Attempt
from jobs.lifecycle.on_machines import LiveAttempt
from jobs.lifecycle.states import ON_MACHINE, UNSETTLED, Source, State
from jobs.lifecycle.table import LOADED_LIFETIME_S, MAX_ATTEMPTS, Action
from jobs.planning.facts import Place
from jobs.planning.guards import REFUSES_FILE
from jobs.planning.pauses import tell_of_pauses
from jobs.planning.queries import Outlook, outlooks, pulse
from jobs.planning.services import warn_of_overruns

logger = logging.getLogger(__name__)

FOLDER = "fl"
WARN_EVERY = timedelta(seconds=30)
LOOK_ANEW = timedelta(seconds=5)


@dataclass(frozen=True)
class Claimed:
    """A job that was taken for a machine just now."""

    job_id: str
    machine_id: str
    attempt_id: str


def remote_name(attempt_id: str, sha256: str, format_name: str) -> str:
    """Return the file's name on a machine: ours, ASCII, one for each attempt, never a person's (REL-6).

    Its ending is the usual one of the format, by which machines know what they can read.
    """
    return f"{attempt_id}-{sha256[:8]}.{usual_ending(format_name)}"


@dataclass
class Memory:
    """What one process remembers of its last looks, so that a lab where nothing changes is not planned each second.

    ``sites``: what was seen of a site, when it was planned, and when it is to be planned anew all the same: for what
    is not seen in the pulse (bookings, hours, silence), or when the next job begins.
    """

    sites: dict[str, tuple[Hashable, datetime, datetime]] = field(default_factory=dict)
    warned_at: datetime | None = None

    def is_news(self, site_id: str, seen: Hashable, at: datetime) -> bool:
        known, since, until = self.sites.get(site_id, (None, at, at))
        return known != seen or not since <= at < until  # also when the clock was put back

    def is_time_to_warn(self, at: datetime) -> bool:
        if self.warned_at is not None and timedelta() <= at - self.warned_at < WARN_EVERY:
            return False
        self.warned_at = at
        return True


def look(leases: Mapping[str, int], *, at: datetime, memory: Memory | None = None) -> list[Claimed]:
    """Claim what the plan begins now on machines whose lease (number) this process holds; store why the rest waits.

    Repeatable: the same situation writes nothing. Somebody quicker, or an approval that does not hold any more, is no
    error: the next look sees it. With a ``memory`` a site where nothing moved is planned every five seconds.
    What lies ready on a machine that starts by itself is started as well, and twice a minute who comes next is warned
    of what overruns.
    """
    start_what_lies_ready(leases, at=at)
    known_until = memory.warned_at if memory is not None else None
    if memory is not None and memory.is_time_to_warn(at):
        since = known_until or at - WARN_EVERY

        def tell_of_power(at: datetime) -> None:
            power_turned(cuts_turned(since, at))

        def tell_of_outages(at: datetime) -> None:
            tell_turned(since, at)
            hit.tell_of_wrong_guesses(at)

        for by_the_way in (_end_uses, tell_of_power, tell_of_outages, warn_of_overruns, tell_of_pauses):
            try:
                by_the_way(at)
            except Exception:  # what people are told holds up nothing that is made
                logger.exception("%s failed", by_the_way.__name__)
    beats = pulse()
    known: dict[str, Hashable] = {}
    if memory is not None:
        ours = tuple(sorted(leases.items()))
        known = {site: (beat, ours) for site, beat in beats.items()}
        beats = {site: beat for site, beat in beats.items() if memory.is_news(site, known[site], at)}
        memory.sites = {site: kept for site, kept in memory.sites.items() if site in known}
    if not beats:
        return []
    claimed: list[Claimed] = []
    for site_id, outlook in outlooks(at, site_ids=beats).items():
        if memory is not None:
            memory.sites[site_id] = (known[site_id], at, at + LOOK_ANEW)
        try:
            places = outlook.plan(at)
        except Exception:  # one site's queue holds up no other site
            logger.exception("the queue of site %s could not be planned", site_id)
            continue
        if memory is not None:
            begins = [place.expected_start for place in places.values() if place.expected_start is not None]
            soonest = min((begin for begin in begins if begin > at), default=at + LOOK_ANEW)
            memory.sites[site_id] = (known[site_id], at, min(at + LOOK_ANEW, soonest))
        claimed += _carry_out(site_id, outlook, places.values(), leases, at)
    return claimed


def _end_uses(at: datetime) -> int:
    """End the uses that are over: their right to start has ended with them already, this only writes it."""
    return end_uses(at) if clock_is_trusted(at) else 0


def _carry_out(
    site_id: str, outlook: Outlook, places: Iterable[Place], leases: Mapping[str, int], at: datetime
) -> list[Claimed]:
    claimed = []
    news = {}
    for place in places:
        if place.reasons:
            reasons = [reason.as_json() for reason in place.reasons]
            if reasons != outlook.stored[place.job_id]:
                news[place.job_id] = reasons
        elif place.machine_id is not None and place.machine_id in leases:
            attempt = _claim(place.job_id, place.machine_id, leases[place.machine_id], at)
            if attempt is not None:
                claimed.append(Claimed(place.job_id, place.machine_id, attempt.pk))
    if news:
        lifecycle.note_waiting(site_id, news, at=at)
    return claimed


def _claim(job_id: str, machine_id: str, lease_number: int, at: datetime) -> Attempt | None:
    try:
        return lifecycle.claim(job_id, machine_id, lease_number=lease_number, at=at)
    except DomainError as refusal:
        logger.info("job %s was not claimed: %s", job_id, refusal.code)
        return None


def was_sent(attempt_id: str, *, remote_path: str, remote_sha1: str, remote_runs: int, at: datetime) -> bool:
    """Note that the file is on the machine, proven: sending → loaded. False when the attempt was over by then."""
    lifecycle.note_sent(
        attempt_id, remote_path=remote_path, remote_sha1=remote_sha1, remote_runs=remote_runs, at=at
    )
    return lifecycle.step_attempt(attempt_id, Action.LOAD, source=Source.DISPATCHER, at=at)


def was_not_sent(live: LiveAttempt, *, code: str, put_off: str, at: datetime) -> None:
    """Give a job back whose file did not get to the machine; after three tries it has failed.

    ``put_off``: the machine has no room for the file or does not take it (``REFUSES_FILE``), or the way to it is
    shut (``NOT_REACHED``), which is no fault of the job: it stays in the queue (fault case 13), and this machine is not
    asked again for a while, whichever process plans. Empty: that was a try.
    """
    if put_off:
        lifecycle.note_put_off(live.id, put_off)  # before it is given back: somebody may plan at any moment
        why = "storage_refused" if put_off == REFUSES_FILE else "sending_failed"
        give_back(live.id, why=why, blameless=True, at=at, code=code)
        return
    tries = (
        Attempt.objects.get(pk=live.id).parts.filter(live=True).values_list("job__attempts_made", flat=True)
    )
    if max(tries, default=0) >= MAX_ATTEMPTS:
        lifecycle.step_attempt(
            live.id, Action.FAIL, source=Source.MACHINE, at=at, reason="sending_failed", code=code
        )
    else:
        give_back(live.id, why="sending_failed", blameless=False, at=at, code=code)


def took_too_long(live: LiveAttempt, *, at: datetime) -> None:
    """Give a job back whose machine took the file so slowly that others waited; no fault of the job."""
    give_back(live.id, why="sending_failed", blameless=True, at=at, code="too_slow")


def file_has_changed(live: LiveAttempt, *, at: datetime) -> None:
    """Take back an attempt whose stored file is not the approved one any more; nothing was sent, its approval ends."""
    with transaction.atomic():
        if give_back(live.id, why="file", blameless=True, at=at):
            for job_id in live.job_ids:
                lifecycle.apply(job_id, Action.VOID, actor=None, source=Source.SYSTEM, at=at, reason="file")


def give_back(attempt_id: str, *, why: str, blameless: bool, at: datetime, **details: str) -> bool:
    """Release an attempt that surely did not start. ``blameless``: it does not count as a try."""
    return lifecycle.step_attempt(
        attempt_id,
        Action.RELEASE,
        source=Source.DISPATCHER,
        at=at,
        reason=why,
        blameless=blameless,
        **details,
    )


def release_the_forgotten(machine_ids: list[str], *, at: datetime) -> list[str]:
    """Give back what was loaded and not started for half an hour, or when its site closed. Returns the machines.

    Looks for "at or before", so that a look that was missed only comes later (REL-12).
    """
    loaded = (
        Attempt.objects.filter(
            machine_id__in=machine_ids,
            ended_at__isnull=True,
            loaded_at__isnull=False,
            start_sent_at__isnull=True,
            started_at__isnull=True,
        )
        .exclude(orders__state__in=list(UNSETTLED))
        .select_related("machine__site")
        .prefetch_related("parts__job")
    )
    attempts = [
        attempt
        for attempt in loaded
        if all(part.job.state == State.LOADED for part in attempt.parts.all() if part.live)
    ]
    sites = {attempt.machine.site for attempt in attempts}
    closed = {site.pk for site in sites if open_until(site, at) is None}
    machines = []
    for attempt in attempts:
        assert attempt.loaded_at is not None  # filtered
        late = at - attempt.loaded_at >= timedelta(seconds=LOADED_LIFETIME_S)
        if not late and attempt.machine.site_id not in closed:
            continue
        why = "not_started_in_time" if late else "closing"
        if give_back(attempt.pk, why=why, blameless=True, at=at):
            machines.append(attempt.machine_id)
    return machines


def is_still_wanted(attempt_id: str) -> bool:
    """Say whether an attempt is live: nobody cancelled or settled it meanwhile."""
    return Attempt.objects.filter(
        pk=attempt_id, ended_at__isnull=True, parts__live=True, parts__job__state__in=list(ON_MACHINE)
    ).exists()
