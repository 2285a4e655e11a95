"""By the API: what needs a hand, power cuts, what was interrupted, the clock, messages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from equipment.machines.models import Machine
from fablab.core.models import Witness
from fablab.notices.services import tell
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from jobs.recovery.services import notice_losses
from tests.builders_jobs import Cast
from tests.fablab.api.callers import Caller
from tests.jobs.recovery.power import comes_back_idle, machine_at_work

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(cast: Cast) -> Caller:
    return Caller(cast.person("staff"))


def test_an_entry_is_taken_named_to_others_and_given_back(cast: Cast, staff: Caller) -> None:
    here = f"/api/v1/sites/{cast.site.pk}/worklist/"
    (entry,) = staff.get(here).body["results"]
    assert (entry["need"], entry["machine"]["id"], entry["handled_by"]) == ("plate", cast.machine.pk, None)
    assert staff.post(f"{here}take/", {"key": entry["key"]}).status == 200
    second = Caller(cast.person("instructor"))
    (entry,) = second.get(here).body["results"]
    assert entry["handled_by"]["name"] == "staff"
    refused = second.post(f"{here}take/", {"key": entry["key"]})
    assert (refused.status, refused.body["code"]) == (409, "handled_by")
    assert refused.body["detail"] == "staff s’en occupe déjà."
    assert staff.post(f"{here}leave/", {"key": entry["key"]}).status == 200
    assert second.post(f"{here}take/", {"key": entry["key"]}).status == 200


def test_a_power_cut_is_announced_listed_for_all_and_taken_back(cast: Cast, staff: Caller) -> None:
    here = f"/api/v1/sites/{cast.site.pk}/power-cuts/"
    start = (timezone.now() + timedelta(days=2)).replace(microsecond=0)
    given = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat(), "reason": "Travaux"}
    made = staff.post(here, given)
    assert made.status == 201
    address = made.headers["Location"]
    (cut,) = Caller(cast.person("owner")).get(here).body["results"]
    assert (cut["reason"], address) == ("Travaux", f"{here}{cut['id']}/")
    wrong = staff.post(here, {"start": given["end"], "end": given["start"]})
    assert (wrong.status, wrong.body["code"]) == (400, "cut_ends_before_it_begins")
    assert staff.delete(address).status == 204
    assert staff.get(here).body["results"] == []
    assert staff.get(f"{here}none/").status == 404


def test_what_was_interrupted_is_settled_at_once(cast: Cast, staff: Caller) -> None:
    now = timezone.now()
    Machine.objects.filter(pk=cast.machine.pk).update(retired_at=now)
    jobs = [machine_at_work(cast, title, now - timedelta(hours=1)) for title in ("A", "B")]
    for job in jobs:
        comes_back_idle(job, now)
    notice_losses(now)
    here = f"/api/v1/sites/{cast.site.pk}/interruption/"
    found = staff.get(here).body["jobs"]
    assert [(one["job"]["title"], one["now"], one["likely"]) for one in found] == [
        ("A", "lost", "again"),
        ("B", "lost", "again"),
    ]
    first = staff.post(f"{here}settle/", {"outcomes": [{"job": jobs[0].pk, "outcome": "again"}]})
    assert first.body == {"done": False, "refused": [], "missing": [jobs[1].pk]}
    last = staff.post(f"{here}settle/", {"outcomes": [{"job": jobs[1].pk, "outcome": "stop"}]})
    assert last.body["done"]
    assert list(Job.objects.order_by("title").values_list("state", flat=True)) == [State.QUEUED, State.FAILED]
    assert staff.post(f"{here}settle/", {"outcomes": []}).body["code"] == "nothing_interrupted"


def test_the_clock_is_confirmed_by_a_time_that_was_just_read(cast: Cast, staff: Caller) -> None:
    now = timezone.now()
    Witness.objects.create(at=now, doubted_since=now, why="stepped")
    assert staff.get("/api/v1/clock/").body["why"] == "stepped"
    old = staff.post("/api/v1/clock/confirm/", {"at": (now - timedelta(minutes=3)).isoformat()})
    assert (old.status, old.body["code"]) == (409, "clock_page_old")
    assert staff.post("/api/v1/clock/confirm/", {"at": now.isoformat()}).body["trusted"]


def test_messages_are_read_and_seen(cast: Cast) -> None:
    owner = Caller(cast.person("owner"))
    tell(
        [cast.person("owner").pk], "job_ready", {"title": "Vase"}, key="k", link="/objets/", at=timezone.now()
    )
    (notice,) = owner.get("/api/v1/notices/").body["results"]
    assert (notice["code"], notice["params"], notice["link"]) == ("job_ready", {"title": "Vase"}, "/objets/")
    assert "Vase" in notice["detail"]
    assert owner.post(f"/api/v1/notices/{notice['id']}/seen/", {}).status == 204
    assert owner.get("/api/v1/notices/").body["results"] == []


def test_a_message_is_a_sentence_in_the_callers_language_with_times_on_the_places_clock(cast: Cast) -> None:
    when = (timezone.now() + timedelta(days=9)).replace(hour=12, minute=30)
    params = {"machine": "Ada", "when": when.isoformat(), "zone": "Asia/Tokyo", "kind": "printer"}
    tell([cast.person("owner").pk], "booking_out_of_order", params, key="k", at=timezone.now())
    for language, said in (("fr", "21 h 30"), ("en", "21:30"), ("ar", "21:30")):
        found = Caller(cast.person("owner"), **{"Accept-Language": language}).get("/api/v1/notices/")
        (notice,) = found.body["results"]
        assert said in notice["detail"], language
        assert notice["params"] == params
