"""Machines as programs see them, and what people on duty do to them."""

import json
from typing import Any

import pytest
from django.utils import timezone

from equipment.machines import connection
from equipment.machines.connection import ConnectionTest
from equipment.machines.models import Machine
from equipment.machines.states import Plate
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from tests.builders import make_kind, make_machine
from tests.builders_jobs import Cast, make_job
from tests.fablab.api.conftest import As

pytestmark = pytest.mark.django_db
CANARY = "CANARY-KEY-4711"


def machine_body(cast: Cast, **more: Any) -> dict[str, Any]:
    return {
        "site": cast.site.pk,
        "model": cast.model.pk,
        "name": "Grace",
        "driver": "octoprint",
        "address": "http://10.0.0.9:5000",
        "key": CANARY,
        **more,
    }


# --- looking ------------------------------------------------------------------------------------------------------


def test_a_member_sees_the_machines_of_their_site_without_their_inside(as_: As, cast: Cast) -> None:
    make_machine(cast.elsewhere)
    [machine] = as_("owner").get("machines/").body["results"]
    assert machine["id"] == cast.machine.pk
    assert machine["state"] == "needs_clearing"
    assert machine["plate"] == "to_clear"
    assert not {"address", "has_key", "current_job", "report", "trouble"} & set(machine)
    assert as_("owner").get(f"machines/{cast.machine.pk}/").body["id"] == cast.machine.pk


def test_who_may_see_the_job_on_it_sees_it(as_: As, cast: Cast) -> None:
    job = make_job(cast, state=State.RUNNING, at=timezone.now())
    seen = as_("staff").get(f"machines/{cast.machine.pk}/").body
    assert seen["current_job"]["id"] == job.pk
    assert "current_job" not in as_("other_member").get(f"machines/{cast.machine.pk}/").body


def test_machines_are_found_by_site_kind_and_state(as_: As, cast: Cast) -> None:
    sewing = make_machine(cast.site, "Zinnia", kind=make_kind("sewing", needs_plate=False))
    owner = as_("owner")

    def names(**query: str) -> list[str]:
        return [machine["name"] for machine in owner.get("machines/", **query).body["results"]]

    assert names() == [cast.machine.name, "Zinnia"]
    assert names(kind="sewing") == names(kind=sewing.model.kind_id) == names(state="free") == ["Zinnia"]
    assert names(site=cast.site.pk) == [cast.machine.name, "Zinnia"]
    assert names(site=cast.elsewhere.pk) == names(state="busy") == []


def test_models_tell_working_area_materials_and_formats(as_: As, cast: Cast) -> None:
    [model] = as_("owner").get("machine-models/", site=cast.site.pk).body["results"]
    assert model["working_area_mm"] == [220, 220, 250]
    assert (model["formats"], model["prepares"]) == (["gcode"], ["stl"])
    assert model["materials"] == ["PLA", "PETG"]
    assert as_("owner").get("machine-models/", site=cast.elsewhere.pk).body["results"] == []


# --- its connection -----------------------------------------------------------------------------------------------


def test_staff_add_a_machine_whose_key_is_never_shown(as_: As, cast: Cast) -> None:
    answer = as_("staff").post("machines/", machine_body(cast))
    assert answer.status == 201
    assert answer.headers["Location"] == f"/api/v1/machines/{answer.body['id']}/"
    assert (answer.body["has_key"], answer.body["plate"]) == (True, "to_clear")
    shown = [
        answer.body,
        as_("manager").get("machines/").body,
        as_("staff").get(f"machines/{answer.body['id']}/").body,
    ]
    assert CANARY not in json.dumps(shown)
    assert CANARY not in Machine.objects.get(pk=answer.body["id"]).sealed_key


@pytest.mark.parametrize(("part", "status"), [("owner", 403), ("instructor", 403), ("elsewhere", 404)])
def test_nobody_else_adds_changes_or_removes_one(as_: As, cast: Cast, part: str, status: int) -> None:
    caller = as_(part)
    address = f"machines/{cast.machine.pk}/"
    assert caller.post("machines/", machine_body(cast)).status == status
    assert caller.patch(address, {"name": "Autre"}).status == status
    assert caller.delete(address).status == status
    assert caller.post(f"{address}test-connection/").status == status
    assert list(Machine.objects.values_list("name", "retired_at")) == [(cast.machine.name, None)]


def test_everything_that_is_wrong_with_a_machine_is_said_at_once(as_: As, cast: Cast) -> None:
    answer = as_("staff").post("machines/", machine_body(cast, model="nomodel", address="ftp://x", key="a b"))
    assert answer.status == 400
    assert sorted(str(field) for field in answer.fields) == ["address", "key", "model"]


