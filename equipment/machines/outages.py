"""Times in which a machine cannot be used: at once or planned, why, and back early.

Who has booked it then is told by ``equipment.bookings.hit``, which is the door to all writes here. Whether a machine is
out of order is asked at each look and written down by nobody: a planned outage begins and ends by itself.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from equipment.machines.live import machine_changed
from equipment.machines.locks import lock_machine
from equipment.machines.models import Machine, Outage
from equipment.machines.record import log, write
from equipment.sites.models import SiteRole
from equipment.sites.queries import require_role
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.errors import Malformed, NotFound, Problem, Refused
from fablab.people.models import User

LONGEST = timedelta(days=366)
LONGEST_REASON = 200


# --- reads ------------------------------------------------------------------------------------------------


def covering(at: datetime) -> Q:
    """Return the condition of an outage that lasts at this moment."""
    return Q(start__lte=at) & (Q(end__isnull=True) | Q(end__gt=at))


def running(machine_ids: Collection[str], at: datetime) -> dict[str, Outage]:
    """Return the outage that lasts at this moment on each of these machines that has one. One query.

    Of several that lasts of which nobody knows the end, then the one that ends last.
    """
    found: dict[str, Outage] = {}
    for outage in Outage.objects.filter(covering(at), machine__in=machine_ids).order_by("pk"):
        known = found.get(outage.machine_id)
        if known is None or (known.end is not None and (outage.end is None or outage.end > known.end)):
            found[outage.machine_id] = outage
    return found


def in_outage(at: datetime) -> Exists:
    """Return what a question about machines is annotated with: whether an outage lasts at this moment."""
    return Exists(Outage.objects.filter(covering(at), machine=OuterRef("pk")))


def is_out_of_order(machine: Machine, at: datetime) -> bool:
    """Say whether nobody may start anything on this machine now, broken or planned."""
    return machine.out_of_order_since is not None or machine.outages.filter(covering(at)).exists()


def lasted_between(machine: Machine, since: datetime, until: datetime) -> bool:
    """Say whether an outage of this machine lasted at any time after ``since``, up to ``until``: hands were at it then.

    Also one that began before, or that somebody wrote down only afterwards.
    """
    lasted = machine.outages.filter(
        Q(end__isnull=True) | Q(end__gt=F("start")) & Q(end__gt=since), start__lte=until
    )
    return lasted.exists()


def until_when(outage: Outage, at: datetime) -> datetime | None:
    """Return when the machine can be had again; None when nobody knows, or the time that was guessed is over."""
    if outage.end is not None:
        return outage.end
    return outage.expected_end if outage.expected_end is not None and outage.expected_end > at else None


def to_come(machine: Machine, at: datetime) -> list[Outage]:
    """Return the outages of a machine that are not over, the next one first."""
    rows = Outage.objects.filter(Q(end__isnull=True) | Q(end__gt=at), machine=machine)
    return list(rows.select_related("created_by").order_by("start", "pk"))


def outage_for(viewer: User, outage_id: str) -> Outage:
    """Return an outage of a machine in use at one of the person's sites. Raises ``NotFound``."""
    if not (outage_id.isascii() and outage_id.isdigit() and len(outage_id) < 19):
        raise NotFound  # no number of ours
    sites = SiteRole.objects.filter(person=viewer).values("site_id")
    found = (
        Outage.objects.filter(pk=int(outage_id), machine__site__in=sites, machine__retired_at__isnull=True)
        .select_related("machine__site", "machine__model__kind")
        .first()
    )
    if found is None:
        raise NotFound
    return found


def turned(since: datetime, until: datetime) -> QuerySet[Machine]:
    """Return the machines in use of which an outage began or ended after ``since``, up to ``until``."""
    begun, over = Q(start__gt=since, start__lte=until), Q(end__gt=since, end__lte=until)
    ids = Outage.objects.filter(begun | over).values("machine_id")
    return Machine.objects.filter(pk__in=ids, retired_at__isnull=True)


