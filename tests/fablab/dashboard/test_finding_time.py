"""Finding time: the hour first, places counted and never called plates or files, and a next step in each refusal."""

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from equipment.bookings.models import Booking, OpenUse
from equipment.bookings.states import BookingState
from equipment.machines.models import Machine, MachineKind
from equipment.sites.models import Site
from equipment.sites.states import Role
from fablab.core.clock import local_time
from fablab.people.models import User
from fablab.people.states import AgeBand
from tests.builders import ALWAYS, make_booking, make_kind, make_machine, make_person, make_present, make_site
from tests.fablab.dashboard.lab import text_of

pytestmark = pytest.mark.django_db
SLOT = re.compile(r'name="slot" value="([^"]+)"')
NOT_OF_PLACES = re.compile(r"plateau|vider|fichier|file d|imprim|buse|cadre|file d’attente", re.IGNORECASE)


def tomorrow(hour: int) -> datetime:
    return (timezone.now() + timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0)


def slot(machine: Machine, start: datetime) -> str:
    return f"{machine.pk}|{start.isoformat()}|{(start + timedelta(hours=1)).isoformat()}"


@pytest.fixture
def site() -> Site:
    return make_site("Ici", opens=ALWAYS)


@pytest.fixture
def person(site: Site, client: Client) -> User:
    found = make_person("lea", site=site)
    client.force_login(found)
    return found


def make_tables(site: Site, count: int, kind: MachineKind | None = None) -> list[Machine]:
    kind = kind or make_kind(
        "table",
        names={"fr": "Table de couture"},
        icon="sewing",
        takes_files=False,
        needs_plate=False,
        remote_start=False,
    )
    return [make_machine(site, f"Table {number}", kind=kind) for number in range(1, count + 1)]


def main_of(page: str) -> str:
    return page.split("<main", 1)[1].split("</main>", 1)[0]


def test_the_hour_first_offers_one_time_of_each_kind_and_books_it(client: Client, person: User) -> None:
    site = Site.objects.get()
    printer = make_machine(site, "Ada", kind=make_kind("fdm", names={"fr": "Imprimante"}))
    make_tables(site, 3)
    make_machine(site, kind=make_kind("laser", names={"fr": "Laser"}, needs_certificate=True))
    busy = make_machine(site, kind=make_kind("press", names={"fr": "Presse"}))
    noon = tomorrow(12)
    day = local_time(noon, site.time_zone).date()
    make_booking(busy, start=noon - timedelta(hours=12), end=noon + timedelta(hours=30))
    first = text_of(client.get("/reserver/"))
    assert f"/quand/?jour={day}&amp;moment=apres-midi" in first
    page = text_of(client.get(f"/quand/?jour={day}&moment=apres-midi"))
    assert page.count("12 h – 13 h") == 2, "two kinds from the beginning of the afternoon"
    assert "Ada" in page
    assert "3 libres sur 3" in page
    assert "Presse" in page.split("Pas libre à ce moment")[1].split("</ul>")[0]
    assert "Laser" in page.split("D’abord la formation")[1].split("</ul>")[0]
    typed = text_of(client.get(f"/quand/?jour={day}&heure=14:30"))
    offered = [value for value in SLOT.findall(typed) if value.startswith(printer.pk)]
    start = local_time(datetime.fromisoformat(offered[0].split("|")[1]), site.time_zone)
    assert (start.date(), start.hour, start.minute) == (day, 14, 30)
    answer = client.post("/quand/confirmer/", {"slot": offered[0], "jour": str(day), "heure": "14:30"})
    assert answer.status_code == 303
    assert Booking.objects.get(person=person).machine == printer
    # A lost one keeps the wish, says so, and offers others.
    make_booking(printer, start=noon + timedelta(hours=6))
    lost = client.post(
        "/quand/confirmer/",
        {"slot": slot(printer, noon + timedelta(hours=6)), "jour": str(day), "moment": "soir"},
    )
    assert lost.status_code == 409
    page = text_of(lost)
    assert "Quelqu’un vient de prendre ce créneau." in page
    assert f'name="jour" value="{day}"' in page
    assert 'name="moment" value="soir"' in page
    assert len(SLOT.findall(page.split('id="near"')[1].split('id="slots"')[0])) == 3


@pytest.mark.parametrize(
    "given", ["", "?jour=2026-02-31", "?jour=demain&moment=nuit", "?jour=0001-01-01&heure=25:99", "?heure=7"]
)
def test_a_wish_that_makes_no_sense_is_today(client: Client, person: User, given: str) -> None:
    make_tables(Site.objects.get(), 1)
    answer = client.get(f"/quand/{given}")
    assert answer.status_code == 200
    assert client.post("/quand/confirmer/", {"slot": "x"}).status_code == 400
    assert client.get("/quand/confirmer/").status_code == 303


