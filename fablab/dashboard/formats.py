"""Times, places and sizes as people read them, in their language and on the site's clock."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext

from fablab.core.times import clock_time as clock_time  # with the rest, for pages
from fablab.core.times import day_and_time as day_and_time
from fablab.core.times import day_name as day_name
from fablab.core.times import language, nearest_quarter
from fablab.core.times import listed as listed


def until(at: datetime, zone: str) -> str:
    """Return the hour, with its day when that is not today."""
    here = ZoneInfo(zone)
    today = timezone.now().astimezone(here).date()
    return clock_time(at, zone) if at.astimezone(here).date() == today else day_and_time(at, zone)


def around(at: datetime, zone: str) -> str:
    """Return an estimate rounded to the quarter hour (UX-12)."""
    return clock_time(nearest_quarter(at, zone), zone)


def full_day(at: datetime, zone: str) -> str:
    """Return ``dimanche 22 novembre 2026``: by its name, never "today"."""
    return date_format(at.astimezone(ZoneInfo(zone)).date(), "l j F Y")


def until_after(start: datetime, end: datetime, zone: str) -> str:
    """Return the end of a time whose start was said: the hour, with its day when that is another one."""
    here = ZoneInfo(zone)
    same = start.astimezone(here).date() == end.astimezone(here).date()
    return clock_time(end, zone) if same else day_and_time(end, zone)


def capital(text: str) -> str:
    """Return a sentence's first letter large: "demain" as a heading."""
    return text[:1].upper() + text[1:]


def span(start: datetime, end: datetime, zone: str) -> str:
    """Return ``15 h 45 – 16 h 45``."""
    return f"{clock_time(start, zone)} – {clock_time(end, zone)}"


def weekday(day: date) -> str:
    """Return ``mardi``."""
    return date_format(day, "l")


def short_day(day: date) -> str:
    """Return ``lun 23 nov`` for lists of days."""
    short = date_format(day, "D j M")
    return short.lower() if language() == "fr" else short


def place_in_queue(number: int) -> str:
    """Return ``1er``, ``3e``; ``1st``, ``3rd``; in Arabic the bare number."""
    if language() == "fr":
        return "1er" if number == 1 else f"{number}e"
    if language() == "en":
        ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return f"{number}{ending}"
    return str(number)


def duration(minutes: float) -> str:
    """Return ``45 min``, ``1 h`` or ``2 h 05``; under a minute ``1 min``."""
    whole = max(1, round(minutes))
    if whole < 60:
        return ngettext("{n} min", "{n} min", whole).format(n=whole)
    if whole % 60 == 0:
        return ngettext("{n} h", "{n} h", whole // 60).format(n=whole // 60)
    return gettext("{hours} h {minutes:02}").format(hours=whole // 60, minutes=whole % 60)


def weight(grams: float) -> str:
    """Return ``12 g``."""
    return gettext("{n} g").format(n=number_format(round(grams) or 1))


def share(percent: float | None) -> str:
    """Return ``42 %``, in English ``42%``; a dash where nobody knows."""
    if percent is None:
        return "–"
    return f"{int(percent)}%" if language() == "en" else f"{int(percent)}\u202f%"


def code(text: str) -> str:
    """Return a six-character code as ``A7K-2Q9``."""
    return f"{text[:3]}-{text[3:]}"
