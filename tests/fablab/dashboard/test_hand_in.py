"""Handing in a file by page: what becomes a draft, what is refused at the door, what one may do, and who may look."""

import hashlib
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from fablab.core.errors import NotFound
from jobs.lifecycle.models import Job
from jobs.lifecycle.states import State
from jobs.management.workers import inspect
from jobs.uploads import arriving
from jobs.uploads.models import Upload
from jobs.uploads.services import begin_arriving
from tests.builders_jobs import Cast, make_job, make_upload
from tests.samples import shapes

pytestmark = pytest.mark.django_db
CUBE = shapes.binary_stl(shapes.box(20, 20, 20))


def a_file(content: bytes = CUBE, name: str = "étoile_filante.stl") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


@pytest.fixture
def owner(client: Client, cast: Cast) -> Client:
    client.force_login(cast.person("owner"))
    return client


def test_a_file_becomes_a_draft_for_the_printer_at_once_and_is_checked_then(
    owner: Client, cast: Cast
) -> None:
    answer = owner.post("/objets/upload/", {"file": a_file()})
    job = Job.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/objets/{job.pk}/")
    assert (job.state, job.title, job.machine_model) == (State.DRAFT, "étoile filante", cast.model)
    page = owner.get(f"/objets/{job.pk}/").content.decode()
    assert "On vérifie le fichier" in page
    assert 'data-fragment-key="inspecting"' in page
    assert "Envoyer</span>" not in page
    inspect(timezone.now())
    page = owner.get(f"/objets/{job.pk}/").content.decode()
    assert "2 × 2 × 2" in page
    assert f"/fichiers/{job.upload_id}/image/" in page


@pytest.mark.parametrize(
    ("files", "sentence", "status"),
    [
        ({}, "Choisis d’abord un fichier.", 400),
        ({"file": a_file(b"", "vide.stl")}, "Le fichier est vide.", 400),
    ],
)
def test_what_is_no_file_is_refused_at_the_door_with_a_sentence(
    owner: Client, files: dict[str, SimpleUploadedFile], sentence: str, status: int
) -> None:
    answer = owner.post("/objets/upload/", files)
    assert answer.status_code == status
    assert sentence in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_page_in_a_models_clothes_is_said_to_be_one_and_another_file_can_follow(owner: Client) -> None:
    owner.post(
        "/objets/upload/", {"file": a_file(b"<!doctype html><html><script>alert(1)</script>", "cube.stl")}
    )
    inspect(timezone.now())
    job = Job.objects.get()
    page = owner.get(f"/objets/{job.pk}/").content.decode()
    assert "À corriger – voici pourquoi" in page
    assert "Ce n’est pas un vrai fichier .stl." in page
    assert "Envoie un autre fichier." in page
    assert f'action="/objets/{job.pk}/faire/submit/"' not in page
    assert owner.post(f"/objets/{job.pk}/upload/", {"file": a_file()}).status_code == 303
    inspect(timezone.now())
    job.refresh_from_db()
    assert job.upload.name == "étoile_filante.stl"
    assert Job.objects.count() == 1


def arrived(cast: Cast, part: str, content: bytes = CUBE, sha256: str = "") -> str:
    """Have a file of this part's arrive whole before its form; return its id."""
    person = cast.person(part)
    one = begin_arriving(owner=person, name="étoile.stl", size=len(CUBE), sha256=sha256)
    arriving.continue_at(person.pk, one.id, offset=0, source=BytesIO(content))
    return one.id


def test_a_file_that_arrived_before_its_form_goes_through_the_same_door_and_counts_once(
    owner: Client, cast: Cast
) -> None:
    form = {"idempotency_key": "the-same", "arrived": arrived(cast, "owner")}
    places = {owner.post("/objets/upload/", form).headers["Location"] for _ in range(2)}
    job = Job.objects.get()
    assert places == {f"/objets/{job.pk}/"}
    assert (job.title, job.machine_model) == ("étoile", cast.model)
    assert job.upload.path.read_bytes() == CUBE
    other = {"arrived": arrived(cast, "owner", CUBE[:-1] + b"x")}
    assert owner.post(f"/objets/{job.pk}/upload/", other).status_code == 303
    job.refresh_from_db()
    assert job.upload.path.read_bytes() == CUBE[:-1] + b"x"


def test_somebody_elses_file_one_that_is_not_whole_and_a_damaged_one_are_refused_in_sentences(
    owner: Client, cast: Cast
) -> None:
    damaged = arrived(cast, "owner", CUBE[:-1] + b"x", sha256=hashlib.sha256(CUBE).hexdigest())
    for which, status, sentence in (
        (arrived(cast, "other_member"), 400, "Choisis d’abord un fichier."),
        ("../../etc/passwd", 400, "Choisis d’abord un fichier."),
        (arrived(cast, "owner", CUBE[:99]), 409, "Le fichier n’est pas encore arrivé en entier."),
        (damaged, 409, "Le fichier est arrivé abîmé. Envoie-le encore."),
    ):
        answer = owner.post("/objets/upload/", {"arrived": which})
        assert answer.status_code == status
        assert sentence in answer.content.decode()
    assert (Upload.objects.count(), Job.objects.count()) == (0, 0)
    with pytest.raises(NotFound):
        arriving.find(cast.person("owner").pk, damaged)


def test_the_same_form_sent_twice_makes_one_object(owner: Client) -> None:
    form = {"idempotency_key": "the-same"}
    places = {
        owner.post("/objets/upload/", {**form, "file": BytesIO(CUBE)}).headers["Location"] for _ in range(2)
    }
    assert len(places) == 1
    assert Job.objects.count() == 1