def tell_turned(since: datetime, until: datetime) -> None:
    """Tell those who watch machines of which a planned outage began or ended meanwhile to look again."""
    for machine in turned(since, until):
        machine_changed(machine)


# --- writes -----------------------------------------------------------------------------------------------


def put_out_of_order(
    machine_id: str,
    *,
    actor: User | None,
    reason: str,
    at: datetime,
    expected_end: datetime | None = None,
    photo: str = "",
) -> Machine:
    """Take a machine out of service until somebody brings it back; ``actor`` is None when it reported a fault.

    ``expected_end`` is a guess: what comes after it can be booked, and nothing starts by itself before somebody has
    said that the machine is back. ``photo``: a file's name (``photos``).
    Raises ``NotFound``, ``NotAllowed`` (instructors and staff), ``Malformed``: a reason is missing or too long, or the
    guess is over; ``Refused``: ``already_out_of_order`` (a second report by the machine itself changes nothing).
    """
    with transaction.atomic():
        machine = for_duty(machine_id, actor)
        reason = reason.strip()
        problems = [*_reason_problems(reason), *_guess_problems(expected_end, at)]
        if problems:
            raise Malformed(*problems)
        if machine.out_of_order_since is not None:
            if actor is None:
                return machine
            raise Refused("already_out_of_order")
        Outage.objects.create(
            machine=machine, start=at, expected_end=expected_end, reason=reason, photo=photo, created_by=actor
        )
        write(machine, out_of_order_since=at, out_of_order_reason=reason, plate_token="")
        log(machine, "out_of_order", actor, at, {"reason": reason})
    machine_changed(machine)
    return machine


def back_in_service(machine_id: str, *, actor: User, at: datetime) -> Machine:
    """Bring a machine back, also out of an outage that was planned to last longer.

    Its plate is what it was; a start needs a fresh look at it. Raises ``NotFound``, ``NotAllowed``, ``Refused``:
    ``not_out_of_order``.
    """
    with transaction.atomic():
        machine = for_duty(machine_id, actor)
        ended = machine.outages.filter(covering(at)).update(end=at)
        if machine.out_of_order_since is None and not ended:
            raise Refused("not_out_of_order")
        write(machine, out_of_order_since=None, out_of_order_reason="", plate_token="")
        log(machine, "back_in_service", actor, at)
    machine_changed(machine)
    return machine


def plan_outage(
    machine_id: str,
    *,
    start: datetime,
    end: datetime,
    reason: str,
    actor: User,
    at: datetime,
    photo: str = "",
) -> Outage:
    """Say that a machine cannot be used for a time, and why; it is back by itself when the time is over.

    Raises ``NotFound``, ``NotAllowed`` (instructors and staff), ``Malformed`` with every wrong field.
    """
    with transaction.atomic():
        machine = for_duty(machine_id, actor)
        reason = reason.strip()
        span = _span_problem(start, end, at)
        problems = [*([span] if span else []), *_reason_problems(reason)]
        if problems:
            raise Malformed(*problems)
        outage = Outage.objects.create(
            machine=machine, start=start, end=end, reason=reason, photo=photo, created_by=actor
        )
        write(machine)
        details = {"reason": reason, "start": start.isoformat(), "end": end.isoformat()}
        log(machine, "outage_planned", actor, at, details)
    machine_changed(machine)
    return outage


