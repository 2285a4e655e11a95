"""The desks as people see them: phone and desk, French and Arabic, light and dark; axe finds nothing."""

from datetime import timedelta
from typing import Literal

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from equipment.machines.models import Machine
from jobs.lifecycle import samples
from jobs.lifecycle.models import Job
from jobs.lifecycle.on_machines import live_attempts
from jobs.lifecycle.states import State
from jobs.lifecycle.thinning import Sample
from tests.builders_jobs import Cast
from tests.fablab.dashboard.conftest import SignIn, axe_violations, scrolls_sideways
from tests.fablab.dashboard.scene import busy_afternoon, to_decide, work
from tests.fixtures.browser import DESKTOP, PHONE, TakePicture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKS: list[tuple[str, str, Literal["light", "dark"]]] = [
    ("fr", "phone", "light"),
    ("fr", "desk", "light"),
    ("ar", "phone", "dark"),
    ("ar", "desk", "light"),
    ("fr", "desk", "dark"),
]


def half_printed(machine: Machine) -> str:
    """Give what runs there an hour of figures; return its attempt."""
    attempt = live_attempts([machine.pk])[machine.pk]
    began = timezone.now() - timedelta(hours=1)
    moments = [
        Sample(began + timedelta(seconds=10 * n), n / 8, 60, {"tool0": (210 - 180 / (n + 1), 210.0)})
        for n in range(360)
    ]
    samples.keep([(attempt.pk, moment) for moment in moments])
    return attempt.pk


@pytest.mark.parametrize(("language", "size", "scheme"), LOOKS)
def test_every_page_of_the_desks_is_legible_and_axe_finds_nothing(
    signed_in_page: SignIn,
    cast: Cast,
    picture: TakePicture,
    language: str,
    size: str,
    scheme: Literal["light", "dark"],
) -> None:
    now = timezone.now()
    machines = busy_afternoon(cast, now)
    first = to_decide(cast, now)
    to_decide(cast, now, sliced=False, title="Boîte ronde", minutes=6)
    stuck = machines["unreachable"]
    lost = work(cast, stuck, State.RUNNING, "Engrenage", now)
    failed = Job.objects.get(state=State.FAILED)
    shown: dict[str, dict[str, str]] = {
        "instructor": {"desk": "/animateur/", "desk-job": f"/animateur/{first.pk}/"},
        "staff": {
            "board": "/machines/",
            "queue": "/file/",
            "screen": "/machines/ecran/",
            "machine": f"/machines/{machines['running'].pk}/",
            "connection": f"/machines/{stuck.pk}/connexion/",
            "settle": f"/machines/{stuck.pk}/regler/{lost.pk}/",
            "failed": f"/machines/{machines['free'].pk}/regler/{failed.pk}/",
            "certificates": "/habilitations/",
            "grant": f"/habilitations/{cast.person('other_member').pk}/",
        },
        "owner": {
            "machine-public": f"/machines/{machines['to_clear'].pk}/",
            "attempt": f"/essais/{half_printed(machines['running'])}/",
        },
    }
    found: list[object] = []
    for part, pages in shown.items():
        page: Page = signed_in_page(
            cast.person(part), size=PHONE if size == "phone" else DESKTOP, language=language
        )
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for name, address in pages.items():
            page.goto(address)
            picture(page, f"p2-{name}-{language}-{size}-{scheme}")
            found += [(name, one) for one in axe_violations(page)]
            if scrolls_sideways(page):
                found.append((name, "sideways"))
    assert not found, found
