"""All pages, and the installation's admin as it stands on a private address (``fablab.core.private``)."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import path, reverse
from django.views.generic import RedirectView

from fablab.urls import urlpatterns as public


def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Lead to the one way to sign in, whose wait grows with wrong passwords; who is signed in needs no second time."""
    if not request.user.is_authenticated:
        return RedirectView.as_view(pattern_name="sign-in", query_string=True)(request)
    if not admin.site.has_permission(request):
        raise PermissionDenied
    return HttpResponseRedirect(reverse("admin:index"))


urlpatterns = [
    path("installation/login/", sign_in),
    path("installation/", admin.site.urls),
    *public,
]
