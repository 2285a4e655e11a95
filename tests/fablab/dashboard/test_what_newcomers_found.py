"""Small things that stopped people who came for the first time: each once wrong, each told here as it should be."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django.utils.html import strip_tags

from equipment.certifications.models import Certificate
from equipment.machines.models import Machine, MachineEvent
from equipment.machines.states import Report
from equipment.sites.models import Presence
from fablab.core.words import say
from fablab.dashboard import formats, present
from jobs.inspection.codes import finding
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.models import Attempt, Job, Order
from jobs.lifecycle.press import press
from jobs.lifecycle.states import Source, State, Verb
from jobs.lifecycle.table import Action
from jobs.uploads.models import Upload
from tests.builders import make_model
from tests.builders_jobs import Cast, make_job, make_linked_machine, make_upload
from tests.fablab.dashboard.lab import as_, text_of
from tests.jobs.recovery.power import comes_back_idle, machine_at_work

pytestmark = pytest.mark.django_db
STOP_TOO = "Appuie aussi sur le bouton de la machine."


def page(cast: Cast, part: str, address: str) -> str:
    return text_of(as_(cast.person(part)).get(address))


# --- what an instructor said --------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [Action.SEND_BACK, Action.REJECT])
def test_the_instructors_own_words_stand_beside_the_reason(cast: Cast, action: Action) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=timezone.now())

    press(
        job.pk,
        action,
        actor=cast.person("instructor"),
        at=timezone.now(),
        reason="too_big",
        words="Réduis-le de moitié.",
    )

    card = page(cast, "owner", f"/objets/{job.pk}/").split('id="history"', maxsplit=1)[0]
    assert "Trop grand pour la machine" in card
    assert "Réduis-le de moitié." in card


def test_the_desk_says_that_an_object_came_back_unchanged(cast: Cast) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=timezone.now() - timedelta(hours=1))
    instructor, now = cast.person("instructor"), timezone.now()
    press(job.pk, Action.SEND_BACK, actor=instructor, at=now, reason="too_big", words="Plus petit !")
    press(job.pk, Action.SUBMIT, actor=cast.person("owner"), at=now)

    desk = page(cast, "instructor", f"/animateur/{job.pk}/")

    assert "Déjà renvoyé" in desk
    assert "Plus petit !" in desk
    assert "Le fichier est le même qu’avant." in desk


def test_the_desk_does_not_call_another_file_the_same(cast: Cast) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=timezone.now() - timedelta(hours=1))
    press(job.pk, Action.SEND_BACK, actor=cast.person("instructor"), at=timezone.now(), reason="too_big")
    press(job.pk, Action.SUBMIT, actor=cast.person("owner"), at=timezone.now())
    Upload.objects.filter(pk=job.upload_id).update(created_at=timezone.now())

    desk = page(cast, "instructor", f"/animateur/{job.pk}/")

    assert "Déjà renvoyé" in desk
    assert "Le fichier est le même" not in desk


def test_an_object_that_was_never_sent_back_says_nothing_of_it(cast: Cast) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=timezone.now())

    assert "Déjà renvoyé" not in page(cast, "instructor", f"/animateur/{job.pk}/")


# --- stopping -----------------------------------------------------------------------------------------------------


def running(cast: Cast, **machine: Any) -> Job:
    now = timezone.now()
    job = make_job(cast, state=State.RUNNING, at=now, title="Vase")
    attempt = Attempt.objects.get(parts__job=job)
    Job.objects.filter(pk=job.pk).update(percent=42.0, progress_at=now)
    fields = {"report": Report.PRINTING, "report_path": attempt.remote_path, **machine}
    Machine.objects.filter(pk=cast.machine.pk).update(**fields)
    return job


def tile(cast: Cast) -> str:
    board = page(cast, "staff", "/machines/")
    return board[board.index(f'id="machine-{cast.machine.pk}"') :].split("</article>")[0]


def test_after_a_press_on_stop_the_machine_shows_its_object_and_that_it_stops(cast: Cast) -> None:
    job = running(cast)

    press(job.pk, Action.ASK_STOP, actor=cast.person("staff"), at=timezone.now())

    shown = tile(cast)
    assert "Vase" in shown
    assert "Ça s’arrête" in shown
    assert "Arrêt demandé" in shown
    assert "42" not in strip_tags(shown), "how far it was; the tags hold times and ids"
    assert "Occupée" not in shown


def test_while_the_machine_still_moves_after_a_stop_its_object_stays_there(cast: Cast) -> None:
    job = running(cast)
    now = timezone.now()
    attempt = Attempt.objects.get(parts__job=job)
    lifecycle.step_attempt(attempt.pk, Action.STOPPED, source=Source.MACHINE, at=now, reason="asked")
    Machine.objects.filter(pk=cast.machine.pk).update(report=Report.CANCELLING)

    shown = tile(cast)

    assert "Vase" in shown
    assert "Ça s’arrête" in shown
    assert "Occupée" not in shown


def test_a_cancelled_object_says_who_asked_for_it(cast: Cast) -> None:
    job = running(cast)
    now = timezone.now()
    press(job.pk, Action.ASK_STOP, actor=cast.person("staff"), at=now)
    attempt = Attempt.objects.get(parts__job=job)
    lifecycle.step_attempt(attempt.pk, Action.STOPPED, source=Source.MACHINE, at=now, reason="asked")

    assert "Demandé par staff" in page(cast, "owner", f"/objets/{job.pk}/")
    assert "Demandé par toi" in page(cast, "staff", f"/objets/{job.pk}/")


def test_while_a_pause_was_asked_for_nobody_is_offered_another(cast: Cast) -> None:
    job = running(cast)
    own = f"/objets/{job.pk}/"
    assert f"{own}faire/pause/" in page(cast, "owner", own)
    Order.objects.create(
        attempt=Attempt.objects.get(parts__job=job),
        verb=Verb.PAUSE,
        lease_number=1,
        created_at=timezone.now(),
        expires_at=timezone.now() + timedelta(minutes=1),
    )

    shown = page(cast, "owner", own)

    assert "Pause demandée" in shown
    assert f"{own}faire/pause/" not in shown


@pytest.mark.parametrize(
    ("state", "moves"), [(State.RUNNING, True), (State.LOADED, False), (State.SENDING, False)]
)
def test_the_machines_own_button_is_named_only_while_it_moves(cast: Cast, state: State, moves: bool) -> None:
    job = make_job(cast, state=state, at=timezone.now())

    shown = page(cast, "owner", f"/objets/{job.pk}/")

    assert f"/objets/{job.pk}/faire/ask-stop/" in shown
    assert (STOP_TOO in shown) is moves


# --- what a person lacks ------------------------------------------------------------------------------------------


def test_who_lacks_the_training_reads_so_before_and_after_sending_a_file(cast: Cast) -> None:
    Certificate.objects.all().delete()
    job = make_job(cast, state=State.DRAFT, at=timezone.now())
    said = "Il te faut d’abord la formation « Imprimante 3D »."

    assert said in page(cast, "owner", "/objets/nouveau/")
    shown = page(cast, "owner", f"/objets/{job.pk}/")
    assert said in shown
    assert "Prêt à envoyer" not in shown


def test_who_is_trained_reads_nothing_of_it(cast: Cast) -> None:
    job = make_job(cast, state=State.DRAFT, at=timezone.now())

    assert "Il te faut d’abord" not in page(cast, "owner", "/objets/nouveau/")
    assert "Prêt à envoyer" in page(cast, "owner", f"/objets/{job.pk}/")


def test_gcode_is_offered_to_those_alone_who_may_send_it(cast: Cast) -> None:
    assert ".gcode" not in page(cast, "owner", "/objets/nouveau/")

    Certificate.objects.filter(person=cast.person("owner")).update(may_send_machine_files=True)

    assert ".gcode" in page(cast, "owner", "/objets/nouveau/")


def draft_with(cast: Cast, *findings: Any, size: list[float] | None = None) -> Job:
    report: dict[str, Any] = {
        "format": "stl",
        "size_mm": size or [20, 20, 20],
        "minutes": None,
        "facts": {},
        "findings": [one.as_json() for one in findings],
    }
    upload = make_upload(cast.person("owner"), at=timezone.now(), report=report)
    return make_job(cast, state=State.DRAFT, at=timezone.now(), upload=upload)


def test_a_refused_file_says_each_thing_once(cast: Cast) -> None:
    job = draft_with(
        cast,
        finding("macro_refused", command="M500", line=3),
        finding("host_command", command="@pause", line=5),
        finding("heater_left_on"),
        finding("heater_left_on"),
    )

    shown = page(cast, "owner", f"/objets/{job.pk}/").split('id="history"', maxsplit=1)[0]

    for sentence in (
        "On ne connaît pas",
        "À la fin, la machine resterait chaude.",
        "La commande M500 est interdite",
    ):
        assert shown.count(sentence) <= 1, sentence
    for step in ("Envoie le modèle, on prépare le fichier ici.", "Un animateur t’attend au fab lab."):
        assert shown.count(step) <= 1, step


def test_who_may_send_models_alone_reads_that_first_and_nothing_of_what_is_inside(cast: Cast) -> None:
    inside = [finding("macro_refused", command="M500", line=3).as_json(), finding("no_fan").as_json()]
    report: dict[str, Any] = {
        "format": "gcode",
        "size_mm": None,
        "minutes": None,
        "facts": {},
        "findings": inside,
    }
    upload = make_upload(cast.person("owner"), at=timezone.now(), format="gcode", report=report)
    job = make_job(cast, state=State.DRAFT, at=timezone.now(), upload=upload)

    shown = page(cast, "owner", f"/objets/{job.pk}/").split('id="history"', maxsplit=1)[0]

    assert shown.count("Envoie un modèle. Un fichier machine demande une formation de plus.") == 1
    assert shown.count("Envoie le modèle, on prépare le fichier ici.") == 1
    assert "M500" not in shown
    assert "Un animateur t’attend" not in shown
    assert "À corriger – voici pourquoi" in shown


def test_a_line_without_width_is_not_drawn_beside_a_coin(cast: Cast) -> None:
    thin = draft_with(cast, size=[40.0, 0.2, 0.2])
    solid = draft_with(cast, size=[40.0, 30.0, 0.2])

    assert "pièce de 2 euros" not in page(cast, "owner", f"/objets/{thin.pk}/")
    assert "pièce de 2 euros" in page(cast, "owner", f"/objets/{solid.pk}/")


def test_my_objects_say_why_a_file_must_be_corrected(cast: Cast) -> None:
    draft_with(cast, finding("open_mesh", edges=3, at_mm=[0.0, 0.0, 0.0]))

    shown = page(cast, "owner", "/objets/")

    assert "À corriger – voici pourquoi" in shown
    assert "Le modèle a des trous." in shown


# --- words and figures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "shown"), [("fr", "400,5 mm, au plus 220 mm"), ("en", "400.5 mm, at most 220 mm")]
)
def test_a_fraction_is_written_as_the_reader_writes_it(language: str, shown: str) -> None:
    with translation.override("fr"):
        french = say("too_big", {"size_mm": 400.5, "most_mm": 220.0})
    assert "400,5 mm" in french
    assert "220 mm" in french
    with translation.override(language):
        assert shown.split(" mm")[0] in say("too_big", {"size_mm": 400.5, "most_mm": 220.0})


def test_temperatures_stand_in_one_order_whatever_the_machine_sends() -> None:
    one: dict[str, float | None] = {"actual": 210.0, "target": 210.0}
    other: dict[str, float | None] = {"actual": 60.0, "target": None}
    for given in ({"bed": other, "tool0": one}, {"tool0": one, "bed": other}):
        labels = [card["label"] for card in present._temperatures(given)]
        assert labels == ["Buse", "Plateau"]


def test_arabic_lists_have_arabic_commas() -> None:
    with translation.override("ar"):
        assert formats.listed(["A", "B"]) == "A، B"
    with translation.override("fr"):
        assert formats.listed(["A", "B"]) == "A, B"


def test_a_machine_without_a_plate_is_started_without_a_word_of_it(cast: Cast) -> None:
    cast.kind.needs_plate = False
    cast.kind.save()
    job = make_job(cast, state=State.LOADED, at=timezone.now())
    Machine.objects.filter(pk=cast.machine.pk).update(report=Report.READY)

    shown = tile(cast) + page(cast, "owner", f"/objets/{job.pk}/")

    assert "lateau vide" not in shown
    assert "doit être vidée" not in shown


def test_a_button_that_waits_for_presence_says_so(cast: Cast) -> None:
    Presence.objects.all().delete()

    shown = tile(cast)

    assert "disabled" in shown
    assert "Dis d’abord « Je suis là »." in shown


def test_a_machines_log_leaves_out_what_passes_and_what_repeats(cast: Cast) -> None:
    now = timezone.now()
    for number, to in enumerate(("printing", "finishing", "ready", "silent", "silent", "silent", "ready")):
        MachineEvent.objects.create(
            machine=cast.machine,
            action="report",
            source="machine",
            at=now + timedelta(seconds=number),
            details={"to": to},
        )

    shown = page(cast, "staff", f"/machines/{cast.machine.pk}/")
    log = shown[shown.index("Journal</h2>") :].split("</section>")[0]

    assert log.count("La machine a changé d’état") == 4
    assert "termine" not in log
    assert log.count("ne répond plus") == 1


# --- after a short cut --------------------------------------------------------------------------------------------


def test_what_one_machine_lost_is_there_to_be_taken_up_where_people_look_after_a_cut(cast: Cast) -> None:
    assert "Rien n’a été interrompu." in page(cast, "staff", "/reprise/")
    now = timezone.now()
    old, lost = machine_at_work(cast, "Crochet", now), machine_at_work(cast, "Dragon", now)
    comes_back_idle(old, now - timedelta(hours=7))
    comes_back_idle(lost, now)

    shown = page(cast, "staff", "/reprise/")

    assert "Rien n’a été interrompu." not in shown
    assert "Rien d’autre n’a été interrompu." in shown and "À reprendre" in shown
    assert "Dragon" in shown and "La machine a redémarré pendant l’impression." in shown
    assert "Crochet" not in shown, "that was another day's"
    assert f"/objets/{lost.pk}/faire/requeue/" in shown


def test_what_was_lost_takes_as_many_queries_for_30_objects_as_for_3(cast: Cast) -> None:
    def fill(count: int) -> int:
        for number in range(count):
            now = timezone.now()
            comes_back_idle(machine_at_work(cast, f"Vase {number} {count}", now), now)
        client = as_(cast.person("staff"))
        client.get("/reprise/")
        with CaptureQueriesContext(connection) as asked:
            client.get("/reprise/")
        return len(asked)

    assert fill(3) == fill(27)


# --- pages that are not meant to be looked at ---------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/lieu/", "/deconnexion/"])
def test_an_address_of_a_button_leads_home_when_looked_at(cast: Cast, address: str) -> None:
    answer = as_(cast.person("owner")).get(address)

    assert (answer.status_code, answer["Location"]) == (303, "/")


def test_other_addresses_of_buttons_explain_themselves(cast: Cast) -> None:
    answer = as_(cast.person("staff")).get("/presence/")

    assert answer.status_code == 405
    assert "Cette adresse sert seulement à un bouton." in text_of(answer)


def test_who_is_signed_in_is_not_told_to_sign_in(cast: Cast) -> None:
    answer = as_(cast.person("owner")).get("/machines/")

    assert answer.status_code == 403
    assert "Connecte-toi" not in text_of(answer)
    assert "Demande à un animateur." in text_of(answer)


def test_a_stranger_may_still_look_at_the_first_page(client: Client) -> None:
    assert client.get("/").status_code == 200


def test_a_page_that_says_that_it_changes_by_itself_does_so_without_scripts_too(cast: Cast) -> None:
    job = make_job(cast, state=State.DRAFT, at=timezone.now())
    again = '<noscript><meta http-equiv="refresh" content="5"></noscript>'
    Upload.objects.filter(pk=job.upload_id).update(state="inspecting")
    checked = page(cast, "owner", f"/objets/{job.pk}/")
    assert "La page change toute seule." in checked and again in checked
    Upload.objects.filter(pk=job.upload_id).update(state="ok")
    assert again not in page(cast, "owner", f"/objets/{job.pk}/")


def test_of_what_hands_make_nobody_says_that_the_machine_was_just_heard(cast: Cast) -> None:
    job = make_job(cast, state=State.RUNNING, at=timezone.now())
    Job.objects.filter(pk=job.pk).update(progress_at=timezone.now(), percent=40)
    told = 'data-bind-age="progress.at"'
    assert told in page(cast, "owner", "/")
    Machine.objects.filter(pk=cast.machine.pk).update(driver="handover", address="")
    for address in ("/", "/objets/", f"/objets/{job.pk}/"):
        assert told not in page(cast, "owner", address), address


def test_only_machines_that_take_the_file_are_offered_for_it(cast: Cast) -> None:
    job = make_job(cast, state=State.DRAFT, at=timezone.now())
    cutter = make_model(cast.kind, name="Vinyle 600", formats=["hpgl"], prepares=["svg"])
    make_linked_machine(cast.site, cutter, at=timezone.now(), name="Colette")
    assert "Vinyle 600" not in page(cast, "owner", f"/objets/{job.pk}/")
    Upload.objects.filter(pk=job.upload_id).update(format="svg")
    assert "Vinyle 600" in page(cast, "owner", f"/objets/{job.pk}/")


def test_after_a_quick_restart_the_page_of_cuts_says_what_is_still_checked(cast: Cast) -> None:
    job = make_job(cast, state=State.RUNNING, at=timezone.now())
    assert "Rien n’a été interrompu." in page(cast, "staff", "/reprise/")
    Attempt.objects.filter(jobs=job).update(unsure_since=timezone.now(), unsure_why="contact_lost")
    assert f"On vérifie encore : {cast.machine.name}." in page(cast, "staff", "/reprise/")
