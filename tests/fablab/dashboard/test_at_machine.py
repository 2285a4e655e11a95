"""The page behind a machine's code: what anybody reads and may tell, and each tap of who stands there."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from equipment.bookings.models import Booking
from equipment.machines.models import ForeignPrint, Machine, MachineEvent
from equipment.machines.services import hear
from equipment.machines.states import Plate
from fablab.api.shapes import machine_shapes
from fablab.notices.models import Notice
from jobs.lifecycle.models import Job, Order
from jobs.lifecycle.states import State
from tests.builders_jobs import Cast, clear, make_job, make_linked_machine
from tests.fablab.dashboard.embroidery import embroider, make_embroidery
from tests.fablab.dashboard.lab import as_, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def colette(cast: Cast) -> Machine:
    return embroider(cast)


def page(client: Client, machine: Machine) -> str:
    answer = client.get(f"/m/{machine.pk}/")
    assert answer.status_code == 200
    return text_of(answer)


def tap(client: Client, machine: Machine, action: str, **fields: str) -> str:
    """Press one button of the page; return the page that is shown then."""
    answer = client.post(f"/m/{machine.pk}/faire/{action}/", fields, follow=True)
    assert answer.redirect_chain[0][1] == 303
    return text_of(answer)


# --- anybody ------------------------------------------------------------------------------------------------------


def test_anybody_reads_name_state_and_how_to_but_nothing_of_the_object_on_it(
    cast: Cast, colette: Machine
) -> None:
    make_embroidery(cast, state=State.RUNNING, at=timezone.now())
    shown = page(Client(), colette)
    for said in (
        "Colette",
        "Occupée",
        "Tends le tissu et le stabilisateur dans le cadre.",
        "Elle ne marche pas",
    ):
        assert said in shown
    for kept in ("Renard", "owner", "Fil", "/objets/", "C’est terminé"):
        assert kept not in shown, kept


def test_why_it_is_out_of_order_is_read_by_people_of_the_place_not_by_the_street(
    cast: Cast, colette: Machine
) -> None:
    tap(as_(cast.person("staff")), colette, "out-of-order")
    Machine.objects.filter(pk=colette.pk).update(out_of_order_reason="Léa a cassé l’aiguille")
    assert "Léa" in page(as_(cast.person("other_member")), colette)
    shown = page(Client(), colette)
    assert "En panne" in shown and "Léa" not in shown


def test_a_fault_is_told_in_two_taps_without_an_account_and_only_staff_read_more_than_that(
    cast: Cast, colette: Machine
) -> None:
    stranger = Client()
    answer = stranger.post(f"/m/{colette.pk}/panne/", follow=True)
    assert "Merci. Un animateur va regarder." in text_of(answer)
    for shown in (page(stranger, colette), page(as_(cast.person("owner")), colette)):
        assert "Quelqu’un a signalé un problème." in shown, "nobody sits down at it without knowing"
        assert "Besoin d’aide" not in shown and "elle ne marche pas (" not in shown
    seen = page(as_(cast.person("staff")), colette)
    assert "Quelqu’un dit : elle ne marche pas" in seen and "signalé un problème" not in seen
    event = MachineEvent.objects.get(machine=colette, action="fault_told")
    assert event.actor is None


def test_a_machine_on_a_line_is_ordered_and_one_without_is_reported_on(cast: Cast, colette: Machine) -> None:
    printer = make_linked_machine(cast.site, cast.model, at=timezone.now(), report="printing")
    running = make_job(cast, state=State.RUNNING, at=timezone.now(), on=printer)
    make_embroidery(cast, state=State.RUNNING, at=timezone.now())
    staff = as_(cast.person("staff"))
    ordered, reported = page(staff, printer), page(staff, colette)
    assert "Mettre en pause" in ordered and "Arrêter" in ordered and "En pause" not in ordered
    assert "En pause" in reported and "Mettre en pause" not in reported
    assert "Arrêt demandé" in tap(staff, printer, "ask-stop", job=running.pk)
    assert Order.objects.filter(attempt__jobs=running, verb="stop").exists()


def test_a_fault_that_is_told_again_and_again_is_noted_a_few_times_an_hour_and_thanked_for_each_time(
    cast: Cast, colette: Machine
) -> None:
    for _ in range(8):
        answer = Client().post(f"/m/{colette.pk}/panne/", follow=True)
        assert "Merci. Un animateur va regarder." in text_of(answer)
        tap(as_(cast.person("staff")), colette, "free")
    assert MachineEvent.objects.filter(machine=colette, action="fault_told").count() == 3


def test_a_fault_needs_the_token_against_foreign_forms(colette: Machine) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/m/{colette.pk}/panne/").status_code == 403
    assert not MachineEvent.objects.filter(machine=colette).exists()


def test_a_retired_or_unknown_machine_has_no_page_no_code_and_no_fault(cast: Cast, colette: Machine) -> None:
    Machine.objects.filter(pk=colette.pk).update(retired_at=timezone.now())
    for address in (f"/m/{colette.pk}/", f"/machines/{colette.pk}/code.svg", "/m/nowhere/"):
        assert Client().get(address).status_code == 404
    assert Client().post(f"/m/{colette.pk}/panne/").status_code == 404


def test_the_code_is_a_picture_of_this_pages_address_and_the_sheet_is_for_staff(
    cast: Cast, colette: Machine
) -> None:
    answer = Client().get(f"/machines/{colette.pk}/code.svg")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    drawn = answer.content.decode()
    assert drawn.startswith("<?xml") and "<script" not in drawn and "style=" not in drawn
    assert as_(cast.person("owner")).get(f"/machines/{colette.pk}/affiche/").status_code == 403
    sheet = text_of(as_(cast.person("staff")).get(f"/machines/{colette.pk}/affiche/"))
    assert f"/machines/{colette.pk}/code.svg" in sheet
    assert f"http://testserver/m/{colette.pk}/" in sheet


# --- "Je l'utilise maintenant" ------------------------------------------------------------------------------------


def test_a_trained_person_uses_a_free_machine_in_three_taps(cast: Cast, colette: Machine) -> None:
    owner = as_(cast.person("owner"))
    assert f"/m/{colette.pk}/maintenant/" in page(owner, colette)  # tap 1 was the code
    assert "Tu l’as jusqu’à" in text_of(owner.get(f"/m/{colette.pk}/maintenant/"))  # tap 2
    assert not Booking.objects.exists(), "nothing counts before Confirmer"
    answer = owner.post(f"/m/{colette.pk}/maintenant/")  # tap 3
    booking = Booking.objects.get()
    assert answer.headers["Location"] == f"/reservations/{booking.pk}/"
    assert (booking.person, booking.state) == (cast.person("owner"), "in_use")
    shown = page(Client(), colette)
    assert "Occupée" in shown
    assert f"/m/{colette.pk}/maintenant/" not in page(as_(cast.person("other_member")), colette)


def test_nobody_walks_up_to_a_machine_that_is_taken_or_untrained(cast: Cast, colette: Machine) -> None:
    untrained = as_(cast.person("staff"))
    assert "Il te faut d’abord la formation." in text_of(untrained.get(f"/m/{colette.pk}/maintenant/"))
    untrained.post(f"/m/{colette.pk}/maintenant/")
    make_embroidery(cast, state=State.RUNNING, at=timezone.now())
    taken = as_(cast.person("other_member")).post(f"/m/{colette.pk}/maintenant/", follow=True)
    assert "Un autre objet est déjà sur cette machine." in text_of(taken)
    assert not Booking.objects.exists()


# --- an object by hand --------------------------------------------------------------------------------------------


def test_from_taken_to_collected_each_step_is_one_tap_and_the_owner_reads_it(
    cast: Cast, colette: Machine
) -> None:
    job = make_embroidery(cast, state=State.QUEUED, at=timezone.now())
    staff = as_(cast.person("staff"))
    assert "Prendre" in page(staff, colette)
    shown = tap(staff, colette, "take", job=job.pk)
    for said in (
        "Essai sur chute fait.",
        "Rouge",
        "1200 points",
        "Bleu",
        "Madeira 1134",
        "1 point<",
        "Couleur au choix",
        "Casquette · apporté · coton épais",
        "Cadre à casquette",
        "Stabilisateur à déchirer",
        "Au milieu",
        "estimation : environ",
        f"/objets/{job.pk}/fichier-machine/",
        "(DST)",
        "C’est lancé",
    ):
        assert said in shown, said
    assert "Fil polyester" in shown
    shown = tap(staff, colette, "start", job=job.pk)
    for said in (
        "Ça travaille",
        "estimation : environ",
        "C’est terminé",
        "Le fil a cassé.",
        "L’aiguille a cassé.",
    ):
        assert said in shown, said
    assert "Ça travaille" in text_of(as_(cast.person("owner")).get(f"/objets/{job.pk}/"))
    shown = tap(staff, colette, "finish", job=job.pk)
    assert f"n° {job.number} (Renard, owner)" in shown, "staff read what lies there and whose it is"
    assert "Cadre vide" in shown
    shown = tap(staff, colette, "clear-plate")
    assert f"Pose n° {job.number} (Renard, owner) sur A1." in shown
    job.refresh_from_db()
    assert (job.state, job.shelf) == (State.READY, "A1")


def test_a_hoop_that_is_not_empty_is_asked_about_in_the_same_tap_as_the_start(
    cast: Cast, colette: Machine
) -> None:
    job = make_embroidery(cast, state=State.LOADED, at=timezone.now())
    Machine.objects.filter(pk=colette.pk).update(plate=Plate.TO_CLEAR)
    staff = as_(cast.person("staff"))
    assert "Cadre vide, c’est lancé" in page(staff, colette)
    assert "Vide d’abord le plateau de Colette." in tap(staff, colette, "start", job=job.pk)
    tap(staff, colette, "start", job=job.pk, plate_clear="true")
    job.refresh_from_db()
    assert job.state == State.RUNNING


def test_a_plate_whose_right_to_start_has_ended_is_confirmed_anew_in_the_same_tap(cast: Cast) -> None:
    at = timezone.now()
    ada = make_linked_machine(cast.site, cast.model, at=at)
    clear(ada, at=at)
    job = make_job(cast, state=State.LOADED, at=at, on=ada)
    staff = as_(cast.person("staff"))
    start = f'action="/m/{ada.pk}/faire/start/"'
    assert asks_for_the_plate(staff.get(f"/m/{ada.pk}/"), start) is False

    Machine.objects.filter(pk=ada.pk).update(plate_token="")  # contact was lost for a while
    assert asks_for_the_plate(staff.get(f"/m/{ada.pk}/"), start) is True
    tap(staff, ada, "start", job=job.pk, plate_clear="true")
    assert Order.objects.filter(attempt__jobs=job).count() == 1


def asks_for_the_plate(answer: Any, form: str) -> bool:
    """Say whether the form's tap says that the plate is empty."""
    fields = text_of(answer).split(form, 1)[1].split("</form>", 1)[0]
    return 'name="plate_clear" value="true"' in fields


