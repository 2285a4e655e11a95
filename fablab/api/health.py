"""Alive, able to serve, and figures for Prometheus."""

import ipaddress
from datetime import datetime

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from fablab.api import figures
from fablab.live.push import live_layer_ready


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Say that this process answers."""
    return JsonResponse({"status": "alive"}, headers={"Cache-Control": "no-store"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether this process can serve: database, live layer, and somebody who watches the machines."""
    checks = {"database": _database(), "live": live_layer_ready()}
    checks["supervision"] = checks["database"] and figures.supervision_alive(timezone.now())
    ready = all(checks.values())
    return JsonResponse(
        {"status": "ready" if ready else "not_ready", "checks": checks},
        status=200 if ready else 503,
        headers={"Cache-Control": "no-store"},
    )


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the figures, to this computer or to who knows the token; to others the address does not exist."""
    if not (_from_here(request) or _knows_token(request)):
        return HttpResponseNotFound()
    return _figures(timezone.now())


def _figures(at: datetime) -> HttpResponse:
    text, content_type = figures.exposition(at)
    return HttpResponse(text, content_type=content_type, headers={"Cache-Control": "no-store"})


def _from_here(request: HttpRequest) -> bool:
    # A proxy on this computer asks for somebody else.
    if "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _knows_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(settings.METRICS_TOKEN) and constant_time_compare(given, settings.METRICS_TOKEN)
