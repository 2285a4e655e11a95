"""Demander à un animateur: who asks is read by those on duty, each on their list, and hears who comes (A11Y-10)."""

import pytest

from equipment.machines.models import HelpRequest
from equipment.sites.models import OpeningHours, Presence
from tests.builders import make_machine
from tests.builders_jobs import Cast
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
