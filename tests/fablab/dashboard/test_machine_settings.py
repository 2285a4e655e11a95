"""What is in a machine, and what it does by itself: the two forms of its own page."""

import re
from typing import Any

import pytest

from equipment.machines.models import Machine, MachineKind
from equipment.machines.states import Driver
from tests.builders_jobs import Cast
from tests.fablab.dashboard.lab import as_, text_of

pytestmark = pytest.mark.django_db
FRAMES = {"frames": [{"code": "180x130", "fr": "Cadre 180 × 130"}]}


def page(cast: Cast, part: str) -> str:
    return text_of(as_(cast.person(part)).get(f"/machines/{cast.machine.pk}/"))


def send(cast: Cast, part: str, form: str, status: int = 200, /, **fields: str) -> str:
    """Send a form and return what the page says that answers or follows."""
    answer: Any = as_(cast.person(part)).post(
        f"/machines/{cast.machine.pk}/reglages/{form}/", fields, follow=True
    )
    assert answer.status_code == status
    return text_of(answer)


def stored(cast: Cast) -> Machine:
    return Machine.objects.get(pk=cast.machine.pk)


def test_an_instructor_says_what_is_in_it_and_the_log_tells(cast: Cast) -> None:
    said = send(cast, "instructor", "contenu", material="PETG", nozzle_mm="0,6")
    assert (stored(cast).material, stored(cast).nozzle_mm) == ("PETG", 0.6)
    assert "C’est noté." in said
    assert '<option value="PETG" selected>' in said
    assert "Matière : PETG, Buse : 0,6 mm" in said
    said = send(cast, "instructor", "contenu", material="", nozzle_mm="")
    assert (stored(cast).material, stored(cast).nozzle_mm) == ("", None)
    assert "Matière : on ne sait pas, Buse : celle du modèle" in said


def test_what_was_chosen_stays_when_the_rest_is_refused(cast: Cast) -> None:
    for nozzle in ("4", "fin", "nan", "-0.4"):
        said = send(cast, "staff", "contenu", 400, material="PETG", nozzle_mm=nozzle)
        assert "Une buse fait entre 0,2 et 1,2 mm." in said
        assert '<option value="PETG" selected>' in said
        assert f'value="{nozzle}"' in said
    assert stored(cast).material == ""


def test_frames_are_offered_where_the_guide_has_them_and_nozzles_where_the_model_has_one(cast: Cast) -> None:
    assert 'name="frame"' not in page(cast, "staff")
    MachineKind.objects.filter(pk=cast.kind.pk).update(guide=FRAMES)
    cast.model.limits = {}
    cast.model.save()
    assert 'name="nozzle_mm"' not in page(cast, "staff")
    assert "Cadre : Cadre 180 × 130" in send(cast, "staff", "contenu", frame="180x130")


def test_members_see_neither_form(cast: Cast) -> None:
    assert "/reglages/" not in page(cast, "owner")


def test_staff_let_it_start_by_itself_and_take_it_back(cast: Cast) -> None:
    assert "Seulement plateau confirmé vide" in page(cast, "staff")
    said = send(cast, "staff", "seule", auto_start="yes")
    assert (stored(cast).auto_start, stored(cast).may_overrun) == (True, False)
    assert re.search(r'name="auto_start"[^>]* checked', said)
    assert "Démarrage automatique : oui" in said
    send(cast, "manager", "seule", may_overrun="yes")
    assert (stored(cast).auto_start, stored(cast).may_overrun) == (False, True)


def test_an_instructor_is_not_asked_and_not_obeyed(cast: Cast) -> None:
    assert "/reglages/seule/" not in page(cast, "instructor")
    send(cast, "instructor", "seule", auto_start="yes")
    assert not stored(cast).auto_start


def test_where_it_can_never_start_by_itself_the_page_says_why(cast: Cast) -> None:
    Machine.objects.filter(pk=cast.machine.pk).update(driver=Driver.HANDOVER)
    MachineKind.objects.filter(pk=cast.kind.pk).update(remote_start=False)
    assert 'name="auto_start"' not in page(cast, "staff")
    said = send(cast, "staff", "seule", 409, auto_start="yes")
    assert "Imprimante 3D : quelqu’un la lance toujours à la main." in said
    assert "Sa connexion ne permet pas de la lancer d’ici." in said
    assert not stored(cast).auto_start


def test_another_form_is_not_known(cast: Cast) -> None:
    send(cast, "staff", "autre", 404)
