"""Sending twice does once (REL-10, cases 15 and 16)."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import RequestFactory
from django.utils import timezone

from fablab.core import idempotency
from fablab.core.errors import Conflict
from fablab.core.idempotency import FIELD, forget_answers, once
from fablab.core.models import IdempotentAnswer
from jobs.lifecycle.models import Job
from jobs.uploads.models import Upload
from tests.builders_jobs import Cast, make_cast, make_upload
from tests.fablab.api.callers import Answer, Caller
from tests.fablab.api.conftest import As
from tests.jobs.uploads.builders import CUBE, box


def job_body(cast: Cast) -> dict[str, Any]:
    upload = make_upload(cast.person("owner"), at=timezone.now())
    return {"upload": upload.pk, "machine": cast.machine.pk}


def test_the_same_key_and_body_make_one_job_and_give_the_same_answer(as_: As, cast: Cast) -> None:
    owner, body = as_("owner"), job_body(cast)
    first = owner.post("jobs/", body, Idempotency_Key="k1")
    second = owner.post("jobs/", body, Idempotency_Key="k1")
    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    assert first.headers["Location"] == second.headers["Location"]
    assert Job.objects.count() == 1


def test_the_same_key_with_another_body_is_409_and_makes_nothing(as_: As, cast: Cast) -> None:
    owner, body = as_("owner"), job_body(cast)
    owner.post("jobs/", body, Idempotency_Key="k1")
    answer = owner.post("jobs/", {**body, "title": "Autre"}, Idempotency_Key="k1")
    assert (answer.status, answer.codes) == (409, ["idempotency_key_reused"])
    assert Job.objects.count() == 1


def test_another_person_may_use_the_same_key(as_: As, cast: Cast) -> None:
    as_("owner").post("jobs/", job_body(cast), Idempotency_Key="k1")
    upload = make_upload(cast.person("other_member"), at=timezone.now())
    answer = as_("other_member").post(
        "jobs/", {"upload": upload.pk, "machine": cast.machine.pk}, Idempotency_Key="k1"
    )
    assert answer.status == 201
    assert Job.objects.count() == 2


def test_a_refused_request_leaves_its_key_free(as_: As, cast: Cast) -> None:
    owner, body = as_("owner"), job_body(cast)
    assert owner.post("jobs/", {**body, "copies": 0}, Idempotency_Key="k1").status == 400
    assert owner.post("jobs/", body, Idempotency_Key="k1").status == 201


def test_the_same_file_sent_twice_with_one_key_is_stored_once(as_: As) -> None:
    owner = as_("owner")
    answers = [owner.upload(CUBE, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].body == answers[1].body
    other = owner.upload(box(1, 2, 3), headers={"Idempotency-Key": "k1"})
    assert (other.status, other.codes) == (409, ["idempotency_key_reused"])
    assert Upload.objects.count() == 1


@pytest.mark.parametrize("key", ["", " ", "é", "x" * 81])
def test_a_key_that_is_none_is_400(as_: As, cast: Cast, key: str) -> None:
    answer = as_("owner").post("jobs/", job_body(cast), Idempotency_Key=key)
    assert (answer.status, answer.codes) == (400, ["idempotency_key_invalid"])


def test_answers_are_forgotten_after_a_day(as_: As, cast: Cast) -> None:
    owner, body = as_("owner"), job_body(cast)
    owner.post("jobs/", body, Idempotency_Key="k1")
    made = IdempotentAnswer.objects.get().created_at
    assert forget_answers(made + timedelta(hours=23)) == 0
    assert forget_answers(made + timedelta(hours=24)) == 1


def test_a_key_older_than_a_day_counts_anew_even_before_the_purge(as_: As, cast: Cast) -> None:
    owner, body = as_("owner"), job_body(cast)
    owner.post("jobs/", body, Idempotency_Key="k1")
    IdempotentAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert owner.post("jobs/", body, Idempotency_Key="k1").status == 201
    assert Job.objects.count() == 2


def test_a_token_is_never_kept_with_an_answer(as_: As, cast: Cast) -> None:
    person = cast.person("owner")
    person.set_password("un long mot de passe")
    person.save()
    body = {"username": person.username, "password": "un long mot de passe"}
    first = as_("owner").post("auth/token/", body, Idempotency_Key="k1")
    assert first.status == 201
    assert not IdempotentAnswer.objects.exists()


def test_a_request_that_died_in_the_middle_is_not_done_again(
    as_: As, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.1)
    owner, body = as_("owner"), job_body(cast)
    owner.post("jobs/", body, Idempotency_Key="k1")
    IdempotentAnswer.objects.update(status=None, answer=None)  # as a killed process leaves it
    answer = owner.post("jobs/", body, Idempotency_Key="k1")
    assert (answer.status, answer.codes) == (409, ["still_working"])
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_requests_at_once_with_one_key_make_one_job() -> None:
    cast = make_cast(at=timezone.now())
    body = job_body(cast)
    callers = [Caller(cast.person("owner")) for _ in range(20)]
    answers: list[Answer] = []
    together(callers, lambda caller: caller.post("jobs/", body, Idempotency_Key="k1"), answers)
    assert Job.objects.count() == 1
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1


def together(callers: list[Caller], call: Callable[[Caller], Answer], answers: list[Answer]) -> None:
    """Have all call at the same moment, each in a thread of its own."""
    ready = threading.Barrier(len(callers))

    def run(caller: Caller) -> None:
        try:
            ready.wait(20)
            answers.append(call(caller))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == len(callers)


# --- forms --------------------------------------------------------------------------------------------------------


def submitted(cast: Cast, **form: str) -> HttpRequest:
    request = RequestFactory().post("/objets/", form)
    request.user = cast.person("owner")
    return request


def test_a_form_that_is_sent_twice_counts_once_and_leads_to_the_same_place(cast: Cast) -> None:
    done: list[str] = []

    @once
    def page(request: HttpRequest) -> HttpResponse:
        done.append(request.POST["title"])
        return HttpResponseRedirect(f"/objets/{len(done)}/")

    answers = [page(submitted(cast, title="Cube", **{FIELD: "k1"})) for _ in range(2)]
    assert done == ["Cube"]
    assert [answer.headers["Location"] for answer in answers] == ["/objets/1/", "/objets/1/"]
    with pytest.raises(Conflict):
        page(submitted(cast, title="Autre", **{FIELD: "k1"}))


def test_a_form_with_mistakes_may_be_sent_again(cast: Cast) -> None:
    shown: list[int] = []

    @once
    def page(request: HttpRequest) -> HttpResponse:
        shown.append(1)
        return HttpResponse("Il manque le titre.")

    for _ in range(2):
        page(submitted(cast, **{FIELD: "k1"}))
    assert len(shown) == 2


def test_a_page_that_fails_leaves_its_key_free(cast: Cast) -> None:
    @once
    def page(request: HttpRequest) -> HttpResponse:
        raise Conflict("slot_taken")

    for _ in range(2):
        with pytest.raises(Conflict) as refusal:
            page(submitted(cast, **{FIELD: "k1"}))
        assert refusal.value.codes == ["slot_taken"]
