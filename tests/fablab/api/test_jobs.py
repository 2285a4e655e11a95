"""Jobs through the API: made, prepared, decided, ordered, followed."""

from typing import Any

import pytest
from django.utils import timezone

from jobs.lifecycle.models import Job, Order
from jobs.lifecycle.services import preparation_ended, upload_inspected
from jobs.lifecycle.states import State, Verb
from jobs.lifecycle.table import Action
from jobs.preparation.services import prepare_next
from jobs.uploads.services import inspect_next
from tests.builders_jobs import Cast, certify, clear, make_job, make_upload
from tests.fablab.api.conftest import As
from tests.jobs.uploads.builders import CUBE

pytestmark = pytest.mark.django_db


def made(as_: As, cast: Cast, **more: Any) -> dict[str, Any]:
    """Hand in a cube and make a draft of it; nothing has been judged yet."""
    upload = as_("owner").upload(CUBE).body
    answer = as_("owner").post("jobs/", {"upload": upload["id"], "machine": cast.machine.pk, **more})
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


def work() -> None:
    """Do what the workers would."""
    inspect_next(timezone.now(), then=upload_inspected)
    prepare_next(timezone.now(), then=preparation_ended)


def test_a_cube_becomes_a_job_that_is_prepared_submitted_and_approved(as_: As, cast: Cast) -> None:
    job = made(as_, cast, title="Mon cube", material="PETG", copies=2, note="en rouge svp")
    assert (job["state"], job["title"], job["number"]) == ("draft", "Mon cube", 1)
    assert job["settings"]["material"] == "PETG"
    address = f"jobs/{job['id']}/"
    early = as_("owner").post(f"{address}submit/")
    assert (early.status, early.codes) == (409, ["preparation_not_ended"])
    assert as_("owner").get(f"{address}machine-file/").status == 404

    work()
    job = as_("owner").get(address).body
    assert job["preparation"]["state"] == "ready"
    assert job["preparation"]["report"]["minutes"] > 0
    assert "submit" in job["actions"]
    assert "approve" not in job["actions"]
    submitted = as_("owner").post(f"{address}submit/")
    assert (submitted.status, submitted.body["state"]) == (200, "submitted")

    machine_file = as_("instructor").get(f"{address}machine-file/")
    assert b"G28" in machine_file.body
    assert machine_file.headers["Content-Disposition"] == 'attachment; filename="cube.gcode"'
    approved = as_("instructor").post(f"{address}approve/")
    assert (approved.status, approved.body["state"], approved.body["place"]) == (200, "queued", 1)

    events = as_("owner").get(f"{address}events/").body["results"]
    assert [event["action"] for event in events] == ["create", "submit", "approve"]
    assert events[-1]["actor"]["name"] == "instructor"
    assert (events[-1]["from"], events[-1]["to"]) == ("submitted", "queued")


def test_a_job_may_name_a_model_at_a_site(as_: As, cast: Cast) -> None:
    upload = as_("owner").upload(CUBE).body
    body = {"upload": upload["id"], "machine_model": cast.model.pk, "site": cast.site.pk}
    answer = as_("owner").post("jobs/", body)
    assert (answer.status, answer.body["machine"]) == (201, None)
    assert answer.headers["Location"] == f"/api/v1/jobs/{answer.body['id']}/"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"upload": "unknown"}, "unknown_upload"),
        ({"machine": "unknown"}, "unknown_machine"),
        ({"material": "Or"}, "not_a_choice"),
        ({"copies": 21}, "out_of_range"),
        ({"copies": "2"}, "field_invalid"),
        ({"copies": True}, "field_invalid"),
        ({"booking": "unknown"}, "unknown_booking"),
        ({"state": "queued"}, "unknown_field"),
        ({"owner": "x"}, "unknown_field"),
        ({"title": "x" * 81}, "field_too_long"),
    ],
)
def test_what_cannot_be_understood_is_400(as_: As, cast: Cast, more: dict[str, Any], code: str) -> None:
    upload = make_upload(cast.person("owner"), at=timezone.now())
    answer = as_("owner").post("jobs/", {"upload": upload.pk, "machine": cast.machine.pk, **more})
    assert (answer.status, answer.codes) == (400, [code])
    assert not Job.objects.exists()


