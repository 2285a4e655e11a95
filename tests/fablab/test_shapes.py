"""Shapes: a fixed number of queries however many rows, and no word too many for who may not see it."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipment.machines.queries import in_use
from fablab.api.shapes import job_shapes, machine_shapes
from jobs.lifecycle.models import Job
from jobs.lifecycle.queries import Viewer, visible_jobs, with_all_that_pages_show
from jobs.lifecycle.states import ON_MACHINE, State
from tests.builders_jobs import Cast, make_cast, make_job, make_linked_machine

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
CONNECTION_FIELDS = {"address", "has_key", "report", "trouble", "temperatures", "current_jobs", "current_job"}


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast(at=NOW)


def queries_for_machines() -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        machine_shapes(in_use(), at=NOW, staff=True)
    return len(seen)


def queries_for_jobs(cast: Cast) -> int:
    viewer = Viewer(cast.person("instructor"), NOW)
    with CaptureQueriesContext(connection) as seen:
        job_shapes(with_all_that_pages_show(visible_jobs(viewer.person)), viewer)
    return len(seen)


def test_a_hundred_and_ten_machines_cost_as_many_queries_as_three(cast: Cast) -> None:
    fill_machines(cast, 2)
    few = queries_for_machines()
    fill_machines(cast, 107)
    assert queries_for_machines() == few


def fill_machines(cast: Cast, count: int) -> None:
    for _ in range(count):
        machine = make_linked_machine(cast.site, cast.model, at=NOW)
        make_job(cast, state=State.RUNNING, at=NOW, on=machine)


def test_forty_five_jobs_cost_as_many_queries_as_fifteen(cast: Cast) -> None:
    fill_jobs(cast)
    few = queries_for_jobs(cast)
    fill_jobs(cast)
    fill_jobs(cast)
    assert queries_for_jobs(cast) == few


def fill_jobs(cast: Cast) -> None:
    for state in State:
        machine = make_linked_machine(cast.site, cast.model, at=NOW)
        make_job(cast, state=state, at=NOW, on=machine)


def test_the_public_shape_of_a_machine_says_nothing_of_its_line_nor_of_whose_object_it_makes(
    cast: Cast,
) -> None:
    make_job(cast, state=State.RUNNING, at=NOW)
    (public,) = machine_shapes(in_use(), at=NOW, staff=False)
    assert not CONNECTION_FIELDS & set(public)
    assert cast.person("owner").display_name not in str(public)


def test_the_staffs_shape_has_the_job_but_never_the_key(cast: Cast) -> None:
    make_job(cast, state=State.RUNNING, at=NOW)
    cast.machine.sealed_key = "sealed-canary"
    cast.machine.save()
    (staff,) = machine_shapes(in_use(), at=NOW, staff=True)
    assert staff["current_job"]["owner"] == "owner"
    assert staff["has_key"] is True
    assert "sealed-canary" not in str(staff)


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_shape_for_everybody(cast: Cast, state: State) -> None:
    job = make_job(cast, state=state, at=NOW)
    for part in ("owner", "instructor", "staff", "manager"):
        viewer = Viewer(cast.person(part), NOW)
        (shape,) = job_shapes(with_all_that_pages_show(Job.objects.filter(pk=job.pk)), viewer)
        assert shape["state"] == state
        assert "claim" not in shape["actions"]
        assert "shelve" not in shape["actions"]
        if state not in ON_MACHINE:
            assert shape["orders"] == []


def test_what_is_offered_is_what_is_allowed(cast: Cast) -> None:
    """Nothing is offered that the next request would refuse for the person's part or the job's state."""
    owner = Viewer(cast.person("owner"), NOW)
    offered = {}
    for state in State:
        machine = make_linked_machine(cast.site, cast.model, at=NOW)
        job = make_job(cast, state=state, at=NOW, on=machine)
        (shape,) = job_shapes(with_all_that_pages_show(Job.objects.filter(pk=job.pk)), owner)
        offered[state.value] = shape["actions"]
    assert offered == {
        "draft": ["submit", "cancel"],
        "needs_changes": ["submit", "cancel"],
        "submitted": ["cancel"],
        "queued": ["void", "cancel"],
        "sending": ["ask-stop"],
        "loaded": ["ask-stop"],
        "running": ["pause", "ask-stop"],
        "paused": ["ask-stop"],
        "stopping": [],
        "finished": ["collect"],
        "ready": ["collect"],
        "failed": ["cancel"],
        "collected": [],
        "rejected": [],
        "cancelled": [],
    }
