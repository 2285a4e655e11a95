"""After a power cut, and the list of what needs a hand: counted taps in a real browser, and how the pages look."""

from datetime import timedelta
from functools import partial
from typing import Literal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from equipment.bookings import hit
from equipment.machines.models import Machine
from equipment.machines.states import Plate
from fablab.core.models import Witness
from fablab.notices.services import tell
from jobs.lifecycle.models import Attempt, Job, Order
from jobs.lifecycle.states import State, Verb
from jobs.recovery.models import Interruption
from jobs.recovery.services import notice_losses
from tests.builders import make_booking
from tests.builders_jobs import Cast
from tests.fablab.dashboard.conftest import SignIn, axe_violations, scrolls_sideways
from tests.fablab.dashboard.scene import busy_afternoon, work
from tests.fixtures.browser import DESKTOP, PHONE, TakePicture
from tests.fixtures.services import wait_until
from tests.jobs.recovery.power import comes_back_idle, machine_at_work, machine_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TITLES = ("Vase", "Boîte", "Dragon", "Crochet", "Toupie", "Étoile")


def power_cut(cast: Cast, titles: tuple[str, ...] = TITLES) -> list[Job]:
    """Have printers work, lose the power together and come back idle; the lab's own plate is empty."""
    now = timezone.now()
    Machine.objects.filter(pk=cast.machine.pk).update(retired_at=now)
    jobs = [machine_at_work(cast, title, now - timedelta(hours=1)) for title in titles]
    for job in jobs:
        comes_back_idle(job, now)
    assert len(notice_losses(now)) == 1
    return jobs


