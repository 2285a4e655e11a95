"""Who asks a page, when, at which place; and how a page answers a form.

Views are wrapped in one of three: ``page`` (for everybody), ``signed_in``, ``writes`` (a form that changes something).
A service's refusal becomes sentences on the page the person came from, never an error page with a code.
"""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from equipment.sites.queries import visible_sites
from equipment.sites.states import ON_DUTY_ROLES, STAFF_ROLES, Role
from fablab.core.errors import DomainError, NotAllowed, NotFound
from fablab.core.idempotency import once
from fablab.core.nul import refuse_nul_in_form
from fablab.core.words import say_problem
from jobs.lifecycle.queries import Viewer

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
SITE_KEY = "site"  # in the session: the place that was chosen


class Here:
    """The person who asks, the place they look at, and the time of the request: read once for a page.

    ``site`` is the chosen one of the person's places, else the first; None for who belongs nowhere yet.
    """

    def __init__(self, request: HttpRequest) -> None:
        assert request.user.is_authenticated
        self.at = timezone.now()
        self.person = request.user
        self.viewer = Viewer(request.user, self.at)
        self.sites = list(visible_sites(request.user).order_by("name"))
        chosen = request.session.get(SITE_KEY)
        self.site = next((site for site in self.sites if site.pk == chosen), None) or next(
            iter(self.sites), None
        )
        self.roles: frozenset[Role] = frozenset(self.viewer.roles_at(self.site.pk) if self.site else ())

    @property
    def zone(self) -> str:
        """The place's time zone."""
        return self.site.time_zone if self.site else "Europe/Paris"

    @property
    def helps(self) -> bool:
        """The person is instructor, staff or manager here."""
        return bool(self.roles & ON_DUTY_ROLES)

    @property
    def instructs(self) -> bool:
        return Role.INSTRUCTOR in self.roles

    @property
    def keeps_machines(self) -> bool:
        """The person is staff or manager here."""
        return bool(self.roles & STAFF_ROLES)


def here(request: HttpRequest) -> Here:
    """Return what is known of this request; somebody must be signed in."""
    known: Here | None = getattr(request, "_here", None)
    if known is None:
        known = Here(request)
        request._here = known  # type: ignore[attr-defined]  # kept for the rest of this request
    return known


def viewer(request: HttpRequest) -> Viewer:
    """Return the person who asks, as queries want them."""
    return here(request).viewer


def page(view: View[P]) -> View[P]:
    """A page for everybody. What a service does not show becomes 404, what it does not allow 403."""

    @functools.wraps(view)
    def shown(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        refuse_nul_in_form(request)
        try:
            response = view(request, *args, **kwargs)
        except NotFound as error:
            raise Http404 from error
        except NotAllowed as error:
            raise PermissionDenied from error
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return shown


def signed_in(view: View[P]) -> View[P]:
    """A page for people with an account; others sign in first and come back."""
    inside = page(view)

    @functools.wraps(view)
    def shown(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("sign-in"))
        return inside(request, *args, **kwargs)

    return shown


def writes(view: View[P]) -> View[P]:
    """A form that changes something: POST only, signed in, counted once, and refused in sentences.

    The view answers success with 303. What a service refuses (``DomainError``) leads back to where the person came
    from, with every sentence; a view that keeps a form's content catches the error itself and shows the form again.
    """
    counted = once(view)

    @functools.wraps(view)
    def done(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"], render_to_string("errors/405.html", request=request))
        if not request.user.is_authenticated:
            return redirect_to_login(back_address(request, reverse("home")), reverse("sign-in"))
        refuse_nul_in_form(request)
        try:
            return counted(request, *args, **kwargs)
        except NotFound as error:
            raise Http404 from error
        except DomainError as error:
            refuse(request, error)
            return back(request, reverse("home"))

    return done


def refuse(request: HttpRequest, error: DomainError) -> None:
    """Have the next page say everything that was in the way."""
    for sentence in sentences(error):
        messages.error(request, sentence)


def sentences(error: DomainError) -> list[str]:
    """Return what a refusal says, each sentence once."""
    return list(dict.fromkeys(say_problem(problem) for problem in error.problems))


def see_other(address: str) -> HttpResponseRedirect:
    """Return 303: the browser gets the address, and going back never sends a form twice."""
    response = HttpResponseRedirect(address)
    response.status_code = 303
    return response


def back(request: HttpRequest, default: str) -> HttpResponseRedirect:
    """Lead back to where a form was shown: its field ``next``, else the page it came from, else ``default``."""
    return see_other(back_address(request, default))


def back_address(request: HttpRequest, default: str) -> str:
    """Return an address of our own site, whatever the request says."""
    for wanted in (request.POST.get("next") or request.GET.get("next"), request.headers.get("Referer")):
        if wanted and url_has_allowed_host_and_scheme(
            wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        ):
            parts = urlsplit(wanted)
            return f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    return default
