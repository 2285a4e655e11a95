"""All machines at a glance: what needs a hand first, what was asked and refused, and only what may be done now."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from equipment.machines.models import Machine
from equipment.machines.states import Plate, Report
from jobs.lifecycle.models import Attempt, Job, Order
from jobs.lifecycle.states import OrderState, State, Verb
from tests.builders_jobs import Cast, make_linked_machine
from tests.fablab.dashboard.lab import as_, open_lab, text_of
from tests.fablab.dashboard.scene import busy_afternoon, work

pytestmark = pytest.mark.django_db


def board(cast: Cast, part: str = "staff") -> str:
    return text_of(as_(cast.person(part)).get("/machines/"))


def tile(page: str, machine: Machine) -> str:
    """Return one machine's tile of a board."""
    found = re.search(rf'<article [^>]*id="machine-{machine.pk}".*?</article>', page, re.DOTALL)
    assert found is not None, machine.name
    return found[0]


def test_what_needs_a_hand_stands_first_and_what_is_out_of_order_last() -> None:
    cast, now = open_lab()
    busy_afternoon(cast, now)
    order = re.findall(r'class="card-link" href="/machines/[^"]*">([^<]*)<', board(cast))
    assert order == ["Denis", "Eve", "Blaise", "Colette", "Ada", "Gaston", "Hugo", "Fanny"]


def test_each_tile_says_state_reason_job_owner_and_the_age_of_what_it_knows() -> None:
    cast, now = open_lab()
    machines = busy_afternoon(cast, now)
    page = board(cast)
    running = tile(page, machines["running"])
    wanted = ("Occupée", "42", "Vase en spirale", "Zoé", "n° 1", "Buse", "Vu ")
    assert not [words for words in wanted if words not in running]
    assert "Personne ne répond. La machine est-elle allumée ?" in tile(page, machines["unreachable"])
    assert "data-stale" in tile(page, machines["unreachable"])
    assert "La buse est bouchée." in tile(page, machines["out_of_order"])
    assert "Reprise demandée" in tile(page, machines["paused"])
    assert "En pause" in tile(page, machines["paused"])


def test_start_is_offered_only_while_a_file_is_loaded_and_nothing_was_asked() -> None:
    cast, now = open_lab()
    machines = busy_afternoon(cast, now)
    page = board(cast)
    offering = [name for name, one in machines.items() if "Plateau vide, lancer" in tile(page, one)]
    assert offering == ["loaded"]
    attempt = Attempt.objects.get(machine=machines["loaded"], ended_at__isnull=True)
    Order.objects.create(
        attempt=attempt,
        verb=Verb.START,
        lease_number=1,
        created_at=now,
        expires_at=now + timedelta(minutes=1),
    )
    loaded = tile(board(cast), machines["loaded"])
    assert "Lancement demandé" in loaded
    assert "Plateau vide, lancer" not in loaded


@pytest.mark.parametrize(
    ("state", "outcome", "sentence"),
    [
        (OrderState.REFUSED, "bad_key", "Pas mis en pause. OctoPrint refuse cette clé."),
        (OrderState.EXPIRED, "expired", "Pas mis en pause. L’ordre n’a pas pu partir à temps."),
        (OrderState.UNKNOWN, "answer_lost", "On ne sait pas si la pause est faite."),
        (OrderState.REFUSED, "a code of tomorrow", "Pas mis en pause."),
    ],
)
def test_an_order_that_was_not_done_is_shown_with_its_reason(
    state: OrderState, outcome: str, sentence: str
) -> None:
    cast, now = open_lab()
    Machine.objects.filter(pk=cast.machine.pk).update(report=Report.PRINTING)
    work(cast, cast.machine, State.RUNNING, "Vase", now)
    Order.objects.create(
        attempt=Attempt.objects.get(),
        verb=Verb.PAUSE,
        lease_number=1,
        state=state,
        outcome=outcome,
        created_at=now,
        expires_at=now,
        settled_at=now,
    )
    page = tile(board(cast), cast.machine)
    assert sentence in page
    assert "tomorrow" not in page


def test_a_job_is_settled_by_hand_only_when_the_machine_does_not_vouch_for_it() -> None:
    cast, now = open_lab()
    Machine.objects.filter(pk=cast.machine.pk).update(report=Report.PRINTING)
    job = work(cast, cast.machine, State.RUNNING, "Vase", now)
    staff = as_(cast.person("staff"))
    address = f"/machines/{cast.machine.pk}/regler/{job.pk}/"
    assert "Dire ce qui s’est passé" not in board(cast)
    assert staff.get(address)["Location"] == "/machines/"
    staff.post(f"{address}fini/", {"action": "finish"})
    assert Job.objects.get(pk=job.pk).state == State.RUNNING
    Machine.objects.filter(pk=cast.machine.pk).update(
        report=Report.SILENT, seen_at=timezone.now() - timedelta(minutes=3)
    )
    assert "Dire ce qui s’est passé" in board(cast)
    assert staff.get(address).status_code == 200
    staff.post(f"{address}fini/", {"action": "finish"})
    assert Job.objects.get(pk=job.pk).state == State.FINISHED
    assert Machine.objects.get(pk=cast.machine.pk).plate == Plate.TO_CLEAR


def test_a_failure_without_one_of_the_six_reasons_changes_nothing() -> None:
    cast, now = open_lab()
    job = work(cast, cast.machine, State.RUNNING, "Vase", now)
    staff = as_(cast.person("staff"))
    staff.post(f"/machines/{cast.machine.pk}/regler/{job.pk}/fini/", {"action": "fail", "reason": "mood"})
    assert Job.objects.get(pk=job.pk).state == State.RUNNING


def test_the_big_screen_shows_numbers_and_neither_names_nor_titles() -> None:
    cast, now = open_lab()
    busy_afternoon(cast, now)
    page = text_of(as_(cast.person("staff")).get("/machines/ecran/"))
    assert "N° 1" in page
    assert "Besoin d’aide" in page  # a paused machine
    assert not [words for words in ("Zoé", "Vase en spirale", "Dragon") if words in page]


def test_the_big_screen_shows_twelve_machines_a_page() -> None:
    cast, now = open_lab()
    for number in range(14):
        make_linked_machine(cast.site, cast.model, at=now, name=f"Machine {number:02}")
    staff = as_(cast.person("staff"))
    assert text_of(staff.get("/machines/ecran/")).count("<article") == 12
    assert text_of(staff.get("/machines/ecran/?page=2")).count("<article") == 3


def test_the_machines_page_tells_members_its_state_and_those_on_duty_its_log() -> None:
    cast, now = open_lab()
    staff, address = as_(cast.person("staff")), f"/machines/{cast.machine.pk}/"
    work(cast, cast.machine, State.LOADED, "Vase", now)
    staff.post(f"{address}faire/clear-plate/", {})
    staff.post(f"{address}faire/out-of-order/", {"reason": "Courroie cassée"})
    page = text_of(staff.get(address))
    assert "Journal" in page
    assert "Courroie cassée" in page
    assert "Plateau vidé" in page
    public = text_of(as_(cast.person("owner")).get(address))
    assert "En panne" in public
    assert not [
        words for words in ("Journal", "Vase", "connexion/", "Remettre en service") if words in public
    ]
    staff.post(f"{address}faire/back-in-service/", {})
    assert "Réserver" in text_of(as_(cast.person("owner")).get(address))
