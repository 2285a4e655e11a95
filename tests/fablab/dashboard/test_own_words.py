"""Kinds that have no plate are spoken of in their own words: the hoop of embroidery, the mat of a cutter."""

import pytest
from django.utils import timezone

from equipment.machines.models import Machine, MachineKind
from equipment.machines.states import Plate
from fablab.api.hands import task_shape
from fablab.api.shapes import job_shape
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from jobs.worklist.queries import worklist
from tests.builders_jobs import Cast, make_job
from tests.fablab.dashboard.lab import as_, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[("hoop", "Cadre"), ("mat", "Tapis")], ids=["embroidery", "cutting"])
def word(request: pytest.FixtureRequest, cast: Cast) -> str:
    """What the kind of the only machine calls its plate; it is to be emptied."""
    code, word = request.param
    frames = [{"code": "180", "fr": "Cadre 180 mm"}, {"code": "100", "fr": "Cadre 100 mm"}]
    MachineKind.objects.update(guide={"plate_word": code, "frames": frames})
    Machine.objects.update(plate=Plate.TO_CLEAR)
    return str(word)


def test_the_board_and_the_work_list_name_what_is_to_be_emptied(cast: Cast, word: str) -> None:
    staff = as_(cast.person("staff"))
    for address in ("/machines/", "/a-faire/"):
        shown = text_of(staff.get(address))
        assert f"{word} à vider" in shown and f"{word} vide" in shown, address
        assert "Plateau" not in shown, address


def test_somebody_who_waits_and_the_tap_that_starts_are_said_in_the_same_word(cast: Cast, word: str) -> None:
    make_job(cast, state=State.LOADED, at=timezone.now())
    shown = text_of(as_(cast.person("staff")).get("/a-faire/"))
    assert f"{word} à vider, quelqu’un attend" in shown
    assert f"{word} vide, lancer" in shown
    (task,) = worklist(cast.person("staff"), cast.site.pk, timezone.now())
    assert task_shape(task)["detail"] == f"{word} à vider, quelqu’un attend"


def test_a_frame_that_must_be_put_in_is_named_as_the_lab_names_it(cast: Cast, word: str) -> None:
    Machine.objects.update(frame="180")
    job = make_job(cast, state=State.QUEUED, at=timezone.now())
    Job.objects.update(settings={"frame": "100"})
    shape = job_shape(Job.objects.get(pk=job.pk), None)
    (why,) = [one for one in shape["waiting_for"] if one["code"] == "waiting_frame"]
    assert why["params"]["frame"] == "100", "programs keep the code"
    assert why["detail"] == "À monter sur la machine : Cadre 100 mm."
