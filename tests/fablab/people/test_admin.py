"""People in the installation's admin: what is written is what was changed, and nothing of who was erased."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fablab.people import erasing
from fablab.people.admin import UserAdmin
from fablab.people.models import User
from tests.builders import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("fablab.urls_private")]
FORM = {"display_name": "Léa", "age_band": "18_25", "language": "fr", "is_active": "on"}


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make_person("Root", is_staff=True, is_superuser=True))
    return client


def page_of(person: User) -> str:
    return reverse("admin:people_user_change", args=[person.pk])


def test_what_was_changed_is_written(admin: Client) -> None:
    person = make_person("Lea")
    assert admin.post(page_of(person), {**FORM, "is_active": ""}).status_code == 302
    kept = User.objects.get(pk=person.pk)
    assert (kept.display_name, kept.age_band, kept.is_active) == ("Léa", "18_25", False)


def test_a_form_that_was_read_before_an_erasure_brings_nobody_back(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person("Lea")
    save = UserAdmin.save_model

    def late(self: UserAdmin, request: object, obj: User, form: object, change: bool) -> None:
        erasing.shut_out(person, at=timezone.now())  # between the form's reading and its writing
        erasing.forget_name(person)
        save(self, request, obj, form, change)  # type: ignore[arg-type]  # handed through as it came

    monkeypatch.setattr(UserAdmin, "save_model", late)
    assert admin.post(page_of(person), FORM).status_code == 403
    # The refusal takes back what this one test did within the same transaction; the form itself wrote nothing.
    assert not User.objects.filter(pk=person.pk, display_name="Léa").exists()
