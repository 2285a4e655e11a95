"""Make the bookings of a spreadsheet, all of them or none; for whoever runs the installation."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from equipment.bookings.importing import import_bookings
from equipment.bookings.sheet import MOST_BYTES
from equipment.bookings.words import say_found
from equipment.sites.models import Site
from equipment.sites.queries import people_at
from equipment.sites.states import STAFF_ROLES
from fablab.core.errors import DomainError
from fablab.people.models import User


class Command(BaseCommand):
    help = (
        "Make the bookings of a CSV file: machine, person (the name typed at sign-in), start, end, and perhaps title. "
        "Times are the place's own, as 2026-11-24 14:00, or ISO 8601 with an offset. The same file again makes nothing "
        "twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--site", required=True, help="the site's slug")
        parser.add_argument("--by", help="staff of the site in whose name it is done (its first manager)")
        parser.add_argument(
            "--override",
            action="append",
            default=[],
            metavar="CODE=REASON",
            help="a rule that they answer for, as in_the_past=Ancien registre; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        site = Site.objects.filter(slug=options["site"]).first()
        if site is None:
            raise CommandError(f"There is no site {options['site']!r}.")
        overrides = [
            {"code": code, "reason": reason}
            for code, _sign, reason in (one.partition("=") for one in options["override"])
        ]
        try:
            with options["file"].open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        try:
            done = import_bookings(
                content,
                site_id=site.pk,
                actor=_staff(site, options["by"]),
                at=timezone.now(),
                overrides=overrides,
            )
        except DomainError as refused:
            raise CommandError("\n".join(say_found(problem) for problem in refused.problems)) from refused
        self.stdout.write(f"bookings made: {len(done.made)}, already there: {done.already}")


def _staff(site: Site, username: str | None) -> User:
    """Return in whose name it is done. Raises ``CommandError``."""
    staff = people_at(site.pk).filter(site_roles__site=site, site_roles__role__in=list(STAFF_ROLES))
    found = (
        staff.filter(username=username.strip().lower())
        if username
        else staff.order_by("site_roles__role", "pk")
    )
    person = found.first()
    if person is None:
        raise CommandError("Nobody of this name is staff there." if username else "The site has no staff.")
    return person
