"""J1, J2 and J16 in each language: taps counted, then by keyboard alone, then without scripts, in one world."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone, translation
from django.utils.translation import gettext
from playwright.sync_api import Locator, Page, expect

from equipment.bookings.models import Booking
from equipment.bookings.states import BookingState
from equipment.machines.models import Machine
from tests.builders import make_kind, make_machine
from tests.builders_jobs import Cast
from tests.fablab.dashboard.conftest import SignIn, axe_violations, scrolls_sideways
from tests.fixtures.browser import DESKTOP, TakePicture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
J1_TAPS, J2_TAPS, J16_TAPS = 4, 3, 2
KEYS = 80  # more than any page has stops
NAMES = {"fr": "Table de couture", "en": "Sewing table", "ar": "طاولة خياطة"}
WORDS = (
    "Réserver",
    "Confirmer",
    "Après-midi",
    "Mes réservations",
    "Annuler",
    "Créneau rendu.",
    "Je l’utilise maintenant",
    "Réserver quand même",
)


class Hands:
    """A thumb on a phone, or a person with a keyboard alone; either way each choice counts."""

    def __init__(self, page: Page, *, keyboard: bool) -> None:
        self.page, self.keyboard, self.taps = page, keyboard, 0

    def press(self, what: Locator) -> None:
        self.taps += 1
        if not self.keyboard:
            what.tap()
            return
        wanted = what.element_handle()
        assert wanted is not None
        for _ in range(KEYS):
            self.page.keyboard.press("Tab")
            if wanted.evaluate("one => one === document.activeElement"):
                break
        else:
            pytest.fail(f"the Tab key does not reach {what}")
        self.page.keyboard.press("Space" if what.get_attribute("type") == "radio" else "Enter")

    def takes_at_most(self, most: int, journey: Callable[[], None]) -> None:
        self.taps = 0
        journey()
        assert self.taps <= most


@pytest.fixture
def tables(cast: Cast) -> list[Machine]:
    """Three sewing tables: booked without file or plate, and by whoever stands there."""
    kind = make_kind(
        "couture", names=NAMES, icon="sewing", takes_files=False, needs_plate=False, remote_start=False
    )
    return [make_machine(cast.site, f"T{number}", kind=kind) for number in range(1, 4)]


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
def test_a_time_is_booked_used_at_once_and_given_back_by_thumb_by_keyboard_and_without_scripts(
    signed_in_page: SignIn, cast: Cast, tables: list[Machine], picture: TakePicture, language: str
) -> None:
    person = cast.person("owner")
    with translation.override(language):
        said = {word: gettext(word) for word in WORDS}
    assert language == "fr" or not any(word == said[word] for word in WORDS)
    phone = signed_in_page(person, language=language)
    plain = signed_in_page(person, language=language, scripts=False)
    for page, keyboard in ((phone, False), (phone, True), (plain, False)):
        hands = Hands(page, keyboard=keyboard)
        journeys = Journeys(hands, said, language)
        hands.takes_at_most(J1_TAPS, journeys.kind_first)
        hands.takes_at_most(J1_TAPS, journeys.hour_first)
        assert [one.person_id for one in Booking.objects.all()] == [person.pk] * 2
        hands.takes_at_most(J16_TAPS, journeys.give_back)
        # Not the first table: what was given back there may begin in a minute, and is kept for ten seconds.
        hands.takes_at_most(J2_TAPS, partial(journeys.walk_up, tables[2]))
        assert Booking.objects.get(state=BookingState.IN_USE).machine_id == tables[2].pk
        Booking.objects.all().delete()
    assert plain.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    _pages_are_whole(phone, signed_in_page(person, size=DESKTOP, language=language), picture, language)


class Journeys:
    """What people do, in the words of their language."""

    def __init__(self, hands: Hands, said: dict[str, str], language: str) -> None:
        self.hands, self.page, self.said, self.language = hands, hands.page, said, language

    def confirm(self) -> None:
        self.hands.press(self.page.get_by_role("radio").first)
        self.hands.press(self.page.get_by_role("button", name=self.said["Confirmer"], exact=True))
        expect(self.page.locator("#code")).to_be_visible()

    def begin(self) -> None:
        self.page.goto("/")
        menu = self.page.get_by_role("navigation").first
        self.hands.press(menu.get_by_role("link", name=self.said["Réserver"]))

    def kind_first(self) -> None:
        self.begin()
        self.hands.press(self.page.get_by_role("heading", name=NAMES[self.language]).get_by_role("link"))
        self.confirm()

    def hour_first(self) -> None:
        self.begin()
        self.hands.press(self.page.locator("#quand").get_by_role("link", name=self.said["Après-midi"]).last)
        self.confirm()

    def give_back(self) -> None:
        self.page.goto("/")
        self.hands.press(self.page.get_by_role("link", name=self.said["Mes réservations"]).first)
        self.hands.press(self.page.get_by_role("button", name=self.said["Annuler"]).first)
        expect(self.page.get_by_text(self.said["Créneau rendu."]).first).to_be_visible()

    def walk_up(self, machine: Machine) -> None:
        self.hands.taps += 1  # the code on the machine
        self.page.goto(f"/m/{machine.pk}/")
        self.hands.press(self.page.get_by_role("link", name=self.said["Je l’utilise maintenant"]))
        self.hands.press(self.page.get_by_role("button", name=self.said["Confirmer"], exact=True))
        expect(self.page.locator("#code")).to_be_visible()


def _pages_are_whole(phone: Page, desk: Page, picture: TakePicture, language: str) -> None:
    day = (timezone.now() + timedelta(days=1)).date()
    for page, size in ((phone, "phone"), (desk, "desktop")):
        for name, address in (
            ("book", "/reserver/"),
            ("when", f"/quand/?jour={day}&moment=apres-midi"),
            ("places", "/reserver/couture/"),
        ):
            page.goto(address)
            assert not scrolls_sideways(page), (name, size)
            if page is phone:
                assert axe_violations(page) == [], name
            picture(page, f"finding-{name}-{language}-{size}")


def test_ones_own_other_booking_is_set_aside_with_the_focus_on_why(
    signed_in_page: SignIn, cast: Cast, tables: list[Machine], picture: TakePicture
) -> None:
    person = cast.person("owner")
    page = signed_in_page(person)
    page.goto("/reserver/couture/")
    chosen = page.get_by_role("radio").nth(2)
    start = datetime.fromisoformat(str(chosen.get_attribute("value")).split("|")[1])
    Booking.objects.create(
        machine=cast.machine,
        person=person,
        start=start,
        end=start + timedelta(minutes=30),
        held_start=start,
        held_end=start + timedelta(minutes=30),
        created_at=start,
    )
    chosen.check()
    page.get_by_role("button", name="Confirmer").tap()
    alert = page.get_by_role("alert").filter(has_text="Tu as déjà une réservation à cette heure.")
    expect(alert).to_be_focused()
    assert axe_violations(page) == []
    picture(page, "finding-anyway-fr-phone")
    page.get_by_role("button", name="Réserver quand même").tap()
    expect(page.locator("#code")).to_be_visible()
    assert Booking.objects.filter(person=person, start=start).count() == 2
