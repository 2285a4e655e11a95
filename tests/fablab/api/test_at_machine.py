"""The twins of the page at the machine: a program takes, starts, ends and adopts as a person does."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from equipment.machines.models import Machine, MachineEvent
from equipment.machines.services import hear
from fablab.people.models import User
from fablab.people.services import make_token
from jobs.lifecycle.states import State
from tests.builders_jobs import Cast, make_cast
from tests.fablab.dashboard.embroidery import embroider, make_embroidery

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    cast = make_cast(at=timezone.now())
    embroider(cast)
    return cast


class Program:
    """What a person's program asks."""

    def __init__(self, person: User) -> None:
        self.headers = {"Authorization": f"Bearer {make_token(person=person, at=timezone.now())[1]}"}

    def get(self, path: str) -> dict[str, Any]:
        answer = Client().get(f"/api/v1/{path}", headers=self.headers)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def post(self, path: str, body: object = None, status: int = 200) -> dict[str, Any]:
        answer = Client().post(
            f"/api/v1/{path}", body or {}, content_type="application/json", headers=self.headers
        )
        assert answer.status_code == status, answer.content
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found


def test_a_program_makes_an_object_at_a_machine_without_a_link(cast: Cast) -> None:
    job = make_embroidery(cast, state=State.QUEUED, at=timezone.now())
    staff, machine = Program(cast.person("staff")), cast.machine.pk
    (first,) = staff.get(f"machines/{machine}/next/")["results"]
    assert (first["job"]["id"], first["waiting_for"]) == (job.pk, [])
    assert staff.post(f"jobs/{job.pk}/take/", {"machine": machine})["state"] == "loaded"
    assert "start" in staff.get(f"jobs/{job.pk}/")["actions"]
    running = staff.post(f"jobs/{job.pk}/start/", {"plate_clear": True})
    assert running["state"] == "running"
    assert running["progress"]["estimated"] is True
    assert staff.get(f"machines/{machine}/")["state"] == "busy"
    assert staff.post(f"jobs/{job.pk}/finish/")["state"] == "finished"
    staff.post(f"machines/{machine}/clear-plate/")
    assert staff.get(f"jobs/{job.pk}/")["shelf"] == "A1"


def test_what_people_say_of_a_machine_is_said_by_programs_too(cast: Cast) -> None:
    staff, machine = Program(cast.person("staff")), cast.machine.pk
    for verb, state in (
        ("in-use", "busy"),
        ("needs-help", "needs_help"),
        ("helped", "busy"),
        ("set-free", "free"),
    ):
        assert staff.post(f"machines/{machine}/{verb}/")["state"] == state, verb
    booking = Program(cast.person("owner")).post(f"machines/{machine}/use-now/", status=201)
    assert booking["state"] == "in_use"


def test_a_fault_needs_no_account_and_an_unknown_machine_has_none(cast: Cast) -> None:
    address = f"/api/v1/machines/{cast.machine.pk}/report-fault/"
    assert Client().post(address, {}, content_type="application/json").status_code == 204
    assert MachineEvent.objects.get(action="fault_told").actor is None
    nowhere = Client().post("/api/v1/machines/nowhere/report-fault/", {}, content_type="application/json")
    assert nowhere.status_code == 404


def test_cest_moi_by_program_and_taken_back(cast: Cast) -> None:
    Machine.objects.filter(pk=cast.machine.pk).update(driver="octoprint")
    hear(cast.machine.pk, report="printing", path="autre.gcode", foreign=True, at=timezone.now())
    owner, machine = Program(cast.person("owner")), cast.machine.pk
    adopted = owner.post(f"machines/{machine}/adopt-print/")
    assert adopted["person"] == cast.person("owner").pk
    assert "path" not in adopted, "what others call their file is theirs"
    Program(cast.person("other_member")).post(f"machines/{machine}/adopt-print/", status=409)
    assert owner.post(f"machines/{machine}/disown-print/", {"print": adopted["id"]})["person"] is None


def test_what_an_object_is_made_on_is_given_with_it(cast: Cast) -> None:
    job = make_embroidery(cast, state=State.DRAFT, at=timezone.now())
    owner = Program(cast.person("owner"))
    answer = Client().patch(
        f"/api/v1/jobs/{job.pk}/",
        {"workpiece": "bag", "fabric": "lin", "mirror": True},
        content_type="application/json",
        headers=owner.headers,
    )
    assert answer.status_code == 400
    assert "mirror" in answer.content.decode(), "nothing is mirrored at this kind"
    answer = Client().patch(
        f"/api/v1/jobs/{job.pk}/",
        {"workpiece": "bag", "fabric": "lin"},
        content_type="application/json",
        headers=owner.headers,
    )
    assert answer.json()["settings"]["workpiece"] == "bag"
