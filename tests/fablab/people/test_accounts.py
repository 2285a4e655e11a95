"""Making an account: no e-mail address, and everything that is wrong at once."""

import pytest

from fablab.core.errors import Malformed, NotFound, Refused
from fablab.people.models import User
from fablab.people.services import change_password, make_account, sign_in
from tests.builders import MONDAY, PASSWORD, make_person

pytestmark = pytest.mark.django_db


def make(username: str = "lea", display_name: str = "Léa", password: str = PASSWORD) -> User:
    return make_account(
        username=username, display_name=display_name, password=password, actor=None, at=MONDAY
    )


def test_a_name_and_a_password_are_enough() -> None:
    person = make(" Lea ")
    assert (person.username, person.display_name, person.created_at) == ("lea", "Léa", MONDAY)
    assert sign_in(username="lea", password=PASSWORD, at=MONDAY) == person


def test_everything_that_is_wrong_is_said_at_once_with_its_field() -> None:
    with pytest.raises(Malformed) as refusal:
        make("l é a", "  ", "12345")
    assert [(problem.code, problem.field) for problem in refusal.value.problems] == [
        ("username_invalid", "username"),
        ("display_name_missing", "display_name"),
        ("password_weak", "password"),
    ]
    with pytest.raises(Malformed) as refusal:
        make(display_name="x" * 61)
    assert refusal.value.codes == ["display_name_too_long"]


def test_a_name_that_somebody_has_is_refused_whatever_its_case() -> None:
    make("lea")
    with pytest.raises(Refused) as refusal:
        make("LEA")
    assert (refusal.value.codes, refusal.value.problems[0].field) == (["username_taken"], "username")
    assert User.objects.count() == 1


def test_one_changes_ones_own_password_and_nobody_elses() -> None:
    person, other = make(), make_person("Sami")
    change_password(person, password="un autre mot de passe", actor=person, at=MONDAY)
    assert sign_in(username="lea", password="un autre mot de passe", at=MONDAY) == person
    with pytest.raises(Malformed):
        change_password(person, password="court", actor=person, at=MONDAY)
    with pytest.raises(NotFound):
        change_password(person, password=PASSWORD, actor=other, at=MONDAY)