def test_failed_is_one_drawn_reason_of_the_kind_and_no_other_word_passes(
    cast: Cast, colette: Machine
) -> None:
    job = make_embroidery(cast, state=State.RUNNING, at=timezone.now())
    staff = as_(cast.person("staff"))
    assert "Dis pourquoi." in tap(staff, colette, "fail", job=job.pk, reason="spaghetti")
    tap(staff, colette, "fail", job=job.pk, reason="needle_broke")
    job.refresh_from_db()
    assert (job.state, job.reason) == (State.FAILED, "needle_broke")
    assert "L’aiguille a cassé." in text_of(as_(cast.person("owner")).get(f"/objets/{job.pk}/"))


def test_a_reason_that_only_this_lab_has_is_read_in_its_own_words(cast: Cast, colette: Machine) -> None:
    own = {"code": "pompom", "fr": "Le pompon a fondu.", "en": "The pompom melted."}
    cast.kind.guide = {**cast.kind.guide, "failure_reasons": [own]}
    cast.kind.save()
    job = make_embroidery(cast, state=State.RUNNING, at=timezone.now())
    tap(as_(cast.person("staff")), colette, "fail", job=job.pk, reason="pompom")
    job.refresh_from_db()
    assert job.reason == "Le pompon a fondu."


def test_who_is_not_marked_present_reads_what_to_do_first(cast: Cast, colette: Machine) -> None:
    job = make_embroidery(cast, state=State.QUEUED, at=timezone.now())
    staff = cast.person("staff")
    staff.presences.all().delete()
    shown = page(as_(staff), colette)
    assert "Dis d’abord « Je suis là »." in shown
    assert f'value="{job.pk}"' not in shown
    assert "Tu ne peux pas faire ça ici." in tap(as_(staff), colette, "take", job=job.pk)


