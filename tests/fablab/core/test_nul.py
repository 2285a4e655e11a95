"""NUL in an address or a form is refused before PostgreSQL trips over it; what stands beside it is not."""

import pytest
from django.test import Client

from tests.fablab.dashboard.lab import as_, open_lab

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/m/%00/", "/m/ab%00cd/code.svg", "/?n=%00"])
def test_an_address_with_nul_is_refused_to_anybody(address: str) -> None:
    assert Client().get(address).status_code == 400


def test_a_spelled_out_percent_sign_is_no_nul() -> None:
    assert Client().get("/m/%2500/").status_code == 404
    assert Client().get("/?n=%2500").status_code == 200


def test_a_form_with_nul_is_refused_and_changes_nothing() -> None:
    cast, _at = open_lab()
    staff = as_(cast.person("staff"))
    address = f"/m/{cast.machine.pk}/faire/needs-help/"
    assert staff.post(address, {"job": "\0"}).status_code == 400
    cast.machine.refresh_from_db()
    assert cast.machine.needs_help_since is None
    assert staff.post(address, {"job": "0"}).status_code == 303


def test_who_signs_in_with_nul_in_their_name_is_refused_before_they_are_looked_for() -> None:
    assert Client().post("/connexion/", {"username": "a\0", "password": "b"}).status_code == 400