def test_going_back_to_the_address_of_a_form_leads_to_its_page(owner: Client, cast: Cast) -> None:
    job = make_job(cast, at=timezone.now())
    assert owner.get("/objets/upload/").headers["Location"] == "/objets/nouveau/"
    assert owner.get(f"/objets/{job.pk}/upload/").headers["Location"] == f"/objets/{job.pk}/"
    assert (
        owner.get(f"/reserver/{cast.kind.slug}/confirmer/").headers["Location"]
        == f"/reserver/{cast.kind.slug}/"
    )


def test_settings_are_kept_and_a_wrong_number_keeps_what_was_typed(owner: Client, cast: Cast) -> None:
    job = make_job(cast, at=timezone.now())
    form = {
        "place": f"machine:{cast.machine.pk}",
        "material": "PETG",
        "quality": "fine",
        "supports": "no",
        "copies": "3",
        "title": "Mon étoile",
        "note": "En bleu, merci",
    }
    assert owner.post(f"/objets/{job.pk}/reglages/", form).status_code == 303
    job.refresh_from_db()
    assert job.settings == {"material": "PETG", "quality": "fine", "supports": "no", "copies": 3}
    assert (job.machine, job.title, job.note) == (cast.machine, "Mon étoile", "En bleu, merci")
    for copies in ("99", "beaucoup", ""):
        answer = owner.post(f"/objets/{job.pk}/reglages/", {**form, "copies": copies, "note": "En vert"})
        assert answer.status_code == 400
        page = answer.content.decode()
        assert "Entre 1 et 20 exemplaires." in page
        assert "En vert</textarea>" in page
    job.refresh_from_db()
    assert job.note == "En bleu, merci"


def test_a_draft_is_sent_and_a_second_press_says_that_it_was(owner: Client, cast: Cast) -> None:
    job = make_job(cast, at=timezone.now())
    assert f'action="/objets/{job.pk}/faire/submit/"' in owner.get(f"/objets/{job.pk}/").content.decode()
    answer = owner.post(f"/objets/{job.pk}/faire/submit/")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/objets/{job.pk}/")
    page = owner.get(f"/objets/{job.pk}/").content.decode()
    assert "Fichier reçu – un animateur va le regarder" in page
    owner.post(f"/objets/{job.pk}/faire/submit/")
    assert "Quelqu’un a été plus rapide." in owner.get(f"/objets/{job.pk}/").content.decode()


def test_who_is_not_trained_reads_so_beside_the_file_and_has_no_button(owner: Client, cast: Cast) -> None:
    cast.person("owner").certificates.all().delete()
    job = make_job(cast, at=timezone.now())
    page = owner.get(f"/objets/{job.pk}/").content.decode()
    assert "Il te faut d’abord la formation" in page
    assert f'action="/objets/{job.pk}/faire/submit/"' not in page


@pytest.mark.parametrize("action", ["approve", "claim", "shelve", "start", "release"])
def test_a_member_does_nothing_that_is_for_helpers(owner: Client, cast: Cast, action: str) -> None:
    job = make_job(cast, state=State.SUBMITTED, at=timezone.now())
    assert owner.post(f"/objets/{job.pk}/faire/{action}/").status_code == 303
    job.refresh_from_db()
    assert job.state == State.SUBMITTED
    assert owner.post(f"/objets/{job.pk}/faire/dance/").status_code == 404
    assert owner.get(f"/objets/{job.pk}/faire/submit/").status_code == 405


PAGES = ("", "fichier/", "fichier-machine/")


@pytest.mark.parametrize(
    ("part", "status"),
    [
        ("owner", 200),
        ("instructor", 200),
        ("staff", 200),
        ("other_member", 404),
        ("elsewhere", 404),
        (None, 302),
    ],
)
def test_an_object_its_files_and_its_picture_are_seen_by_its_owner_and_the_helpers_of_its_place(
    client: Client, cast: Cast, part: str | None, status: int
) -> None:
    upload = make_upload(cast.person("owner"), at=timezone.now(), content=CUBE, has_picture=True)
    upload.picture_path.write_bytes(b"\x89PNG\r\n\x1a\n")
    file = make_upload(cast.person("owner"), at=timezone.now(), content=b"G28\n", format="gcode")
    job = make_job(cast, at=timezone.now(), upload=upload, machine_file=file)
    if part is not None:
        client.force_login(cast.person(part))
    addresses = [f"/objets/{job.pk}/{page}" for page in PAGES] + [f"/fichiers/{upload.pk}/image/"]
    answers = [client.get(address) for address in addresses]
    assert [answer.status_code for answer in answers] == [status] * len(addresses)
    if status != 200:
        return
    for answer in answers[1:]:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Disposition"].startswith("attachment")
        b"".join(answer)


@pytest.mark.parametrize("part", ["other_member", "elsewhere"])
def test_nobody_else_changes_or_sends_an_object(client: Client, cast: Cast, part: str) -> None:
    job = make_job(cast, at=timezone.now())
    client.force_login(cast.person(part))
    for address in ("reglages/", "upload/", "faire/submit/", "faire/cancel/"):
        form = {"file": a_file()} if address == "upload/" else {"copies": "2", "title": "x", "place": ""}
        assert client.post(f"/objets/{job.pk}/{address}", form).status_code == 404
    job.refresh_from_db()
    assert (job.state, job.settings["copies"]) == (State.DRAFT, 1)
    assert not Upload.objects.filter(owner=cast.person(part)).exists()
