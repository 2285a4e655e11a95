"""What every address has in common: one error format, strict bodies, languages, cursors, who asks."""

import json
from typing import Any

import pytest
from django.test import Client

from fablab.core.errors import Refused
from fablab.people.services import revoke_token
from tests.builders import make_machine
from tests.builders_jobs import Cast
from tests.fablab.api.callers import Caller
from tests.fablab.api.conftest import As

pytestmark = pytest.mark.django_db


# --- who asks -----------------------------------------------------------------------------------------------------


def test_without_signing_in_the_answer_is_401_and_says_how() -> None:
    answer = Caller().get("me/")
    assert (answer.status, answer.codes) == (401, ["not_signed_in"])
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", "Bearer a b", "bearer \udcff"])
def test_a_token_that_does_not_hold_is_401(header: str) -> None:
    answer = Caller(Authorization=header.encode("utf-8", "surrogateescape").decode("latin-1")).get("me/")
    assert (answer.status, answer.codes) == (401, ["token_invalid"])


def test_a_revoked_token_is_401(cast: Cast) -> None:
    caller = Caller(cast.person("owner"))
    [token] = cast.person("owner").tokens.all()
    revoke_token(token.pk, actor=cast.person("owner"), at=token.created_at)
    assert caller.get("me/").status == 401


def test_a_token_that_reads_only_changes_nothing(cast: Cast) -> None:
    caller = Caller(cast.person("staff"), scope="read")
    assert caller.get("me/").status == 200
    answer = caller.post(f"machines/{cast.machine.pk}/out-of-order/", {"reason": "buse"})
    assert (answer.status, answer.codes) == (403, ["token_reads_only"])
    cast.machine.refresh_from_db()
    assert cast.machine.out_of_order_since is None


def test_a_page_asks_by_its_session_and_writes_with_its_csrf_token(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.person("staff"))
    address = f"/api/v1/machines/{cast.machine.pk}/out-of-order/"
    assert browser.get("/api/v1/me/").status_code == 200

    refused = browser.post(address, json.dumps({"reason": "buse"}), content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")

    browser.cookies["csrftoken"] = "a" * 32
    taken = browser.post(
        address,
        json.dumps({"reason": "buse"}),
        content_type="application/json",
        headers={"X-CSRFToken": "a" * 32},
    )
    assert taken.status_code == 200


def test_a_form_of_another_site_is_refused_even_with_a_session(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.person("staff"))
    answer = browser.post(f"/api/v1/machines/{cast.machine.pk}/clear-plate/", {"reason": "x"})
    assert answer.status_code == 403


# --- errors -------------------------------------------------------------------------------------------------------


def test_a_problem_has_the_shape_of_rfc_9457_and_names_every_problem(as_: As) -> None:
    answer = as_("staff").post("machines/", {"name": 7, "colour": "red"})
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.body) == {"type", "title", "status", "detail", "code", "problems"}
    told = dict(zip(answer.fields, answer.codes, strict=True))
    assert told == {
        "colour": "unknown_field",
        "site": "field_required",
        "model": "field_required",
        "name": "field_invalid",
    }
    assert all(problem["detail"] for problem in answer.body["problems"])


def test_the_language_changes_the_words_and_never_the_codes(cast: Cast) -> None:
    french, english = (
        Caller(cast.person("owner"), **{"Accept-Language": language}).get("machines/abc/")
        for language in ("fr", "en")
    )
    assert french.codes == english.codes == ["not_found"]
    assert french.headers["Content-Language"] == "fr"
    assert english.headers["Content-Language"] == "en"


def test_an_unknown_address_is_a_problem_too() -> None:
    answer = Caller().get("nothing/here/")
    assert (answer.status, answer.codes) == (404, ["not_found"])


@pytest.mark.parametrize("strange", ["%00", "..%2f..%2fetc", "é", "a" * 41, "a'b"])
def test_an_id_that_cannot_be_one_is_404(as_: As, strange: str) -> None:
    assert as_("owner").get(f"machines/{strange}/").status == 404


def test_a_verb_that_an_address_does_not_know_is_405(as_: As) -> None:
    answer = as_("owner").delete("me/")
    assert (answer.status, answer.codes) == (405, ["method_not_allowed"])


