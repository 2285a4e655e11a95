"""All pages and the API's root."""

from django.urls import URLPattern, URLResolver, include, path

from fablab.api.urls import health_addresses

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("fablab.api.urls")),
    *health_addresses,
    path("", include("fablab.dashboard.urls")),
]
