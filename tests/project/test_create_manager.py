"""The first manager: made by a command, with a password of one's own."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from equipment.sites.models import Site, SiteRole
from fablab.people.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "un vélo jaune sous la pluie"


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n")
    return path


def create(*words: str) -> str:
    said = StringIO()
    call_command("create_manager", *words, stdout=said)
    return said.getvalue()


def test_person_site_and_role_are_made(password_file: Path) -> None:
    said = create("--username", "Anna", "--site", "Mon lieu", "--password-file", str(password_file))
    assert said == "anna is a manager of Mon lieu.\n"
    person = User.objects.get(username="anna")
    assert person.check_password(PASSWORD)
    assert not person.is_staff
    assert list(person.site_roles.values_list("role", "site__slug", "site__time_zone")) == [
        ("manager", "mon-lieu", "Europe/Paris")
    ]


def test_the_password_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FABLAB_MANAGER_PASSWORD", PASSWORD)
    create("--username", "anna", "--site", "Mon lieu")
    assert User.objects.get(username="anna").check_password(PASSWORD)


@pytest.mark.parametrize("password", ["", "court", "password123", "anna-anna-anna"])
def test_a_weak_password_makes_nobody(password: str, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(password)
    with pytest.raises(CommandError):
        create(
            "--username",
            "anna-anna-anna",
            "--site",
            "Mon lieu",
            "--password-file",
            str(tmp_path / "password"),
        )
    assert not User.objects.exists()
    assert not Site.objects.exists()


def test_without_a_password_and_without_a_terminal_nobody_is_made() -> None:
    with pytest.raises(CommandError, match="No password"):
        create("--username", "anna", "--site", "Mon lieu")
    assert not User.objects.exists()


def test_an_unknown_time_zone_or_a_name_that_cannot_be_typed_is_refused(password_file: Path) -> None:
    words = ["--site", "Mon lieu", "--password-file", str(password_file)]
    with pytest.raises(CommandError, match="no time zone 'Europe/Saint-Ouen'"):
        create("--username", "anna", "--time-zone", "Europe/Saint-Ouen", *words)
    with pytest.raises(CommandError):
        create("--username", "anna bonnet", *words)
    assert not User.objects.exists()


def test_somebody_who_exists_keeps_the_password_and_gets_the_role_once(password_file: Path) -> None:
    User.objects.create_user("anna", "celui d'avant", display_name="Anna")
    for _ in range(2):
        create("--username", "anna", "--site", "Mon lieu", "--password-file", str(password_file))
    assert User.objects.get(username="anna").check_password("celui d'avant")
    assert SiteRole.objects.count() == 1
