"""The person erases themself: what goes and what stays in plain sentences, then the password, then it is done."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from fablab.core.errors import DomainError
from fablab.core.words import say_problem
from fablab.dashboard.requests import here, see_other, sentences, signed_in, writes
from fablab.people.errors import SignInLocked
from jobs.erasure.queries import WhatGoes, what_goes
from jobs.erasure.services import erase_myself

Row = tuple[str, str]  # an icon and its sentence


def erase(request: HttpRequest) -> HttpResponseBase:
    """Erase oneself, in two steps: this page, and the password typed on it."""
    return _erase(request) if request.method == "POST" else _page(request)


@signed_in
def _page(request: HttpRequest) -> HttpResponseBase:
    return _shown(request, None)


@sensitive_post_parameters("password")
@writes
def _erase(request: HttpRequest) -> HttpResponseBase:
    asked = here(request)
    try:
        erase_myself(password=request.POST.get("password", ""), actor=asked.person, at=asked.at)
    except DomainError as error:
        return _shown(request, error)
    logout(request)
    messages.success(request, _("Tes données sont effacées. Merci d’être venu."))
    return see_other(reverse("home"))


def _shown(request: HttpRequest, refused: DomainError | None) -> HttpResponseBase:
    asked = here(request)
    found = what_goes(asked.person, asked.at)
    in_the_way = [say_problem(problem) for problem in found.problems]
    said = [one for one in sentences(refused) if one not in in_the_way] if refused else []
    response = render(
        request,
        "dashboard/erase.html",
        {
            "goes": _goes(found),
            "stays": _stays(found),
            "may": not in_the_way,
            "problems_title": _("Rien n’est effacé."),
            "problems": [
                *({"sentence": sentence} for sentence in in_the_way),
                *({"sentence": sentence, "field_id": "password"} for sentence in said),
            ],
            "password_field": {
                "id": "password",
                "name": "password",
                "label": _("Ton mot de passe"),
                "type": "password",
                "attributes": {"autocomplete": "current-password", "required": True, "dir": "ltr"},
            },
        },
        status=refused.status if refused else 200,
    )
    if isinstance(refused, SignInLocked):
        response.headers["Retry-After"] = str(refused.extra["retry_after"])
    return response


def _goes(found: WhatGoes) -> list[Row]:
    rows = [
        ("user", _("Ton nom, ton mot de passe et tes messages.")),
        ("file", _("Tes fichiers, ici et sur les machines.")),
        ("check", _("Tes habilitations.")),
    ]
    if found.waiting:
        rows.append(("box", _("Objets qui attendent, annulés : {n}.").format(n=found.waiting)))
    if found.bookings:
        rows.append(("calendar", _("Réservations annulées : {n}.").format(n=found.bookings)))
    return rows


def _stays(found: WhatGoes) -> list[Row]:
    rows = [("clock", _("Des heures et des nombres, sans ton nom."))]
    if found.words:
        rows.append(("chat", _("Tes mots sur les machines et pour les autres, sans ton nom.")))
    if found.running:
        said = _("Objets en cours : {n}. Ils se terminent, sans ton nom.")
        rows.append(("running", said.format(n=found.running)))
    return rows
