"""A machine that waits for somebody, filament out or door open: who comes next on it is told (fault case 27)."""

from collections.abc import Collection
from datetime import datetime, timedelta

from equipment.bookings.models import Booking
from equipment.bookings.states import LIVE
from equipment.machines.queries import in_use
from fablab.notices import services as notices
from fablab.notices.queries import standing
from jobs.lifecycle.models import Attempt, Job, JobEvent
from jobs.lifecycle.on_machines import last_orders, live_attempts
from jobs.lifecycle.states import OrderState, Source, State, Verb
from jobs.lifecycle.table import Action
from jobs.planning.queries import next_for_machine

PAUSED = "machine_paused"
SOON = timedelta(hours=3)  # whose booking begins later is not troubled: somebody will have come
NOT_SENT = frozenset({OrderState.REFUSED, OrderState.EXPIRED})


def tell_of_pauses(at: datetime) -> int:
    """Tell who comes next on each machine that paused by itself, once; take it back when it goes on.

    Next are the next booking within three hours and the first object of the queue that waits for this machine, each
    of somebody else. Repeatable. Returns how many messages are new.
    """
    machines = {
        machine.pk: machine for machine in in_use().filter(attempts__jobs__state=State.PAUSED).distinct()
    }
    attempts = live_attempts(machines)
    orders = last_orders([attempt.pk for attempt in attempts.values()])
    told, true = 0, set()
    for machine_id, attempt in attempts.items():
        jobs = [part.job for part in attempt.parts.all() if part.live]
        order = orders.get(attempt.pk)
        asked = order is not None and order.verb == Verb.PAUSE and order.state not in NOT_SENT
        if asked or not _paused_itself(jobs):
            continue
        key = f"paused:{attempt.pk}"
        true.add(key)
        for person_id, link in _next(machine_id, attempt, {job.owner_id for job in jobs}, at).items():
            told += notices.tell(
                [person_id], PAUSED, {"machine": machines[machine_id].name}, key=key, link=link, at=at
            )
    for key in standing(PAUSED) - true:
        notices.withdraw(key)
    return told


def _paused_itself(jobs: Collection[Job]) -> bool:
    """Say whether the machine reported the pause; a person's word at a machine without a link is a person's pause."""
    if not jobs or any(job.state != State.PAUSED for job in jobs):
        return False
    event = JobEvent.objects.filter(job__in=jobs, action=Action.PAUSE).order_by("-at", "-version").first()
    return event is not None and event.source == Source.MACHINE


def _next(machine_id: str, attempt: Attempt, owners: set[str], at: datetime) -> dict[str, str]:
    """Return whom a pause concerns, each with the page that it is about."""
    began = attempt.started_at or attempt.claimed_at
    found: dict[str, str] = {}
    queued = [
        one.job_id for one in next_for_machine(machine_id, at) if one.place.machine_id in (machine_id, None)
    ]
    owner_of = dict(Job.objects.filter(pk__in=queued).exclude(owner__in=owners).values_list("pk", "owner_id"))
    first = next((job_id for job_id in queued if job_id in owner_of), None)
    if first is not None:
        found[owner_of[first]] = f"/objets/{first}/"
    booking = (
        Booking.objects.filter(
            machine_id=machine_id, state__in=LIVE, end__gt=at, start__gt=began, start__lt=at + SOON
        )
        .exclude(person__in=owners)
        .order_by("start")
        .first()
    )
    if booking is not None:
        found[booking.person_id] = f"/reservations/{booking.pk}/"
    return found
