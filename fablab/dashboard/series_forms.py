"""What a form says of a series, read; and what would become of each date, shown with a choice for each conflict."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeVar

from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from equipment.bookings.conflicts import TAKEN
from equipment.bookings.following import Change
from equipment.bookings.rules import may_set_aside
from equipment.bookings.series import Plan
from equipment.bookings.series_wish import FARTHEST, Wish
from equipment.bookings.words import say_conflict
from fablab.core.clock import DAY_MINUTES, local_day
from fablab.core.errors import Malformed, Problem
from fablab.core.recurring import Weekly
from fablab.dashboard import formats, present
from fablab.dashboard.requests import Here

Card = present.Card
CHOICE = "choix-"
ASIDE = "override"  # beside the choices of ``conflicts``: somebody answers for the rule by name
WEEKDAYS = range(7)
A_MONDAY = date(2026, 11, 23)
Wanted = TypeVar("Wanted", Wish, Change)


# --- what the form says -------------------------------------------------------------------------------------------


def wish_of(given: QueryDict) -> Wish:
    """Return the wish. Raises ``Malformed`` with everything that cannot be read."""
    problems: list[Problem] = []
    first = _day(given, "first", problems, needed=True)
    last = _day(given, "last", problems) or first
    starts = minutes_of(given, "starts", problems)
    ends = minutes_of(given, "ends", problems)
    every = _number(given.get("every", "") or "1")
    machines = given.getlist("machines")
    if problems and not machines:
        problems.append(Problem("series_without_machine", field="machines"))
    if problems or first is None or last is None or starts is None or ends is None:
        raise Malformed(*problems)
    weekdays = frozenset(_number(one) for one in given.getlist("weekdays")) or {first.weekday()}
    rule = Weekly(
        weekdays=frozenset(weekdays),
        starts=starts,
        ends=ends + (DAY_MINUTES if given.get("demain") else 0),
        first=first,
        last=last,
        every=every,
        except_days=frozenset(_days(given.getlist("sauf"))),
    )
    return with_choices(Wish(machines, rule, given.get("person", ""), given.get("title", "")), given)


def change_of(given: QueryDict) -> Change:
    """Return the change. Raises ``Malformed`` likewise."""
    problems: list[Problem] = []
    from_day = _day(given, "first", problems, needed=True)
    starts = minutes_of(given, "starts", problems)
    ends = minutes_of(given, "ends", problems)
    if problems or ends is None:
        raise Malformed(*problems)
    change = Change(
        from_day=from_day,
        starts=starts,
        ends=ends + (DAY_MINUTES if given.get("demain") else 0),
        days_later=_number(given.get("decalage", "") or "0"),
        machine_ids=given.getlist("machines"),
    )
    return with_choices(change, given)


def with_choices(wanted: Wanted, given: QueryDict) -> Wanted:
    """Add what was chosen for each kind of conflict, the reason, and which bookings were seen to be in the way."""
    chosen = chosen_of(given)
    reason = given.get("why", "")
    return replace(
        wanted,
        choices=[(code, choice) for code, choice in chosen.items() if choice not in {"", ASIDE}],
        overrides=[{"code": code, "reason": reason} for code, choice in chosen.items() if choice == ASIDE],
        may_cancel=given.getlist("vu"),
    )


def without_choices(wanted: Wanted) -> Wanted:
    """Return the same for a look at everything that could be in the way."""
    return replace(wanted, choices=(), overrides=(), may_cancel=None)


def chosen_of(given: QueryDict) -> dict[str, str]:
    return {name.removeprefix(CHOICE): str(value) for name, value in given.items() if name.startswith(CHOICE)}


def minutes_of(given: Mapping[str, Any], name: str, problems: list[Problem]) -> int | None:
    """Return the minute of the day that a field of type ``time`` holds."""
    hour, _colon, minute = str(given.get(name, "")).partition(":")
    if not (_is_number(hour) and _is_number(minute[:2]) and int(hour) < 24 and int(minute[:2]) < 60):
        problems.append(Problem("series_hour_missing", field=name))
        return None
    return int(hour) * 60 + int(minute[:2])


def _day(
    given: Mapping[str, Any], name: str, problems: list[Problem], *, needed: bool = False
) -> date | None:
    text = str(given.get(name, ""))
    if not text and not needed:
        return None
    found = _parsed(text)
    if found is None:
        problems.append(Problem("series_day_missing", field=name))
    return found


def _days(texts: Iterable[str]) -> list[date]:
    return [day for day in map(_parsed, texts) if day is not None]


def _parsed(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4


def _number(text: str) -> int:
    """Return a whole number, or one that makes no sense anywhere."""
    digits = text.removeprefix("-")
    return int(text) if _is_number(digits) else 10**6


# --- the form -----------------------------------------------------------------------------------------------------


def field(
    name: str,
    label: str,
    given: Mapping[str, Any],
    wrong: Mapping[str | None, str],
    *,
    type_: str,
    usual: str = "",
    optional: bool = False,
    help_: str = "",
    **attributes: str,
) -> Card:
    return {
        "id": name,
        "name": name,
        "label": label,
        "type": type_,
        "value": given.get(name, usual),
        "error": wrong.get(name, ""),
        "optional": optional,
        "help": help_,
        "attributes": attributes,
    }


def day_field(
    name: str, label: str, asked: Here, given: Mapping[str, Any], wrong: Mapping[str | None, str], **more: Any
) -> Card:
    today = local_day(asked.at, asked.zone)
    last = (today + timedelta(days=FARTHEST)).isoformat()
    return field(name, label, given, wrong, type_="date", max=last, **more)


def hours_fields(
    given: Mapping[str, Any], wrong: Mapping[str | None, str], starts: str = "", ends: str = ""
) -> list[Card]:
    return [
        field("starts", _("De"), given, wrong, type_="time", usual=starts),
        field("ends", _("À"), given, wrong, type_="time", usual=ends),
    ]


def weekday_options(chosen: Iterable[str]) -> list[Card]:
    """Return the days of the week, by their short names."""
    picked = set(chosen)
    return [
        {
            "value": str(number),
            "label": formats.weekday(A_MONDAY + timedelta(days=number)),
            "checked": str(number) in picked,
        }
        for number in WEEKDAYS
    ]


def machine_options(machines: Iterable[Any], chosen: Iterable[str]) -> list[Card]:
    picked = set(chosen)
    return [
        {"value": one.pk, "label": one.name, "detail": one.model.kind.name, "checked": one.pk in picked}
        for one in machines
    ]


# --- what would become of it --------------------------------------------------------------------------------------


def plan_card(plan: Plan, given: QueryDict, asked: Here, *, skip: str, may_leave_out: bool = True) -> Card:
    """Return the argument of ``dashboard/series_plan.html``. ``skip``: what leaving a date out is called here."""
    chosen, left_out = chosen_of(given), set(given.getlist("sauf"))
    counts: dict[str, int] = {}
    labels: dict[str, str] = {}
    days: dict[date, Card] = {}
    for line in plan.lines:
        day = days.setdefault(line.day, _day_card(line.day, left_out))
        if line.start is not None and line.end is not None:
            day["hours"] = formats.span(line.start, line.end, asked.zone)
        for problem in line.problems:
            counts[problem.code] = counts.get(problem.code, 0) + 1
            labels.setdefault(problem.code, say_conflict(problem))
        if line.problems:
            day["troubles"].append(
                {
                    "machine": line.machine.name,
                    "sentences": [say_conflict(problem) for problem in line.problems],
                    "in_the_way": [_in_the_way(one, asked) for one in line.in_the_way],
                }
            )
    conflicts = [
        {
            "id": f"{CHOICE}{code}",
            "name": f"{CHOICE}{code}",
            "label": f"{labels[code]} ({count})",
            "options": _options(code, chosen.get(code, ""), asked, skip),
        }
        for code, count in counts.items()
    ]
    return {
        "days": list(days.values()),
        "conflicts": conflicts,
        "seen": [one.pk for line in plan.lines for one in line.in_the_way],
        "may_leave_out": may_leave_out,
        "answers": any(may_set_aside(code, asked.roles) for code in counts),
        "why": {
            "id": "why",
            "name": "why",
            "label": _("Pourquoi ?"),
            "help": _("Ton nom et ta raison restent avec la réservation."),
            "value": given.get("why", ""),
            "optional": True,
            "attributes": {"maxlength": "200"},
        },
    }


def _day_card(day: date, left_out: set[str]) -> Card:
    return {
        "value": day.isoformat(),
        "label": formats.short_day(day),
        "hours": "",
        "left_out": day.isoformat() in left_out,
        "troubles": [],
    }


def _in_the_way(booking: Any, asked: Here) -> str:
    hours = formats.span(booking.start, booking.end, asked.zone)
    return formats.listed([booking.title or booking.person.display_name, hours])


def _options(code: str, chosen: str, asked: Here, skip: str) -> list[Card]:
    found = [("", _("Choisis…")), ("skip", skip)]
    if code == TAKEN:
        found.append(("cancel", _("Annuler ces réservations")))
    if may_set_aside(code, asked.roles):
        found.append((ASIDE, _("Passer outre")))
    return [{"value": value, "label": label, "selected": value == chosen} for value, label in found]


def hidden(given: QueryDict, names: Sequence[str]) -> list[tuple[str, str]]:
    """Return what the form said, to be sent along with the choices."""
    return [(name, value) for name in names for value in given.getlist(name)]
