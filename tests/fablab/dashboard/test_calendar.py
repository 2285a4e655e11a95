"""The day and the week by machine, and the day on paper: for those on duty, on the place's clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from equipment.bookings.states import BookingState
from equipment.machines.models import Machine, Outage
from equipment.sites.models import OpeningHours
from fablab.core.clock import local_to_utc
from tests.builders import make_booking, make_closure, make_machine
from tests.builders_jobs import Cast
from tests.fablab.dashboard.lab import as_, text_of

pytestmark = pytest.mark.django_db
VIEWS = ("/calendrier/", "/calendrier/semaine/", "/calendrier/feuille/")
WEDNESDAY = date(2031, 5, 14)


def at(hour: int, minute: int = 0, day: date = WEDNESDAY, zone: str = "Europe/Paris") -> datetime:
    return local_to_utc(datetime.combine(day, datetime.min.time()).replace(hour=hour, minute=minute), zone)


@pytest.mark.parametrize("view", VIEWS)
def test_who_comes_when_stands_with_each_machine(cast: Cast, view: str) -> None:
    make_booking(cast.machine, cast.person("owner"), start=at(9), minutes=90)
    make_booking(cast.machine, cast.person("other_member"), start=at(14), state=BookingState.CANCELLED)
    kept = make_booking(cast.machine, cast.person("owner"), start=at(16), state=BookingState.HELD)
    make_booking(cast.machine, cast.person("instructor"), start=at(18), title="Atelier broderie")
    page = text_of(as_(cast.person("staff")).get(f"{view}?jour={WEDNESDAY}"))
    assert cast.machine.name in page
    assert "9 h – 10 h 30" in page
    assert cast.person("owner").display_name in page
    assert cast.person("other_member").display_name not in page
    assert "Atelier broderie" in page
    assert ("Gardé" in page) == ("semaine" not in view)
    assert view == VIEWS[-1] or f'"/reservations/{kept.pk}/"' in page
    assert view == VIEWS[-1] or f'"/machines/{cast.machine.pk}/"' in page


def test_the_day_says_what_is_open_closed_and_out_of_order(cast: Cast) -> None:
    Outage.objects.create(machine=cast.machine, start=at(11), end=at(12))
    staff = as_(cast.person("staff"))
    page = text_of(staff.get(f"/calendrier/?jour={WEDNESDAY}"))
    assert "Ouvert :" in page
    assert "11 h – 12 h" in page
    assert "mercredi 14 mai 2031" in page.lower()
    week = text_of(staff.get(f"/calendrier/semaine/?jour={WEDNESDAY}"))
    assert week.count("En panne") == 1
    assert "11 h – 12 h" in week
    make_closure(cast.site, WEDNESDAY)
    assert "Fermé ce jour-là." in text_of(staff.get(f"/calendrier/?jour={WEDNESDAY}"))


@pytest.mark.parametrize(("day", "long"), [(date(2031, 3, 30), 23), (date(2031, 10, 26), 25)])
def test_a_day_on_which_clocks_change_shows_its_own_hours(cast: Cast, day: date, long: int) -> None:
    OpeningHours.objects.filter(site=cast.site).update(opens=0, closes=24 * 60)
    zone = ZoneInfo("Europe/Paris")
    begin = datetime.combine(day, datetime.min.time()).replace(tzinfo=zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), datetime.min.time()).replace(tzinfo=zone).astimezone(UTC)
    assert end - begin == timedelta(hours=long)
    make_booking(cast.machine, cast.person("owner"), start=end - timedelta(hours=2))
    page = text_of(as_(cast.person("staff")).get(f"/calendrier/?jour={day}"))
    assert "22 h – 23 h" in page


def test_what_lasts_past_midnight_stands_on_both_days(cast: Cast) -> None:
    make_booking(cast.machine, cast.person("owner"), start=at(23), minutes=120)
    staff = as_(cast.person("staff"))
    for day in (WEDNESDAY, WEDNESDAY + timedelta(days=1)):
        assert cast.person("owner").display_name in text_of(staff.get(f"/calendrier/?jour={day}"))
    week = text_of(staff.get(f"/calendrier/semaine/?jour={WEDNESDAY}"))
    assert week.count("calendar-cell") == 2


@pytest.mark.parametrize("given", ["", "hier", "9999-12-31", "2031-02-30", "0001-01-01"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_day_that_makes_no_sense_is_today(cast: Cast, view: str, given: str) -> None:
    page = text_of(as_(cast.person("staff")).get(view, {"jour": given}))
    today = timezone.now().astimezone(ZoneInfo("Europe/Paris")).date()
    monday = today - timedelta(days=today.weekday())
    assert f'value="{monday if "semaine" in view else today}"' in page


def test_the_paper_has_a_line_for_each_and_says_when_it_was_made(cast: Cast) -> None:
    make_booking(cast.machine, cast.person("owner"), start=at(9), state=BookingState.DONE)
    booking = make_booking(cast.machine, cast.person("other_member"), start=at(11))
    page = text_of(as_(cast.person("staff")).get(f"/calendrier/feuille/?jour={WEDNESDAY}"))
    assert f"{booking.code[:3]}-{booking.code[3:]}" in page
    assert "Ce qui change ensuite n’y est pas." in page
    assert page.count("to-tick") == 2
    assert "Personne n’a réservé ce jour-là." in text_of(
        as_(cast.person("staff")).get("/calendrier/feuille/?jour=2031-01-01")
    )


def queries(cast: Cast, view: str) -> int:
    staff = as_(cast.person("staff"))
    staff.get(view)
    with CaptureQueriesContext(connection) as found:
        assert staff.get(f"{view}?jour={WEDNESDAY}").status_code == 200
    return len(found)


@pytest.mark.parametrize("view", VIEWS)
def test_it_costs_as_many_queries_for_a_hundred_and_ten_machines_as_for_three(cast: Cast, view: str) -> None:
    def fill(count: int) -> None:
        for _ in range(count - Machine.objects.filter(site=cast.site).count()):
            machine = make_machine(cast.site, model=cast.model)
            for hour in (9, 11, 14):
                make_booking(machine, cast.person("owner"), start=at(hour))

    fill(3)
    few = queries(cast, view)
    fill(110)
    assert queries(cast, view) == few
    assert few <= 12
