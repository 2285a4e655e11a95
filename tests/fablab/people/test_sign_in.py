"""Signing in: guessing gets slower with each try, per name, known or not, and never per address (SEC-15)."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth import hashers
from django.db import connection

from fablab.people.errors import SignInFailed, SignInLocked
from fablab.people.models import SignInAttempt
from fablab.people.services import FIRST_WAIT, FREE_TRIES, LONGEST_WAIT, forget_tries, sign_in, wait_after
from tests.builders import MONDAY, PASSWORD, make_person, minutes

pytestmark = pytest.mark.django_db


def fail(username: str, times: int, *, at: timedelta = timedelta()) -> None:
    for _ in range(times):
        with pytest.raises(SignInFailed):
            sign_in(username=username, password="faux", at=MONDAY + at)


def test_name_and_password_that_belong_together_sign_in_whatever_the_case_of_the_name() -> None:
    person = make_person("lea", password=PASSWORD)
    assert sign_in(username=f" {person.username.upper()} ", password=PASSWORD, at=MONDAY) == person


def test_a_wrong_password_an_unknown_name_and_a_left_person_get_the_same_answer() -> None:
    person = make_person("lea", password=PASSWORD)
    gone = make_person("karim", password=PASSWORD, is_active=False)
    answers = []
    for username, password in ((person.username, "faux"), ("personne", PASSWORD), (gone.username, PASSWORD)):
        with pytest.raises(SignInFailed) as refusal:
            sign_in(username=username, password=password, at=MONDAY)
        answers.append((refusal.value.status, refusal.value.problems, refusal.value.extra))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 401


def test_as_much_work_is_done_for_an_unknown_name_as_for_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    person = make_person("lea", password=PASSWORD)
    work: list[int] = []
    encode = hashers.PBKDF2PasswordHasher.encode

    def counted(
        self: hashers.PBKDF2PasswordHasher, password: str, salt: str, iterations: int | None = None
    ) -> str:
        work.append(iterations or self.iterations)
        return str(encode(self, password, salt, iterations))

    monkeypatch.setattr(hashers.PBKDF2PasswordHasher, "encode", counted)
    for username in (person.username, "personne"):
        fail(username, 1)
    known, unknown = work
    assert known == unknown


@pytest.mark.parametrize("known", [True, False])
def test_after_five_wrong_passwords_the_name_waits_and_the_right_one_is_not_looked_at(known: bool) -> None:
    username = make_person("lea", password=PASSWORD).username if known else "personne"
    fail(username, FREE_TRIES)
    with pytest.raises(SignInLocked) as refusal:
        sign_in(username=username, password=PASSWORD, at=MONDAY + timedelta(seconds=29))
    assert refusal.value.status == 429
    assert refusal.value.extra == {"retry_after": 2}
    assert refusal.value.problems[0].params == {"minutes": 1}


def test_the_right_password_after_the_wait_forgets_what_was_counted() -> None:
    person = make_person("lea", password=PASSWORD)
    fail(person.username, FREE_TRIES)
    assert sign_in(username=person.username, password=PASSWORD, at=MONDAY + FIRST_WAIT) == person
    fail(person.username, FREE_TRIES - 1, at=FIRST_WAIT)


def test_the_wait_grows_with_each_further_wrong_password_up_to_an_hour() -> None:
    waits = [wait_after(failures) for failures in range(FREE_TRIES - 1, 40)]
    assert waits[:4] == [timedelta(), FIRST_WAIT, FIRST_WAIT * 2, FIRST_WAIT * 4]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT


def test_a_thousand_guesses_in_a_day_are_fewer_than_forty_looks_at_the_password() -> None:
    make_person("lea", password=PASSWORD)
    looked = 0
    for number in range(1000):
        try:
            sign_in(username="lea", password=f"essai {number}", at=MONDAY + minutes(1.44 * number))
        except SignInFailed:
            looked += 1
        except SignInLocked:
            continue
    assert 10 < looked < 40


def test_one_name_waits_and_thirty_others_behind_the_same_address_do_not() -> None:
    people = [make_person(password=PASSWORD) for _ in range(3)]
    fail("personne", FREE_TRIES)
    assert [sign_in(username=one.username, password=PASSWORD, at=MONDAY) for one in people] == people


def test_what_was_counted_is_forgotten_after_a_day() -> None:
    fail("personne", 1)
    fail("autre", 1, at=timedelta(hours=2))
    assert forget_tries(MONDAY + timedelta(days=1)) == 1
    assert list(SignInAttempt.objects.values_list("username", flat=True)) == ["autre"]


@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_the_same_moment_are_counted_one_by_one() -> None:
    person = make_person("lea", password=PASSWORD)
    gate = threading.Barrier(12, timeout=30)

    def guess(number: int) -> str:
        try:
            gate.wait()
            sign_in(username=person.username, password=f"essai {number}", at=MONDAY)
        except (SignInFailed, SignInLocked) as refusal:
            return refusal.code
        finally:
            connection.close()
        return "signed in"

    with ThreadPoolExecutor(12) as pool:
        outcome = Counter(pool.map(guess, range(12), timeout=60))
    assert outcome == {"sign_in_failed": FREE_TRIES, "sign_in_locked": 12 - FREE_TRIES}
