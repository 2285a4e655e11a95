"""All pages, and the installation's admin as it stands on a private address (``fablab.core.private``)."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from fablab.urls import urlpatterns as public

urlpatterns = [
    # One way to sign in, whose wait grows with wrong passwords.
    path("installation/login/", RedirectView.as_view(pattern_name="sign-in", query_string=True)),
    path("installation/", admin.site.urls),
    *public,
]