def test_a_machine_is_added_with_any_connection_and_a_key_only_where_one_is_taken(
    as_: As, cast: Cast, settings: Any, tmp_path: Any
) -> None:
    settings.MACHINE_FOLDERS = [str(tmp_path)]
    for driver, address in (
        ("folder", str(tmp_path / "colette")),
        ("rawtcp", "tcp://10.0.0.7"),
        ("simulated", "simulated://quick"),
        ("handover", ""),
    ):
        wanted = machine_body(cast, name=driver, driver=driver, address=address, key="")
        refused = as_("staff").post("machines/", {**wanted, "key": "a-key-for-tests"})
        assert (refused.status, list(refused.fields)) == (400, ["key"])
        made = as_("staff").post("machines/", wanted)
        assert (made.status, made.body["driver"]) == (201, driver)
        assert made.body["name"] == ("simulated (simulation)" if driver == "simulated" else driver)
    outside = as_("staff").post("machines/", machine_body(cast, driver="folder", address="/etc", key=""))
    assert (outside.status, outside.codes) == (400, ["folder_forbidden"])


def test_what_is_started_at_itself_alone_gets_no_connection_that_starts_by_sending(
    as_: As, cast: Cast
) -> None:
    cast.kind.remote_start = False
    cast.kind.save()
    laser = machine_body(cast, name="laser", driver="rawtcp", address="tcp://10.0.0.7", key="")
    refused = as_("staff").post("machines/", laser)
    assert (refused.status, refused.codes) == (400, ["driver_starts_from_afar"])
    changed = as_("staff").patch(
        f"machines/{cast.machine.pk}/", {"driver": "rawtcp", "address": "tcp://10.0.0.7"}
    )
    assert (changed.status, changed.codes) == (400, ["driver_starts_from_afar"])


def test_another_address_erases_the_key(as_: As, cast: Cast) -> None:
    made = as_("staff").post("machines/", machine_body(cast)).body
    answer = as_("staff").patch(f"machines/{made['id']}/", {"address": "http://10.0.0.10:5000"})
    assert (answer.status, answer.body["has_key"]) == (200, False)


def test_the_name_alone_can_be_changed(as_: As, cast: Cast, settings: Any) -> None:
    settings.MACHINE_NETWORKS = ["127.0.0.1/32:5000"]
    answer = as_("manager").patch(f"machines/{cast.machine.pk}/", {"name": "Hedy"})
    assert (answer.status, answer.body["name"]) == (200, "Hedy")
    cast.machine.refresh_from_db()
    assert cast.machine.address == "http://127.0.0.1:5000"


def test_a_machine_is_retired_and_then_nobodys(as_: As, cast: Cast) -> None:
    assert as_("staff").delete(f"machines/{cast.machine.pk}/").status == 204
    assert as_("staff").get(f"machines/{cast.machine.pk}/").status == 404


def test_a_connection_is_tried_with_the_exact_reason(as_: As, cast: Cast, settings: Any) -> None:
    settings.MACHINE_NETWORKS = ["127.0.0.1/32:1"]
    answer = as_("staff").post(
        f"machines/{cast.machine.pk}/test-connection/", {"address": "http://127.0.0.1:1"}
    )
    assert answer.status == 200
    assert (answer.body["ok"], answer.body["code"]) == (False, "connection_refused")
    assert answer.body["detail"]
    forbidden = as_("staff").post(
        f"machines/{cast.machine.pk}/test-connection/", {"address": "http://169.254.169.254"}
    )
    assert (forbidden.status, forbidden.codes) == (400, ["address_forbidden"])


