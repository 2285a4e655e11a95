"""Demander à un animateur: who asks is read by those on duty, each on their list, and hears who comes (A11Y-10)."""

from datetime import datetime, time, timedelta

import pytest
from django.utils import timezone

from equipment.machines.models import HelpRequest
from equipment.sites.models import OpeningHours, Presence, Shift
from fablab.core.clock import local_day, local_to_utc
from fablab.dashboard import formats
from jobs.lifecycle.states import State
from tests.builders import make_machine, make_present
from tests.builders_jobs import Cast, make_job
from tests.fablab.dashboard.lab import as_, text_of

pytestmark = pytest.mark.django_db
CALL = "Appeler quelqu’un"


def test_one_tap_and_those_on_duty_read_who_and_where_and_say_who_comes(cast: Cast) -> None:
    owner, staff = as_(cast.person("owner")), as_(cast.person("staff"))
    at_the_machine = text_of(owner.get(f"/m/{cast.machine.pk}/"))
    assert f'href="/aide/?machine={cast.machine.pk}"' in at_the_machine
    page = text_of(owner.get(f"/aide/?machine={cast.machine.pk}"))
    assert CALL in page
    assert f"Tu es à la machine {cast.machine.name}." in page
    shown = text_of(owner.post("/aide/appeler/", {"machine": cast.machine.pk}, follow=True))
    assert "On cherche quelqu’un pour toi." in shown
    assert CALL not in shown

    work = text_of(staff.get("/a-faire/"))
    assert "Demande quelqu’un" in work
    assert cast.person("owner").display_name in work
    assert cast.machine.name in work
    staff.post("/a-faire/prendre/", {"key": f"asked:{HelpRequest.objects.get().pk}"})
    coming = f"{cast.person('staff').display_name} arrive."
    assert coming in text_of(owner.get("/aide/"))
    assert coming in text_of(owner.get("/"))  # told, wherever they look

    staff.post(f"/aide/{HelpRequest.objects.get().pk}/reglee/")
    assert "Demande quelqu’un" not in text_of(staff.get("/a-faire/"))
    assert coming not in text_of(owner.get("/"))
    assert CALL in text_of(owner.get("/aide/"))


def test_who_says_that_they_leave_it_takes_back_that_they_come(cast: Cast) -> None:
    owner, staff = as_(cast.person("owner")), as_(cast.person("staff"))
    owner.post("/aide/appeler/")
    key = {"key": f"asked:{HelpRequest.objects.get().pk}"}
    staff.post("/a-faire/prendre/", key)
    staff.post("/a-faire/laisser/", key)
    for address in ("/", "/aide/"):
        assert "arrive." not in text_of(owner.get(address))


def test_nobody_is_called_while_the_place_is_closed_and_other_members_read_nothing(cast: Cast) -> None:
    as_(cast.person("owner")).post("/aide/appeler/")
    other = as_(cast.person("other_member"))
    for address in ("/", "/aide/", f"/m/{cast.machine.pk}/"):
        page = text_of(other.get(address))
        assert "Demande quelqu’un" not in page
    OpeningHours.objects.all().delete()
    assert CALL not in text_of(other.get("/aide/"))


def test_while_nobody_said_that_they_are_there_the_page_says_where_to_go_instead(cast: Cast) -> None:
    Presence.objects.all().delete()
    page = text_of(as_(cast.person("owner")).get("/aide/"))
    assert "Va à l’accueil : quelqu’un t’aide." in page
    assert CALL not in page


def test_who_has_gone_to_another_machine_calls_there(cast: Cast) -> None:
    owner = as_(cast.person("owner"))
    other = make_machine(cast.site, model=cast.model)
    owner.post("/aide/appeler/", {"machine": cast.machine.pk})
    assert "Appeler ici plutôt" not in text_of(owner.get(f"/aide/?machine={cast.machine.pk}"))
    assert "Appeler ici plutôt" in text_of(owner.get(f"/aide/?machine={other.pk}"))
    owner.post("/aide/appeler/", {"machine": other.pk})
    assert HelpRequest.objects.get().machine == other


def test_where_nobody_is_one_reads_when_somebody_comes_by_the_rota_also_where_a_file_needs_talking_about(
    cast: Cast,
) -> None:
    Presence.objects.all().delete()
    now = timezone.now()
    tomorrow = local_day(now, cast.site.time_zone) + timedelta(days=1)
    OpeningHours.objects.filter(site=cast.site).delete()
    OpeningHours.objects.bulk_create(
        OpeningHours(site=cast.site, weekday=weekday, opens=0, closes=1440) for weekday in range(7)
    )
    owner = as_(cast.person("owner"))
    assert "Va à l’accueil" in text_of(owner.get("/aide/"))
    Shift.objects.create(
        site=cast.site, person=cast.person("instructor"), weekday=tomorrow.weekday(), starts=600, ends=720,
        first_day=tomorrow,
    )  # fmt: skip
    ten = local_to_utc(datetime.combine(tomorrow, time(10)), cast.site.time_zone)
    when = formats.day_and_time(ten, cast.site.time_zone)
    comes = f"Un animateur est là {when} ({cast.person('instructor').display_name})."
    assert comes in text_of(owner.get("/aide/"))
    job = make_job(cast, state=State.REJECTED, reason="talk", at=now)
    assert comes in text_of(owner.get(f"/objets/{job.pk}/"))
    make_present(cast.person("instructor"), cast.site, at=now)
    assert "Ces personnes sont là" in text_of(owner.get("/aide/"))
