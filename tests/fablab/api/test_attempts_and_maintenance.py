"""What programs read of an attempt and of a machine's maintenance."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.lifecycle import samples
from jobs.lifecycle.models import Attempt
from jobs.lifecycle.states import State
from jobs.lifecycle.thinning import Sample
from tests.builders_jobs import Cast, make_cast, make_job
from tests.fablab.dashboard.lab import as_

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast(at=timezone.now())


def test_the_moments_of_a_try_are_read_in_order(cast: Cast) -> None:
    now = timezone.now()
    job = make_job(cast, state=State.RUNNING, at=now)
    attempt = Attempt.objects.get(parts__job=job)
    for n in (1, 0):
        moment = Sample(now + timedelta(seconds=10 * n), 10.0 * n, 60, {"tool0": (200.0 + n, 210.0)})
        samples.keep([(attempt.pk, moment)])
    client = as_(cast.person("owner"))

    (listed,) = client.get(f"/api/v1/jobs/{job.pk}/").json()["attempts"]
    found = client.get(f"/api/v1/attempts/{listed['id']}/samples/").json()

    assert found["attempt"] == listed
    assert [one["percent"] for one in found["samples"]] == [0.0, 10.0]
    assert found["samples"][1]["temperatures"] == {"tool0": {"actual": 201.0, "target": 210.0}}


def test_maintenance_is_noted_and_read(cast: Cast) -> None:
    client = as_(cast.person("staff"))
    address = f"/api/v1/machines/{cast.machine.pk}/maintenance/"

    made = client.post(address, {"what": "belt", "note": "Axe X"}, content_type="application/json")
    changed = client.patch(address, {"every_hours": 200}, content_type="application/json")

    assert (made.status_code, changed.status_code) == (201, 200)
    found = client.get(address).json()
    assert found["every_hours"] == 200
    assert found["due"] is False
    (line,) = found["lines"]
    assert (line["what"], line["note"], line["by"]["name"], line["used_hours"]) == (
        "belt",
        "Axe X",
        "staff",
        0.0,
    )


@pytest.mark.parametrize(
    "wrong", [{"what": "magic"}, {}, {"what": "belt", "by": "x"}, {"what": "belt", "note": "x" * 301}]
)
def test_a_line_that_makes_no_sense_is_refused(cast: Cast, wrong: dict[str, str]) -> None:
    address = f"/api/v1/machines/{cast.machine.pk}/maintenance/"

    answer = as_(cast.person("staff")).post(address, wrong, content_type="application/json")

    assert answer.status_code == 400
