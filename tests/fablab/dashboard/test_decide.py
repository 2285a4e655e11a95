"""The instructor's desk: what waits comes in order, a decision is on exactly what was shown, and can be taken back."""

from datetime import timedelta

import pytest
from django.test import Client

from jobs.lifecycle.models import Approval, Job, JobEvent
from jobs.lifecycle.states import State
from jobs.lifecycle.words import REASONS
from jobs.uploads.models import Upload
from tests.builders_jobs import Cast, make_job, make_upload
from tests.fablab.dashboard.lab import as_, open_lab, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab() -> tuple[Cast, Client, list[Job]]:
    """Three objects that wait since 30, 20 and 10 minutes."""
    cast, now = open_lab()
    jobs = []
    for minutes in (30, 20, 10):
        job = make_job(cast, state=State.SUBMITTED, at=now, title=f"Objet {minutes}")
        Job.objects.filter(pk=job.pk).update(submitted_at=now - timedelta(minutes=minutes))
        jobs.append(job)
    return cast, as_(cast.person("instructor")), jobs


def hash_of(job: Job) -> str:
    assert job.machine_file is not None
    return job.machine_file.sha256


def test_the_longest_waiting_comes_first_and_the_menu_counts_them(
    lab: tuple[Cast, Client, list[Job]],
) -> None:
    _cast, client, _jobs = lab
    page = text_of(client.get("/animateur/"))
    assert page.index("Objet 30") < page.index("Objet 20") < page.index("Objet 10")
    assert "Attend depuis 30 min" in page
    assert '<span class="nav-count"><bdi>3</bdi></span>' in page


def test_an_approval_leads_to_the_next_object_and_names_who_approved_which_file(
    lab: tuple[Cast, Client, list[Job]],
) -> None:
    cast, client, jobs = lab
    answer = client.post(
        f"/animateur/{jobs[0].pk}/decider/", {"action": "approve", "seen_sha256": hash_of(jobs[0])}
    )
    assert answer.status_code == 303
    assert answer["Location"] == f"/animateur/{jobs[1].pk}/?fait={jobs[0].pk}"
    approval = Approval.objects.get(job=jobs[0])
    assert (approval.by, approval.file_sha256) == (cast.person("instructor"), hash_of(jobs[0]))
    page = text_of(client.get(answer["Location"]))
    assert "Validé : Objet 30" in page
    assert "Objet 20" in page


def test_an_approval_of_another_file_than_the_one_shown_is_refused_in_words(
    lab: tuple[Cast, Client, list[Job]],
) -> None:
    _cast, client, jobs = lab
    address = f"/animateur/{jobs[0].pk}/"
    answer = client.post(
        f"{address}decider/", {"action": "approve", "seen_sha256": "0" * 64, "next": address}, follow=True
    )
    assert "Le fichier a changé depuis. Regarde-le encore." in text_of(answer)
    assert Job.objects.get(pk=jobs[0].pk).state == State.SUBMITTED


def test_within_ten_seconds_an_approval_is_taken_back_and_the_object_waits_again(
    lab: tuple[Cast, Client, list[Job]],
) -> None:
    _cast, client, jobs = lab
    client.post(f"/animateur/{jobs[0].pk}/decider/", {"action": "approve", "seen_sha256": hash_of(jobs[0])})
    answer = client.post(f"/animateur/{jobs[0].pk}/revenir/", {})
    assert answer["Location"] == f"/animateur/{jobs[0].pk}/"
    assert Job.objects.get(pk=jobs[0].pk).state == State.SUBMITTED
    assert not Approval.objects.filter(job=jobs[0], voided_at__isnull=True).exists()


def test_after_ten_seconds_it_is_too_late_and_nothing_offers_it(lab: tuple[Cast, Client, list[Job]]) -> None:
    _cast, client, jobs = lab
    client.post(f"/animateur/{jobs[0].pk}/decider/", {"action": "approve", "seen_sha256": hash_of(jobs[0])})
    approval = Approval.objects.get(job=jobs[0])
    Approval.objects.filter(pk=approval.pk).update(at=approval.at - timedelta(seconds=11))
    assert "Validé : Objet 30" not in text_of(client.get(f"/animateur/?fait={jobs[0].pk}"))
    answer = client.post(f"/animateur/{jobs[0].pk}/revenir/", {}, follow=True)
    assert "Trop tard pour revenir en arrière." in text_of(answer)
    assert Job.objects.get(pk=jobs[0].pk).state == State.QUEUED


