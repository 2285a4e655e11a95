"""An attempt's page: its plot, its facts, and, where it is allowed, a picture of the machine now."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from equipment.machines.models import Machine
from fablab.dashboard import formats
from jobs.lifecycle import samples, stills
from jobs.lifecycle.models import Attempt, Job, Still
from jobs.lifecycle.services import step_attempt
from jobs.lifecycle.states import Source, State
from jobs.lifecycle.table import Action
from jobs.lifecycle.thinning import Sample
from tests.builders_jobs import Cast, make_job
from tests.fablab.dashboard.lab import as_, statuses, text_of

pytestmark = pytest.mark.django_db
ELSEWHERE = {"other_member": 404, "elsewhere": 404}


@pytest.fixture
def job(cast: Cast, settings: Any, tmp_path: Path) -> Job:
    settings.MEDIA_ROOT = tmp_path
    return make_job(cast, state=State.RUNNING, at=timezone.now(), title="Vase")


@pytest.fixture
def attempt(job: Job) -> Attempt:
    return Attempt.objects.get(parts__job=job)


@pytest.fixture
def camera(cast: Cast) -> None:
    cast.site.cameras_allowed = True
    cast.site.save()
    Machine.objects.filter(pk=cast.machine.pk).update(camera_address="http://10.0.0.9/secret-path.jpg")


def fill(attempt: Attempt, count: int) -> None:
    began = attempt.started_at
    assert began is not None
    moments = [
        Sample(began + timedelta(seconds=10 * n), n / 5, 60, {"tool0": (200.0, 210.0), "bed": (60.0, 60.0)})
        for n in range(count)
    ]
    samples.keep([(attempt.pk, moment) for moment in moments])


def page_of(attempt: Attempt) -> str:
    return f"/essais/{attempt.pk}/"


def test_the_page_is_for_the_owner_and_the_team(cast: Cast, attempt: Attempt) -> None:
    allowed = {"owner": 200, "instructor": 200, "staff": 200, "manager": 200, **ELSEWHERE}
    assert statuses(cast, page_of(attempt)) == allowed


def test_a_stranger_is_asked_to_sign_in(attempt: Attempt) -> None:
    assert Client().get(page_of(attempt)).status_code == 302


def test_it_draws_progress_and_temperatures_and_tells_them_in_figures(cast: Cast, attempt: Attempt) -> None:
    fill(attempt, 120)

    page = text_of(as_(cast.person("owner")).get(page_of(attempt)))

    assert page.count('<svg class="plot-curves"') == 2
    assert "<polyline" in page
    assert "Buse" in page
    assert "<table>" in page
    assert "200 °C" in page


def test_before_the_first_figures_it_says_that_they_come(cast: Cast, attempt: Attempt) -> None:
    assert "Les premiers chiffres arrivent" in text_of(as_(cast.person("owner")).get(page_of(attempt)))


def test_while_it_runs_the_page_grows_and_afterwards_it_stays(cast: Cast, attempt: Attempt) -> None:
    client = as_(cast.person("owner"))
    assert 'id="curves" data-live' in text_of(client.get(page_of(attempt)))

    Attempt.objects.filter(pk=attempt.pk).update(ended_at=timezone.now(), outcome="finished")

    page = text_of(client.get(page_of(attempt)))
    assert 'id="curves" data-live' not in page
    assert "Terminé" in page


def test_the_objects_page_and_the_machines_page_lead_to_it(cast: Cast, job: Job, attempt: Attempt) -> None:
    assert page_of(attempt) in text_of(as_(cast.person("owner")).get(f"/objets/{job.pk}/"))
    assert page_of(attempt) in text_of(as_(cast.person("staff")).get(f"/machines/{cast.machine.pk}/"))


def test_a_member_finds_no_tries_on_the_machines_page(cast: Cast, attempt: Attempt) -> None:
    assert "/essais/" not in text_of(as_(cast.person("owner")).get(f"/machines/{cast.machine.pk}/"))


def test_a_long_print_takes_as_many_queries_as_a_short_one(cast: Cast, attempt: Attempt) -> None:
    client = as_(cast.person("staff"))
    counts = []
    for count in (3, 110):
        fill(attempt, count)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(page_of(attempt)).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


# --- the camera (SEC-17) ------------------------------------------------------------------------------------------


def taken(attempt: Attempt) -> Still:
    now = timezone.now()
    still = Still.objects.create(attempt=attempt, asked_at=now, taken_at=now)
    still.file = stills.file_for(still.pk)
    still.save()
    path = stills.path_of(still.file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff\xd8\xff a picture")
    return still


def picture_of(still: Still) -> str:
    return f"/essais/{still.attempt_id}/image/{still.pk}/"


def test_by_default_there_is_no_camera_and_no_button(cast: Cast, attempt: Attempt) -> None:
    for part in ("owner", "staff"):
        assert "Voir une image" not in text_of(as_(cast.person(part)).get(page_of(attempt)))
    allowed = dict.fromkeys(("owner", "instructor", "staff", "manager"), 404)
    assert statuses(cast, page_of(attempt) + "image/", post={}) == {**allowed, **ELSEWHERE}


@pytest.mark.usefixtures("camera")
def test_owner_and_team_press_and_wait_for_the_picture(cast: Cast, attempt: Attempt) -> None:
    client = as_(cast.person("owner"))
    assert "Voir une image" in text_of(client.get(page_of(attempt)))

    answer = client.post(page_of(attempt) + "image/")

    assert answer.status_code == 303
    assert Still.objects.get().asked_by == cast.person("owner")
    page = text_of(client.get(page_of(attempt)))
    assert "On demande une image" in page
    assert "Voir une image" not in page


@pytest.mark.usefixtures("camera")
def test_the_picture_is_for_the_owner_and_the_team_alone(cast: Cast, attempt: Attempt) -> None:
    still = taken(attempt)

    allowed = {"owner": 200, "instructor": 200, "staff": 200, "manager": 200, **ELSEWHERE}
    assert statuses(cast, picture_of(still)) == allowed
    answer = as_(cast.person("owner")).get(picture_of(still))
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert answer.getvalue() == b"\xff\xd8\xff a picture"


@pytest.mark.usefixtures("camera")
@pytest.mark.parametrize("what", ["after the end", "switched off", "after a day", "another attempt"])
def test_else_there_is_no_picture(cast: Cast, attempt: Attempt, what: str) -> None:
    still = taken(attempt)
    address = picture_of(still)
    match what:
        case "after the end":
            Attempt.objects.filter(pk=attempt.pk).update(ended_at=timezone.now())
        case "switched off":
            cast.site.cameras_allowed = False
            cast.site.save()
        case "after a day":
            Still.objects.update(asked_at=timezone.now() - timedelta(hours=24, seconds=1))
        case _:
            address = f"/essais/another/image/{still.pk}/"

    assert {*statuses(cast, address).values()} == {404}


@pytest.mark.usefixtures("camera")
def test_the_cameras_address_is_shown_to_nobody(cast: Cast, attempt: Attempt) -> None:
    taken(attempt)
    for part in ("owner", "instructor", "staff", "manager"):
        client = as_(cast.person(part))
        for address in (
            page_of(attempt),
            f"/machines/{cast.machine.pk}/",
            f"/api/v1/machines/{cast.machine.pk}/",
        ):
            assert "secret-path" not in client.get(address).content.decode()


@pytest.mark.usefixtures("camera")
def test_a_camera_that_failed_says_so_and_may_be_asked_again(cast: Cast, attempt: Attempt) -> None:
    Still.objects.create(attempt=attempt, asked_at=timezone.now() - timedelta(minutes=1), error="timed_out")

    page = text_of(as_(cast.person("owner")).get(page_of(attempt)))

    assert "La caméra ne répond pas." in page
    assert "Voir une image" in page


def test_a_pause_is_told_with_its_times(cast: Cast, attempt: Attempt) -> None:
    fill(attempt, 120)
    began = attempt.started_at
    assert began is not None
    for action, minute in ((Action.PAUSE, 2), (Action.RESUME, 5), (Action.PAUSE, 9)):
        step_attempt(attempt.pk, action, source=Source.MACHINE, at=began + timedelta(minutes=minute))

    response = as_(cast.person("owner")).get(page_of(attempt))

    with override("fr"):
        said = [
            formats.clock_time(began + timedelta(minutes=minute), cast.site.time_zone) for minute in (2, 5, 9)
        ]
    assert f"En pause de {said[0]} à {said[1]}" in text_of(response)
    assert f"En pause depuis {said[2]}" in text_of(response)
    assert response.content.count(b'class="pause"') == 2 * 2, "in each of the two pictures"
