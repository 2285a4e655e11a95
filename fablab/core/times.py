"""A time in a sentence, in the reader's language and on a site's clock: for pages and for programs."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext

QUARTER = timedelta(minutes=15)


def clock_time(at: datetime, zone: str) -> str:
    """Return ``15 h 45`` or ``15 h`` in French, ``15:45`` elsewhere; a time that comes twice that day says which."""
    local = at.astimezone(ZoneInfo(zone))
    if language() != "fr":
        said = f"{local.hour:02}:{local.minute:02}"
    else:
        said = f"{local.hour} h {local.minute:02}" if local.minute else f"{local.hour} h"
    if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
        return said
    return (gettext("{time} (2e fois)") if local.fold else gettext("{time} (1re fois)")).format(time=said)


def nearest_quarter(at: datetime, zone: str) -> datetime:
    """Return the instant next to ``at``, before or after it, at which the clock shows a quarter of an hour."""
    return _quarter(at + QUARTER / 2, zone)


def next_quarter(at: datetime, zone: str) -> datetime:
    """Return the instant from ``at`` on at which the clock shows a quarter of an hour."""
    return _quarter(at + QUARTER - timedelta(microseconds=1), zone)


def _quarter(at: datetime, zone: str) -> datetime:
    # Counted in instants: added to what the clock shows, it would show hours that it jumps over.
    local = at.astimezone(ZoneInfo(zone))
    return at - timedelta(minutes=local.minute % 15, seconds=local.second, microseconds=local.microsecond)


def day_and_time(at: datetime, zone: str) -> str:
    """Return ``aujourd’hui, 15 h 45``, ``demain, ...`` or the day's name with its date."""
    return listed([day_name(at, zone), clock_time(at, zone)])


def listed(parts: Iterable[str]) -> str:
    """Return several things in one line, with the language's own comma."""
    return ("، " if language() == "ar" else ", ").join(parts)


def day_name(at: datetime, zone: str) -> str:
    local, today = at.astimezone(ZoneInfo(zone)).date(), timezone.now().astimezone(ZoneInfo(zone)).date()
    if local == today:
        return gettext("aujourd’hui")
    if local == today + timedelta(days=1):
        return gettext("demain")
    return date_format(local, "l j F")


def language() -> str:
    return (get_language() or "fr")[:2]
