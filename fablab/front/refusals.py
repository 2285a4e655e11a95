"""What the front says when it does not let a request through: problem+json for programs, a plain page for people."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.utils.html import escape
from django.utils.translation import get_language_info, get_supported_language_variant, gettext, override
from django.utils.translation.trans_real import parse_accept_lang_header

from fablab.core.words import say
from fablab.front.sending import header

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

RETRY_SECONDS = 5
DRAIN = 10.0  # seconds for which a refused client may go on sending, so that it reads our answer


@dataclass(frozen=True)
class Refusal:
    """``code`` is stable; the sentence is made in the caller's language."""

    status: int
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self) -> str:
        if self.code == "too_large":
            megabytes = max(1, round(self.params["limit_bytes"] / 1_000_000))
            return gettext("C'est trop gros : %(megabytes)s Mo au plus.") % {"megabytes": megabytes}
        if self.code == "too_slow":
            return gettext("L'envoi s'est arrêté. Recommence.")
        if self.code == "storage_full":
            return gettext("Il n'y a plus de place ici. Préviens l'équipe.")
        if self.code in {"not_signed_in", "busy"}:
            return say(self.code)
        return gettext("Une erreur est arrivée. L'équipe est prévenue.")

    def for_people(self, address: str) -> tuple[str, str, str]:
        """Return what a page says beside the sentence, and the link on it: its words, where it leads.

        ``address`` is what was asked for. None is a redirect: a browser that is cut off while it sends takes none.
        """
        if self.code == "not_signed_in":
            lost = gettext("Ce que tu as envoyé n’est pas gardé : recommence ensuite.")
            return lost, gettext("Me connecter"), redirect_to_login(address).url
        return "", gettext("Retour"), address

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return what belongs to it beside the usual."""
        if self.code == "not_signed_in":
            return [(b"www-authenticate", b"Bearer")]
        if self.code == "busy":
            return [(b"retry-after", str(RETRY_SECONDS).encode())]
        return []


def language_of(scope: dict[str, Any]) -> str:
    """Return the language of whoever asks: the cookie of the pages first, then Accept-Language."""
    prefix = f"{settings.LANGUAGE_COOKIE_NAME}="
    wanted = [
        part.strip().removeprefix(prefix)
        for part in (header(scope, b"cookie") or "").split(";")
        if part.strip().startswith(prefix)
    ]
    wanted += [
        code for code, _ in parse_accept_lang_header((header(scope, b"accept-language") or "").lower())
    ]
    for code in wanted:
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


def wants_page(scope: dict[str, Any]) -> bool:
    """Return whether a person reads the answer."""
    return not scope["path"].startswith("/api/") and "text/html" in (header(scope, b"accept") or "")


def rendered(scope: dict[str, Any], refusal: Refusal) -> tuple[str, bytes]:
    """Return content type and body."""
    language = language_of(scope)
    with override(language):
        sentence = refusal.sentence()
        more, way, address = refusal.for_people(scope["path"])
    if wants_page(scope):
        direction = "rtl" if get_language_info(language)["bidi"] else "ltr"
        paragraph = f"<p>{escape(more)}</p>" if more else ""
        page = (
            f'<!doctype html><html lang="{language}" dir="{direction}"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(sentence)}</title><main><h1>{escape(sentence)}</h1>"
            f'{paragraph}<p><a href="{escape(address)}">{escape(way)}</a></p></main></html>'
        )
        return "text/html; charset=utf-8", page.encode()
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": sentence,
        "code": refusal.code,
        "problems": [{"code": refusal.code, "detail": sentence, "params": dict(refusal.params)}],
    }
    return "application/problem+json", json.dumps(problem, ensure_ascii=False).encode()


async def refuse(scope: dict[str, Any], receive: Receive, send: Send, refusal: Refusal) -> None:
    """Answer, then let the client finish for a moment: one that is cut off while sending never reads why."""
    content_type, body = rendered(scope, refusal)
    await send(
        {
            "type": "http.response.start",
            "status": refusal.status,
            "headers": [
                (b"content-type", content_type.encode()),
                (b"content-length", str(len(body)).encode()),
                (b"cache-control", b"no-store"),
                (b"x-content-type-options", b"nosniff"),
                (b"connection", b"close"),
                *refusal.headers(),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if header(scope, b"expect") is None:  # who waits for our word before sending has nothing to finish
        await _drain(receive)
    await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    try:
        async with asyncio.timeout(DRAIN):
            while (event := await receive())["type"] == "http.request" and event.get("more_body", False):
                continue
    except TimeoutError:
        return
