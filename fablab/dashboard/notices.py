"""Messages to the person: unread ones on the first page, each with "Vu"."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from fablab.core.errors import NotFound
from fablab.core.words import say
from fablab.dashboard import formats, present
from fablab.dashboard.requests import Here, back, here, writes
from fablab.notices.queries import unread_of
from fablab.notices.services import mark_seen

Card = present.Card


def cards(asked: Here) -> list[Card]:
    """Return the argument of ``dashboard/notices.html``: what the person has not read yet, the newest first."""
    return [_card(notice, asked) for notice in unread_of(asked.person)]


def _card(notice: Any, asked: Here) -> Card:
    sentence = say(notice.code, _values(notice.params, asked.zone))
    return {
        "id": notice.pk,
        "sentence": sentence,
        "url": notice.link,
        "at": notice.at,
        "at_label": formats.day_and_time(notice.at, asked.zone),
        "seen": {
            "url": reverse("notice-seen", args=[notice.pk]),
            "label": _("Vu"),
            "icon": "check",
            "style": "quiet",
            "of": sentence,
        },
    }


def _values(params: dict[str, Any], zone: str) -> dict[str, Any]:
    """Times are kept as instants and read on the site's clock: ``zone`` among the values, else the reader's site."""
    there = str(params.get("zone") or zone)
    return {name: _read(value, there) for name, value in params.items()}


def _read(value: Any, zone: str) -> Any:
    if not isinstance(value, str) or len(value) < len("2026-01-01T00:00+00:00"):
        return value
    try:
        at = parse_datetime(value)
    except ValueError:
        return value
    return formats.day_and_time(at, zone) if at is not None and at.tzinfo is not None else value


@writes
def seen(request: HttpRequest, notice_id: str) -> HttpResponseBase:
    """Vu: it does not come again."""
    asked = here(request)
    if not mark_seen(asked.person, notice_id, at=asked.at):
        raise NotFound
    return back(request, reverse("home"))