def test_a_stored_key_never_goes_to_an_address_that_is_only_tried(
    as_: As, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[tuple[str, str, str]] = []

    async def try_connection(driver: str, address: str, key: str) -> ConnectionTest:
        tried.append((driver, address, key))
        return ConnectionTest(True, "ok", {}, "1.11.2")

    made = as_("staff").post("machines/", machine_body(cast)).body
    monkeypatch.setattr(connection, "try_connection", try_connection)
    answer = as_("staff").post(
        f"machines/{made['id']}/test-connection/", {"address": "http://10.0.0.66:5000"}
    )
    assert answer.body == {"ok": True, "code": "ok", "detail": "La connexion marche.", "version": "1.11.2"}
    as_("staff").post(f"machines/{made['id']}/test-connection/")
    assert tried == [
        ("octoprint", "http://10.0.0.66:5000", ""),
        ("octoprint", "http://10.0.0.9:5000", CANARY),
    ]


# --- on duty ------------------------------------------------------------------------------------------------------


def test_somebody_on_site_says_that_the_plate_is_clear(as_: As, cast: Cast) -> None:
    job = make_job(cast, state=State.FINISHED, at=timezone.now())
    answer = as_("instructor").post(f"machines/{cast.machine.pk}/clear-plate/")
    assert (answer.status, answer.body["plate"], answer.body["state"]) == (200, "clear", "free")
    cast.machine.refresh_from_db()
    assert cast.machine.plate_cleared_by == cast.person("instructor")
    assert Job.objects.get(pk=job.pk).state == State.READY


def test_who_says_which_filling_of_the_plate_they_saw_is_not_taken_at_their_word_for_another(
    as_: As, cast: Cast
) -> None:
    staff = as_("staff")
    shown = staff.get(f"machines/{cast.machine.pk}/").body["plate_number"]
    late = staff.post(f"machines/{cast.machine.pk}/clear-plate/", {"seen_plate": shown + 1})
    assert (late.status, late.codes) == (409, ["plate_used_since"])
    assert staff.post(f"machines/{cast.machine.pk}/clear-plate/", {"seen_plate": shown}).status == 200


@pytest.mark.parametrize(("part", "status"), [("owner", 403), ("elsewhere", 404)])
def test_nobody_else_clears_a_plate(as_: As, cast: Cast, part: str, status: int) -> None:
    assert as_(part).post(f"machines/{cast.machine.pk}/clear-plate/").status == status
    cast.machine.refresh_from_db()
    assert cast.machine.plate == Plate.TO_CLEAR


def test_who_is_not_on_site_clears_no_plate(as_: As, cast: Cast) -> None:
    staff = as_("staff")
    staff.post(f"sites/{cast.site.pk}/presence/", {"present": False})
    answer = staff.post(f"machines/{cast.machine.pk}/clear-plate/")
    assert answer.codes == ["not_on_site"]
    assert answer.status in {403, 409}


def test_a_machine_goes_out_of_order_with_a_reason_and_comes_back(as_: As, cast: Cast) -> None:
    address = f"machines/{cast.machine.pk}"
    assert as_("instructor").post(f"{address}/out-of-order/").codes == ["field_required"]
    broken = as_("instructor").post(f"{address}/out-of-order/", {"reason": "La buse fuit"})
    assert (broken.body["state"], broken.body["out_of_order_reason"]) == ("out_of_order", "La buse fuit")
    again = as_("instructor").post(f"{address}/out-of-order/", {"reason": "Encore"})
    assert again.status == 409
    back = as_("instructor").post(f"{address}/back-in-service/")
    assert (back.status, back.body["out_of_order_reason"]) == (200, None)
    for part, status in (("owner", 403), ("elsewhere", 404)):
        assert as_(part).post(f"{address}/out-of-order/", {"reason": "x"}).status == status
        assert as_(part).post(f"{address}/back-in-service/").status == status


# --- what is in it, and what it may do without a person -----------------------------------------------------------


def test_those_on_duty_say_what_is_in_it_and_members_read_it(as_: As, cast: Cast) -> None:
    address = f"machines/{cast.machine.pk}/"
    answer = as_("instructor").patch(address, {"material": "PETG", "nozzle_mm": 0.6})
    assert answer.status == 200
    seen = as_("other_member").get(address).body
    assert (seen["material"], seen["nozzle_mm"], seen["frame"]) == ("PETG", 0.6, None)
    assert not {"auto_start", "may_overrun"} & set(seen)
    assert as_("instructor").patch(address, {"material": "", "nozzle_mm": None}).body["material"] is None
    assert as_("other_member").patch(address, {"material": "PLA"}).status == 403


def test_only_staff_let_it_start_by_itself(as_: As, cast: Cast) -> None:
    address = f"machines/{cast.machine.pk}/"
    Machine.objects.filter(pk=cast.machine.pk).update(address="http://10.0.0.9:5000")
    assert as_("instructor").patch(address, {"material": "PLA", "auto_start": True}).status == 403
    assert Machine.objects.get(pk=cast.machine.pk).material == ""  # all of it or nothing
    seen = as_("staff").patch(address, {"name": "Hedy", "material": "PLA", "auto_start": True}).body
    assert (seen["name"], seen["material"], seen["auto_start"], seen["may_overrun"]) == (
        "Hedy",
        "PLA",
        True,
        False,
    )


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"material": "wood"}, "material", "material_not_of_model"),
        ({"material": None}, "material", "field_required"),
        ({"nozzle_mm": 3}, "nozzle_mm", "nozzle_out_of_range"),
        ({"nozzle_mm": "0.4"}, "nozzle_mm", "field_invalid"),
        ({"nozzle_mm": True}, "nozzle_mm", "field_invalid"),
        ({"frame": "180x130"}, "frame", "frame_not_of_kind"),
        ({"auto_start": "yes"}, "auto_start", "field_invalid"),
        ({"may_overrun": None}, "may_overrun", "field_required"),
    ],
)
def test_what_does_not_go_into_it_is_refused_with_its_field(
    as_: As, cast: Cast, body: dict[str, Any], field: str, code: str
) -> None:
    answer = as_("staff").patch(f"machines/{cast.machine.pk}/", body)
    assert answer.status == 400
    assert [(one["field"], one["code"]) for one in answer.body["problems"]] == [(field, code)]


def test_a_machine_without_a_line_never_starts_by_itself(as_: As, cast: Cast) -> None:
    Machine.objects.filter(pk=cast.machine.pk).update(driver="handover", address="")
    answer = as_("staff").patch(f"machines/{cast.machine.pk}/", {"auto_start": True})
    assert (answer.status, answer.body["code"]) == (409, "not_started_by_line")