def test_a_trained_owner_makes_the_own_object_while_somebody_is_on_duty(cast: Cast, colette: Machine) -> None:
    job = make_embroidery(cast, state=State.QUEUED, at=timezone.now())
    owner = as_(cast.person("owner"))
    assert "Prendre" in page(owner, colette)
    tap(owner, colette, "take", job=job.pk)
    tap(owner, colette, "start", job=job.pk)
    assert "C’est terminé" in tap(owner, colette, "pause", job=job.pk)
    tap(owner, colette, "finish", job=job.pk)
    assert "Pose n° 1 (Renard, owner) sur A1." in tap(owner, colette, "clear-plate")
    assert Job.objects.get(pk=job.pk).state == State.READY


def test_another_members_object_is_neither_shown_nor_taken(cast: Cast, colette: Machine) -> None:
    job = make_embroidery(cast, state=State.QUEUED, at=timezone.now())
    other = as_(cast.person("other_member"))
    shown = page(other, colette)
    assert "Renard" not in shown and "Prendre" not in shown
    assert other.post(f"/m/{colette.pk}/faire/take/", {"job": job.pk}).status_code == 404


def test_how_far_it_is_follows_the_clock_and_says_that_it_is_an_estimate(
    cast: Cast, colette: Machine
) -> None:
    # Started two minutes before ``at``: twelve of its 24 minutes have passed.
    make_embroidery(cast, state=State.RUNNING, at=timezone.now() - timedelta(minutes=10))
    shown = page(as_(cast.person("staff")), colette)
    assert re.search(r'<progress[^>]*value="50', shown)
    assert "estimation : environ 12 min encore" in shown
    (machine,) = machine_shapes([colette], at=timezone.now(), staff=True)
    assert machine["progress"]["estimated"] is True and round(machine["progress"]["percent"]) == 50
    (machine,) = machine_shapes([colette], at=timezone.now() + timedelta(hours=2), staff=True)
    assert (machine["progress"]["percent"], machine["progress"]["minutes_left"]) == (99.0, 0), "not yet done"


