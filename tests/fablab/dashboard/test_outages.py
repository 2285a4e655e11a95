"""Outages and closed days on pages, without scripts: seen beforehand whom they hit, told, offered other times."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from equipment.bookings import hit
from equipment.bookings.states import BookingState
from equipment.machines.models import Machine, Outage
from equipment.machines.photos import path_of
from equipment.sites.models import Closure
from tests.builders import make_booking
from tests.builders_jobs import clear, make_linked_machine
from tests.fablab.dashboard.lab import as_, open_lab, text_of
from tests.fablab.dashboard.pictures import WHERE, a_photo

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")


def test_who_plans_an_outage_sees_first_whom_it_hits_and_each_of_them_is_told() -> None:
    cast, now = open_lab()
    day = (now.astimezone(PARIS) + timedelta(days=3)).date()
    begin = datetime(day.year, day.month, day.day, 10, tzinfo=PARIS)
    booking = make_booking(cast.machine, cast.person("owner"), start=begin + timedelta(hours=1))
    make_booking(cast.machine, cast.person("other_member"), start=begin + timedelta(hours=3))
    staff, owner = as_(cast.person("staff")), as_(cast.person("owner"))
    address = f"/machines/{cast.machine.pk}/arrets/"
    times = {"start": f"{day}T10:00", "end": f"{day}T12:30"}
    shown = text_of(staff.get(address, times))
    assert "1 réservation est touchée." in shown
    assert cast.person("owner").display_name in shown
    assert cast.person("other_member").display_name not in shown
    assert not Outage.objects.exists()
    assert staff.post(f"{address}upload/", {**times, "reason": ""}).status_code == 400
    assert staff.post(f"{address}upload/", {**times, "reason": "Révision"}).status_code == 303
    outage = Outage.objects.get()
    assert (outage.end, outage.reason) == (begin + timedelta(hours=2.5), "Révision")
    assert f"{cast.machine.name} sera arrêtée." in text_of(owner.get("/"))
    page = text_of(owner.get(f"/reservations/{booking.pk}/empechee/"))
    assert "Ta réservation ne peut pas avoir lieu" in page
    assert "Révision" in page
    assert "Révision" in text_of(owner.get(f"/machines/{cast.machine.pk}/"))
    assert staff.post(f"{address}{outage.pk}/finir/", {}).status_code == 303
    assert "sera arrêtée" not in text_of(owner.get("/"))
    assert "Ta réservation peut avoir lieu." in text_of(owner.get(f"/reservations/{booking.pk}/empechee/"))


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        ("", "", "Donne le jour et l’heure."),
        ("2199-01-01T12:00", "2199-01-01T10:00", "La fin de l’arrêt vient après le début."),
        ("2020-01-01T10:00", "2020-01-01T12:00", "Cette heure est déjà passée."),
        ("2199-01-01T10:00", "2200-12-01T10:00", "Au plus 366 jours à la fois."),
        ("2031-03-30T02:30", "2031-03-30T12:00", "Cette heure n’existe pas ce jour-là. Essaie 03:00."),
    ],
)
def test_a_time_that_makes_no_sense_leaves_the_form_as_it_was(start: str, end: str, sentence: str) -> None:
    cast, _now = open_lab()
    answer = as_(cast.person("staff")).get(
        f"/machines/{cast.machine.pk}/arrets/", {"start": start, "end": end}
    )
    assert answer.status_code == 400
    assert sentence in text_of(answer)
    assert f'value="{end}"' in text_of(answer)
    assert "Confirmer l’arrêt" not in text_of(answer)


def test_another_time_is_one_tap_away_and_the_old_one_goes_only_when_it_is_had() -> None:
    cast, now = open_lab()
    other = make_linked_machine(cast.site, cast.model, at=now, name="Bleue")
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=26)
    booking = make_booking(cast.machine, cast.person("owner"), start=start)
    mine = make_booking(other, cast.person("owner"), start=start + timedelta(hours=2))
    hit.plan_outage(
        cast.machine.pk,
        start=start,
        end=start + timedelta(hours=4),
        reason="Courroie",
        actor=cast.person("staff"),
        at=now,
    )
    owner = as_(cast.person("owner"))
    address = f"/reservations/{booking.pk}/empechee/"
    ways = owner.get(address).context["ways"]
    assert [way["label"].split(" · ")[0] for way in ways] == ["Bleue", "Bleue", cast.machine.name]
    assert all(str(mine.start.isoformat()) not in way["fields"]["slot"] for way in ways)
    make_booking(other, cast.person("other_member"), start=start)
    refused = owner.post(ways[0]["url"], ways[0]["fields"])
    assert refused.status_code == 409
    assert "Ta réservation ne peut pas avoir lieu" in text_of(refused)
    booking.refresh_from_db()
    assert booking.state == BookingState.CONFIRMED
    back = next(way for way in refused.context["ways"] if way["label"].startswith(cast.machine.name))
    assert owner.post(back["url"], back["fields"]).status_code == 303
    booking.refresh_from_db()
    assert (booking.state, booking.start) == (BookingState.CONFIRMED, start + timedelta(hours=4))


def test_the_page_of_ways_out_asks_the_same_whatever_is_booked_and_however_many_machines_there_are() -> None:
    cast, now = open_lab()
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=26)
    booking = make_booking(cast.machine, cast.person("owner"), start=start)
    make_linked_machine(cast.site, cast.model, at=now, name="Bleue")
    hit.close_site(
        site_id=cast.site.pk,
        first_day=start.date(),
        last_day=start.date(),
        actor=cast.person("staff"),
        at=now,
    )
    owner, staff = as_(cast.person("owner")), as_(cast.person("staff"))
    pages = {
        owner: f"/reservations/{booking.pk}/empechee/",
        staff: f"/fermetures/?first_day={start.date()}",
    }
    asked: dict[str, int] = {}
    for number in (2, 30):
        for client, address in pages.items():
            client.get(address)
            with CaptureQueriesContext(connection) as seen:
                assert client.get(address).status_code == 200
            assert asked.setdefault(address, len(seen)) == len(seen), (address, number)
        for more in range(30 if number == 2 else 0):
            machine = make_linked_machine(cast.site, cast.model, at=now, name=f"M{more}")
            make_booking(machine, cast.person("owner"), start=start + timedelta(hours=1 + more))


def test_no_machine_looks_free_during_its_outage_and_each_page_says_why() -> None:
    cast, now = open_lab()
    owner, staff = as_(cast.person("owner")), as_(cast.person("staff"))
    clear(cast.machine, at=now)
    pages: dict[str, Callable[[], Any]] = {
        "home": lambda: owner.get("/"),
        "machine": lambda: owner.get(f"/machines/{cast.machine.pk}/"),
        "code": lambda: owner.get(f"/m/{cast.machine.pk}/"),
        "kinds": lambda: owner.get("/reserver/"),
        "kind": lambda: owner.get(f"/reserver/{cast.kind.slug}/"),
        "board": lambda: staff.get("/machines/"),
        "screen": lambda: staff.get("/machines/ecran/"),
        "calendar": lambda: staff.get("/calendrier/"),
    }
    free_now = ("Libre<", "Libre maintenant", "tout de suite", "Tout de suite", "Je l’utilise maintenant")
    for name in ("home", "kinds", "code"):
        assert any(word in text_of(pages[name]()) for word in free_now), name
    Outage.objects.create(
        machine=cast.machine,
        start=now - timedelta(minutes=5),
        end=now + timedelta(hours=30),
        reason="Révision annuelle",
    )
    for name, page in pages.items():
        said = text_of(page())
        assert not any(word in said for word in free_now), name
        if name not in {"kinds", "kind", "calendar"}:
            assert "En panne" in said, name
            assert name == "screen" or "Révision annuelle" in said, name
    assert staff.post(f"/machines/{cast.machine.pk}/faire/back-in-service/", {}).status_code == 303
    assert "Libre" in text_of(pages["home"]())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_drawn_anew_without_what_came_beside_it_and_seen_by_the_people_of_the_place(
    kind: str,
) -> None:
    cast, now = open_lab()
    staff, owner = as_(cast.person("staff")), as_(cast.person("owner"))
    address = f"/machines/{cast.machine.pk}/arrets/"
    until = f"{(now.astimezone(PARIS) + timedelta(days=2)).date()}T09:00"
    answer = staff.post(f"{address}upload/", {"reason": "Fuite", "until": until, "photo": a_photo(kind)})
    assert answer.status_code == 303
    outage = Outage.objects.get()
    assert (outage.end, outage.expected_end is not None) == (None, True)
    again = f"{(now.astimezone(PARIS) + timedelta(days=3)).date()}T09:00"
    assert staff.post(f"{address}{outage.pk}/retour/", {"until": again}).status_code == 303
    assert outage.expected_end != Outage.objects.get().expected_end
    path = path_of(outage.photo)
    with Image.open(path) as drawn:
        assert (drawn.format, max(drawn.size), dict(drawn.getexif())) == ("JPEG", 1280, {})
    assert WHERE.encode() in a_photo(kind).read()
    assert WHERE.encode() not in path.read_bytes()
    photo = f"{address}{outage.pk}/photo/"
    page = text_of(owner.get(f"/machines/{cast.machine.pk}/"))
    assert photo in page
    assert "Retour prévu : " in page
    assert photo in text_of(owner.get(f"/m/{cast.machine.pk}/"))
    assert bytes(owner.get(photo).getvalue())[:3] == b"\xff\xd8\xff"
    assert as_(cast.person("elsewhere")).get(photo).status_code == 404
    assert staff.post(f"{address}{outage.pk}/upload/", {"photo": a_photo()}).status_code == 303
    assert not path.exists()  # the second took its place
    assert staff.post(f"{address}{outage.pk}/finir/", {}).status_code == 303
    assert owner.get(photo).status_code == 404
    answer = staff.get(photo)
    assert answer.status_code == 200
    answer.close()


def test_what_is_no_picture_is_refused_at_its_field_and_leaves_nothing_behind() -> None:
    cast, _now = open_lab()
    staff = as_(cast.person("staff"))
    folder = path_of("0" * 14 + ".jpg").parent
    before = set(folder.glob("*.jpg"))
    wrong = SimpleUploadedFile("x.jpg", b"\xff\xd8\xff not a picture")
    answer = staff.post(
        f"/machines/{cast.machine.pk}/arrets/upload/", {"reason": "Fuite d’huile", "photo": wrong}
    )
    assert answer.status_code == 400
    assert "Cette photo ne se lit pas." in text_of(answer)
    assert 'value="Fuite d’huile"' in text_of(answer)
    assert not Outage.objects.exists()
    machine = Machine.objects.get(pk=cast.machine.pk)
    assert machine.out_of_order_since is None
    good = staff.post(f"/machines/{cast.machine.pk}/arrets/upload/", {"reason": "", "photo": a_photo()})
    assert good.status_code == 400
    assert set(folder.glob("*.jpg")) == before


def test_staff_close_days_see_whom_it_hits_and_open_again() -> None:
    cast, now = open_lab()
    staff, owner = as_(cast.person("staff")), as_(cast.person("owner"))
    start = now + timedelta(days=4)
    day = start.astimezone(PARIS).date()
    booking = make_booking(cast.machine, cast.person("owner"), start=start)
    page = text_of(staff.get("/fermetures/", {"first_day": str(day)}))
    assert "1 réservation est touchée." in page
    assert staff.post("/fermetures/fermer/", {"first_day": str(day), "reason": "Pont"}).status_code == 303
    closure = Closure.objects.get()
    assert (closure.first_day, closure.last_day, closure.reason) == (day, day, "Pont")
    assert "Fermé ce jour-là" in text_of(owner.get("/"))
    assert "Réservé, mais le lieu sera fermé" in text_of(owner.get("/reservations/"))
    assert "Pont" in text_of(owner.get(f"/reservations/{booking.pk}/empechee/"))
    instructor = as_(cast.person("instructor"))
    assert "Pont" in text_of(instructor.get("/fermetures/"))
    assert "Fermer le lieu" not in text_of(instructor.get("/fermetures/"))
    for given, sentence in (
        ({"first_day": ""}, "Donne le jour."),
        ({"first_day": "2030-05-02", "last_day": "2030-05-01"}, "Le dernier jour vient après le premier."),
        ({"first_day": "2020-05-02"}, "Ces jours sont déjà passés."),
    ):
        refused = staff.post("/fermetures/fermer/", {**given, "reason": "Pont"})
        assert (refused.status_code, sentence in text_of(refused)) == (400, True), given
    assert staff.post(f"/fermetures/{closure.pk}/rouvrir/", {}).status_code == 303
    assert "Fermé ce jour-là" not in text_of(owner.get("/"))


def test_a_workshop_that_goes_to_another_machine_keeps_its_name() -> None:
    cast, now = open_lab()
    other = make_linked_machine(cast.site, cast.model, at=now, name="Bleue")
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=26)
    booking = make_booking(cast.machine, cast.person("instructor"), start=start, title="Atelier vases")
    hit.put_out_of_order(cast.machine.pk, actor=cast.person("staff"), reason="Fuite", at=now)
    instructor = as_(cast.person("instructor"))
    (way, *_) = instructor.get(f"/reservations/{booking.pk}/empechee/").context["ways"]
    assert instructor.post(way["url"], way["fields"]).status_code == 303
    assert other.bookings.get().title == "Atelier vases"
