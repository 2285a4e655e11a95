"""What the base page shows around every page: the place, the menu, the account."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from fablab.dashboard.recovery import alerts
from fablab.dashboard.requests import here
from fablab.notices.queries import count_unread
from jobs.approvals.queries import waiting_for

Item = dict[str, Any]
# Which entry of the menu each page belongs to.
PLACES = {
    "home": "home",
    "book": "book",
    "book-kind": "book",
    "book-confirm": "book",
    "when": "book",
    "when-confirm": "book",
    "bookings": "book",
    "booking": "book",
    "jobs": "jobs",
    "job-new": "jobs",
    "job-upload": "jobs",
    "job": "jobs",
    "job-settings": "jobs",
    "job-file": "jobs",
    "attempt": "jobs",
    "desk": "desk",
    "desk-job": "desk",
    "desk-settings": "desk",
    "desk-file": "desk",
    "agenda": "book",
    "calendar-day": "board",
    "calendar-week": "board",
    "calendar-sheet": "board",
    "machine-agenda": "board",
    "board": "board",
    "counting": "board",
    "machine": "board",
    "machine-new": "board",
    "machine-edit": "board",
    "machine-test": "board",
    "machine-new-test": "board",
    "machine-settle": "board",
    "machine-key": "board",
    "at-machine": "board",
    "machine-sheet": "board",
    "queue": "board",
    "worklist": "board",
    "recovery": "board",
    "clock": "board",
    "power-cuts": "board",
    "power-cut-announce": "board",
    "start-gap": "board",
    "closures": "board",
    "closure-make": "board",
    "outages": "board",
    "outage-make": "board",
    "booking-stopped": "book",
    "booking-late": "book",
    "place": "board",
    "series-list": "board",
    "series-new": "board",
    "series": "board",
    "series-change": "board",
    "importing": "board",
    "importing-send": "board",
    "rota": "board",
    "rota-away": "board",
    "rota-extra": "board",
    "rota-shift": "board",
    "absences": "board",
    "terms": "board",
    "terms-day": "board",
    "terms-kind": "board",
    "terms-kind-save": "board",
    "terms-machine": "board",
    "terms-machine-save": "board",
    "book-for": "board",
    "certificates": "board",
    "certificate-grant": "board",
}


def around(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Everything is read only when a page asks for it, so refusals cost no query."""

    def lazily(make: Callable[[HttpRequest], Any]) -> Any:
        return SimpleLazyObject(lambda: make(request))

    return {
        "site_name": lazily(_site_name),
        "nav": lazily(_nav),
        "account": lazily(_account),
        "demo": lazily(_demo),
        "alerts": lazily(_alerts),
    }


def _is_known(request: HttpRequest) -> bool:
    # A refusal may be shown before anybody knows who asks.
    return hasattr(request, "user") and request.user.is_authenticated


def _site_name(request: HttpRequest) -> str:
    site = here(request).site if _is_known(request) else None
    return site.name if site else "Fab lab"


def _nav(request: HttpRequest) -> list[Item]:
    if not _is_known(request):
        return []
    match = request.resolver_match
    current = PLACES.get(match.url_name or "", "") if match else ""
    asked = here(request)
    items = [
        ("home", _("Accueil"), "home"),
        ("book", _("Réserver"), "calendar"),
        ("jobs", _("Objets"), "box"),
    ]
    if asked.instructs:
        items.append(("desk", _("À décider"), "eye"))
    if asked.helps:
        items.append(("board", _("Machines"), "printer"))
    counts = {"home": count_unread(asked.person)}
    if asked.instructs:
        counts["desk"] = waiting_for(asked.person).count()
    return [
        {
            "url": reverse(name),
            "label": label,
            "icon": icon,
            "current": name == current,
            "count": counts.get(name, 0),
        }
        for name, label, icon in items
    ]


def _account(request: HttpRequest) -> Item:
    if _is_known(request):
        return {"url": reverse("account"), "label": here(request).person.display_name}
    return {"url": reverse("sign-in"), "label": _("Me connecter")}


def _alerts(request: HttpRequest) -> list[Item]:
    return alerts(here(request)) if _is_known(request) else []


def _demo(request: HttpRequest) -> str:
    return _("Démonstration : les machines sont simulées.") if settings.DEMO else ""
