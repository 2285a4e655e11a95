"""Announced power cuts, hit bookings, messages and the clock on pages, without scripts."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from equipment.bookings import hit
from equipment.sites.models import PowerCut
from fablab.core.models import Witness
from fablab.notices.models import Notice
from fablab.notices.services import tell
from tests.builders import make_booking
from tests.builders_jobs import clear
from tests.fablab.dashboard.lab import as_, open_lab, text_of

pytestmark = pytest.mark.django_db


def test_staff_announce_a_power_cut_on_the_places_clock_and_take_it_back() -> None:
    cast, now = open_lab()
    staff = as_(cast.person("staff"))
    day = (now.astimezone(ZoneInfo("Europe/Paris")) + timedelta(days=3)).date()
    given = {"start": f"{day}T10:00", "end": f"{day}T12:30", "reason": "Travaux"}
    assert staff.post("/coupures/annoncer/", given).status_code == 303
    cut = PowerCut.objects.get()
    assert f"{cut.start.astimezone(ZoneInfo('Europe/Paris')):%H:%M}" == "10:00"
    page = text_of(staff.get("/coupures/"))
    assert "10 h – 12 h 30" in page
    assert "Travaux" in page
    assert "En annoncer une" not in text_of(as_(cast.person("instructor")).get("/coupures/"))
    assert staff.post(f"/coupures/{cut.pk}/annuler/", {}).status_code == 303
    assert not PowerCut.objects.exists()


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        ("", "2199-01-01T10:00", "Donne le jour et l’heure."),
        ("2199-01-01T12:00", "2199-01-01T10:00", "La fin de la coupure vient après le début."),
        ("2020-01-01T10:00", "2020-01-01T12:00", "Cette coupure est déjà passée."),
    ],
)
def test_a_cut_that_makes_no_sense_leaves_the_form_as_it_was(start: str, end: str, sentence: str) -> None:
    cast, _now = open_lab()
    given = {"start": start, "end": end, "reason": "Travaux"}
    answer = as_(cast.person("staff")).post("/coupures/annoncer/", given)
    assert answer.status_code == 400
    assert sentence in text_of(answer)
    assert 'value="Travaux"' in text_of(answer)
    assert f'value="{end}"' in text_of(answer)


def test_a_booking_whose_machine_goes_out_of_order_says_so_everywhere_and_offers_other_times() -> None:
    cast, now = open_lab()
    booking = make_booking(cast.machine, cast.person("owner"), start=now + timedelta(days=1))
    owner, staff = as_(cast.person("owner")), as_(cast.person("staff"))
    staff.post(f"/machines/{cast.machine.pk}/faire/out-of-order/", {"reason": "La buse est bouchée."})
    for address in ("/", "/reservations/", f"/reservations/{booking.pk}/"):
        page = text_of(owner.get(address))
        assert "Réservé, mais la machine est en panne" in page, address
        assert f'href="/reservations/{booking.pk}/empechee/"' in page
    assert f"{cast.machine.name} est en panne. Ta réservation : demain," in text_of(owner.get("/"))
    staff.post(f"/machines/{cast.machine.pk}/faire/back-in-service/", {})
    assert "en panne" not in text_of(owner.get("/"))


def test_while_an_announced_power_cut_lasts_the_first_page_says_until_when() -> None:
    cast, now = open_lab()
    member = as_(cast.person("owner"))
    PowerCut.objects.create(site=cast.site, start=now - timedelta(hours=1), end=now + timedelta(hours=1))
    assert "Coupure de courant jusqu’à" in text_of(member.get("/"))
    PowerCut.objects.update(end=now - timedelta(minutes=1))
    assert "Coupure de courant" not in text_of(member.get("/"))


def test_a_booking_in_an_announced_power_cut_says_so() -> None:
    cast, now = open_lab()
    booking = make_booking(cast.machine, cast.person("owner"), start=now + timedelta(days=1))
    hit.announce_power_cut(
        site_id=cast.site.pk, start=booking.start, end=booking.end, actor=cast.person("staff"), at=now
    )
    assert "Réservé, mais le courant sera coupé" in text_of(as_(cast.person("owner")).get("/reservations/"))


def test_messages_are_counted_in_the_menu_until_each_was_seen_by_its_person() -> None:
    cast, now = open_lab()
    owner, other = as_(cast.person("owner")), as_(cast.person("other_member"))
    for number in (1, 2):
        tell([cast.person("owner").pk], "job_ready", {"title": f"Vase {number}"}, key=f"k{number}", at=now)
    assert '<span class="nav-count"><bdi>2</bdi></span>' in text_of(owner.get("/objets/"))
    first = Notice.objects.first()
    assert first is not None
    assert other.post(f"/messages/{first.pk}/vu/", {}).status_code == 404
    assert owner.post(f"/messages/{first.pk}/vu/", {}).status_code == 303
    assert '<span class="nav-count"><bdi>1</bdi></span>' in text_of(owner.get("/objets/"))
    assert "Vase 1" not in text_of(other.get("/"))


def test_a_page_with_an_old_time_confirms_nothing() -> None:
    cast, now = open_lab()
    Witness.objects.create(at=now, doubted_since=now, why="stepped")
    staff = as_(cast.person("staff"))
    for shown in ((timezone.now() - timedelta(minutes=3)).isoformat(), "", "demain"):
        staff.post("/heure/juste/", {"shown": shown})
    assert Witness.objects.get().doubted_since == now
    staff.post("/heure/juste/", {"shown": timezone.now().isoformat()})
    assert Witness.objects.get().doubted_since is None


def test_a_manager_says_how_far_apart_machines_start_and_what_was_typed_stays() -> None:
    cast, _ = open_lab()
    manager = as_(cast.person("manager"))
    assert manager.post("/coupures/ecart/", {"start_gap_s": "20"}).status_code == 303
    cast.site.refresh_from_db()
    assert cast.site.start_gap_s == 20
    for wrong in ("601", "vingt", "-3", "", "٣"):
        refused = manager.post("/coupures/ecart/", {"start_gap_s": wrong})
        assert refused.status_code == 400
        assert "Choisis entre 0 et 600 secondes." in text_of(refused)
        assert f'value="{wrong}"' in text_of(refused)
    cast.site.refresh_from_db()
    assert cast.site.start_gap_s == 20
    assert "Secondes entre deux démarrages" not in text_of(as_(cast.person("staff")).get("/coupures/"))


def test_no_machine_is_shown_free_while_an_announced_cut_lasts() -> None:
    cast, now = open_lab()
    owner, staff = as_(cast.person("owner")), as_(cast.person("staff"))
    clear(cast.machine, at=now)
    assert "Libre" in text_of(owner.get("/"))
    cut = PowerCut.objects.create(
        site=cast.site, start=now - timedelta(minutes=5), end=now + timedelta(hours=1), reason="Travaux"
    )
    for page in (
        text_of(owner.get(f"/m/{cast.machine.pk}/")),
        text_of(owner.get(f"/machines/{cast.machine.pk}/")),
        text_of(owner.get("/")),
        text_of(staff.get("/machines/ecran/")),
        text_of(staff.get("/machines/")),
    ):
        assert "Pas de courant" in page
        assert "Libre" not in page
    cut.delete()
    assert "Pas de courant" not in text_of(owner.get("/"))
