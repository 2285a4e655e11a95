"""Hours, maintenance and camera on a machine's page: read by those on duty, written by staff."""

from datetime import timedelta

import pytest
from django.utils import timezone

from equipment.machines.models import Machine, Maintenance
from tests.builders_jobs import Cast
from tests.fablab.dashboard.lab import as_, text_of

pytestmark = pytest.mark.django_db


def page(cast: Cast, part: str) -> str:
    return text_of(as_(cast.person(part)).get(f"/machines/{cast.machine.pk}/"))


def press(cast: Cast, part: str, form: str, /, **fields: str) -> str:
    """Send a form and return what the next page says."""
    answer = as_(cast.person(part)).post(f"/machines/{cast.machine.pk}/carnet/{form}/", fields, follow=True)
    assert answer.status_code == 200
    return text_of(answer)


def test_members_see_neither_hours_nor_log(cast: Cast) -> None:
    assert "Entretien" not in page(cast, "owner")


def test_an_instructor_reads_and_does_not_write(cast: Cast) -> None:
    assert "Heures de travail" in page(cast, "instructor")
    assert "Noter dans le carnet" not in page(cast, "instructor")


def test_staff_note_what_they_did(cast: Cast) -> None:
    said = press(cast, "staff", "entretien", what="nozzle", note="Laiton 0,4")

    assert "C’est noté dans le carnet." in said
    assert "Buse changée" in said
    assert "Laiton 0,4" in said
    assert "Depuis le dernier entretien" in said and "0 min" in said
    assert Maintenance.objects.get().by == cast.person("staff")


def test_what_nobody_knows_is_refused_in_a_sentence(cast: Cast) -> None:
    assert "Choisis ce que tu as fait." in press(cast, "staff", "entretien", what="magic")
    assert not Maintenance.objects.exists()


def test_the_interval_is_set_and_taken_away(cast: Cast) -> None:
    assert "200 h" in press(cast, "staff", "rythme", every_hours="200")

    press(cast, "staff", "rythme", every_hours="")

    assert Machine.objects.get(pk=cast.machine.pk).maintenance_every_hours is None


@pytest.mark.parametrize("wrong", ["0", "many", "-3", "99999", "٣"])
def test_an_interval_that_makes_no_sense_is_refused(cast: Cast, wrong: str) -> None:
    assert "Choisis entre 1 et 10000 heures." in press(cast, "staff", "rythme", every_hours=wrong)


def test_a_machine_whose_maintenance_is_due_says_so(cast: Cast) -> None:
    Machine.objects.filter(pk=cast.machine.pk).update(maintenance_every_hours=1)
    assert "L’entretien est à faire." not in page(cast, "staff")

    Maintenance.objects.create(
        machine=cast.machine, what="oil", used_seconds=0, at=timezone.now() - timedelta(days=9)
    )
    cast.machine.foreign_prints.create(
        began_at=timezone.now() - timedelta(hours=3),
        ended_at=timezone.now(),
        person=cast.person("owner"),
        adopted_at=timezone.now(),
    )

    assert "L’entretien est à faire." in page(cast, "staff")


# --- the camera ---------------------------------------------------------------------------------------------------


def allow_cameras(cast: Cast) -> None:
    cast.site.cameras_allowed = True
    cast.site.save()


def test_where_cameras_are_not_allowed_there_is_no_form_and_no_way_round_it(cast: Cast) -> None:
    assert "camera_address" not in page(cast, "manager")

    said = press(cast, "manager", "camera", camera_address="http://10.0.0.9/still.jpg")

    assert "Les images de caméra ne sont pas permises ici." in said
    assert Machine.objects.get(pk=cast.machine.pk).camera_address == ""


def test_staff_set_a_camera_whose_address_is_never_shown_again(cast: Cast, settings: object) -> None:
    allow_cameras(cast)
    settings.MACHINE_NETWORKS = ["10.0.0.0/24:80-8080"]  # type: ignore[attr-defined]  # pytest's settings

    said = press(cast, "staff", "camera", camera_address="http://10.0.0.9:8080/?action=snapshot")

    assert "Une caméra est réglée." in said
    assert "10.0.0.9:8080" not in said
    assert Machine.objects.get(pk=cast.machine.pk).camera_address == "http://10.0.0.9:8080/?action=snapshot"

    assert "La caméra est enlevée." in press(cast, "staff", "camera", remove="1")
    assert Machine.objects.get(pk=cast.machine.pk).camera_address == ""


@pytest.mark.parametrize(
    "wrong",
    [
        "10.0.0.9/still.jpg",
        "ftp://10.0.0.9/still.jpg",
        "http://me:secret@10.0.0.9/still.jpg",
        "http://10.0.0.9/still.jpg#top",
        "http://10.0.0.9/still image.jpg",
        "http://10.0.0.9/\r\nHost: other",
        "http:///still.jpg",
        "http://169.254.169.254/latest/",
        "http://192.168.7.7/still.jpg",
        "http://[::ffff:10.0.0.9]/still.jpg",
    ],
)
def test_a_camera_elsewhere_is_refused(cast: Cast, settings: object, wrong: str) -> None:
    allow_cameras(cast)
    settings.MACHINE_NETWORKS = ["10.0.0.0/24:80-8080"]  # type: ignore[attr-defined]  # pytest's settings

    press(cast, "staff", "camera", camera_address=wrong)

    assert Machine.objects.get(pk=cast.machine.pk).camera_address == ""
