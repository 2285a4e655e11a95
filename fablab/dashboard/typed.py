"""Days and times as people type them into forms, on the place's own clock; all that is wrong is said at once."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from fablab.core.clock import FIRST_YEAR, LAST_YEAR, local_to_utc
from fablab.core.errors import DomainError, Malformed, Problem
from fablab.core.words import say_problem
from fablab.dashboard.present import Card
from fablab.dashboard.slots import parse_day

Given = Mapping[str, Any]


def wrong_fields(error: DomainError | None) -> dict[str | None, str]:
    """Return what is wrong, by field."""
    return {problem.field: say_problem(problem) for problem in (error.problems if error else ())}


def summary(error: DomainError | None) -> list[Card]:
    """Return the argument ``problems`` of the base page."""
    problems = error.problems if error else ()
    return [{"sentence": say_problem(one), "field_id": one.field or ""} for one in problems]


def field(
    name: str,
    label: str,
    given: Given,
    wrong: Mapping[str | None, str],
    *,
    type_: str = "text",
    optional: bool = False,
    most: int = 0,
) -> Card:
    """Return the argument of ``components/field.html`` with what was typed. ``most``: letters at the most."""
    attributes = {} if optional else {"required": "required"}
    return {
        "id": name,
        "name": name,
        "label": label,
        "type": type_,
        "value": given.get(name, ""),
        "error": wrong.get(name, ""),
        "optional": optional,
        "attributes": attributes | ({"maxlength": str(most)} if most else {}),
    }


def wall_time(text: str, zone: str, *, field: str, second: bool | None = None) -> datetime:
    """Return a time of a ``datetime-local`` field in UTC.

    ``second`` says which of two is meant when the clocks are set back over it. Raises ``Malformed`` with the field.
    """
    try:
        wall = parse_datetime(text)
    except ValueError:
        wall = None
    if wall is None or wall.tzinfo is not None or not FIRST_YEAR <= wall.year <= LAST_YEAR:
        raise Malformed(Problem("cut_time_missing", field=field))
    try:
        return local_to_utc(wall, zone, second=second)
    except Malformed as error:
        raise Malformed(*(Problem(one.code, one.params, field) for one in error.problems)) from error


def span(given: Given, zone: str) -> tuple[datetime, datetime]:
    """Return the times of the fields ``start`` and ``end``. Raises ``Malformed`` with what is wrong with both.

    Of an hour that comes twice the first begins and the second ends: the time holds all that may be meant.
    """
    found, problems = [], list[Problem]()
    for name in ("start", "end"):
        try:
            found.append(wall_time(str(given.get(name, "")), zone, field=name, second=name == "end"))
        except Malformed as error:
            problems += error.problems
    if problems:
        raise Malformed(*problems)
    return found[0], found[1]


def days(given: Given) -> tuple[date, date]:
    """Return the days of the fields ``first_day`` and ``last_day``, which is the first one unless given."""
    problems = []
    first = parse_day(str(given.get("first_day", "")))
    last = parse_day(str(given["last_day"])) if given.get("last_day") else first
    for name, day in (("first_day", first), ("last_day", last)):
        if day is None and (name == "first_day" or given.get("last_day")):
            problems.append(Problem("closure_day_missing", field=name))
    if first is None or last is None:
        raise Malformed(*problems)
    return first, last


def kept(given: Given, names: Iterable[str]) -> dict[str, str]:
    """Return what was typed into these fields, to be sent along once more."""
    return {name: str(given.get(name, "")) for name in names}
