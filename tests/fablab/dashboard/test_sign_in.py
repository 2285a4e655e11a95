"""Signing in and out, asking for help, choosing a place: what each answers, and to whom."""

import pytest
from django.test import Client
from django.utils import timezone

from equipment.sites.models import Presence
from equipment.sites.states import Role
from tests.builders import PASSWORD, make_person, make_present, make_site

pytestmark = pytest.mark.django_db


def test_the_right_name_and_password_lead_to_where_the_person_wanted_to_go(client: Client) -> None:
    person = make_person("lea", site=make_site(), password=PASSWORD)
    assert client.get("/objets/").headers["Location"] == "/connexion/?next=/objets/"
    answer = client.post(
        "/connexion/", {"username": f" {person.username.upper()} ", "password": PASSWORD, "next": "/objets/"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/objets/")
    assert client.get("/objets/").status_code == 200


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"]
)
def test_signing_in_never_leads_to_another_site(client: Client, elsewhere: str) -> None:
    person = make_person("lea", site=make_site(), password=PASSWORD)
    answer = client.post(
        "/connexion/", {"username": person.username, "password": PASSWORD, "next": elsewhere}
    )
    assert answer.headers["Location"] == "/"


def test_an_unknown_name_and_a_wrong_password_read_the_same_and_keep_the_name(client: Client) -> None:
    person = make_person("lea", site=make_site(), password=PASSWORD)
    pages = []
    for name in (person.username, "nobody"):
        answer = client.post("/connexion/", {"username": name, "password": "wrong"})
        assert answer.status_code == 401
        page = answer.content.decode()
        assert f'value="{name}"' in page
        assert 'value="wrong"' not in page
        pages.append(page[page.index('role="alert"') : page.index("</ul>", page.index('role="alert"'))])
    assert pages[0] == pages[1]
    assert "Le nom ou le mot de passe ne va pas." in pages[0]


def test_after_five_wrong_passwords_even_the_right_one_waits(client: Client) -> None:
    person = make_person("lea", site=make_site(), password=PASSWORD)
    for _ in range(5):
        client.post("/connexion/", {"username": person.username, "password": "wrong"})
    answer = client.post("/connexion/", {"username": person.username, "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_signing_out_takes_a_post_and_ends_presence(client: Client) -> None:
    site = make_site()
    person = make_person("ines", Role.INSTRUCTOR, site=site)
    make_present(person, site, at=timezone.now())
    client.force_login(person)
    looked = client.get("/deconnexion/")
    assert (looked.status_code, looked["Location"]) == (303, "/")
    assert client.get("/compte/").status_code == 200
    assert client.post("/deconnexion/").status_code == 303
    assert not Presence.objects.filter(person=person, until__gt=timezone.now()).exists()
    assert client.get("/compte/").status_code == 302


def test_help_names_who_is_there_to_people_of_the_place_only(client: Client) -> None:
    site = make_site()
    make_present(make_person("Inès", Role.INSTRUCTOR, site=site), site, at=timezone.now())
    assert "Inès" not in client.get("/aide/").content.decode()
    client.force_login(make_person("lea", site=make_site()))
    assert "Inès" not in client.get("/aide/").content.decode()
    client.force_login(make_person("tom", site=site))
    assert "Inès" in client.get("/aide/").content.decode()


def test_a_person_of_two_places_looks_at_the_one_they_chose_and_at_no_other(client: Client) -> None:
    here, there, foreign = make_site("Ici"), make_site("Là"), make_site("Ailleurs")
    person = make_person("lea", site=here)
    person.site_roles.create(site=there, role=Role.MEMBER)
    client.force_login(person)
    assert "Ici" in client.get("/").content.decode()
    assert client.post("/lieu/", {"site": there.pk}).status_code == 303
    assert "<span>Là</span>" in client.get("/").content.decode()
    assert client.post("/lieu/", {"site": foreign.pk}).status_code == 404


def test_every_page_carries_the_policy_and_live_pages_are_not_kept(client: Client) -> None:
    client.force_login(make_person("lea", site=make_site()))
    for address in ("/", "/objets/", "/reserver/", "/reservations/", "/objets/nouveau/", "/donnees/"):
        answer = client.get(address)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_language_is_changed_by_a_plain_form(client: Client) -> None:
    client.post("/langue/setlang/", {"language": "ar", "next": "/connexion/"})
    assert 'dir="rtl"' in client.get("/connexion/").content.decode()