def test_nobody_makes_a_job_of_somebody_elses_file(as_: As, cast: Cast) -> None:
    upload = make_upload(cast.person("owner"), at=timezone.now())
    answer = as_("other_member").post("jobs/", {"upload": upload.pk, "machine": cast.machine.pk})
    assert (answer.status, answer.codes) == (400, ["unknown_upload"])


def test_a_job_is_changed_and_prepared_anew(as_: As, cast: Cast) -> None:
    job = made(as_, cast)
    work()
    answer = as_("owner").patch(f"jobs/{job['id']}/", {"quality": "draft", "title": "Petit cube"})
    assert (answer.status, answer.body["title"]) == (200, "Petit cube")
    assert answer.body["settings"]["quality"] == "draft"
    assert answer.body["preparation"]["state"] == "running"
    assert as_("other_member").patch(f"jobs/{job['id']}/", {"title": "x"}).status == 404
    assert as_("owner").patch(f"jobs/{job['id']}/", {"state": "queued"}).codes == ["unknown_field"]


def test_lists_hold_what_one_may_see(as_: As, cast: Cast) -> None:
    now = timezone.now()
    mine = make_job(cast, state=State.QUEUED, at=now)
    other = make_job(cast, state=State.RUNNING, at=now, owner="other_member")

    def seen(part: str, **query: Any) -> set[str]:
        return {row["id"] for row in as_(part).get("jobs/", **query).body["results"]}

    assert seen("owner") == {mine.pk}
    assert seen("instructor") == {mine.pk, other.pk}
    assert seen("elsewhere") == set()
    assert seen("staff", state="queued") == {mine.pk}
    assert seen("staff", state=["queued", "running"]) == {mine.pk, other.pk}
    assert seen("staff", machine=cast.machine.pk) == {other.pk}
    assert seen("staff", site=cast.elsewhere.pk) == set()
    assert seen("staff", mine="true") == set()
    assert seen("staff", mine="false") == {mine.pk, other.pk}


@pytest.mark.parametrize("address", ["", "events/", "machine-file/"])
def test_a_job_is_seen_by_its_owner_and_its_sites_helpers_and_nobody_else(
    as_: As, cast: Cast, address: str
) -> None:
    file = make_upload(cast.person("owner"), at=timezone.now(), format="gcode", content=b"G28\n")
    job = make_job(cast, state=State.SUBMITTED, at=timezone.now(), machine_file=file)
    for part in ("owner", "instructor", "staff", "manager"):
        assert as_(part).get(f"jobs/{job.pk}/{address}").status == 200
    for part in ("other_member", "elsewhere"):
        assert as_(part).get(f"jobs/{job.pk}/{address}").status == 404


def test_sending_back_and_refusing_ask_for_a_reason(as_: As, cast: Cast) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=timezone.now())
    address = f"jobs/{job.pk}/send-back/"
    assert as_("instructor").post(address).status == 400
    assert as_("instructor").post(address, {"reason": ""}).status == 400
    answer = as_("instructor").post(address, {"reason": "too_big"})
    assert (answer.status, answer.body["state"], answer.body["reason"]) == (200, "needs_changes", "too_big")


def test_nobody_approves_their_own_job(as_: As, cast: Cast) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=timezone.now(), owner="instructor")
    assert as_("instructor").post(f"jobs/{job.pk}/approve/").status in {403, 409}
    job.refresh_from_db()
    assert job.state == State.SUBMITTED


@pytest.mark.parametrize(
    "action", [action for action in Action if action not in {Action.CLAIM, Action.SHELVE}]
)
def test_every_action_of_the_table_has_an_address_and_none_is_a_strangers(
    as_: As, cast: Cast, action: Action
) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=timezone.now())
    body = {"reason": "x"} if action in {"send_back", "reject", "stopped", "fail"} else {}
    assert as_("elsewhere").post(f"jobs/{job.pk}/{action.replace('_', '-')}/", body).status == 404
    job.refresh_from_db()
    assert job.state == State.SUBMITTED


