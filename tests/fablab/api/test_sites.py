"""Places as programs see them."""

from datetime import date

import pytest
from django.utils import timezone

from equipment.sites.queries import is_on_site
from jobs.lifecycle.states import State
from tests.builders import make_closure
from tests.builders_jobs import Cast, make_job
from tests.fablab.api.conftest import As

pytestmark = pytest.mark.django_db


def test_a_person_sees_the_sites_where_they_hold_a_role(as_: As, cast: Cast) -> None:
    make_closure(cast.site, date(2026, 12, 24), date(2026, 12, 26))
    [site] = as_("owner").get("sites/").body["results"]
    assert site["id"] == cast.site.pk
    assert site["hours"][0] == {"weekday": 0, "opens": "00:00", "closes": "24:00"}
    assert site["closures"] == [{"first_day": "2026-12-24", "last_day": "2026-12-26", "reason": ""}]
    assert site.pop("open_until").endswith("Z")
    again = as_("owner").get(f"sites/{cast.site.pk}/").body
    assert again.pop("open_until")
    assert again == site
    assert as_("owner").get(f"sites/{cast.elsewhere.pk}/").status == 404


def test_je_suis_la_and_je_pars(as_: As, cast: Cast) -> None:
    staff = as_("staff")
    address = f"sites/{cast.site.pk}/presence/"
    assert staff.post(address, {"present": False}).body == {"present": False, "until": None}
    assert not is_on_site(cast.person("staff"), cast.site.pk, timezone.now())
    answer = staff.post(address, {"present": True})
    assert answer.status == 200
    assert answer.body["until"].endswith("Z")
    assert is_on_site(cast.person("staff"), cast.site.pk, timezone.now())


def test_a_member_is_never_on_duty_and_strangers_find_nothing(as_: As, cast: Cast) -> None:
    address = f"sites/{cast.site.pk}/presence/"
    assert as_("owner").post(address, {"present": True}).status == 403
    assert as_("elsewhere").post(address, {"present": True}).status == 404


def test_the_queue_shows_members_numbers_and_helpers_the_whole_job(as_: As, cast: Cast) -> None:
    job = make_job(cast, state=State.QUEUED, at=timezone.now())
    address = f"sites/{cast.site.pk}/queue/"
    [row] = as_("other_member").get(address).body["results"]
    assert (row["number"], row["place"], row["state"]) == (job.number, 1, "queued")
    assert not {"id", "title", "owner", "upload", "note"} & set(row)
    [whole] = as_("instructor").get(address).body["results"]
    assert whole["id"] == job.pk
    assert as_("elsewhere").get(address).status == 404
