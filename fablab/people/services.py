"""Accounts, signing in, and tokens for programs."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from fablab.core.errors import Malformed, NotFound, Problem, Refused
from fablab.core.ids import new_token
from fablab.live import push
from fablab.people.errors import SignInFailed, SignInLocked
from fablab.people.models import AccessToken, SignInAttempt, User
from fablab.people.queries import digest_of, token_for, tokens_of
from fablab.people.states import AgeBand, Level

FREE_TRIES = 5  # wrong passwords in a row before the first wait
FIRST_WAIT = timedelta(seconds=30)  # doubled by each further one
LONGEST_WAIT = timedelta(hours=1)
FORGOTTEN_AFTER = timedelta(days=1)
USE_NOTED_EVERY = timedelta(minutes=10)


def make_account(
    *,
    username: str,
    display_name: str,
    password: str,
    level: Level = Level.ACCOUNT,
    age_band: AgeBand = AgeBand.UNKNOWN,
    language: str = "fr",
    actor: User | None,
    at: datetime,
) -> User:
    """Return a new person who can sign in. ``actor`` is who made it, None for oneself.

    Raises ``Malformed`` with everything that is wrong with the fields; ``Refused``: ``username_taken``.
    """
    person = User(
        username=username.strip().lower(),
        display_name=display_name.strip(),
        level=level,
        age_band=age_band,
        language=language,
        created_at=at,
    )
    problems = [*_name_problems(person), *_password_problems(password, person)]
    if problems:
        raise Malformed(*problems)
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as taken:
        raise Refused(Problem("username_taken", field="username")) from taken
    return person


def change_password(person: User, *, password: str, actor: User, at: datetime) -> None:
    """Set another password: every other sign-in of this person ends with the old one, their programs' too.

    Raises ``NotFound`` for somebody else's, ``Malformed`` for a weak one.
    """
    if actor.pk != person.pk:
        raise NotFound
    problems = _password_problems(password, person)
    if problems:
        raise Malformed(*problems)
    with transaction.atomic():
        person.set_password(password)
        person.save(update_fields=["password"])
        person.tokens.all().delete()
    push.recheck(person.pk)


def sign_in(*, username: str, password: str, at: datetime) -> User:
    """Return who signs in. After five wrong passwords in a row the name waits, longer each time.

    The try is counted before the password is looked at, so that many at once are not looked at either. Names that
    nobody has are counted and kept waiting alike, and take as long. Raises ``SignInFailed``, ``SignInLocked``.
    """
    name = username.strip().lower()[:60]
    _count_try(name, at)
    person = User.objects.filter(username=name).first()
    if person is None or not person.is_active:
        make_password(password)  # as much work as looking at a real one
        raise SignInFailed
    if not person.check_password(password):
        raise SignInFailed
    SignInAttempt.objects.filter(username=name).delete()
    return person


def prove_password(person: User, *, password: str, at: datetime) -> None:
    """Ask for the password once more before something that cannot be undone. Tries count as those to sign in.

    Raises ``Malformed``: ``password_wrong``; ``SignInLocked``.
    """
    _count_try(person.username, at)
    if not person.check_password(password):
        raise Malformed(Problem("password_wrong", field="password"))
    SignInAttempt.objects.filter(username=person.username).delete()


def unlock_sign_in(username: str) -> bool:
    """Let a name try again at once. The caller asks who may; False when it did not wait."""
    return SignInAttempt.objects.filter(username=username.strip().lower()).delete()[0] > 0


def count_guess(of: str, *, at: datetime) -> None:
    """Count one try at a short code that people type, whoever tries; ``of`` says what it opens (at most 60 characters).

    As for passwords: the wait grows with each. Raises ``SignInLocked``.
    """
    _count_try(of, at)


def forget_guesses(of: str) -> None:
    """The right code was typed: the next one begins anew."""
    SignInAttempt.objects.filter(username=of).delete()


def forget_tries(at: datetime) -> int:
    """Remove what was counted for names that have not tried for a day; return how many."""
    return SignInAttempt.objects.filter(tried_at__lte=at - FORGOTTEN_AFTER).delete()[0]


def make_token(
    *,
    person: User,
    name: str = "",
    scope: str = "all",
    expires_at: datetime | None = None,
    at: datetime,
) -> tuple[AccessToken, str]:
    """Return a new token's row and the token itself, which cannot be had again.

    ``scope`` is ``all`` or ``read``. Raises ``Malformed``.
    """
    problems: Sequence[Problem] = [
        *([Problem("scope_unknown", field="scope")] if scope not in {"all", "read"} else []),
        *([Problem("token_name_too_long", field="name")] if len(name) > 80 else []),
        *([Problem("expiry_in_the_past", field="expires")] if expires_at and expires_at <= at else []),
    ]
    if problems:
        raise Malformed(*problems)
    token = new_token()
    row = AccessToken.objects.create(
        person=person,
        name=name.strip(),
        scope=scope,
        digest=digest_of(token),
        created_at=at,
        expires_at=expires_at,
    )
    return row, token


def revoke_token(token_id: str, *, actor: User, at: datetime) -> None:
    """End one of one's own tokens and what was opened with it. Raises ``NotFound`` for any other."""
    if not tokens_of(actor).filter(pk=token_id).delete()[0]:
        raise NotFound
    push.recheck(actor.pk)


def use_token(token: str, *, at: datetime) -> AccessToken | None:
    """Return the row of a token that holds, with its person, and note now and then that it was used."""
    row = token_for(token, at)
    if row is not None and (row.last_used_at is None or row.last_used_at <= at - USE_NOTED_EVERY):
        AccessToken.objects.filter(pk=row.pk).update(last_used_at=at)
        row.last_used_at = at
    return row


def wait_after(failures: int) -> timedelta:
    """Return how long a name waits after so many wrong passwords in a row."""
    if failures < FREE_TRIES:
        return timedelta()
    doublings: int = min(failures - FREE_TRIES, 20)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def _count_try(name: str, at: datetime) -> None:
    with transaction.atomic():
        SignInAttempt.objects.get_or_create(username=name, defaults={"tried_at": at})
        row = SignInAttempt.objects.select_for_update().get(username=name)
        if row.locked_until is not None and row.locked_until > at:
            raise SignInLocked(int((row.locked_until - at).total_seconds()) + 1)
        row.failures += 1
        row.tried_at = at
        wait = wait_after(row.failures)
        row.locked_until = at + wait if wait else None
        row.save()


def _name_problems(person: User) -> list[Problem]:
    try:
        person.clean_fields(exclude=["password"])
    except ValidationError as wrong:
        fields = wrong.message_dict
    else:
        fields = {}
    problems = []
    if "username" in fields:
        problems.append(Problem("username_invalid", field="username"))
    if not person.display_name:
        problems.append(Problem("display_name_missing", field="display_name"))
    elif "display_name" in fields:
        problems.append(Problem("display_name_too_long", field="display_name"))
    return problems


def _password_problems(password: str, person: User) -> list[Problem]:
    try:
        validate_password(password, person)
    except ValidationError:
        return [Problem("password_weak", field="password")]
    return []
