"""What people type into forms: a time as the clock on the place's wall shows it."""

from datetime import datetime

from django.utils.dateparse import parse_datetime

from fablab.core.clock import FIRST_YEAR, LAST_YEAR, local_to_utc
from fablab.core.errors import Malformed, Problem


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