def test_several_places_are_one_entry_counted_and_nobody_chooses_which(client: Client, person: User) -> None:
    site = Site.objects.get()
    tables = make_tables(site, 8)
    now = timezone.now()
    for table in tables[:2]:
        make_booking(table, start=now - timedelta(minutes=10))
    Machine.objects.filter(pk=tables[2].pk).update(out_of_order_since=now)
    for address in ("/", "/reserver/"):
        page = main_of(text_of(client.get(address)))
        assert page.count("5 libres sur 8") == 1, address
        assert "Table 4" not in page
    page = text_of(client.get("/reserver/table/"))
    assert "Choisir la machine" not in page
    assert "7 libres" in page, "once those who are there have gone"
    chosen = SLOT.findall(page)[-1]
    machine_id, start, _end = chosen.split("|")
    make_booking(Machine.objects.get(pk=machine_id), start=datetime.fromisoformat(start))
    answer = client.post("/reserver/table/confirmer/", {"slot": chosen})
    assert answer.status_code == 303, "somebody was quicker, and another table is free"
    again = client.post("/reserver/table/confirmer/", {"slot": chosen})
    assert again.status_code == 409, "their own booking is in the way now"
    near = text_of(again).split('id="near"')[1].split("<details")[0]
    assert len(SLOT.findall(near)) == 3
    assert "libre" not in near, "of these only a few are known: nothing is counted"
    assert Booking.objects.get(person=person).machine_id != machine_id


def test_boards_show_several_places_as_one_tile_with_the_state_of_each(client: Client, site: Site) -> None:
    tables = make_tables(site, 13)
    make_machine(site, "Ada", kind=make_kind("fdm"))
    Machine.objects.filter(pk=tables[3].pk).update(out_of_order_since=timezone.now())
    make_booking(tables[5], start=timezone.now() - timedelta(minutes=5), state=BookingState.IN_USE)
    client.force_login(make_person("karim", Role.STAFF, site=site))
    tile = text_of(client.get("/machines/")).split('id="kind-table"')[1].split("</article>")[0]
    assert "11 libres sur 13" in tile
    assert [tile.count(word) for word in (">Libre<", ">Occupée<", ">En panne<")] == [11, 1, 1]
    assert all(f'href="/m/{one.pk}/"' in tile and f"machines.{one.pk}.state" in tile for one in tables)
    wall = text_of(client.get("/machines/ecran/"))
    assert wall.count("board-tile ") == 2, "thirteen tables and a printer"
    assert "11 libres sur 13" in wall
    Machine.objects.filter(model__kind=tables[0].model.kind_id).update(out_of_order_since=timezone.now())
    assert "En panne" in text_of(client.get("/machines/ecran/")).split('id="kind-table"')[1].split("<h2>")[0]


def test_pages_of_a_place_never_speak_of_plates_files_or_queues(client: Client, site: Site) -> None:
    (table,) = make_tables(site, 1)
    member, staff = make_person("lea", site=site), make_person("karim", Role.STAFF, site=site)
    make_present(staff, site, at=timezone.now())
    for reader in (member, staff):
        client.force_login(reader)
        for address in (
            f"/m/{table.pk}/",
            f"/machines/{table.pk}/",
            f"/m/{table.pk}/maintenant/",
            "/reserver/table/",
        ):
            answer = client.get(address)
            assert answer.status_code == 200
            found = NOT_OF_PLACES.findall(main_of(text_of(answer)))
            assert not found, (reader.display_name, address, found)
    tile = text_of(client.get("/machines/")).split(f'id="machine-{table.pk}"')[1].split("</article>")[0]
    assert "Libre" in tile
    assert not NOT_OF_PLACES.search(tile)
    assert not NOT_OF_PLACES.search(main_of(text_of(client.get("/machines/ecran/"))))
    for action, word in (("in-use", "Occupée"), ("free", "Libre"), ("out-of-order", "En panne")):
        client.post(f"/m/{table.pk}/faire/{action}/")
        band = text_of(client.get(f"/m/{table.pk}/")).split('id="state"')[1].split("card-body")[0]
        assert word in band


def test_free_now_is_not_said_to_a_minor_while_no_instructor_is_there(client: Client, site: Site) -> None:
    make_tables(site, 1)
    for band, said in ((AgeBand.FROM_26, True), (AgeBand.UNDER_15, False)):
        client.force_login(make_person(site=site, age_band=band))
        assert ("Libre maintenant" in text_of(client.get("/reserver/"))) is said
        assert ("Libre maintenant" in text_of(client.get("/"))) is said
        page = text_of(client.get("/reserver/table/"))
        assert ("Il faut un animateur. Demande quand il est là." in page) is not said
        assert bool(SLOT.search(page)) is said


