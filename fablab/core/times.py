"""A time in a sentence, in the reader's language and on a site's clock: for pages and for programs."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext


def clock_time(at: datetime, zone: str) -> str:
    """Return ``15 h 45`` or ``15 h`` in French, ``15:45`` elsewhere."""
    local = at.astimezone(ZoneInfo(zone))
    if language() != "fr":
        return f"{local.hour:02}:{local.minute:02}"
    return f"{local.hour} h {local.minute:02}" if local.minute else f"{local.hour} h"


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
