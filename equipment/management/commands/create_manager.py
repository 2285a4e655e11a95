"""The first manager of an installation. There is no default account and no default password."""

import getpass
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.text import slugify

from equipment.sites.models import Site, SiteRole
from equipment.sites.states import Role
from fablab.people.models import User

PASSWORD_VARIABLE = "FABLAB_MANAGER_PASSWORD"  # noqa: S105 - a name, not a password


class Command(BaseCommand):
    help = (
        "Make a person manager of a site; the person and the site are made when they do not exist. "
        f"The password is asked, or read from --password-file or {PASSWORD_VARIABLE}."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username", required=True, help="what is typed at sign-in")
        parser.add_argument("--name", help="what others read (the username)")
        parser.add_argument("--site", required=True, help="the site's name")
        parser.add_argument("--time-zone", default="Europe/Paris", help="of a new site (Europe/Paris)")
        parser.add_argument("--password-file", type=Path, help="a file whose first line is the password")
        parser.add_argument("--installation-admin", action="store_true", help="may also enter Django's admin")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            ZoneInfo(options["time_zone"])
        except (ZoneInfoNotFoundError, ValueError):
            raise CommandError(f"There is no time zone {options['time_zone']!r}.") from None
        username = options["username"].strip().lower()
        person = User.objects.filter(username=username).first()
        password = None if person else read_password(options["password_file"])
        with transaction.atomic():
            if person is None:
                person = new_person(username, options["name"] or options["username"], password or "")
            if options["installation_admin"]:
                person.is_staff = person.is_superuser = True
                person.save(update_fields=["is_staff", "is_superuser"])
            site = Site.objects.filter(name=options["site"]).first()
            if site is None:
                site = Site.objects.create(
                    slug=slugify(options["site"]) or "lieu",
                    name=options["site"],
                    time_zone=options["time_zone"],
                )
            SiteRole.objects.get_or_create(person=person, site=site, role=Role.MANAGER)
        self.stdout.write(f"{person.username} is a manager of {site.name}.")


def read_password(path: Path | None) -> str:
    """Return the password from the file, the environment, or a person at the terminal.

    :raises CommandError: when there is none, or the two typed ones differ.
    """
    if path is not None:
        lines = path.read_text().splitlines()
        return lines[0].strip() if lines else ""
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE]
    if not sys.stdin.isatty():
        raise CommandError(f"No password: use --password-file or {PASSWORD_VARIABLE}, or a terminal.")
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Again: "):
        raise CommandError("The two passwords differ.")
    return first


def new_person(username: str, name: str, password: str) -> User:
    """Return a new person whose name and password follow the rules.

    :raises CommandError: naming what is wrong.
    """
    person = User(username=username, display_name=name)
    try:
        validate_password(password, person)
        person.set_password(password)
        person.full_clean()
    except ValidationError as wrong:
        raise CommandError(" ".join(wrong.messages)) from None
    person.save()
    return person
