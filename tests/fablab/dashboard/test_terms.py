"""Règles de réservation: what holds is explained where it is set, and a form keeps what was typed."""

import pytest
from django.test import Client

from equipment.bookings.facts import terms_of
from equipment.machines.queries import in_use
from equipment.sites.states import Role
from tests.builders import make_kind, make_machine, make_person, make_site

pytestmark = pytest.mark.django_db


def test_staff_read_where_each_rule_comes_from_set_one_and_find_their_words_again_when_it_is_refused(
    client: Client,
) -> None:
    site = make_site()
    kind = make_kind("imprimante", max_minutes=180, weekly_minutes=240)
    machine = make_machine(site, "Ada", kind=kind)
    client.force_login(make_person("S", Role.STAFF, site=site))
    assert "imprimante" in client.get("/reglages/reservations/").text
    page = client.get("/reglages/reservations/imprimante/").text
    assert "Vide : 3 h, la règle du type de machine." in page
    assert "Vide : 4 h, la règle du type de machine. 0 : sans limite." in page

    saved = client.post("/reglages/reservations/imprimante/valider/", {"max_minutes": "90"})
    assert saved.status_code == 303
    page = client.get(f"/machines/{machine.pk}/reservations/").text
    assert "Vide : 1 h 30, la règle de ce lieu." in page
    client.post(f"/machines/{machine.pk}/reservations/valider/", {"max_minutes": "45", "horizon_days": "3"})
    assert terms_of(list(in_use()))[machine.pk].horizon_days == 3
    assert "A ses propres règles" in client.get("/reglages/reservations/imprimante/").text

    wrong = client.post(
        "/reglages/reservations/imprimante/valider/", {"max_minutes": "deux", "grid_minutes": "30"}
    )
    assert wrong.status_code == 400
    assert "Écris un nombre entier." in wrong.text and 'value="deux"' in wrong.text
    clash = client.post("/reglages/reservations/imprimante/valider/", {"min_minutes": "60"})
    assert "Impossible avec les autres règles de Ada." in clash.text

    day = {"grace_minutes": "15", "hold_minutes": "20", "no_shows_before_pause": "2"}
    refused = client.post("/reglages/reservations/jour/", day)
    assert "0 pour jamais, sinon de 3 à 20." in refused.text and 'value="15"' in refused.text
    assert (
        client.post("/reglages/reservations/jour/", {**day, "no_shows_before_pause": "4"}).status_code == 303
    )
    site.refresh_from_db()
    assert (site.grace_minutes, site.no_shows_before_pause) == (15, 4)
