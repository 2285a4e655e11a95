"""The page on which a person erases themself: it says what goes, asks for the password, and is not a tap away."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from equipment.machines.services import put_out_of_order
from equipment.sites.models import SiteRole
from equipment.sites.states import Role
from fablab.people.models import User
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from tests.builders import PASSWORD, make_booking
from tests.builders_jobs import Cast, make_cast, make_job, make_linked_machine

pytestmark = pytest.mark.django_db
PAGE = "/compte/effacer/"


@pytest.fixture
def cast(db: None) -> Cast:
    found = make_cast(at=timezone.now())
    for person in found.people.values():
        person.set_password(PASSWORD)
        person.save(update_fields=["password"])
    return found


@pytest.fixture
def owner(cast: Cast, client: Client) -> User:
    client.force_login(cast.person("owner"))
    return cast.person("owner")


def test_the_page_says_in_plain_sentences_what_goes_and_what_stays(
    cast: Cast, client: Client, owner: User
) -> None:
    at = timezone.now()
    make_job(cast, state=State.QUEUED, at=at)
    make_job(cast, state=State.RUNNING, at=at)
    make_booking(cast.machine, owner, start=at + timedelta(days=1))
    page = client.get(PAGE).content.decode()
    for sentence in (
        "Tes fichiers, ici et sur les machines.",
        "Objets qui attendent, annulés : 1.",
        "Réservations annulées : 1.",
        "Objets en cours : 1. Ils se terminent, sans ton nom.",
        "Personne ne peut revenir en arrière.",
    ):
        assert sentence in page
    assert (
        Job.objects.filter(owner=owner).exclude(state=State.CANCELLED).count() == 2
    )  # looking changes nothing


def test_who_has_warned_of_a_machine_reads_that_the_words_stay_and_nobody_else_does(
    cast: Cast, client: Client
) -> None:
    said = "Tes mots sur les machines et pour les autres, sans ton nom."
    put_out_of_order(cast.machine.pk, actor=cast.person("staff"), reason="La buse fuit", at=timezone.now())
    for part, reads in (("staff", True), ("owner", False)):
        client.force_login(cast.person(part))
        assert (said in client.get(PAGE).content.decode()) is reads


def test_it_is_reached_from_ones_account(client: Client, owner: User) -> None:
    assert f'href="{PAGE}"' in client.get("/compte/").content.decode()


@pytest.mark.parametrize("password", ["", "faux"])
def test_without_the_right_password_nothing_is_erased_and_the_page_says_so(
    client: Client, owner: User, password: str
) -> None:
    answer = client.post(PAGE, {"password": password})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "Rien n’est effacé." in page
    assert "Ce n’est pas ton mot de passe." in page
    assert User.objects.filter(pk=owner.pk, is_active=True).exists()


def test_passwords_cannot_be_tried_here_for_ever(client: Client, owner: User) -> None:
    for _ in range(5):
        client.post(PAGE, {"password": "faux"})
    answer = client.post(PAGE, {"password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert User.objects.filter(pk=owner.pk, is_active=True).exists()


def test_with_the_password_the_person_is_erased_and_signed_out(client: Client, owner: User) -> None:
    other = Client()
    other.force_login(owner)  # at home, too
    answer = client.post(PAGE, {"password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "Tes données sont effacées." in client.get("/").content.decode()
    assert client.get("/compte/").status_code == 302
    assert other.get("/compte/").status_code == 302
    assert User.objects.filter(pk=owner.pk, display_name="", is_active=False).exists()


def test_the_last_manager_reads_why_not_and_finds_no_button(cast: Cast, client: Client) -> None:
    SiteRole.objects.create(person=cast.person("manager"), site=cast.elsewhere, role=Role.MANAGER)
    client.force_login(cast.person("manager"))
    page = client.get(PAGE).content.decode()
    assert "Tu es seul responsable à Saint-Ouen." in page
    assert "seul responsable à Metz" not in page  # there is another one there
    assert "Tout effacer" not in page
    answer = client.post(PAGE, {"password": PASSWORD})
    assert answer.status_code == 409
    assert User.objects.filter(pk=cast.person("manager").pk, is_active=True).exists()


def test_the_objects_of_who_was_erased_are_shown_without_a_name(cast: Cast, client: Client) -> None:
    at = timezone.now()
    for state, machine in ((State.RUNNING, cast.machine), (State.READY, cast.machine)):
        make_job(cast, state=state, at=at, on=machine, title="Vase de Lea")
    client.force_login(cast.person("owner"))
    client.post(PAGE, {"password": PASSWORD})
    client.force_login(cast.person("staff"))
    board = client.get("/machines/").content.decode()
    assert "Vase de Lea" not in board
    for job in Job.objects.all():
        page = client.get(f"/objets/{job.pk}/")
        assert page.status_code == 200
        assert "Personne effacée" in page.content.decode()
        assert client.get(f"/objets/{job.pk}/fichier/").status_code == 404


def test_the_page_asks_as_much_for_three_objects_as_for_a_hundred(
    cast: Cast, client: Client, owner: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    at = timezone.now()

    def asked(number: int) -> int:
        for _ in range(number):
            machine = make_linked_machine(cast.site, cast.model, at=at)
            make_job(cast, state=State.RUNNING, at=at, on=machine)
        with django_assert_max_num_queries(60) as counted:
            assert client.get(PAGE).status_code == 200
        return len(counted)

    asked(0)  # what is read once for a process
    assert asked(3) == asked(107)
