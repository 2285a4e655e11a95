"""The admin exists for this computer itself, and for nobody else."""

import pytest
from django.test import Client

from tests.builders import make_person

pytestmark = pytest.mark.django_db
HERE = {"HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1"}


def status(client: Client, **given: str) -> int:
    client.defaults.update({**HERE, **given})
    return client.get("/installation/").status_code


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(make_person("Root", is_staff=True, is_superuser=True))
    return client


def test_at_the_computer_itself_it_opens(root: Client) -> None:
    assert status(root) == 200


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"REMOTE_ADDR": "192.168.1.5"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "192.168.1.5"},
        {"HTTP_FORWARDED": "for=192.168.1.5"},
        {"HTTP_HOST": "testserver"},
    ],
    ids=lambda given: next(iter(given.items()))[0] + "=" + next(iter(given.values())),
)
def test_for_everybody_else_there_is_no_such_page(root: Client, elsewhere: dict[str, str]) -> None:
    assert status(root, **elsewhere) == 404


def test_signing_in_goes_the_one_way_there_is(client: Client) -> None:
    client.defaults.update(HERE)
    answer = client.get("/installation/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/connexion/?next=%2Finstallation%2F")


def test_a_role_at_a_site_is_no_key_to_it(client: Client) -> None:
    client.force_login(make_person("Nadia"))
    client.defaults.update(HERE)
    answer = client.get("/installation/", follow=True)
    assert answer.status_code == 403
    assert "Cette page n’est pas pour toi" in answer.content.decode()


def test_who_may_come_in_and_is_signed_in_is_not_asked_again(root: Client) -> None:
    root.defaults.update(HERE)
    answer = root.get("/installation/login/", {"next": "/installation/"})
    assert (answer.status_code, answer["Location"]) == (302, "/installation/")
