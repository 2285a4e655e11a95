"""Who is at the other end of a socket, and whether that still holds.

Pages come with the session cookie, programs with a token. Rooms above this one register how a token is read and what a
person's rights depend on; this room asks.
"""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user, get_user_model
from django.http.cookie import parse_cookie
from django.http.request import HttpRequest, validate_host
from django.utils import timezone

Scope = Mapping[str, Any]
TokenReader = Callable[[str], Any]
TokensAlive = Callable[[Collection[str]], Collection[str]]
RightsReader = Callable[[Sequence[str]], Mapping[str, Hashable]]


@dataclass(frozen=True)
class SignIn:
    """A person and the proof they came with: one of ``session`` and ``token``. ``stamp`` changes with the password."""

    person_id: str
    session: str | None
    token: str | None
    stamp: str
    rights: Hashable = None  # what ``rights()`` said at the time


_token_reader: TokenReader | None = None
_tokens_alive: TokensAlive | None = None
_rights_reader: RightsReader | None = None


def register_token_reader(reader: TokenReader, alive: TokensAlive | None = None) -> None:
    """Say how a token is read: ``reader(token)`` returns the person or None.

    ``alive(tokens)`` returns those of many that still hold, in one query; without it each is read anew.
    """
    global _token_reader, _tokens_alive
    _token_reader, _tokens_alive = reader, alive


def register_rights_reader(reader: RightsReader) -> None:
    """Say what rights depend on: ``reader(person_ids)`` returns, in one query, something comparable for each person.

    When it differs from one look to the next, that person's subscriptions are checked again.
    """
    global _rights_reader
    _rights_reader = reader


def header(scope: Scope, name: bytes) -> str | None:
    """Return a header's value; None when it is missing or given more than once."""
    found = [value for key, value in scope["headers"] if key.lower() == name]
    return found[0].decode("latin-1") if len(found) == 1 else None


def origin_allowed(scope: Scope) -> bool:
    """Tell whether this page may open a socket: a page of ours, or no page at all (a program sends no Origin)."""
    host = header(scope, b"host") or ""
    # Without this a foreign name that points at our address would be "the same origin" as itself.
    if not validate_host(host.rpartition(":")[0] or host, settings.ALLOWED_HOSTS) and not validate_host(
        host, settings.ALLOWED_HOSTS
    ):
        return False
    if not any(key.lower() == b"origin" for key, _ in scope["headers"]):
        return True
    origin = header(scope, b"origin") or "null"
    if (
        origin == f"{'https' if settings.HTTPS else 'http'}://{host}"
        or origin in settings.CSRF_TRUSTED_ORIGINS
    ):
        return True
    asked = urlsplit(origin)
    return any(
        asked.scheme == allowed.scheme and asked.netloc.endswith(allowed.netloc[1:])
        for allowed in map(urlsplit, settings.CSRF_TRUSTED_ORIGINS)
        if allowed.netloc.startswith("*.")
    )


def user_for(scope: Scope) -> SignIn | None:
    """Return who opens this socket, or None. Reads the database: call it in a thread."""
    person, session, token = _proven(scope)
    if person is None:
        return None
    person_id = str(person.pk)
    return SignIn(person_id, session, token, person.password, rights([person_id]).get(person_id))


def person_at(scope: Scope) -> str | None:
    """Return the id of who asks, or None: whether somebody does, long before Django says what they may.

    Reads the database: call it in a thread.
    """
    person, _, _ = _proven(scope)
    return None if person is None else str(person.pk)


def _proven(scope: Scope) -> tuple[Any, str | None, str | None]:
    """Return the person, None for nobody, and what proves them: a session or a token."""
    scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        token = token.strip()
        person = _token_reader(token) if _token_reader else None
        return (person, None, token) if person is not None and person.is_active else (None, None, None)
    cookies = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == b"cookie"]
    session = parse_cookie("; ".join(cookies)).get(settings.SESSION_COOKIE_NAME)  # as Django reads it, later
    if session is None:
        return None, None, None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session)
    person = get_user(request)
    return (person, session, None) if person.is_authenticated and person.is_active else (None, None, None)


def ended(sign_ins: Sequence[SignIn]) -> set[SignIn]:
    """Return those that hold no longer: signed out, expired, deactivated, erased, password or token withdrawn.

    A handful of queries however many there are. Reads the database: call it in a thread.
    """
    people: dict[str, str] = {}
    for some in _chunks({sign_in.person_id for sign_in in sign_ins}):
        rows = get_user_model()._default_manager.filter(pk__in=some, is_active=True)
        people.update((str(pk), stamp) for pk, stamp in rows.values_list("pk", "password"))
    sessions = _sessions_alive({sign_in.session for sign_in in sign_ins if sign_in.session}, timezone.now())
    tokens = _alive({sign_in.token for sign_in in sign_ins if sign_in.token})
    return {
        sign_in
        for sign_in in sign_ins
        if people.get(sign_in.person_id) != sign_in.stamp
        or (sign_in.session is not None and sign_in.session not in sessions)
        or (sign_in.token is not None and sign_in.token not in tokens)
    }


def still_signed_in(sign_in: SignIn) -> Any:
    """Return the person as they are now, or None when the sign-in has ended. Call it in a thread."""
    if ended([sign_in]):
        return None
    return get_user_model()._default_manager.filter(pk=sign_in.person_id).first()


def rights(person_ids: Sequence[str]) -> Mapping[str, Hashable]:
    """Return what each person's rights depend on. Reads the database: call it in a thread."""
    found: dict[str, Hashable] = {}
    if _rights_reader is not None:
        for some in _chunks(set(person_ids)):
            found.update(_rights_reader(some))
    return found


def _sessions_alive(keys: Collection[str], at: datetime) -> set[str]:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if not hasattr(store, "get_model_class"):  # sessions kept elsewhere than in the database
        return {key for key in keys if store().exists(key)}
    found: set[str] = set()
    for some in _chunks(keys):
        rows = store.get_model_class().objects.filter(session_key__in=some, expire_date__gt=at)
        found.update(rows.values_list("session_key", flat=True))
    return found


def _alive(tokens: Collection[str]) -> Collection[str]:
    if not tokens or _token_reader is None:
        return ()
    if _tokens_alive is not None:
        return _tokens_alive(tokens)
    return {token for token in tokens if _token_reader(token) is not None}


def _chunks(values: Collection[str], size: int = 400) -> list[list[str]]:
    """SQLite takes 999 parameters at most in its older builds."""
    everything = sorted(values)
    return [everything[start : start + size] for start in range(0, len(everything), size)]
