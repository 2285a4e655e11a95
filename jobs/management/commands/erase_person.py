"""Erase a person who cannot do it themself any more; for whoever runs the installation."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from fablab.core.errors import DomainError
from fablab.core.words import say_problem
from fablab.people.models import User
from jobs.erasure.queries import what_goes
from jobs.erasure.services import erase_person


class Command(BaseCommand):
    help = "Erase a person: files, names, words. Without --yes it only says what would go."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--yes", action="store_true", help="do it; nobody can take it back")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["username"].strip().lower()).first()
        if person is None:
            raise CommandError("nobody has this name")
        at = timezone.now()
        found = what_goes(person, at)
        self.stdout.write(
            f"objects cancelled: {found.waiting}, bookings cancelled: {found.bookings}, "
            f"objects that end without a name: {found.running}"
        )
        if not options["yes"]:
            self.stdout.write("Nothing was erased. With --yes it is.")
            return
        try:
            erase_person(person.pk, actor=None, at=at)
        except DomainError as refused:
            raise CommandError(" ".join(say_problem(problem) for problem in refused.problems)) from refused
        self.stdout.write("Erased. What machines still hold of theirs goes when they have ended.")