class Taps:
    """A person's thumb, counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    def on(self, role: Literal["button", "link"], name: str) -> None:
        self.page.get_by_role(role, name=name).first.click()
        self.count += 1


def states(jobs: list[Job]) -> set[str]:
    return set(Job.objects.filter(pk__in=[job.pk for job in jobs]).values_list("state", flat=True))


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_six_printers_are_settled_with_three_taps_and_one_for_each_plate(
    signed_in_page: SignIn, cast: Cast, scripts: bool
) -> None:
    jobs = power_cut(cast)
    page = signed_in_page(cast.person("staff"), scripts=scripts)
    page.goto("/")
    taps = Taps(page)
    taps.on("link", "Tout régler")
    expect(page.locator("h1")).to_have_text("Après la coupure")
    assert page.get_by_role("radio", name="Raté, on recommence", checked=True).count() == 6
    taps.on("button", "Tout valider")
    expect(page.get_by_text("Tout est réglé.")).to_be_visible()
    assert states(jobs) == {State.QUEUED}
    assert list(Job.objects.order_by("queued_at").values_list("title", flat=True)) == list(TITLES)
    assert Interruption.objects.get().settled_by == cast.person("staff")
    assert taps.count <= 8
    before = taps.count
    for left in range(5, -1, -1):
        taps.on("button", "Plateau vide")
        wait_until(partial(_are_left, jobs, left), 10, "one plate more is empty")
        page.goto("/machines/")
    assert taps.count - before == 6


def _are_left(jobs: list[Job], count: int) -> bool:
    plates = Machine.objects.filter(pk__in=[machine_of(job).pk for job in jobs], plate=Plate.TO_CLEAR)
    return plates.count() == count


def test_another_outcome_is_one_tap_and_what_is_refused_is_said_by_name_while_the_rest_is_done(
    signed_in_page: SignIn, cast: Cast
) -> None:
    stopped, voided, again = power_cut(cast, TITLES[:3])
    voided.approvals.update(voided_at=timezone.now())
    page = signed_in_page(cast.person("staff"))
    page.goto("/reprise/")
    page.locator("fieldset", has_text=stopped.title).get_by_text("Raté, on s’arrête là").click()
    page.get_by_role("button", name="Tout valider").click()
    expect(page.get_by_text(f"{voided.title} : Il faut valider")).to_be_visible()
    assert [Job.objects.get(pk=job.pk).state for job in (stopped, voided, again)] == [
        State.FAILED,
        State.FAILED,
        State.QUEUED,
    ]
    page.locator("fieldset", has_text=voided.title).get_by_text("Raté, on s’arrête là").click()
    page.get_by_role("button", name="Tout valider").click()
    expect(page.get_by_text("Tout est réglé.")).to_be_visible()


def test_a_doubted_clock_is_said_above_every_page_of_the_staff_and_confirmed_by_one_look(
    signed_in_page: SignIn, cast: Cast
) -> None:
    Witness.objects.create(at=timezone.now(), doubted_since=timezone.now(), why="unsynchronised")
    page = signed_in_page(cast.person("staff"))
    page.goto("/objets/")
    page.get_by_role("link", name="L’horloge est douteuse : rien ne part seul.").click()
    expect(page.locator("h1")).to_have_text("L’heure est-elle juste ?")
    page.get_by_role("button", name="Oui, c’est l’heure juste").click()
    expect(page.get_by_text("Merci. Tout peut repartir.")).to_be_visible()
    assert Witness.objects.get().doubted_since is None
    member = signed_in_page(cast.person("owner"))
    member.goto("/")
    expect(member.get_by_text("L’horloge est douteuse")).to_have_count(0)


def test_who_goes_is_seen_by_the_others_at_once(signed_in_page: SignIn, cast: Cast) -> None:
    first, second = signed_in_page(cast.person("staff")), signed_in_page(cast.person("instructor"))
    for page in (first, second):
        page.goto("/a-faire/")
    expect(second.locator("[data-live-topic^=board]")).to_have_attribute(
        "data-live-topic", f"board:{cast.site.pk}"
    )
    first.get_by_role("button", name="Je m’en occupe").click()
    expect(second.get_by_text("staff s’en occupe")).to_be_visible()
    expect(second.get_by_role("button", name="Je m’en occupe")).to_have_count(0)
    first.get_by_role("button", name="Je laisse").click()
    expect(second.get_by_role("button", name="Je m’en occupe")).to_be_visible()


def test_a_message_comes_by_itself_and_goes_when_it_was_seen(signed_in_page: SignIn, cast: Cast) -> None:
    owner = cast.person("owner")
    page = signed_in_page(owner)
    page.goto("/")
    expect(page.locator("#notices")).to_have_text("")
    tell([owner.pk], "job_ready", {"title": "Vase"}, key="k", link="/objets/", at=timezone.now())
    expect(page.get_by_role("link", name="« Vase » est terminé. Viens le chercher.")).to_be_visible()
    page.get_by_role("button", name="Vu").click()
    expect(page.get_by_text("« Vase » est terminé.")).to_have_count(0)


@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [("fr", "desk", "light"), ("ar", "phone", "dark")],
)
def test_the_pages_are_legible_and_axe_finds_nothing(
    signed_in_page: SignIn,
    cast: Cast,
    picture: TakePicture,
    language: str,
    size: str,
    scheme: Literal["light", "dark"],
) -> None:
    now = timezone.now()
    machines = busy_afternoon(cast, now)
    lost = work(cast, machines["unreachable"], State.RUNNING, "Engrenage", now - timedelta(hours=2))
    Attempt.objects.filter(jobs=lost).update(unsure_since=now, unsure_why="silent")
    Machine.objects.filter(pk=machines["free"].pk).update(
        needs_help_since=now, needs_help_why="Ça sent le chaud."
    )
    Interruption.objects.create(
        site=cast.site, began_at=now - timedelta(hours=1), noticed_at=now + timedelta(seconds=1)
    )
    Witness.objects.create(at=now, doubted_since=now, why="unsynchronised")
    booking = make_booking(machines["free"], cast.person("owner"), start=now + timedelta(days=1))
    hit.announce_power_cut(
        site_id=cast.site.pk,
        start=booking.start,
        end=booking.end,
        reason="Travaux dans la rue",
        actor=cast.person("staff"),
        at=now,
    )
    Order.objects.filter(verb=Verb.RESUME).delete()
    shown = {
        "staff": {
            "home-staff": "/",
            "board-work": "/machines/",
            "worklist": "/a-faire/",
            "recovery": "/reprise/",
            "clock": "/heure/",
            "power-cuts": "/coupures/",
        },
        "owner": {
            "home-notice": "/",
            "bookings-hit": "/reservations/",
            "booking-hit": f"/reservations/{booking.pk}/",
        },
    }
    found: list[object] = []
    for part, pages in shown.items():
        page = signed_in_page(
            cast.person(part), size=PHONE if size == "phone" else DESKTOP, language=language
        )
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for name, address in pages.items():
            page.goto(address)
            picture(page, f"h7-{name}-{language}-{size}-{scheme}")
            found += [(name, one) for one in axe_violations(page)]
            if scrolls_sideways(page):
                found.append((name, "sideways"))
    assert not found, found
