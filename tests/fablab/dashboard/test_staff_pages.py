"""Who may open and press what on the pages of the desks, and how many queries a page takes."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from equipment.certifications.models import Certificate
from equipment.machines.models import Machine
from equipment.machines.states import Plate
from equipment.sites.models import Presence
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from tests.builders_jobs import Cast, make_job, make_linked_machine
from tests.fablab.dashboard.lab import as_, open_lab, statuses, text_of

pytestmark = pytest.mark.django_db

MEMBERS = {"owner": 403, "other_member": 403}
DUTY = {**MEMBERS, "instructor": 200, "staff": 200, "manager": 200}
KEEPERS = {**MEMBERS, "instructor": 403, "staff": 200, "manager": 200}
INSTRUCTORS = {**MEMBERS, "instructor": 200, "staff": 403, "manager": 403}
EVERYBODY_HERE = {"owner": 200, "other_member": 200, "instructor": 200, "staff": 200, "manager": 200}
NOT_ELSEWHERE = {"elsewhere": 404}


def at(address: str) -> Callable[[Cast, Job], str]:
    return lambda cast, job: address.format(
        machine=cast.machine.pk, job=job.pk, person=cast.person("other_member").pk
    )


PAGES = {
    # An instructor or staff member elsewhere has a desk and a board of their own.
    "desk": (at("/animateur/"), {**INSTRUCTORS, "elsewhere": 200}),
    "board": (at("/machines/"), {**DUTY, "elsewhere": 200}),
    "board-screen": (at("/machines/ecran/"), {**DUTY, "elsewhere": 200}),
    "machine-new": (at("/machines/nouvelle/"), {**KEEPERS, "elsewhere": 200}),
    "certificates": (at("/habilitations/"), {**DUTY, "elsewhere": 200}),
    "machine": (at("/machines/{machine}/"), {**EVERYBODY_HERE, **NOT_ELSEWHERE}),
    "machine-edit": (at("/machines/{machine}/connexion/"), {**KEEPERS, **NOT_ELSEWHERE}),
    "machine-key": (
        at("/machines/{machine}/cle/"),
        {
            **KEEPERS,
            "staff": 303,
            "manager": 303,
            **NOT_ELSEWHERE,
        },  # nobody asked for a key: back to the form
    ),
    "certificate-grant": (at("/habilitations/{person}/"), {**DUTY, **NOT_ELSEWHERE}),
    # To others the object does not exist; its owner sees it and may not decide.
    "desk-job": (
        at("/animateur/{job}/"),
        {"owner": 403, "other_member": 404, "instructor": 200, "staff": 403, "manager": 403, **NOT_ELSEWHERE},
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_opens_for_its_people_and_for_nobody_else(name: str) -> None:
    cast, now = open_lab()
    job = make_job(cast, state=State.SUBMITTED, at=now)
    address, allowed = PAGES[name]
    assert statuses(cast, address(cast, job)) == allowed


@pytest.mark.parametrize("name", PAGES)
def test_each_page_asks_strangers_to_sign_in(name: str) -> None:
    cast, now = open_lab()
    job = make_job(cast, state=State.SUBMITTED, at=now)
    answer = Client().get(PAGES[name][0](cast, job))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/connexion/")


PRESSES: dict[str, dict[str, str]] = {
    "/animateur/{job}/decider/": {"action": "approve"},
    "/animateur/{job}/reglages/": {"copies": "3"},
    "/animateur/{job}/joindre/": {"upload": "nothing"},
    "/machines/{machine}/faire/clear-plate/": {},
    "/machines/{machine}/faire/out-of-order/": {"reason": "Cassée"},
    "/machines/{machine}/faire/retire/": {},
    "/machines/{machine}/connexion/": {"name": "Autre", "driver": "handover"},
    "/machines/{machine}/cle/demander/": {},
    "/machines/{machine}/cle/reponse/": {},
    "/habilitations/{person}/": {"kind": "any"},
}


@pytest.mark.parametrize("address", PRESSES)
@pytest.mark.parametrize("part", ["other_member", "elsewhere"])
def test_members_and_people_of_other_places_change_nothing_by_pressing(address: str, part: str) -> None:
    cast, now = open_lab()
    job = make_job(cast, state=State.SUBMITTED, at=now)
    before = _everything(cast)
    answer = as_(cast.person(part)).post(at(address)(cast, job), PRESSES[address])
    assert answer.status_code in {303, 403, 404}
    assert _everything(cast) == before


def _everything(cast: Cast) -> list[object]:
    return [
        *Job.objects.order_by("pk").values_list("pk", "state", "version", "settings"),
        *Machine.objects.order_by("pk").values_list(
            "pk", "name", "plate", "out_of_order_since", "retired_at", "version"
        ),
        Certificate.objects.filter(revoked_at__isnull=True).count(),
    ]


def test_forms_answer_a_plain_look_without_changing_anything() -> None:
    cast, now = open_lab()
    job = make_job(cast, state=State.SUBMITTED, at=now)
    staff = as_(cast.person("staff"))
    for address in (
        f"/animateur/{job.pk}/decider/",
        f"/machines/{cast.machine.pk}/faire/clear-plate/",
        "/presence/",
    ):
        assert staff.get(address).status_code == 405


# --- how much is asked of the database ----------------------------------------------------------------------------


def count_queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def test_the_board_takes_as_many_queries_for_110_machines_as_for_3() -> None:
    cast, now = open_lab()
    staff = as_(cast.person("staff"))
    for _ in range(2):
        make_job(cast, state=State.RUNNING, at=now, on=make_linked_machine(cast.site, cast.model, at=now))
        make_job(cast, state=State.QUEUED, at=now)
        make_job(cast, state=State.FAILED, at=now, on=cast.machine)
    few = count_queries(staff, "/machines/")
    for number in range(107):
        machine = make_linked_machine(cast.site, cast.model, at=now, name=f"Machine {number}")
        if number % 5 == 0:
            make_job(cast, state=State.RUNNING, at=now, on=machine)
            make_job(cast, state=State.QUEUED, at=now)
    assert Machine.objects.count() == 110
    assert count_queries(staff, "/machines/") == few


def test_the_desk_takes_as_many_queries_for_40_objects_as_for_3() -> None:
    cast, now = open_lab()
    instructor = as_(cast.person("instructor"))
    jobs = [make_job(cast, state=State.SUBMITTED, at=now) for _ in range(3)]
    Job.objects.update(submitted_at=now)
    few = count_queries(instructor, "/animateur/"), count_queries(instructor, f"/animateur/{jobs[0].pk}/")
    for _ in range(37):
        make_job(cast, state=State.SUBMITTED, at=now)
    Job.objects.update(submitted_at=now)
    assert (
        count_queries(instructor, "/animateur/"),
        count_queries(instructor, f"/animateur/{jobs[0].pk}/"),
    ) == few


# --- presence -----------------------------------------------------------------------------------------------------


def test_one_tap_says_that_one_is_there_until_when_and_one_tap_that_one_leaves() -> None:
    cast, _now = open_lab()
    Presence.objects.all().delete()
    staff = as_(cast.person("staff"))
    assert "Tu n’es pas de service." in text_of(staff.get("/machines/"))
    staff.post("/presence/", {"here": "yes", "next": "/machines/"})
    assert "Tu es là jusqu’à" in text_of(staff.get("/machines/"))
    staff.post("/presence/", {"here": "no", "next": "/machines/"})
    assert not Presence.objects.filter(until__gt=timezone.now()).exists()
    assert "Tu n’es pas de service." in text_of(staff.get("/machines/"))


def test_who_did_not_say_that_they_are_there_sees_buttons_that_do_nothing_yet() -> None:
    cast, _now = open_lab()
    Presence.objects.all().delete()
    staff = as_(cast.person("staff"))
    assert 'type="submit" disabled' in text_of(staff.get("/machines/"))
    staff.post(f"/machines/{cast.machine.pk}/faire/clear-plate/", {"next": "/machines/"})
    cast.machine.refresh_from_db()
    assert cast.machine.plate == Plate.TO_CLEAR
    assert "Dis d’abord « Je suis là »." in text_of(staff.get("/machines/"))


# --- certificates -------------------------------------------------------------------------------------------------


def test_a_certificate_is_given_with_the_right_to_machine_files_and_taken_back() -> None:
    cast, _now = open_lab()
    staff, sami = as_(cast.person("staff")), cast.person("other_member")
    answer = staff.post(
        f"/habilitations/{sami.pk}/", {"kind": cast.kind.pk, "machine_files": "yes", "until": ""}
    )
    assert answer.status_code == 303
    held = Certificate.objects.get(person=sami, revoked_at__isnull=True)
    assert held.may_send_machine_files
    assert held.granted_by == cast.person("staff")
    assert "avec fichiers machine" in text_of(staff.get("/habilitations/"))
    staff.post(f"/habilitations/{held.pk}/retirer/", {})
    assert not Certificate.objects.filter(person=sami, revoked_at__isnull=True).exists()


def test_a_day_that_has_passed_is_refused_and_the_form_keeps_what_was_chosen() -> None:
    cast, _now = open_lab()
    staff, sami = as_(cast.person("staff")), cast.person("other_member")
    given = {"kind": cast.kind.pk, "machine_files": "yes", "until": "2020-01-01"}
    answer = staff.post(f"/habilitations/{sami.pk}/", given)
    page = text_of(answer)
    assert answer.status_code == 400
    assert "Choisis un jour à venir." in page
    assert 'value="2020-01-01"' in page
    assert f'value="{cast.kind.pk}" required checked' in page
    assert 'name="machine_files" value="yes" checked' in page


def test_people_are_found_by_their_display_name_and_only_those_of_the_place() -> None:
    cast, _now = open_lab()
    page = text_of(as_(cast.person("staff")).get("/habilitations/?nom=other"))
    assert "other_member" in page
    assert "instructor</h2>" not in page
    assert "elsewhere" not in text_of(as_(cast.person("staff")).get("/habilitations/"))
