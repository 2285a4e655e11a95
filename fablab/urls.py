"""All pages and the API's root."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("fablab.dashboard.urls")),
]
