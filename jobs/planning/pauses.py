"""A machine that waits for somebody, filament out or door open: who comes next on it is told (fault case 27)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from equipment.bookings.models import Booking
from equipment.bookings.states import LIVE
from equipment.machines.queries import in_use
from fablab.notices import services as notices
from fablab.notices.queries import standing, told
from jobs.lifecycle.models import Job, JobEvent, Order
from jobs.lifecycle.on_machines import last_orders, live_attempts
from jobs.lifecycle.states import OrderState, Source, State, Verb
from jobs.lifecycle.table import Action
from jobs.planning.queries import next_for_machines

PAUSED = "machine_paused"
SOON = timedelta(hours=3)  # whose booking begins later is not troubled: somebody will have come
NOT_SENT = frozenset({OrderState.REFUSED, OrderState.EXPIRED})


def tell_of_pauses(at: datetime) -> int:
    """Tell who comes next on each machine that paused by itself, once; take it back when it goes on.

    Next are the next booking within three hours and the first object of the queue that waits for this machine, each
    of somebody else. Repeatable, in a number of queries that does not grow with the machines. Returns how many
    messages are new.
    """
    machines = {
        machine.pk: machine for machine in in_use().filter(attempts__jobs__state=State.PAUSED).distinct()
    }
    paused = _paused(machines)
    keys = {machine_id: f"paused:{one.attempt_id}" for machine_id, one in paused.items()}
    known, new = told(keys.values()), 0
    for machine_id, people in _next(paused, at).items():
        key = keys[machine_id]
        for person_id, link in people.items():
            if (key, person_id) not in known:
                params = {"machine": machines[machine_id].name}
                new += notices.tell([person_id], PAUSED, params, key=key, link=link, at=at)
    for key in standing(PAUSED) - set(keys.values()):
        notices.withdraw(key)
    return new


@dataclass(frozen=True)
class _Pause:
    attempt_id: str
    began: datetime
    owners: frozenset[str]


def _paused(machine_ids: Collection[str]) -> dict[str, _Pause]:
    """Return, by machine, the tries that the machine itself reported paused.

    A person's word at a machine without a link is a person's pause, and so is one that somebody asked for.
    """
    attempts = live_attempts(machine_ids)
    orders = last_orders([attempt.pk for attempt in attempts.values()])
    jobs = {
        machine_id: [part.job for part in attempt.parts.all() if part.live]
        for machine_id, attempt in attempts.items()
    }
    moves = JobEvent.objects.filter(
        job__in=[job for some in jobs.values() for job in some], action__in=[Action.PAUSE, Action.RESUME]
    ).order_by("at", "version")
    last = {(event.job_id, event.action): event for event in moves}
    found = {}
    for machine_id, attempt in attempts.items():
        there = jobs[machine_id]
        if not there or any(job.state != State.PAUSED for job in there):
            continue
        pauses = [last.get((job.pk, Action.PAUSE)) for job in there]
        resumed = max(
            (last[job.pk, Action.RESUME].at for job in there if (job.pk, Action.RESUME) in last), default=None
        )
        by_itself = any(event is not None and event.source == Source.MACHINE for event in pauses)
        if by_itself and not _asked(orders.get(attempt.pk), resumed):
            found[machine_id] = _Pause(
                attempt.pk,
                attempt.started_at or attempt.claimed_at,
                frozenset(job.owner_id for job in there),
            )
    return found


def _asked(order: Order | None, resumed: datetime | None) -> bool:
    """Say whether somebody asked for this pause; what was asked before it last went on was another one."""
    if order is None or order.verb != Verb.PAUSE or order.state in NOT_SENT:
        return False
    return resumed is None or order.created_at > resumed


def _next(paused: Mapping[str, _Pause], at: datetime) -> dict[str, dict[str, str]]:
    """Return, by machine, whom a pause concerns, each with the page that it is about."""
    if not paused:
        return {}
    found: dict[str, dict[str, str]] = {machine_id: {} for machine_id in paused}
    queued = next_for_machines(paused, at)
    ids = {one.job_id for some in queued.values() for one in some}
    owner_of = dict(Job.objects.filter(pk__in=ids).values_list("pk", "owner_id"))
    for machine_id, waiting in queued.items():
        for one in waiting:
            owner = owner_of.get(one.job_id)
            if (
                one.place.machine_id in (machine_id, None)
                and owner
                and owner not in paused[machine_id].owners
            ):
                found[machine_id][owner] = f"/objets/{one.job_id}/"
                break
    bookings = Booking.objects.filter(machine_id__in=paused, state__in=LIVE, end__gt=at, start__lt=at + SOON)
    served = set()
    for booking in bookings.order_by("start"):
        pause = paused[booking.machine_id]
        if booking.machine_id in served or booking.start <= pause.began or booking.person_id in pause.owners:
            continue
        served.add(booking.machine_id)
        found[booking.machine_id][booking.person_id] = f"/reservations/{booking.pk}/"
    return found
