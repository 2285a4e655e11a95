"""A camera's picture: fetched with care, drawn anew, without anything that came beside it (SEC-17, SEC-21)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from PIL import Image

from equipment.drivers.web import Limits
from equipment.machines.models import Machine
from fablab.core.threads import DatabaseThreads
from jobs.lifecycle import stills
from jobs.lifecycle.models import Attempt, Still
from jobs.lifecycle.states import State
from jobs.supervision.bench import Bench
from jobs.supervision.stills import LIMITS, Photographer
from tests.builders_jobs import Cast, make_cast, make_job
from tests.fakes.camera import PLACE, Camera, running_camera

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = Limits(answer=1.0, body=LIMITS.body)


@pytest.fixture
def camera(settings: Any, tmp_path: Path) -> Iterator[Camera]:
    settings.MEDIA_ROOT = tmp_path
    with running_camera() as camera:
        settings.MACHINE_NETWORKS = [f"127.0.0.1:{camera.port}"]
        yield camera


@pytest.fixture
def cast(camera: Camera) -> Cast:
    cast = make_cast(at=timezone.now())
    cast.site.cameras_allowed = True
    cast.site.save()
    Machine.objects.filter(pk=cast.machine.pk).update(camera_address=camera.address)
    make_job(cast, state=State.RUNNING, at=timezone.now())
    return cast


def ask(cast: Cast) -> Still:
    attempt = Attempt.objects.get(machine=cast.machine)
    return stills.ask(attempt.pk, actor=cast.person("owner"), at=timezone.now())


def pictures_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*.jpg"))


async def taken(cast: Cast, limits: Limits = LIMITS) -> Still:
    """Ask, have supervision fetch it, and return what came of it."""
    still = await sync_to_async(ask)(cast)
    with DatabaseThreads(1, "test") as threads:
        photographer = Photographer(Bench(threads), limits)
        await photographer.look([cast.machine.pk])
        await photographer.idle()
    await sync_to_async(still.refresh_from_db)()
    return still


async def test_a_picture_is_kept_small_upright_and_without_the_place_it_was_taken(
    cast: Cast, camera: Camera
) -> None:
    still = await taken(cast)

    assert still.error == ""
    assert camera.asked == ["/webcam/?action=snapshot"]
    path = stills.path_of(still.file)
    content = path.read_bytes()
    assert PLACE not in content
    assert b"Exif" not in content
    with Image.open(path) as picture:
        assert picture.size == (720, 1280)  # the quarter turn was made
        assert not picture.getexif()
        assert "comment" not in picture.info
    assert path.name == f"{still.pk}.jpg"
    assert path.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("manner", "error"),
    [
        ("page", "no_picture"),
        ("bomb", "no_picture"),
        ("huge", "answer_too_large"),
        ("endless", "answer_too_large"),
        ("drip", "timed_out"),
        ("elsewhere", "redirected"),
        ("missing", "answer_unreadable"),
    ],
)
async def test_what_is_no_picture_leaves_a_reason_and_no_file(
    cast: Cast, camera: Camera, tmp_path: Path, manner: str, error: str
) -> None:
    camera.manner = manner

    still = await taken(cast, QUICK if manner == "drip" else LIMITS)

    assert (still.error, still.file, still.taken_at) == (error, "", None)
    assert not pictures_in(tmp_path)
    if manner in {"huge", "endless", "drip"}:
        assert camera.cut_off.wait(10)  # we did not listen to its end


async def test_a_camera_outside_the_networks_is_not_reached(
    cast: Cast, camera: Camera, settings: Any
) -> None:
    settings.MACHINE_NETWORKS = ["10.0.0.0/24:80"]

    still = await taken(cast)

    assert still.error == "address_forbidden"
    assert camera.asked == []


async def test_nothing_is_fetched_for_a_machine_that_another_process_watches(
    cast: Cast, camera: Camera
) -> None:
    await sync_to_async(ask)(cast)

    with DatabaseThreads(1, "test") as threads:
        photographer = Photographer(Bench(threads))
        await photographer.look(["another"])
        await photographer.look([])
        await photographer.idle()

    assert camera.asked == []


async def test_a_site_that_is_switched_off_meanwhile_is_not_asked_for_pictures(
    cast: Cast, camera: Camera
) -> None:
    still = await sync_to_async(ask)(cast)
    cast.site.cameras_allowed = False
    await cast.site.asave()

    with DatabaseThreads(1, "test") as threads:
        photographer = Photographer(Bench(threads))
        await photographer.look([cast.machine.pk])
        await photographer.idle()

    await still.arefresh_from_db()
    assert camera.asked == []
    assert still.file == ""


async def test_a_picture_that_comes_too_late_leaves_no_file(
    cast: Cast, camera: Camera, tmp_path: Path
) -> None:
    still = await sync_to_async(ask)(cast)
    with DatabaseThreads(1, "test") as threads:
        bench = Bench(threads)
        photographer = Photographer(bench)
        await photographer.look([cast.machine.pk])
        await sync_to_async(stills.settle)(still.pk, error="no_answer", at=timezone.now())
        await photographer.idle()

    await still.arefresh_from_db()
    assert still.error == "no_answer"
    assert not pictures_in(tmp_path)


async def test_the_same_still_is_fetched_once(cast: Cast, camera: Camera) -> None:
    await sync_to_async(ask)(cast)
    with DatabaseThreads(1, "test") as threads:
        photographer = Photographer(Bench(threads))
        await photographer.look([cast.machine.pk])
        await photographer.look([cast.machine.pk])
        await photographer.idle()
        await photographer.look([cast.machine.pk])
        await photographer.idle()

    assert len(camera.asked) == 1


async def test_tidying_removes_pictures_within_a_day(cast: Cast, tmp_path: Path) -> None:
    still = await taken(cast)

    await sync_to_async(stills.purge)(still.asked_at + timedelta(hours=22))
    assert stills.path_of(still.file).exists()

    await sync_to_async(stills.purge)(still.asked_at + timedelta(hours=23))
    assert not pictures_in(tmp_path)
    assert not await Still.objects.aexists()
