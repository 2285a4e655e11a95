"""Messages to the person: unread ones on the first page, each with "Vu"."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from fablab.core.errors import NotFound
from fablab.dashboard import formats, present
from fablab.dashboard.requests import Here, back, here, writes
from fablab.notices.queries import unread_of
from fablab.notices.services import mark_seen
from fablab.notices.words import sentence

Card = present.Card


def cards(asked: Here) -> list[Card]:
    """Return the argument of ``dashboard/notices.html``: what the person has not read yet, the newest first."""
    return [_card(notice, asked) for notice in unread_of(asked.person)]


def _card(notice: Any, asked: Here) -> Card:
    said = sentence(notice.code, notice.params, asked.zone)
    return {
        "id": notice.pk,
        "sentence": said,
        "url": notice.link,
        "at": notice.at,
        "at_label": formats.day_and_time(notice.at, asked.zone),
        "seen": {
            "url": reverse("notice-seen", args=[notice.pk]),
            "label": _("Vu"),
            "icon": "check",
            "style": "quiet",
            "of": said,
        },
    }


@writes
def seen(request: HttpRequest, notice_id: str) -> HttpResponseBase:
    """Vu: it does not come again."""
    asked = here(request)
    if not mark_seen(asked.person, notice_id, at=asked.at):
        raise NotFound
    return back(request, reverse("home"))
