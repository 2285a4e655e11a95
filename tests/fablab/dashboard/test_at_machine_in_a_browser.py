"""The page at the machine on a phone: three languages, live beside a second browser, a fault without an account."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from equipment.machines.models import Machine, MachineEvent
from equipment.machines.services import hear
from equipment.machines.states import Plate
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from tests.builders_jobs import Cast
from tests.fablab.dashboard.conftest import SignIn, axe_violations, scrolls_sideways
from tests.fablab.dashboard.embroidery import embroider, make_embroidery
from tests.fixtures.browser import DESKTOP, PHONE, OpenPage, TakePicture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SOON_MS = 5_000  # UX-2: another browser shows the change within 5 s


@pytest.fixture
def colette(cast: Cast) -> Machine:
    return embroider(cast)


def test_a_state_that_a_person_sets_is_seen_in_a_second_browser_within_five_seconds(
    signed_in_page: SignIn, cast: Cast, colette: Machine
) -> None:
    board = signed_in_page(cast.person("instructor"), size=DESKTOP)
    board.goto("/machines/")
    tile = board.locator(f"#machine-{colette.pk} .band .word")
    member = signed_in_page(cast.person("other_member"), size=PHONE)
    member.goto(f"/m/{colette.pk}/")
    phone = signed_in_page(cast.person("staff"), size=PHONE)
    phone.goto(f"/m/{colette.pk}/")
    for button, word in (
        ("Occupée", "Occupée"),
        ("Besoin d’aide", "Besoin d’aide"),
        ("Libre", "Libre"),
        ("En panne", "En panne"),
        ("Remettre en service", "Libre"),
    ):
        phone.get_by_role("button", name=button).first.tap()
        expect(phone.locator("#state .band .word")).to_have_text(word)
        expect(tile).to_have_text(word, timeout=SOON_MS)
        expect(member.locator("#state .band .word")).to_have_text(word, timeout=SOON_MS)


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_the_page_of_each_part_is_whole_on_a_phone(
    signed_in_page: SignIn,
    open_page: OpenPage,
    picture: TakePicture,
    cast: Cast,
    colette: Machine,
    language: str,
) -> None:
    now = timezone.now()
    job = make_embroidery(cast, state=State.LOADED, at=now)
    make_embroidery(cast, state=State.QUEUED, at=now)
    Machine.objects.filter(pk=colette.pk).update(plate=Plate.TO_CLEAR)
    stranger = open_page(PHONE, language)
    staff = signed_in_page(cast.person("staff"), size=PHONE, language=language)
    owner = signed_in_page(cast.person("owner"), size=PHONE, language=language)
    for page, name in ((stranger, "stranger"), (owner, "owner"), (staff, "staff")):
        page.goto(f"/m/{colette.pk}/")
        assert not scrolls_sideways(page), name
        assert axe_violations(page) == [], name
        picture(page, f"at-machine-{name}-{language}")
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING)
    staff.reload()
    staff.locator(".failed summary").tap()
    assert not scrolls_sideways(staff)
    assert axe_violations(staff) == []
    picture(staff, f"at-machine-running-{language}")


def test_a_fault_is_told_without_account_or_scripts(
    open_page: OpenPage, picture: TakePicture, colette: Machine
) -> None:
    page = open_page(PHONE, "fr", scripts=False)
    page.goto(f"/m/{colette.pk}/")  # the first tap was the code
    page.get_by_role("button", name="Elle ne marche pas").tap()
    expect(page.get_by_text("Merci. Un animateur va regarder.")).to_be_visible()
    assert MachineEvent.objects.filter(machine=colette, action="fault_told").count() == 1
    picture(page, "at-machine-fault-fr")


def test_the_sheet_with_the_code_is_printed_without_the_rest_of_the_page(
    signed_in_page: SignIn, picture: TakePicture, cast: Cast, colette: Machine
) -> None:
    page = signed_in_page(cast.person("staff"), size=DESKTOP)
    page.goto(f"/machines/{colette.pk}/affiche/")
    code = page.get_by_role("img", name="Code de la page de la machine")
    expect(code).to_be_visible()
    assert code.evaluate("image => image.naturalWidth > 0"), "the code is drawn"
    page.emulate_media(media="print")
    expect(page.get_by_text("Imprime cette page")).to_be_hidden()
    expect(page.get_by_role("navigation")).to_be_hidden()
    picture(page, "at-machine-sheet-fr")


def test_cest_moi_is_two_taps_and_undone_in_one(signed_in_page: SignIn, cast: Cast) -> None:
    hear(cast.machine.pk, report="printing", path="autre.gcode", foreign=True, at=timezone.now())
    page = signed_in_page(cast.person("owner"), size=PHONE)
    page.goto(f"/m/{cast.machine.pk}/")  # the first tap was the code
    page.get_by_role("button", name="C’est moi").tap()
    expect(page.locator("#foreign")).to_contain_text("C’est à toi.")
    page.get_by_role("button", name="Ce n’est pas à moi").tap()
    expect(page.get_by_role("button", name="C’est moi")).to_be_visible()
