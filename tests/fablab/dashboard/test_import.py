"""Importer des réservations: the page takes a table whole, or says everything that is wrong with it."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from equipment.bookings.models import Booking
from fablab.core.clock import local_day
from tests.builders_jobs import Cast
from tests.fablab.dashboard.lab import as_, text_of

pytestmark = pytest.mark.django_db


def table(cast: Cast, days: int = 5, *rows: str) -> SimpleUploadedFile:
    day = local_day(timezone.now(), cast.site.time_zone) + timedelta(days=days)
    whole = [
        "machine;person;start;end",
        f"{cast.machine.name};{cast.person('owner').username};{day} 10:00;{day} 11:00",
        *rows,
    ]
    return SimpleUploadedFile("table.csv", "\n".join(whole).encode())


def test_staff_import_a_table_and_the_same_again_changes_nothing(cast: Cast) -> None:
    staff = as_(cast.person("staff"))
    assert "/importer/" in text_of(staff.get("/series/"))
    assert "Tout est pris, ou rien." in text_of(staff.get("/importer/"))
    first = staff.post("/importer/upload/", {"file": table(cast)}, follow=True)
    assert first.redirect_chain[0][1] == 303
    assert "1 réservation faite" in text_of(first)
    again = staff.post("/importer/upload/", {"file": table(cast)}, follow=True)
    assert "1 y était déjà" in text_of(again)
    assert Booking.objects.count() == 1


def test_every_problem_is_said_with_its_lines_and_the_reason_stays(cast: Cast) -> None:
    staff = as_(cast.person("staff"))
    refused = staff.post(
        "/importer/upload/", {"file": table(cast, -5, "Nulle;part;9999-01-01 10:00;hier"), "why": ""}
    )
    page = text_of(refused)
    assert refused.status_code == 400
    assert "Rien n’est importé." in page
    assert "Ligne 3 : Choisis une année entre 1970 et 2200." in page
    assert "Ligne 3 : Écris l’heure comme 2026-11-24 14:00 : hier." in page
    assert "Ligne 2 : Cette heure est passée." in page
    assert not Booking.objects.exists()
    kept = staff.post("/importer/upload/", {"why": "Ancien registre"})
    assert "Choisis d’abord un fichier." in text_of(kept)
    assert 'value="Ancien registre"' in text_of(kept)
    staff.post("/importer/upload/", {"file": table(cast, -5), "why": "Ancien registre"})
    booking = Booking.objects.get()
    assert [(one["code"], one["reason"]) for one in booking.overrides] == [("in_the_past", "Ancien registre")]
