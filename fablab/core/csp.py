"""What a page of ours may load: our own files and nothing inline (SEC: no third party, no script in text)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

Answering = Callable[[HttpRequest], HttpResponseBase]


def policy(host: str) -> str:
    """Return the policy for pages served under ``host``. Older Safari does not count sockets as 'self'."""
    return "; ".join(
        (
            "default-src 'self'",
            "img-src 'self' data:",
            f"connect-src 'self' ws://{host} wss://{host}",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def content_security_policy(get_response: Answering) -> Answering:
    """Middleware: every answer carries the policy, unless its view has set a stricter or other one itself."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if "Content-Security-Policy" not in response.headers:
            response.headers["Content-Security-Policy"] = policy(request.get_host())
        return response

    return answer