@pytest.mark.parametrize("action", ["claim", "shelve", "finish_", "ask_stop", "approve-all"])
def test_what_no_person_presses_has_no_address(as_: As, cast: Cast, action: str) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=timezone.now())
    assert as_("staff").post(f"jobs/{job.pk}/{action}/").status == 404


def test_an_order_to_a_linked_machine_is_202_and_changes_no_state(as_: As, cast: Cast) -> None:
    job = make_job(cast, state=State.LOADED, at=timezone.now())
    answer = as_("instructor").post(f"jobs/{job.pk}/start/", {"plate_clear": True})
    assert answer.status == 202
    assert answer.body["state"] == "loaded"
    assert answer.body["order"]["verb"] == "start"
    assert answer.body["order"]["outcome"] is None
    assert answer.body["order"]["expires_at"].endswith("Z")
    assert Order.objects.get().verb == Verb.START
    again = as_("staff").post(f"jobs/{job.pk}/start/", {"plate_clear": True})
    assert (again.status, again.codes) == (409, ["already_asked"])


def test_a_start_without_a_clear_plate_is_409_with_the_reason(as_: As, cast: Cast) -> None:
    job = make_job(cast, state=State.LOADED, at=timezone.now())
    answer = as_("instructor").post(f"jobs/{job.pk}/start/")
    assert (answer.status, answer.codes) == (409, ["plate_to_clear"])
    clear(cast.machine, at=timezone.now())
    assert as_("instructor").post(f"jobs/{job.pk}/start/").status == 202
    assert as_("owner").post(f"jobs/{job.pk}/start/").status == 403


@pytest.mark.parametrize("wrong", ["true", 1, [True], "on", None])
def test_a_plate_is_clear_only_by_a_true_that_is_one(as_: As, cast: Cast, wrong: Any) -> None:
    job = make_job(cast, state=State.LOADED, at=timezone.now())
    assert as_("instructor").post(f"jobs/{job.pk}/start/", {"plate_clear": wrong}).status == 400
    assert not Order.objects.exists()


def test_the_owner_may_ask_for_a_stop(as_: As, cast: Cast) -> None:
    job = make_job(cast, state=State.RUNNING, at=timezone.now())
    assert as_("other_member").post(f"jobs/{job.pk}/ask-stop/").status == 404
    answer = as_("owner").post(f"jobs/{job.pk}/ask-stop/")
    assert (answer.status, answer.body["state"], answer.body["order"]["verb"]) == (202, "stopping", "stop")


def test_an_instructor_attaches_a_machine_file(as_: As, cast: Cast) -> None:
    job = made(as_, cast)
    inspect_next(timezone.now(), then=upload_inspected)
    file = make_upload(cast.person("instructor"), at=timezone.now(), format="gcode", content=b"G28\n")
    address = f"jobs/{job['id']}/machine-file/"
    assert as_("owner").post(address, {"upload": file.pk}).status == 403
    assert as_("elsewhere").post(address, {"upload": file.pk}).status == 404
    answer = as_("instructor").post(address, {"upload": file.pk})
    assert answer.status == 200, answer.body
    assert as_("owner").get(address).body == b"G28\n"
    model = make_upload(cast.person("instructor"), at=timezone.now())
    wrong = as_("instructor").post(address, {"upload": model.pk})
    assert (wrong.status, wrong.codes) == (409, ["not_a_machine_file"])


def test_a_machine_file_of_ones_own_is_a_right_of_its_own(as_: As, cast: Cast) -> None:
    file = make_upload(cast.person("owner"), at=timezone.now(), format="gcode", content=b"G28\n")
    job = as_("owner").post("jobs/", {"upload": file.pk, "machine": cast.machine.pk}).body
    refused = as_("owner").post(f"jobs/{job['id']}/submit/")
    assert refused.codes == ["machine_files_not_allowed"]
    cast.person("owner").certificates.all().delete()
    certify(cast.person("owner"), cast, at=timezone.now(), machine_files=True)
    assert as_("owner").post(f"jobs/{job['id']}/submit/").status == 200