@pytest.mark.parametrize(
    ("action", "state"), [("send-back", State.NEEDS_CHANGES), ("reject", State.REJECTED)]
)
@pytest.mark.parametrize("reason", REASONS)
def test_each_drawn_reason_sends_back_or_refuses_and_own_words_go_with_it(
    lab: tuple[Cast, Client, list[Job]], action: str, state: State, reason: str
) -> None:
    _cast, client, jobs = lab
    given = {"action": action, "reason": reason, "words": "Le bras est trop fin."}
    answer = client.post(f"/animateur/{jobs[0].pk}/decider/", given)
    assert answer["Location"] == f"/animateur/{jobs[1].pk}/"
    job = Job.objects.get(pk=jobs[0].pk)
    assert (job.state, job.reason) == (state, reason)
    assert JobEvent.objects.filter(job=job, details__words="Le bras est trop fin.").exists()


def test_holes_and_parts_in_the_air_are_no_reason_for_what_is_flat(
    lab: tuple[Cast, Client, list[Job]],
) -> None:
    _cast, client, jobs = lab
    address, said = f"/animateur/{jobs[0].pk}/", "Le modèle a des trous ou des parties en l’air"
    assert said in text_of(client.get(address))
    Upload.objects.filter(pk=jobs[0].upload_id).update(format="dst")
    shown = text_of(client.get(address))
    assert said not in shown and "Trop grand pour la machine" in shown


@pytest.mark.parametrize("reason", ["", "because", "asked"])
def test_a_refusal_without_one_of_the_seven_reasons_changes_nothing(
    lab: tuple[Cast, Client, list[Job]], reason: str
) -> None:
    _cast, client, jobs = lab
    address = f"/animateur/{jobs[0].pk}/"
    answer = client.post(
        f"{address}decider/", {"action": "reject", "reason": reason, "next": address}, follow=True
    )
    assert "Dis pourquoi." in text_of(answer)
    assert Job.objects.get(pk=jobs[0].pk).state == State.SUBMITTED


def test_skipping_goes_on_and_the_last_one_leads_back_to_the_list(
    lab: tuple[Cast, Client, list[Job]],
) -> None:
    _cast, client, jobs = lab
    assert f'href="/animateur/{jobs[1].pk}/" data-key="s"' in text_of(client.get(f"/animateur/{jobs[0].pk}/"))
    assert 'href="/animateur/" data-key="s"' in text_of(client.get(f"/animateur/{jobs[2].pk}/"))


def test_what_somebody_else_has_decided_leads_back_to_the_list(lab: tuple[Cast, Client, list[Job]]) -> None:
    _cast, client, jobs = lab
    client.post(f"/animateur/{jobs[0].pk}/decider/", {"action": "approve", "seen_sha256": hash_of(jobs[0])})
    answer = client.get(f"/animateur/{jobs[0].pk}/", follow=True)
    assert answer.redirect_chain[-1][0] == "/animateur/"
    assert "Quelqu’un a déjà décidé de cet objet." in text_of(answer)


def test_ones_own_object_is_for_another_instructor(lab: tuple[Cast, Client, list[Job]]) -> None:
    cast, client, jobs = lab
    Job.objects.filter(pk=jobs[0].pk).update(owner=cast.person("instructor"))
    assert client.get(f"/animateur/{jobs[0].pk}/").status_code == 403
    assert "Objet 30" not in text_of(client.get("/animateur/"))
    client.post(f"/animateur/{jobs[0].pk}/decider/", {"action": "approve", "seen_sha256": hash_of(jobs[0])})
    assert Job.objects.get(pk=jobs[0].pk).state == State.SUBMITTED


def test_copies_are_changed_before_approving_and_a_wrong_number_is_said_beside_its_field(
    lab: tuple[Cast, Client, list[Job]],
) -> None:
    _cast, client, jobs = lab
    address = f"/animateur/{jobs[0].pk}/reglages/"
    answer = client.post(address, {"copies": "99", "material": "PETG", "place": ""})
    page = text_of(answer)
    assert answer.status_code == 400
    assert "Entre 1 et 20 exemplaires." in page
    assert 'value="99"' in page
    assert client.post(address, {"copies": "3", "material": "PETG", "place": ""}).status_code == 303
    job = Job.objects.get(pk=jobs[0].pk)
    assert (job.settings["copies"], job.settings["material"]) == (3, "PETG")
    assert job.title == "Objet 30"


def test_a_missing_machine_file_is_said_sent_checked_and_attached(
    lab: tuple[Cast, Client, list[Job]],
) -> None:
    cast, client, jobs = lab
    Job.objects.filter(pk=jobs[0].pk).update(machine_file=None)
    address = f"/animateur/{jobs[0].pk}/"
    page = text_of(client.get(address))
    assert "Il manque le fichier pour la machine." in page
    assert 'value="approve"' not in page
    upload = make_upload(cast.person("instructor"), at=jobs[0].created_at, format="gcode")
    page = text_of(client.get(f"{address}?fichier={upload.pk}"))
    assert "Joindre ce fichier" in page
    client.post(f"{address}joindre/", {"upload": upload.pk})
    job = Job.objects.get(pk=jobs[0].pk)
    assert job.machine_file_id == upload.pk
    assert 'value="approve"' in text_of(client.get(address))
