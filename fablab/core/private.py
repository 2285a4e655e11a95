"""The installation's admin stands on a private address only; on the public one it does not exist (SEC-20).

"Private" means: asked for under one of ``ADMIN_HOSTS``, from this computer itself (at its screen, or by a tunnel), and
not passed on by a proxy. One of the three alone proves nothing.
"""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.http.request import split_domain_port

Answering = Callable[[HttpRequest], HttpResponseBase]
PASSED_ON = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


def is_private(request: HttpRequest) -> bool:
    """Say whether a request comes from this computer, under a name of its own."""
    host, _ = split_domain_port(request.get_host())
    if host not in settings.ADMIN_HOSTS or any(name in request.META for name in PASSED_ON):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def private_addresses(get_response: Answering) -> Answering:
    """Middleware: a private request finds the admin beside all pages."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/installation/") and is_private(request):
            request.urlconf = "fablab.urls_private"
        return get_response(request)

    return answer
