"""Séries et ateliers on the pages: look at every date, say what to do, make it; change or end what follows."""

import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from equipment.bookings.models import Booking, Series
from equipment.bookings.states import BookingState
from fablab.core.clock import local_day, local_to_utc
from tests.builders import make_booking, make_closure, make_machine
from tests.builders_jobs import Cast
from tests.fablab.dashboard.lab import as_, text_of

pytestmark = pytest.mark.django_db


def in_a_week(cast: Cast) -> date:
    return local_day(timezone.now(), cast.site.time_zone) + timedelta(days=7)


def instant(cast: Cast, day: date, hour: int) -> datetime:
    return local_to_utc(datetime.combine(day, datetime.min.time()).replace(hour=hour), cast.site.time_zone)


def form(cast: Cast, **more: Any) -> dict[str, Any]:
    first = in_a_week(cast)
    return {
        "voir": "1", "machines": [cast.machine.pk], "title": "Atelier broderie", "first": first.isoformat(),
        "last": (first + timedelta(weeks=3)).isoformat(), "starts": "14:00", "ends": "16:00", **more,
    }  # fmt: skip


def hidden(page: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="([^"]*)"', page)


def test_a_workshop_is_made_after_a_look_at_its_dates_with_a_choice_for_each_kind_of_conflict(
    cast: Cast,
) -> None:
    first, staff = in_a_week(cast), as_(cast.person("staff"))
    taken = make_booking(cast.machine, cast.person("owner"), start=instant(cast, first, 15))
    make_closure(cast.site, first + timedelta(weeks=1))
    page = text_of(staff.get("/series/nouvelle/", form(cast)))
    assert "Déjà réservé. (1)" in page
    assert "Le fab lab est fermé à cette heure. (1)" in page
    assert f"{cast.person('owner').display_name}, 15 h – 16 h" in page
    assert hidden(page, "vu") == [taken.pk]
    assert hidden(page, "title") == ["Atelier broderie"]
    assert not Series.objects.exists()

    asked = form(cast, vu=[taken.pk])
    refused = staff.post("/series/nouvelle/", asked)
    assert refused.status_code == 409
    assert 'value="Atelier broderie"' in text_of(refused)
    assert "Rien n’est réservé." in text_of(refused)

    chosen = {
        "choix-slot_taken": "cancel",
        "choix-site_closed": "skip",
        "sauf": [(first + timedelta(weeks=2)).isoformat()],
    }
    made = staff.post("/series/nouvelle/", {**asked, **chosen}, follow=True)
    assert made.redirect_chain[0][1] == 303
    assert "2 réservations faites, 1 date laissée de côté, 1 annulée, la personne est prévenue" in text_of(
        made
    )
    assert Booking.objects.filter(title="Atelier broderie", state=BookingState.CONFIRMED).count() == 2
    assert "Atelier broderie" in text_of(staff.get("/series/"))
    date_page = text_of(staff.get(f"/reservations/{Booking.objects.exclude(title='').latest('start').pk}/"))
    assert "Atelier broderie" in date_page and f"/series/{Series.objects.get().pk}/" in date_page
    assert "/series/" in text_of(staff.get("/calendrier/"))


def test_a_rule_is_set_aside_with_a_reason_or_not_at_all(cast: Cast) -> None:
    make_closure(cast.site, in_a_week(cast), in_a_week(cast) + timedelta(weeks=4))
    staff = as_(cast.person("staff"))
    without = staff.post("/series/nouvelle/", form(cast, **{"choix-site_closed": "override"}))
    assert (without.status_code, "Écris pourquoi tu passes outre." in text_of(without)) == (400, True)
    staff.post("/series/nouvelle/", form(cast, **{"choix-site_closed": "override", "why": "Portes ouvertes"}))
    assert {one.overrides[0]["reason"] for one in Booking.objects.exclude(title="")} == {"Portes ouvertes"}
    assert "Passer outre" not in text_of(as_(cast.person("instructor")).get("/series/nouvelle/", form(cast)))


def test_everything_that_is_wrong_is_said_at_once_and_what_was_typed_stays(cast: Cast) -> None:
    wrong = {
        "voir": "1", "title": "Atelier", "first": "", "last": "demain", "starts": "", "ends": "25:00", "every": "x",
        "machines": ["nothing"],
    }  # fmt: skip
    page = as_(cast.person("staff")).get("/series/nouvelle/", wrong)
    text = text_of(page)
    assert page.status_code == 400
    assert text.count("Choisis un jour.") == 4  # both fields, and the summary of each
    assert text.count("Choisis une heure.") == 4
    assert 'value="Atelier"' in text
    senseless = form(cast, starts="16:00", ends="14:00", last="9999-12-31", every="99", weekdays=["9"])
    text = text_of(as_(cast.person("staff")).get("/series/nouvelle/", senseless))
    for sentence in (
        "La fin vient après le début, au plus tard le lendemain.",
        "Choisis une année entre 1970 et 2200.",
        "Choisis entre 1 et 52 semaines.",
        "Choisis au moins un jour de la semaine.",
    ):
        assert sentence in text


def test_what_follows_is_changed_after_a_look_and_ended(cast: Cast) -> None:
    staff = as_(cast.person("instructor"))
    staff.post("/series/nouvelle/", form(cast))
    series = Series.objects.get()
    second = (in_a_week(cast) + timedelta(weeks=1)).isoformat()
    change = {
        "voir": "1",
        "first": second,
        "starts": "17:00",
        "ends": "18:00",
        "decalage": "1",
        "machines": [cast.machine.pk],
    }
    page = text_of(staff.get(f"/series/{series.pk}/changer/", change))
    assert page.count("17 h – 18 h") == 3
    staff.post(f"/series/{series.pk}/changer/", change)
    later = Series.objects.exclude(pk=series.pk).get()
    assert later.bookings.count() == 3
    assert later.weekdays == [(series.weekdays[0] + 1) % 7]
    assert "17:00 – 18:00" in text_of(staff.get(f"/series/{later.pk}/"))
    ended = staff.post(f"/series/{later.pk}/arreter/", {"from_day": second}, follow=True)
    assert "3 réservations annulées" in text_of(ended)
    assert text_of(staff.get("/series/")).count("Atelier broderie") == 1


def test_the_pages_cost_as_many_queries_for_many_series_and_dates_as_for_one(cast: Cast) -> None:
    staff = as_(cast.person("staff"))

    def queries(address: str, **query: Any) -> int:
        staff.get(address, query)
        with CaptureQueriesContext(connection) as found:
            assert staff.get(address, query).status_code == 200
        return len(found)

    staff.post("/series/nouvelle/", form(cast, last=in_a_week(cast).isoformat()))
    series = Series.objects.get()
    pages = ["/series/", f"/series/{series.pk}/", f"/series/{series.pk}/changer/"]
    look = form(cast, last=in_a_week(cast).isoformat(), machines=[cast.machine.pk])
    few = [queries(page) for page in pages] + [queries("/series/nouvelle/", **look)]
    for number in range(4):
        machine = make_machine(cast.site, model=cast.model)
        more = form(
            cast, machines=[machine.pk], last=(in_a_week(cast) + timedelta(weeks=number + 3)).isoformat()
        )
        staff.post("/series/nouvelle/", more)
        series.machines.add(machine)
        make_booking(machine, cast.person("staff"), start=instant(cast, in_a_week(cast), 20), series=series)
    look = form(
        cast, weekdays=["0", "1", "2"], machines=list(cast.site.machines.values_list("pk", flat=True))
    )
    assert [queries(page) for page in pages] + [queries("/series/nouvelle/", **look)] == few
