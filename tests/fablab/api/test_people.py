"""Who I am, and how my programs come in."""

from datetime import timedelta

import pytest
from django.utils import timezone

from fablab.people.models import User
from tests.builders import PASSWORD, make_person, make_site
from tests.builders_jobs import Cast
from tests.fablab.api.callers import Caller
from tests.fablab.api.conftest import As

pytestmark = pytest.mark.django_db


def test_me_tells_my_roles_per_site_and_my_certificates(as_: As, cast: Cast) -> None:
    me = as_("owner").get("me/").body
    assert me["display_name"] == "owner"
    assert me["roles"] == [
        {"site": {"id": cast.site.pk, "name": "Saint-Ouen"}, "roles": ["member"], "present": False}
    ]
    [certificate] = me["certificates"]
    assert certificate["kind"]["id"] == cast.kind.pk
    assert certificate["may_send_machine_files"] is False
    assert me["quotas"]["upload_bytes"] > 0


def test_me_tells_where_i_am_on_duty(as_: As, cast: Cast) -> None:
    [here] = as_("staff").get("me/").body["roles"]
    assert here["present"] is True


def test_name_and_password_make_a_token_that_opens_the_api() -> None:
    person = make_person("Lea", password=PASSWORD)
    made = Caller().post(
        "auth/token/", {"username": person.username, "password": PASSWORD, "name": "mon script"}
    )
    assert made.status == 201
    assert Caller(Authorization=f"Bearer {made.body['token']}").get("me/").body["id"] == person.pk
    assert made.body["token"] not in str(person.tokens.values())


def test_a_token_may_end_by_itself_and_may_read_only() -> None:
    person = make_person("Lea", password=PASSWORD)
    until = (timezone.now() + timedelta(hours=1)).isoformat()
    body = {"username": person.username, "password": PASSWORD, "scope": "read", "expires": until}
    assert Caller().post("auth/token/", body).status == 201
    [row] = person.tokens.all()
    assert row.scope == "read"
    assert row.expires_at is not None
    body["expires"] = (timezone.now() - timedelta(hours=1)).isoformat()
    late = Caller().post("auth/token/", body)
    assert (late.status, late.fields) == (400, ["expires"])
    body["expires"] = "2027-01-01T10:00:00"
    assert Caller().post("auth/token/", body).codes == ["time_zone_missing"]


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer() -> None:
    person = make_person("Lea", password=PASSWORD)
    known = Caller().post("auth/token/", {"username": person.username, "password": "faux"})
    unknown = Caller().post("auth/token/", {"username": "personne-du-tout", "password": "faux"})
    assert known.status == unknown.status == 401
    assert known.body == unknown.body


def test_guessing_is_answered_with_429_and_a_time_to_wait() -> None:
    person = make_person("Lea", password=PASSWORD)
    answers = [
        Caller().post("auth/token/", {"username": person.username, "password": f"faux {number}"})
        for number in range(9)
    ]
    assert answers[-1].status == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
    right = Caller().post("auth/token/", {"username": person.username, "password": PASSWORD})
    assert right.status == 429


def test_my_tokens_are_listed_and_revoked_and_nobody_elses(as_: As, cast: Cast) -> None:
    owner, other = as_("owner"), as_("other_member")
    [mine] = owner.get("auth/tokens/").body["results"]
    assert set(mine) == {"id", "name", "scope", "created_at", "expires_at", "last_used_at"}
    assert other.delete(f"auth/tokens/{mine['id']}/").status == 404
    assert owner.delete(f"auth/tokens/{mine['id']}/").status == 204
    assert owner.get("me/").status == 401


def test_a_program_erases_its_person_with_their_password_and_comes_in_no_more() -> None:
    person = make_person("Lea", site=make_site(), password=PASSWORD)
    caller = Caller(person)
    wrong = caller.post("me/erase/", {"password": "faux"})
    assert (wrong.status, wrong.codes, wrong.fields) == (400, ["password_wrong"], ["password"])
    assert caller.get("me/").status == 200
    assert caller.post("me/erase/", {"password": PASSWORD}).status == 204
    assert caller.get("me/").status == 401
    assert User.objects.filter(pk=person.pk, display_name="", is_active=False).exists()


def test_a_token_that_only_reads_erases_nobody() -> None:
    person = make_person("Lea", password=PASSWORD)
    assert Caller(person, scope="read").post("me/erase/", {"password": PASSWORD}).status == 403


def test_who_alone_keeps_a_site_is_told_to_name_another_manager(as_: As) -> None:
    refused = as_("manager").post("me/erase/", {"password": "faux"})
    assert (refused.status, refused.codes) == (409, ["last_manager_here"])
