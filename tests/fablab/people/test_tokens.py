"""Tokens for programs: shown once, kept as a hash, ending with their time, their person, or a word."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fablab.core.errors import Malformed, NotFound
from fablab.live import signin
from fablab.people.models import AccessToken
from fablab.people.queries import person_for_token, tokens_alive, tokens_of
from fablab.people.services import change_password, make_token, revoke_token, use_token
from tests.builders import MONDAY, make_person, minutes

pytestmark = pytest.mark.django_db


def test_a_token_is_the_person_and_cannot_be_read_from_the_database() -> None:
    person = make_person("Léa")
    row, token = make_token(person=person, name="Mon script", at=MONDAY)
    assert person_for_token(token, MONDAY) == person
    assert person_for_token(token[:-1], MONDAY) is None
    assert person_for_token(row.digest, MONDAY) is None
    stored = AccessToken.objects.filter(pk=row.pk).values().get()
    assert token not in str(stored)
    assert len(token) >= 43


def test_a_token_ends_at_its_time() -> None:
    person = make_person()
    _, token = make_token(person=person, expires_at=MONDAY + minutes(10), at=MONDAY)
    assert person_for_token(token, MONDAY + minutes(9)) == person
    assert person_for_token(token, MONDAY + minutes(10)) is None


def test_a_token_ends_with_the_person() -> None:
    person = make_person()
    _, token = make_token(person=person, at=MONDAY)
    person.is_active = False
    person.save()
    assert person_for_token(token, MONDAY) is None


def test_one_lists_and_revokes_ones_own_tokens_and_no_others() -> None:
    person, other = make_person(), make_person()
    row, token = make_token(person=person, name="A", at=MONDAY)
    later, _ = make_token(person=person, name="B", at=MONDAY + minutes(1))
    assert list(tokens_of(person)) == [later, row]
    assert list(tokens_of(other)) == []
    with pytest.raises(NotFound):
        revoke_token(row.pk, actor=other, at=MONDAY)
    assert person_for_token(token, MONDAY) == person
    revoke_token(row.pk, actor=person, at=MONDAY)
    assert person_for_token(token, MONDAY) is None


def test_what_is_wrong_with_a_token_is_said_at_once() -> None:
    with pytest.raises(Malformed) as refusal:
        make_token(person=make_person(), name="x" * 81, scope="admin", expires_at=MONDAY, at=MONDAY)
    assert refusal.value.codes == ["scope_unknown", "token_name_too_long", "expiry_in_the_past"]


def test_use_is_noted_every_ten_minutes_and_not_with_each_request() -> None:
    row, token = make_token(person=make_person(), scope="read", at=MONDAY)
    used = use_token(token, at=MONDAY)
    assert used is not None
    assert (used.scope, used.last_used_at) == ("read", MONDAY)
    use_token(token, at=MONDAY + minutes(9))
    row.refresh_from_db()
    assert row.last_used_at == MONDAY
    use_token(token, at=MONDAY + minutes(10))
    row.refresh_from_db()
    assert row.last_used_at == MONDAY + minutes(10)
    assert use_token("unknown", at=MONDAY) is None


def test_many_tokens_are_looked_at_in_one_query() -> None:
    person = make_person()
    tokens = [make_token(person=person, at=MONDAY)[1] for _ in range(5)]
    ended = make_token(person=person, expires_at=MONDAY + minutes(1), at=MONDAY)[1]
    with CaptureQueriesContext(connection) as queries:
        assert tokens_alive([*tokens, ended, "unknown"], MONDAY + minutes(1)) == set(tokens)
    assert len(queries) == 1


def test_sockets_ask_here_who_a_token_is(settings: object) -> None:
    person = make_person()
    _, token = make_token(person=person, expires_at=MONDAY + timedelta(days=36500), at=MONDAY)
    scope = {"headers": [(b"authorization", f"Bearer {token}".encode())]}
    signed_in = signin.user_for(scope)
    assert signed_in is not None
    assert signed_in.person_id == person.pk
    assert signin.ended([signed_in]) == set()
    AccessToken.objects.all().delete()
    assert signin.ended([signed_in]) == {signed_in}


def test_another_password_ends_the_tokens_too() -> None:
    person = make_person("Léa")
    _, token = make_token(person=person, at=MONDAY)
    assert person_for_token(token, MONDAY) == person
    change_password(person, password="un autre mot de passe", actor=person, at=MONDAY)
    assert person_for_token(token, MONDAY) is None
