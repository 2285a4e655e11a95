"""A message in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_datetime

from fablab.core.times import day_and_time
from fablab.core.words import say


def sentence(code: str, params: Mapping[str, Any], zone: str) -> str:
    """Return what a message says. Times are kept as instants and read on the site's clock.

    ``zone`` counts where the values name none; none at all: UTC.
    """
    there = str(params.get("zone") or zone or "UTC")
    return say(code, {name: _read(value, there) for name, value in params.items()})


def _read(value: Any, zone: str) -> Any:
    if not isinstance(value, str) or len(value) < len("2026-01-01T00:00+00:00"):
        return value
    try:
        at = parse_datetime(value)
    except ValueError:
        return value
    return day_and_time(at, zone) if at is not None and at.tzinfo is not None else value