def test_what_comes_next_is_shown_in_the_order_of_the_queue_with_the_reason_why_it_waits(
    cast: Cast, colette: Machine
) -> None:
    now = timezone.now()
    jobs = [make_embroidery(cast, state=State.QUEUED, at=now + timedelta(seconds=n)) for n in range(5)]
    Machine.objects.filter(pk=colette.pk).update(
        frame="100x100", needs_help_since=now, needs_help_why="bobine"
    )
    shown = page(as_(cast.person("staff")), colette)
    assert shown.count("next-row") == 3
    assert f"n° {jobs[0].number}" in shown
    assert "Prendre" not in shown, "it needs help first"


def test_the_page_asks_the_database_the_same_whatever_waits(cast: Cast, colette: Machine) -> None:
    now = timezone.now()
    staff = as_(cast.person("staff"))
    asked: list[int] = []
    for waiting in (4, 60):
        for number in range(len(asked) * 4, waiting):
            make_embroidery(cast, state=State.QUEUED, at=now + timedelta(seconds=number))
        page(staff, colette)
        with CaptureQueriesContext(connection) as queries:
            page(staff, colette)
        asked.append(len(queries))
    assert asked[0] == asked[1]


# --- what people say of a machine ---------------------------------------------------------------------------------


def test_each_state_that_a_person_sets_is_one_tap_and_everybody_reads_it(
    cast: Cast, colette: Machine
) -> None:
    staff, member = as_(cast.person("staff")), as_(cast.person("other_member"))
    for action, said in (
        ("in-use", "Occupée"),
        ("needs-help", "Besoin d’aide"),
        ("free", "Libre"),
        ("out-of-order", "En panne"),
        ("back-in-service", "Libre"),
    ):
        tap(staff, colette, action)
        assert f'<span class="word">{said}</span>' in page(member, colette), action
        board = text_of(staff.get("/machines/"))
        assert f'<span class="word">{said}</span>' in board, action


