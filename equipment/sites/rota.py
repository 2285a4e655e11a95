"""Who is on duty when: the rota's weeks and exceptions, and who said "Je suis là". Reads.

A shift holds only while the place is open: on closed days and during announced power cuts nobody is on duty.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta

from equipment.sites.models import Presence, Shift, ShiftChange, Site, SiteRole
from equipment.sites.queries import opening_of
from equipment.sites.states import ON_DUTY_ROLES, Role
from fablab.core.clock import Span, local_day, merged, midnight, wall_span, within, without
from fablab.people.models import User

INSTRUCTORS = frozenset({Role.INSTRUCTOR})
LOOK_AHEAD = timedelta(days=14)
MOST_CHANGES = 100
LONGEST_DAY = timedelta(hours=12)  # of somebody who is there
_AROUND = timedelta(days=3)  # shifts reach past midnight, and local days differ from UTC's


def duty_spans(
    site: Site, from_: datetime, to: datetime, roles: Collection[Role] = INSTRUCTORS
) -> dict[str, list[Span]]:
    """Return when each person who holds one of ``roles`` is on duty by the rota within ``[from_, to)``, by person id.

    Six queries at most, for any number of people.
    """
    people = set(
        SiteRole.objects.filter(site=site, role__in=list(roles), person__is_active=True).values_list(
            "person_id", flat=True
        )
    )
    first, last = local_day(from_, site.time_zone) - _AROUND, local_day(to, site.time_zone) + _AROUND
    shifts: dict[str, list[Shift]] = {}
    for shift in Shift.objects.filter(site=site, person__in=people, first_day__lte=last).exclude(
        last_day__lt=first
    ):
        shifts.setdefault(shift.person_id, []).append(shift)
    changes: dict[str, list[ShiftChange]] = {}
    for change in ShiftChange.objects.filter(site=site, person__in=people, day__gte=first, day__lte=last):
        changes.setdefault(change.person_id, []).append(change)
    if not shifts and not changes:
        return {}
    open_ = opening_of(site, from_, to).spans(from_, to)
    found = {}
    for person_id in shifts.keys() | changes.keys():
        mine = spans_of(shifts.get(person_id, ()), changes.get(person_id, ()), site.time_zone, (first, last))
        while_open = [part for span in open_ for part in within(mine, span.start, span.end)]
        if while_open:
            found[person_id] = merged(while_open)
    return found


def supervised(site: Site, from_: datetime, to: datetime) -> list[Span]:
    """Return when an instructor is there within ``[from_, to)``: by the rota, or marked present."""
    spans = [span for mine in duty_spans(site, from_, to).values() for span in mine]
    here = Presence.objects.filter(
        site=site,
        until__gt=from_,
        since__lt=to,
        person__is_active=True,
        person__in=SiteRole.objects.filter(site=site, role=Role.INSTRUCTOR).values("person_id"),
    )
    # Nobody stays for days because they said once that they are here.
    spans += [
        Span(since, min(until, since + LONGEST_DAY)) for since, until in here.values_list("since", "until")
    ]
    return within(merged(spans), from_, to)


def keeps_rota(site_id: str) -> bool:
    """Say whether the place has written down who is on duty when."""
    return (
        Shift.objects.filter(site_id=site_id).exists() or ShiftChange.objects.filter(site_id=site_id).exists()
    )


def spans_of(
    shifts: Iterable[Shift],
    changes: Sequence[ShiftChange],
    zone: str,
    days: tuple[date, date],
) -> list[Span]:
    """Return when one person is on duty on these local days, both included: each week's shifts, less what they are
    away, with when they come besides. What of an evening lies beyond midnight belongs to its day.
    """
    away_on = {change.day for change in changes if change.away and change.starts is None}
    shifts = list(shifts)
    found = [
        wall_span(day, shift.starts, shift.ends, zone)
        for day in _days(*days)
        if day not in away_on
        for shift in shifts
        if shift.weekday == day.weekday()
        and shift.first_day <= day
        and (shift.last_day is None or day <= shift.last_day)
    ]
    timed = [
        (change.away, wall_span(change.day, change.starts, change.ends, zone))
        for change in changes
        if change.starts is not None and change.ends is not None
    ]
    away = [span for is_away, span in timed if is_away]
    extra = [span for is_away, span in timed if not is_away]
    return merged([*without(merged(found), away), *extra])


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def rota_days(site: Site, first: date, last: date) -> dict[date, list[tuple[User, Span]]]:
    """Return who is on duty on each of these local days, both included, by day and then by time.

    What of an evening lies beyond midnight stands with its day. Eight queries.
    """
    one = timedelta(days=1)
    begin, end = midnight(first, site.time_zone), midnight(last + one, site.time_zone)
    known = duty_spans(site, begin, end + one, ON_DUTY_ROLES)
    people = {person.pk: person for person in User.objects.filter(pk__in=known)}
    found: dict[date, list[tuple[User, Span]]] = {first + one * n: [] for n in range((last - first).days + 1)}
    for person_id, spans in known.items():
        for span in spans:
            day = local_day(span.start, site.time_zone)
            if day in found:
                found[day].append((people[person_id], span))
    for rows in found.values():
        rows.sort(key=lambda row: (row[1], row[0].display_name))
    return found


def next_on_duty(site: Site, at: datetime) -> tuple[datetime, frozenset[str]] | None:
    """Return when an instructor is there next, and who, by id: now, else within two weeks; None when nobody knows."""
    until = at + LOOK_AHEAD
    known = duty_spans(site, at, until)
    spans = supervised(site, at, until)
    if not spans:
        return None
    start = spans[0].start
    return start, frozenset(
        person for person, mine in known.items() if any(span.start <= start < span.end for span in mine)
    )


def shifts_of(site_id: str, day: date) -> list[Shift]:
    """Return the lines of the rota that hold on this day or later, by weekday and time."""
    rows = Shift.objects.filter(site_id=site_id).exclude(last_day__lt=day).select_related("person")
    return list(rows.order_by("weekday", "starts", "person__display_name"))


def changes_of(site_id: str, day: date) -> list[ShiftChange]:
    """Return the exceptions from this day on, at most ``MOST_CHANGES``."""
    rows = ShiftChange.objects.filter(site_id=site_id, day__gte=day).select_related("person")
    return list(rows.order_by("day", "person__display_name", "starts")[:MOST_CHANGES])


def duty_people(site_id: str) -> list[User]:
    """Return everybody who can stand in the rota of a place, by name."""
    held = SiteRole.objects.filter(site_id=site_id, role__in=list(ON_DUTY_ROLES))
    return list(
        User.objects.filter(pk__in=held.values("person_id"), is_active=True).order_by("display_name", "pk")
    )
