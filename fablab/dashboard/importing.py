"""Importer des réservations: a table from a spreadsheet, for staff; all of it or nothing."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from equipment.bookings.importing import Imported, import_bookings
from equipment.bookings.rules import may_be_set_aside_by
from equipment.bookings.sheet import MOST_BYTES, MOST_ROWS
from equipment.bookings.words import say_found
from fablab.core.errors import DomainError, Malformed, NotAllowed, NotFound, Problem
from fablab.dashboard import formats
from fablab.dashboard.requests import Here, here, see_other, signed_in, writes


def _staff(request: HttpRequest) -> Here:
    asked = here(request)
    if asked.site is None or not asked.keeps_machines:
        raise NotAllowed("not_allowed")
    return asked


@signed_in
def importing(request: HttpRequest) -> HttpResponseBase:
    """What the table looks like, and the file."""
    return _page(request, _staff(request))


def _page(request: HttpRequest, asked: Here, error: DomainError | None = None) -> HttpResponseBase:
    said = [say_found(problem) for problem in error.problems] if error else []
    context = {
        "field": {
            "id": "file",
            "name": "file",
            "label": _("Ton tableau"),
            "accepted_label": "CSV",
            "limit_label": _("{mb} Mo, {rows} lignes").format(mb=MOST_BYTES // 1024**2, rows=MOST_ROWS),
            "limit_bytes": MOST_BYTES,
            "accept": ".csv,text/csv",
        },
        "why": {
            "id": "why",
            "name": "why",
            "label": _("Passer outre les règles : pourquoi ?"),
            "help": _("Par exemple pour des réservations passées. Vide : aucune exception."),
            "value": request.POST.get("why", "") if error else "",
            "optional": True,
            "attributes": {"maxlength": "200"},
        },
        "zone": asked.zone,
        "problems": [{"sentence": one, "field_id": "file"} for one in said],
        "problems_title": _("Rien n’est importé."),
    }
    return render(request, "dashboard/importing.html", context, status=error.status if error else 200)


def importing_send(request: HttpRequest) -> HttpResponseBase:
    """Take the table; the same one again reports what stands there already."""
    return _send(request) if request.method == "POST" else see_other(reverse("importing"))


@writes
def _send(request: HttpRequest) -> HttpResponseBase:
    asked = _staff(request)
    assert asked.site is not None  # whose staff asks
    reason = request.POST.get("why", "").strip()
    file = request.FILES.get("file")
    try:
        if file is None:
            raise Malformed(Problem("import_file_missing", field="file"))
        overrides = [{"code": code, "reason": reason} for code in may_be_set_aside_by(asked.roles) if reason]
        done = import_bookings(
            file.read(MOST_BYTES + 1),
            site_id=asked.site.pk,
            actor=asked.person,
            at=asked.at,
            overrides=overrides,
        )
    except (NotAllowed, NotFound):
        raise
    except DomainError as error:
        return _page(request, asked, error)
    messages.success(request, _told(done))
    return see_other(reverse("calendar-week"))


def _told(done: Imported) -> str:
    made, parts = len(done.made), []
    if made:
        parts.append(ngettext("{n} réservation faite", "{n} réservations faites", made).format(n=made))
    if done.already:
        parts.append(ngettext("{n} y était déjà", "{n} y étaient déjà", done.already).format(n=done.already))
    return formats.listed(parts)
