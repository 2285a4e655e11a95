"""What an object's owner is told when others move it (``jobs.lifecycle.telling``)."""

import pytest

from equipment.machines.states import Report
from fablab.notices.queries import unread_of
from fablab.notices.words import sentence
from jobs.lifecycle.press import clear_plate, press
from jobs.lifecycle.services import move
from jobs.lifecycle.states import State
from jobs.lifecycle.table import Action
from tests.builders import MONDAY
from tests.builders_jobs import Cast, make_cast, make_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast(at=MONDAY)


def told(cast: Cast) -> list[tuple[str, str]]:
    return [(notice.code, notice.link) for notice in unread_of(cast.person("owner"))]


@pytest.mark.parametrize(
    ("action", "code"), [(Action.SEND_BACK, "job_sent_back"), (Action.REJECT, "job_rejected")]
)
def test_the_owner_is_told_of_an_instructors_no_and_nobody_else_is(
    cast: Cast, action: Action, code: str
) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=MONDAY)
    press(job.pk, action, actor=cast.person("instructor"), at=MONDAY, reason="talk")
    assert told(cast) == [(code, f"/objets/{job.pk}/")]
    assert unread_of(cast.person("instructor")) == []


def test_a_failure_is_told_and_taken_back_when_it_is_tried_again(cast: Cast) -> None:
    job = make_job(cast, state=State.RUNNING, at=MONDAY)
    press(job.pk, Action.FAIL, actor=cast.person("staff"), at=MONDAY, reason="spaghetti")
    assert told(cast) == [("job_failed", f"/objets/{job.pk}/")]
    press(job.pk, Action.REQUEUE, actor=cast.person("staff"), at=MONDAY)
    assert told(cast) == []


def test_the_shelf_is_told_when_the_plate_was_emptied_and_no_more_once_collected(cast: Cast) -> None:
    job = make_job(cast, state=State.RUNNING, at=MONDAY)
    press(job.pk, Action.FINISH, actor=cast.person("staff"), at=MONDAY)
    assert told(cast) == []
    cast.machine.refresh_from_db()
    assert cast.machine.report == Report.READY
    clear_plate(cast.machine.pk, actor=cast.person("staff"), at=MONDAY)
    (notice,) = unread_of(cast.person("owner"))
    assert (notice.code, notice.params) == ("job_on_shelf", {"title": "Porte-clef", "shelf": "A1"})
    press(job.pk, Action.COLLECT, actor=cast.person("owner"), at=MONDAY)
    assert told(cast) == []


def test_what_the_owner_does_is_no_news_to_them(cast: Cast) -> None:
    job = make_job(cast, state=State.DRAFT, at=MONDAY)
    press(job.pk, Action.SUBMIT, actor=cast.person("owner"), at=MONDAY)
    assert told(cast) == []


def test_staff_who_move_an_object_tell_its_owner_why_and_only_the_last_move_counts(cast: Cast) -> None:
    job = make_job(cast, state=State.QUEUED, at=MONDAY)
    move(job.pk, actor=cast.person("staff"), at=MONDAY, reason="Exposition demain", place="first")
    assert told(cast) == [("job_moved", f"/objets/{job.pk}/")]
    move(job.pk, actor=cast.person("staff"), at=MONDAY, reason="Entretien", machine_id=cast.machine.pk)
    (notice,) = unread_of(cast.person("owner"))
    assert notice.code == "job_moved_to_machine"
    assert sentence(notice.code, notice.params, "Europe/Paris") == (
        f"« {job.title} » passe sur {cast.machine.name} : Entretien"
    )