def test_a_machine_that_says_itself_what_it_does_is_not_said_to_be_in_use(cast: Cast) -> None:
    ada = make_linked_machine(cast.site, cast.model, at=timezone.now())
    shown = tap(as_(cast.person("staff")), ada, "in-use")
    assert "dit elle-même ce qu’elle fait." in shown
    ada.refresh_from_db()
    assert ada.in_use_since is None


# --- "C'est moi" --------------------------------------------------------------------------------------------------


@pytest.fixture
def foreign(cast: Cast) -> ForeignPrint:
    """A print that somebody began at the printer itself."""
    hear(cast.machine.pk, report="printing", path="autre.gcode", foreign=True, at=timezone.now())
    return ForeignPrint.objects.get()


def test_a_trained_person_adopts_a_print_in_two_taps_and_is_told_when_it_ends(
    cast: Cast, foreign: ForeignPrint
) -> None:
    owner = as_(cast.person("owner"))
    assert "C’est moi" in page(owner, cast.machine)
    assert "On te dit quand c’est fini." in tap(owner, cast.machine, "adopt")
    assert cast.machine.name in text_of(owner.get("/objets/"))
    hear(cast.machine.pk, report="ready", at=timezone.now())
    foreign.refresh_from_db()
    assert foreign.person == cast.person("owner") and foreign.ended_at is not None
    assert Notice.objects.get().code == "foreign_print_ended"
    assert Machine.objects.get(pk=cast.machine.pk).plate == Plate.TO_CLEAR, "its end releases nothing"


def test_only_one_person_is_it_and_only_a_trained_one(cast: Cast, foreign: ForeignPrint) -> None:
    tap(as_(cast.person("owner")), cast.machine, "adopt")
    assert "Quelqu’un a déjà dit « C’est moi »." in tap(
        as_(cast.person("other_member")), cast.machine, "adopt"
    )
    untrained = page(as_(cast.person("instructor")), cast.machine)
    assert ">C’est moi<" not in untrained
    tap(as_(cast.person("instructor")), cast.machine, "adopt")
    foreign.refresh_from_db()
    assert foreign.person == cast.person("owner")


def test_a_wrong_adoption_is_undone_by_the_person_or_by_staff_and_by_nobody_else(
    cast: Cast, foreign: ForeignPrint
) -> None:
    owner = as_(cast.person("owner"))
    tap(owner, cast.machine, "adopt")
    assert "Tu ne peux pas faire ça ici." in tap(
        as_(cast.person("other_member")), cast.machine, "disown", foreign=foreign.pk
    )
    tap(owner, cast.machine, "disown", foreign=foreign.pk)
    tap(as_(cast.person("other_member")), cast.machine, "adopt")
    tap(as_(cast.person("staff")), cast.machine, "disown", foreign=foreign.pk)
    foreign.refresh_from_db()
    assert (foreign.person, foreign.adopted_at) == (None, None)
    hear(cast.machine.pk, report="ready", at=timezone.now())
    assert not Notice.objects.exists()


def test_silence_ends_no_print_and_another_file_ends_the_one_before(
    cast: Cast, foreign: ForeignPrint
) -> None:
    hear(cast.machine.pk, report="silent", at=timezone.now())
    assert ForeignPrint.objects.get().ended_at is None
    hear(cast.machine.pk, report="printing", path="encore.gcode", foreign=True, at=timezone.now())
    foreign.refresh_from_db()
    assert foreign.ended_at is not None
    assert ForeignPrint.objects.get(ended_at__isnull=True).path == "encore.gcode"
