"""Reads about people and their programs."""

import hashlib
from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet

from fablab.core.prepared import Prepared
from fablab.people.models import AccessToken, User


def digest_of(token: str) -> str:
    """Return what is kept of a token. It holds 256 random bits: a plain hash is enough, and can be looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_for(token: str, at: datetime) -> AccessToken | None:
    """Return the row of a token that holds now, with its person; None when unknown, expired, or the person left."""
    return next(iter(_BY_DIGEST(digest_of(token), at)), None)


def person_for_token(token: str, at: datetime) -> User | None:
    """Return whose token this is, or None."""
    found = token_for(token, at)
    return found.person if found else None


def tokens_alive(tokens: Collection[str], at: datetime) -> set[str]:
    """Return those of many tokens that still hold, in one query."""
    by_digest = {digest_of(token): token for token in tokens}
    held = valid_tokens(at).filter(digest__in=by_digest).values_list("digest", flat=True)
    return {by_digest[digest] for digest in held}


def valid_tokens(at: datetime) -> QuerySet[AccessToken]:
    return AccessToken.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=at), person__is_active=True
    )


_BY_DIGEST = Prepared(
    lambda digest, at: valid_tokens(at).filter(digest=digest).select_related("person")
)  # each request of a program


def erasures_to_end() -> QuerySet[User]:
    """Return the people who were erased, and of whom something may be left. For the worker."""
    return User.objects.filter(erased_at__isnull=False, erasure_ended_at__isnull=True).order_by("erased_at")


def tokens_of(person: User) -> QuerySet[AccessToken]:
    """Return a person's own tokens, newest first."""
    return AccessToken.objects.filter(person=person).order_by("-created_at")


def names_of(person_ids: Collection[str]) -> dict[str, str]:
    """Return how these people are called, by id. One query."""
    return {person.pk: person.display_name for person in User.objects.filter(pk__in=person_ids)}