def test_ones_own_other_booking_can_be_set_aside_in_one_tap_and_nothing_is_lost(
    client: Client, person: User
) -> None:
    site = Site.objects.get()
    kind = make_kind("fdm")
    mine, wanted = make_machine(site, kind=kind), make_machine(site, kind=kind)
    start = tomorrow(10)
    make_booking(mine, person, start=start)
    form = {"slot": slot(wanted, start), "minutes": "60", "jour": str(start.date()), "machine": wanted.pk}
    refused = client.post("/reserver/fdm/confirmer/", form)
    assert refused.status_code == 409
    anyway = text_of(refused).split('id="anyway"')[1].split("</form>")[0]
    assert "Réserver quand même" in anyway
    again = dict(re.findall(r'name="(\w+)" value="([^"]*)"', anyway))
    assert {name: again[name] for name in form} == form
    assert client.post("/reserver/fdm/confirmer/", again).status_code == 303
    made = Booking.objects.get(machine=wanted)
    assert [(one["code"], one["by"]) for one in made.overrides] == [("person_busy", person.pk)]


@pytest.mark.parametrize(
    ("fields", "sentence", "leads_to"),
    [
        ({"weekly_minutes": 90}, "Il te reste 30 min cette semaine.", "/reserver/fdm/?minutes=30"),
        ({"weekly_minutes": 60}, "Tes heures reviennent lundi.", "/reservations/"),
        ({"open_bookings": 1}, "Rends une réservation, puis reviens ici.", "/reservations/"),
        ({"needs_certificate": True}, "Un animateur te forme sur place.", "/aide/"),
        ({"needs_instructor": True}, "Demande quand un animateur est là.", "/aide/"),
    ],
)
def test_each_refusal_says_what_to_do_next(
    client: Client, person: User, fields: dict[str, int], sentence: str, leads_to: str
) -> None:
    site = Site.objects.get()
    machine = make_machine(site, kind=make_kind("fdm", **fields))
    start = tomorrow(10)
    same_week = start if start.weekday() > 0 else start + timedelta(days=1)
    make_booking(machine, person, start=same_week + timedelta(hours=3))
    form = {"slot": slot(machine, same_week)}
    for address in ("/reserver/fdm/confirmer/", "/quand/confirmer/"):
        answer = client.post(address, form)
        assert answer.status_code == 409
        page = main_of(text_of(answer))
        assert sentence in page
        assert f'href="{leads_to}' in page
    assert Booking.objects.count() == 1


def test_open_use_is_counted_in_one_tap_from_the_board(client: Client, site: Site) -> None:
    (table,) = make_tables(site, 1)
    client.force_login(make_person("karim", Role.STAFF, site=site))
    assert 'href="/compter/"' in client.get("/machines/").content.decode()
    kind = table.model.kind_id
    for by, number in (("1", 1), ("1", 2), ("-1", 1)):
        assert client.post(f"/compter/{kind}/", {"by": by}).status_code == 303
        assert f"{number} aujourd’hui" in text_of(client.get("/compter/"))
    assert OpenUse.objects.get().count == 1


def test_the_page_of_an_hour_takes_as_many_queries_for_three_machines_as_for_a_hundred_and_ten(
    client: Client, person: User
) -> None:
    site = Site.objects.get()
    kind = make_tables(site, 1)[0].model.kind
    make_machine(site, kind=make_kind("fdm", needs_instructor=True))
    make_machine(site, kind=make_kind("laser"))
    with CaptureQueriesContext(connection) as few:
        client.get("/quand/")
    for number in range(107):
        make_machine(site, f"Poste {number}", kind=kind)
    with CaptureQueriesContext(connection) as many:
        assert client.get("/quand/").status_code == 200
    assert len(many) == len(few)


def test_who_walks_up_has_the_machine_until_their_own_next_booking_and_decides_about_one_that_runs(
    client: Client, person: User
) -> None:
    table, other, third = make_tables(Site.objects.get(), 3)
    now = timezone.now().replace(microsecond=0)
    running = make_booking(other, person, start=now - timedelta(minutes=30))
    soon = make_booking(other, person, start=now + timedelta(minutes=70))
    refused = client.post(f"/m/{table.pk}/maintenant/")
    assert refused.status_code == 409
    assert "Tu as déjà une réservation à cette heure." in text_of(refused)
    anyway = text_of(refused).split('id="anyway"')[1].split("</form>")[0]
    assert 'name="anyway" value="1"' in anyway
    assert "Réserver quand même" in anyway
    assert client.post(f"/m/{table.pk}/maintenant/", {"anyway": "1"}).status_code == 303
    running.delete()
    Booking.objects.filter(machine=table).delete()
    assert client.post(f"/m/{third.pk}/maintenant/").status_code == 303
    assert Booking.objects.get(machine=third).end == soon.start
    # A kind of which an hour is left this week is had for an hour.
    kind = make_kind("salle", takes_files=False, needs_plate=False, weekly_minutes=60, min_minutes=15)
    Booking.objects.all().delete()
    room = make_machine(Site.objects.get(), kind=kind)
    assert client.post(f"/m/{room.pk}/maintenant/").status_code == 303
    used = Booking.objects.get(machine=room)
    assert used.end - used.start == timedelta(minutes=60)