@pytest.mark.parametrize(
    "body",
    ["{", "[]", '"text"', "7", "null", '{"present": NaN}', '{"a":' * 5000 + "1" + "}" * 5000, "\ud800"],
)
def test_a_body_that_is_no_object_is_400(as_: As, cast: Cast, body: str) -> None:
    raw = body.encode("utf-8", "surrogatepass")
    assert as_("staff").send("POST", f"sites/{cast.site.pk}/presence/", raw).status == 400


def test_a_key_that_stands_twice_is_400(as_: As, cast: Cast) -> None:
    answer = as_("staff").send(
        "POST", f"sites/{cast.site.pk}/presence/", '{"present": true, "present": false}'
    )
    assert (answer.status, answer.codes) == (400, ["field_twice"])


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/xml"],
)
def test_another_content_type_is_415(as_: As, cast: Cast, content_type: str) -> None:
    answer = as_("staff").send("POST", f"sites/{cast.site.pk}/presence/", "present=true", content_type)
    assert (answer.status, answer.codes) == (415, ["media_type_not_supported"])


def test_a_body_too_large_for_memory_is_413(as_: As, cast: Cast) -> None:
    body = json.dumps({"present": True, "x": "x" * 1_100_000})
    answer = as_("staff").send("POST", f"sites/{cast.site.pk}/presence/", body)
    assert (answer.status, answer.codes) == (413, ["too_large"])


def test_what_nobody_expected_is_told_without_its_inside(
    as_: As, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*args: Any) -> Any:
        raise RuntimeError("canary: the inside")

    monkeypatch.setattr("fablab.api.people.roles_by_site", fails)
    answer = as_("owner").get("me/")
    assert (answer.status, answer.codes) == (500, ["server_error"])
    assert "canary" not in json.dumps(answer.body)
    assert "canary" in caplog.text


def test_what_a_service_adds_to_its_refusal_stands_beside_the_problems(
    as_: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*args: Any) -> Any:
        raise Refused("slot_taken", "site_closed", extra={"alternatives": [1]})

    monkeypatch.setattr("fablab.api.people.roles_by_site", refuses)
    answer = as_("owner").get("me/")
    assert (answer.status, answer.codes, answer.body["alternatives"]) == (
        409,
        ["slot_taken", "site_closed"],
        [1],
    )


def test_who_asks_too_often_is_told_how_long_to_wait(as_: As, settings: Any) -> None:
    settings.API_PER_MINUTE = {"reads": 3, "writes": 3, "anonymous": 3}
    owner, other = as_("owner"), as_("other_member")
    assert [owner.get("me/").status for _ in range(4)] == [200, 200, 200, 429]
    answer = owner.get("me/")
    assert answer.codes == ["too_often"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert other.get("me/").status == 200  # counted for each person


# --- addresses' parameters and pages ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"sort": "name"}, "unknown_field"),
        ({"site": ["a", "b"]}, "field_twice"),
        ({"state": "broken"}, "not_a_choice"),
        ({"limit": "0"}, "out_of_range"),
        ({"limit": "201"}, "out_of_range"),
        ({"limit": "many"}, "out_of_range"),
        ({"cursor": "!!"}, "cursor_invalid"),
        ({"cursor": "cD0lMDA="}, "cursor_invalid"),
    ],
)
def test_parameters_are_as_strict_as_bodies(as_: As, query: dict[str, Any], code: str) -> None:
    answer = as_("owner").get("machines/", **query)
    assert (answer.status, answer.codes) == (400, [code])


def test_a_list_is_paged_by_cursor_forth_and_back(as_: As, cast: Cast) -> None:
    names = [f"Zz {number:02}" for number in range(7)]
    for name in names:
        make_machine(cast.site, name, model=cast.model)
    owner = as_("owner")
    answer = owner.get("machines/", limit=3)
    seen = [answer.body["results"]]
    assert answer.body["previous"] is None
    while answer.body["next"]:
        answer = owner.get(answer.body["next"])
        seen.append(answer.body["results"])
    assert [len(page) for page in seen] == [3, 3, 2]
    assert [machine["name"] for page in seen for machine in page] == [cast.machine.name, *names]
    back = owner.get(answer.body["previous"]).body["results"]
    assert [machine["id"] for machine in back] == [machine["id"] for machine in seen[1]]


def test_answers_are_never_kept_by_a_shared_device(as_: As) -> None:
    assert as_("owner").get("me/").headers["Cache-Control"] == "no-store"
