"""Coming in and going out."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import check_for_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from equipment.sites.services import leave
from fablab.core.errors import DomainError
from fablab.dashboard.requests import back_address, here, page, see_other, sentences, signed_in, writes
from fablab.live import push
from fablab.people import services as people


@sensitive_post_parameters("password")
@page
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Name and password. One refusal for an unknown name and a wrong password; the wait grows (SEC-15)."""
    if request.user.is_authenticated:
        return see_other(_onward(request))
    refused: DomainError | None = None
    if request.method == "POST":
        try:
            person = people.sign_in(
                username=request.POST.get("username", ""),
                password=request.POST.get("password", ""),
                at=timezone.now(),
            )
        except DomainError as error:
            refused = error
        else:
            login(request, person, backend="django.contrib.auth.backends.ModelBackend")
            onward = see_other(_onward(request))
            if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES and check_for_language(person.language):
                onward.set_cookie(settings.LANGUAGE_COOKIE_NAME, person.language, samesite="Lax")
            return onward
    response = render(
        request, "dashboard/sign_in.html", _form(request, refused), status=refused.status if refused else 200
    )
    if refused is not None and refused.status == 429:
        response.headers["Retry-After"] = str(refused.extra["retry_after"])
    return response


def _onward(request: HttpRequest) -> str:
    """Return where the person wanted to go; never back to signing in or out."""
    wanted = request.POST.get("next") or request.GET.get("next")
    address = back_address(request, reverse("home")) if wanted else reverse("home")
    return reverse("home") if address.split("?")[0] in {reverse("sign-in"), reverse("sign-out")} else address


def _form(request: HttpRequest, refused: DomainError | None) -> dict[str, Any]:
    said = sentences(refused) if refused else []
    return {
        "next": _onward(request),
        "problems_title": _("Tu n’es pas connecté."),
        "problems": [{"sentence": sentence, "field_id": "username"} for sentence in said],
        "name_field": {
            "id": "username",
            "name": "username",
            "label": _("Nom d’utilisateur"),
            "value": request.POST.get("username", ""),
            "attributes": {
                "autocomplete": "username",
                "autocapitalize": "none",
                "spellcheck": "false",
                "required": True,
                "maxlength": 60,
                "dir": "ltr",
            },
        },
        "password_field": {
            "id": "password",
            "name": "password",
            "label": _("Mot de passe"),
            "type": "password",
            "attributes": {"autocomplete": "current-password", "required": True, "dir": "ltr"},
        },
    }


def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End the sign-in: presence ends, open sockets close. Who only looks at this address stays signed in."""
    return _sign_out(request) if request.method == "POST" else see_other(reverse("home"))


@writes
def _sign_out(request: HttpRequest) -> HttpResponseBase:
    asked = here(request)
    leave(person=asked.person, site_id=None, at=asked.at)
    logout(request)
    push.recheck(asked.person.pk)
    messages.success(request, _("Tu es déconnecté."))
    return see_other(reverse("home"))


@signed_in
def account(request: HttpRequest) -> HttpResponseBase:
    """The person's own page: who they are here, which place they look at, the way out."""
    asked = here(request)
    return render(
        request,
        "dashboard/account.html",
        {
            "person": asked.person,
            "sites": [
                {"id": site.pk, "name": site.name, "address": site.address, "chosen": site == asked.site}
                for site in asked.sites
            ],
            "sign_out": {
                "url": reverse("sign-out"),
                "label": _("Me déconnecter"),
                "icon": "door",
                "large": True,
            },
        },
    )
