"""The person of a print is gone while it runs and while another waits, their account closed or erased (case 30)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from fablab.people.models import User
from jobs.erasure.services import erase_person
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from jobs.management.erasing import Erasing
from jobs.uploads.models import Upload
from tests.fixtures.octoprint import gcode_lasting
from tests.jobs.erasure.canaries import (
    CONTENT,
    FILE,
    NOTE,
    TITLE,
    canaries_in,
    canaries_on_disk,
    dump,
    give_names,
)
from tests.jobs.supervision.lab import Lab

pytestmark = pytest.mark.octoprint


async def test_case_30_a_print_ends_as_usual_when_its_person_is_gone_and_what_waits_is_not_started(
    lab: Lab,
) -> None:
    await lab.watch()
    job = await lab.started(3)
    behind = await lab.queue(20)
    owner = lab.cast.person("owner")

    await lab.db(User.objects.filter(pk=owner.pk).update, is_active=False)

    await lab.until_state(job, State.FINISHED)
    assert await lab.history(job) == ["claim", "load", "start", "finish"]
    for _ in range(3):
        await lab.supervisor.tick()
        await lab.watcher.look()
    waiting = await lab.until_state(behind, State.SUBMITTED)
    assert (waiting.reason, waiting.attempts_made) == ("person", 0)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


async def marked(lab: Lab, seconds: float) -> str:
    """Put an object into the queue whose every text, and whose file, is a canary. Returns its id."""
    job_id = await lab.queue(seconds, title=TITLE, note=NOTE)

    def mark() -> None:
        job = Job.objects.select_related("machine_file").get(pk=job_id)
        assert job.machine_file is not None
        Upload.objects.filter(owner=job.owner).update(name=FILE)
        give_names(job.owner)

    await lab.db(mark)
    return job_id


def on_the_printer(lab: Lab) -> dict[str, int]:
    """Return which canaries OctoPrint has in its folder, in names and contents, its own index among them."""
    told = ""
    for path in (lab.server.basedir / "uploads" / "fl").rglob("*"):
        told += path.name + (path.read_bytes().decode(errors="replace") if path.is_file() else "")
    return canaries_in(told)


async def removed_from_the_printer(lab: Lab, job_id: str) -> None:
    await lab.until(lambda: lab.attempt(job_id), lambda found: found.remote_deleted_at is not None)


async def tables(lab: Lab) -> dict[str, int]:
    text: str = await lab.db(dump)
    return canaries_in(text)


async def test_case_30_a_print_whose_person_is_erased_ends_as_anybodys_and_leaves_no_file_on_the_printer(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_canary(seconds: float, extra: str = "") -> bytes:
        return gcode_lasting(seconds, f"{extra}\n; {CONTENT}")

    monkeypatch.setattr("tests.jobs.supervision.lab.gcode_lasting", with_a_canary)
    await lab.watch()
    job = await marked(lab, 4)
    await lab.supervisor.tick()
    await lab.until_state(job, State.LOADED)
    await lab.press(job, Action.START, plate_clear=True)
    await lab.until_state(job, State.RUNNING)
    behind = await marked(lab, 20)
    assert set(await tables(lab)) >= {TITLE, NOTE, "fichier-canari"}
    assert on_the_printer(lab) == {CONTENT: 1}
    owner, at = lab.cast.person("owner"), timezone.now()

    await lab.db(erase_person, owner.pk, actor=owner, at=at)

    assert (await lab.job(job)).state == State.RUNNING
    assert (await lab.job(behind)).state == State.CANCELLED
    await lab.until_state(job, State.FINISHED)
    assert await lab.history(job) == ["claim", "load", "start", "finish"]
    assert await lab.history(behind) == ["cancel"]
    await removed_from_the_printer(lab, job)
    assert on_the_printer(lab) == {}
    await lab.db(Erasing(), at + timedelta(minutes=11))
    assert (await tables(lab), canaries_on_disk()) == ({}, [])
    erased = await lab.db(User.objects.get, pk=owner.pk)
    assert erased.erasure_ended_at is not None
    with override("fr"):
        assert str(erased) == "Personne effacée"


async def test_case_30_what_lay_ready_when_its_person_was_erased_starts_nowhere_and_leaves_the_printer(
    lab: Lab,
) -> None:
    await lab.watch()
    job = await lab.loaded(20)
    path = (await lab.attempt(job)).remote_path
    behind = await lab.queue(20)
    owner = lab.cast.person("owner")

    await lab.db(erase_person, owner.pk, actor=owner, at=timezone.now())

    lab.watcher.errands.tidy_soon()  # it is done once a minute
    await lab.watcher.look()
    await removed_from_the_printer(lab, job)
    await lab.supervisor.tick()
    assert not (lab.server.basedir / "uploads" / path).exists()
    assert {(await lab.job(one)).state for one in (job, behind)} == {State.CANCELLED}
    assert lab.starts(path) == 0
