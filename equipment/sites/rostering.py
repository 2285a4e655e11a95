"""Writing the rota: each week's shifts, and the days on which somebody is away or comes besides. Never why (PRIV-2).

The door is ``equipment.bookings.unsupervised``: it also tells whose booking relied on somebody who will not be there.
"""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from equipment.sites.live import board_changed
from equipment.sites.models import Shift, ShiftChange, Site, SiteRole
from equipment.sites.queries import require_role
from equipment.sites.states import ON_DUTY_ROLES, STAFF_ROLES
from fablab.core.clock import DAY_MINUTES, FIRST_YEAR, LAST_YEAR, local_day
from fablab.core.errors import Malformed, NotAllowed, Problem
from fablab.people.models import User

LONGEST_AWAY = timedelta(days=366)


def add_shift(
    *,
    site_id: str,
    person_id: str,
    weekday: int,
    starts: int,
    ends: int,
    first_day: date,
    last_day: date | None = None,
    actor: User,
    at: datetime,
) -> Shift:
    """Say that somebody is on duty every week on this day, in minutes of the wall clock; staff and managers say it.

    Raises ``NotFound``, ``NotAllowed``, ``Malformed`` with everything that is wrong: ``shift_makes_no_sense``,
    ``shift_days``, ``shift_overlaps``, ``not_on_duty`` for who has no role for it.
    """
    require_role(actor, site_id, STAFF_ROLES)
    problems = list(_times(starts, ends))
    if not 0 <= weekday <= 6:
        problems.append(Problem("shift_makes_no_sense", field="weekday"))
    if not _our_time(first_day) or (
        last_day is not None and (not _our_time(last_day) or last_day < first_day)
    ):
        problems.append(Problem("shift_days", field="last_day"))
    if not _has_duty(person_id, site_id):
        problems.append(Problem("not_on_duty", field="person"))
    if problems:
        raise Malformed(*problems)
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site_id)
        same = Shift.objects.filter(
            Q(last_day__isnull=True) | Q(last_day__gte=first_day),
            site_id=site_id, person_id=person_id, weekday=weekday, starts__lt=ends, ends__gt=starts,
        )  # fmt: skip
        if last_day is not None:
            same = same.filter(first_day__lte=last_day)
        if same.exists():
            raise Malformed(Problem("shift_overlaps", field="starts"))
        shift = Shift.objects.create(
            site_id=site_id,
            person_id=person_id,
            weekday=weekday,
            starts=starts,
            ends=ends,
            first_day=first_day,
            last_day=last_day,
        )
    board_changed(site_id)
    return shift


def end_shift(shift: Shift, *, actor: User, at: datetime) -> None:
    """Take a shift out of the rota from today on. Raises ``NotFound``, ``NotAllowed``."""
    require_role(actor, shift.site_id, STAFF_ROLES)
    yesterday = local_day(at, shift.site.time_zone) - timedelta(days=1)
    if shift.first_day > yesterday:
        Shift.objects.filter(pk=shift.pk).delete()
    else:
        Shift.objects.filter(pk=shift.pk).update(last_day=yesterday)
    board_changed(shift.site_id)


def be_away(
    *,
    site_id: str,
    person_id: str,
    first_day: date,
    last_day: date,
    starts: int | None = None,
    ends: int | None = None,
    actor: User,
    at: datetime,
) -> list[ShiftChange]:
    """Say that somebody is not there on these local days, whole or from minute ``starts`` to ``ends``.

    Each for themself; staff and managers for everybody. May be repeated. Raises ``NotFound``, ``NotAllowed``,
    ``Malformed``.
    """
    _may_say(actor, person_id, site_id)
    problems = [] if starts is None and ends is None else list(_times(starts, ends))
    if not (_our_time(first_day) and _our_time(last_day) and first_day <= last_day):
        problems.append(Problem("shift_days", field="last_day"))
    elif last_day - first_day >= LONGEST_AWAY:
        problems.append(Problem("away_too_long", {"days": LONGEST_AWAY.days}, "last_day"))
    if not _has_duty(person_id, site_id):
        problems.append(Problem("not_on_duty", field="person"))
    if problems:
        raise Malformed(*problems)
    days = [first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1)]
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site_id)
        changes = [
            ShiftChange.objects.get_or_create(
                site_id=site_id, person_id=person_id, day=day, away=True, starts=starts, ends=ends
            )[0]
            for day in days
        ]
    board_changed(site_id)
    return changes


def come_besides(
    *, site_id: str, person_id: str, day: date, starts: int, ends: int, actor: User, at: datetime
) -> ShiftChange:
    """Say that somebody is there on one day besides the rota's week. Raises as ``be_away``."""
    _may_say(actor, person_id, site_id)
    problems = list(_times(starts, ends))
    if not _our_time(day):
        problems.append(Problem("shift_days", field="day"))
    if not _has_duty(person_id, site_id):
        problems.append(Problem("not_on_duty", field="person"))
    if problems:
        raise Malformed(*problems)
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site_id)
        change, _made = ShiftChange.objects.get_or_create(
            site_id=site_id, person_id=person_id, day=day, away=False, starts=starts, ends=ends
        )
    board_changed(site_id)
    return change


def take_change_back(change: ShiftChange, *, actor: User) -> None:
    """Take an exception out of the rota: its day is as every week again. Raises as ``be_away``."""
    _may_say(actor, change.person_id, change.site_id)
    ShiftChange.objects.filter(pk=change.pk).delete()
    board_changed(change.site_id)


def leave_rota(person_id: str, site_id: str) -> None:
    """Remove somebody from the rota of a place: they have no role for it any more."""
    Shift.objects.filter(person_id=person_id, site_id=site_id).delete()
    ShiftChange.objects.filter(person_id=person_id, site_id=site_id).delete()


def _may_say(actor: User, person_id: str, site_id: str) -> None:
    roles = require_role(actor, site_id, ON_DUTY_ROLES)
    if actor.pk != person_id and not roles & STAFF_ROLES:
        raise NotAllowed("not_allowed")


def _has_duty(person_id: str, site_id: str) -> bool:
    return SiteRole.objects.filter(
        person_id=person_id, site_id=site_id, role__in=list(ON_DUTY_ROLES), person__is_active=True
    ).exists()


def _our_time(day: date) -> bool:
    return FIRST_YEAR <= day.year <= LAST_YEAR


def _times(starts: int | None, ends: int | None) -> list[Problem]:
    if (
        starts is None
        or ends is None
        or not 0 <= starts < DAY_MINUTES
        or not starts < ends <= 2 * DAY_MINUTES
    ):
        return [Problem("shift_makes_no_sense", field="ends")]
    return []
