"""Certificates: who may use which kind of machine here, given and taken back by those on duty."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from equipment.certifications.queries import certificate_for, visible_certificates
from equipment.certifications.services import grant, revoke
from equipment.machines.queries import visible_kinds
from equipment.sites.queries import people_at
from fablab.core.clock import local_day
from fablab.core.errors import DomainError, Malformed, NotFound, Problem
from fablab.core.words import say_problem
from fablab.dashboard import present
from fablab.dashboard.board import helper
from fablab.dashboard.requests import Here, back, here, see_other, signed_in, writes

Card = present.Card
PEOPLE_SHOWN = 30


@signed_in
def certificates(request: HttpRequest) -> HttpResponseBase:
    """The people of the place by name, with what each may use."""
    asked = helper(request)
    assert asked.site is not None
    wanted = request.GET.get("nom", "").strip()[:60]
    people = people_at(asked.site.pk)
    if wanted:
        people = people.filter(display_name__icontains=wanted)
    page = Paginator(people, PEOPLE_SHOWN).get_page(request.GET.get("page"))
    held = _held(asked, [person.pk for person in page.object_list])
    rows = [
        {
            "name": person.display_name,
            "url": reverse("certificate-grant", args=[person.pk]),
            "book_url": reverse("book-for", args=[person.pk]),
            "held": held.get(person.pk, []),
        }
        for person in page.object_list
    ]
    query = f"nom={wanted}&" if wanted else ""
    return render(
        request,
        "dashboard/certificates.html",
        {
            "rows": rows,
            "search": {
                "id": "nom",
                "name": "nom",
                "label": _("Nom"),
                "value": wanted,
                "optional": True,
                "type": "search",
            },
            "wanted": wanted,
            "previous_url": f"?{query}page={page.previous_page_number()}" if page.has_previous() else "",
            "next_url": f"?{query}page={page.next_page_number()}" if page.has_next() else "",
        },
    )


def _held(asked: Here, person_ids: list[str]) -> dict[str, list[Card]]:
    assert asked.site is not None
    today = local_day(asked.at, asked.zone)
    found: dict[str, list[Card]] = {}
    rows = visible_certificates(asked.person).filter(
        site_id=asked.site.pk, person_id__in=person_ids, revoked_at__isnull=True
    )
    for certificate in rows.order_by("kind__slug"):
        until: date | None = certificate.until
        over = until is not None and until < today
        said = [_("finie") if over else ""]
        if until is not None and not over:
            said = [_("jusqu’au {day}").format(day=date_format(until, "j F Y"))]
        if certificate.may_send_machine_files:
            said.append(_("avec fichiers machine"))
        found.setdefault(certificate.person_id, []).append(
            {
                "kind": certificate.kind.name,
                "detail": ", ".join(filter(None, said)),
                "over": over,
                "action": {
                    "url": reverse("certificate-revoke", args=[certificate.pk]),
                    "label": _("Retirer"),
                    "style": "quiet",
                    "of": f"{certificate.person.display_name}, {certificate.kind.name}",
                },
            }
        )
    return found


def certificate_grant(request: HttpRequest, person_id: str) -> HttpResponseBase:
    """Certify one person for a kind of machine."""
    return _grant(request, person_id) if request.method == "POST" else _grant_page(request, person_id)


@signed_in
def _grant_page(request: HttpRequest, person_id: str) -> HttpResponseBase:
    return _page(request, person_id, {}, None)


@writes
def _grant(request: HttpRequest, person_id: str) -> HttpResponseBase:
    asked = here(request)
    if asked.site is None:
        raise NotFound
    given = request.POST.dict()
    try:
        until = _day(request.POST.get("until", ""))
        certificate = grant(
            person_id=person_id,
            kind_id=_kind(asked, request.POST.get("kind", "")),
            site_id=asked.site.pk,
            until=until,
            may_send_machine_files=request.POST.get("machine_files") == "yes",
            actor=asked.person,
            at=asked.at,
        )
    except Malformed as error:
        return _page(request, person_id, given, error)
    said = _("{person} peut maintenant utiliser : {kind}.")
    messages.success(request, said.format(person=certificate.person.display_name, kind=certificate.kind.name))
    return see_other(reverse("certificates"))


def _kind(asked: Here, kind_id: str) -> str:
    assert asked.site is not None
    if not visible_kinds(asked.person, site_id=asked.site.pk).filter(pk=kind_id).exists():
        raise Malformed(Problem("unknown_machine", field="kind"))
    return kind_id


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Malformed(Problem("until_in_the_past", field="until")) from error


def _page(
    request: HttpRequest, person_id: str, given: Mapping[str, Any], error: DomainError | None
) -> HttpResponseBase:
    asked = helper(request)
    assert asked.site is not None
    person = people_at(asked.site.pk).filter(pk=person_id).first()
    if person is None:
        raise NotFound
    said = {problem.field: say_problem(problem) for problem in (error.problems if error else ())}
    kinds = [
        {
            "value": kind.pk,
            "label": kind.name,
            "drawing": present.drawing_of(kind.icon),
            "checked": kind.pk == given.get("kind"),
        }
        for kind in visible_kinds(asked.person, site_id=asked.site.pk)
    ]
    context = {
        "name": person.display_name,
        "person_id": person.pk,
        "kinds": kinds,
        "held": _held(asked, [person.pk]).get(person.pk, []),
        "machine_files": given.get("machine_files") == "yes",
        "until": {
            "id": "until",
            "name": "until",
            "type": "date",
            "label": _("Dernier jour"),
            "optional": True,
            "value": given.get("until", ""),
            "error": said.get("until", ""),
        },
        "problems": [
            {"sentence": sentence, "field_id": field if field == "until" else ""}
            for field, sentence in said.items()
        ],
    }
    return render(
        request, "dashboard/certificates_grant.html", context, status=error.status if error else 200
    )


@writes
def certificate_revoke(request: HttpRequest, certificate_id: str) -> HttpResponseBase:
    """Take a certificate back, at once."""
    asked = here(request)
    name = certificate_for(asked.person, certificate_id).person.display_name
    revoke(certificate_id, actor=asked.person, at=asked.at)
    messages.success(request, _("L’habilitation de {person} est retirée.").format(person=name))
    return back(request, reverse("certificates"))