def end_outage(outage_id: int, *, actor: User, at: datetime, end: datetime | None = None) -> Outage:
    """End an outage before its time, now or at ``end``; one that has not begun never will.

    The time is free again. An outage that nobody knows the end of ends now (``back_in_service``). Raises ``NotFound``,
    ``NotAllowed``, ``Malformed``: ``outage_not_earlier``, ``Refused``: ``outage_over``.
    """
    found = Outage.objects.filter(pk=outage_id).first()
    if found is None:
        raise NotFound
    with transaction.atomic():
        machine = for_duty(found.machine_id, actor)
        outage = Outage.objects.select_related("machine__site").get(pk=outage_id)  # as it is under the lock
        if outage.end is not None and outage.end <= at:
            raise Refused("outage_over")
        if end is not None and (outage.end is None or not max(at, outage.start) < end < outage.end):
            raise Malformed(Problem("outage_not_earlier", field="end"))
        begun = outage.start <= at
        outage.start, outage.end = min(outage.start, end or at), end or at
        outage.save(update_fields=["start", "end"])
        values: dict[str, Any] = {"plate_token": ""} if begun else {}
        if machine.out_of_order_since is not None and not machine.outages.filter(end__isnull=True).exists():
            values |= {"out_of_order_since": None, "out_of_order_reason": ""}
        write(machine, **values)
        log(machine, "outage_ended", actor, at, {"reason": outage.reason, "end": outage.end.isoformat()})
    machine_changed(machine)
    return outage


def expect_back(outage_id: int, *, expected_end: datetime | None, actor: User, at: datetime) -> Outage:
    """Guess anew when a machine is back of which nobody knows it; None: nobody can tell.

    Raises ``NotFound``, ``NotAllowed``, ``Malformed``, ``Refused``: ``outage_has_end``.
    """
    found = Outage.objects.filter(pk=outage_id).first()
    if found is None:
        raise NotFound
    with transaction.atomic():
        machine = for_duty(found.machine_id, actor)
        outage = Outage.objects.select_related("machine__site").get(pk=outage_id)  # as it is under the lock
        if outage.end is not None:
            raise Refused("outage_has_end")
        problems = _guess_problems(expected_end, at)
        if problems:
            raise Malformed(*problems)
        outage.expected_end = expected_end
        outage.save(update_fields=["expected_end"])
        write(machine)
    machine_changed(machine)
    return outage


def set_photo(outage_id: int, *, photo: str, actor: User, at: datetime) -> str:
    """Put a picture with an outage; return the file's name that was there before, which is nobody's any more.

    Raises ``NotFound``, ``NotAllowed``.
    """
    found = Outage.objects.filter(pk=outage_id).first()
    if found is None:
        raise NotFound
    with transaction.atomic():
        machine = for_duty(found.machine_id, actor)
        before = Outage.objects.values_list("photo", flat=True).get(pk=outage_id)
        Outage.objects.filter(pk=outage_id).update(photo=photo)
        write(machine)
    machine_changed(machine)
    return before


# --- inside -----------------------------------------------------------------------------------------------


def for_duty(machine_id: str, actor: User | None) -> Machine:
    """Return the machine, locked, for somebody on duty there or for itself; retired ones are nobody's."""
    machine = lock_machine(machine_id)
    if machine.retired_at is not None:
        raise NotFound
    if actor is not None:
        require_role(actor, machine.site_id, ON_DUTY_ROLES)
    return machine


def _reason_problems(reason: str) -> list[Problem]:
    if reason and len(reason) <= LONGEST_REASON:
        return []
    return [Problem("reason_too_long" if reason else "reason_missing", field="reason")]


def _guess_problems(expected_end: datetime | None, at: datetime) -> list[Problem]:
    if expected_end is None or at < expected_end <= at + LONGEST:
        return []
    return [Problem("outage_is_over", field="end") if expected_end <= at else _too_long()]


def _span_problem(start: datetime, end: datetime, at: datetime) -> Problem | None:
    if end <= start:
        return Problem("outage_ends_before_it_begins", field="end")
    if end <= at:
        return Problem("outage_is_over", field="end")
    if end - start > LONGEST:
        return _too_long()
    return None


def _too_long() -> Problem:
    return Problem("outage_too_long", {"days": LONGEST.days}, "end")


def problems_of(start: datetime, end: datetime, at: datetime) -> Sequence[Problem]:
    """Return what is wrong with a time that somebody wants to plan, for who only looks whom it would hit."""
    problem = _span_problem(start, end, at)
    return [problem] if problem else []
