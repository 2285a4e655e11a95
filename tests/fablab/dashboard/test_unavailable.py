"""While the database is away or locked, people read so and lose nothing they typed (fault case 11)."""

from typing import Any
from unittest.mock import patch

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from tests.builders_jobs import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client, cast: Cast) -> Client:
    client.force_login(cast.person("owner"))
    return client


def lose_the_database(person: Client, address: str, sent: dict[str, Any] | None) -> Any:
    """Ask for a page whose first look into the database fails."""
    with patch("fablab.dashboard.requests.visible_sites", side_effect=OperationalError("database is locked")):
        return person.get(address) if sent is None else person.post(address, sent)


def test_a_form_is_kept_and_can_be_sent_again_from_the_page_that_says_so(owner: Client, cast: Cast) -> None:
    address = reverse("book-confirm", args=[cast.kind.slug]) + "?minutes=60"
    answer = lose_the_database(owner, address, {"slot": "m1|a|b", "note": 'un "vase" <b>'})
    text = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Rien n’est perdu." in text
    assert 'name="note" value="un &quot;vase&quot; &lt;b&gt;"' in text
    assert f'action="{address}"' in text
    assert 'name="csrfmiddlewaretoken"' in text


def test_a_password_a_key_and_a_file_are_not_put_into_the_page(owner: Client, cast: Cast) -> None:
    forms: list[dict[str, Any]] = [
        {"name": "Ada", "password": "un secret"},
        {"api_key": "un secret"},
        {"note": "un secret", "file": SimpleUploadedFile("a.stl", b"solid")},
    ]
    for sent in forms:
        answer = lose_the_database(owner, reverse("book-confirm", args=[cast.kind.slug]), sent)
        assert answer.status_code == 503
        assert "un secret" not in answer.content.decode()
        assert "Reviens en arrière" in answer.content.decode()


def test_a_page_that_was_only_looked_at_leads_home(owner: Client) -> None:
    answer = lose_the_database(owner, reverse("book"), None)
    assert answer.status_code == 503
    assert 'method="post"' not in answer.content.decode().partition("<main")[2]
