"""\"Je m'en occupe\": so that two people do not go, and nothing is forgotten."""

from datetime import datetime

from django.db import IntegrityError, transaction

from equipment.machines.asking import nobody_comes, say_who_comes
from equipment.sites.live import board_changed
from equipment.sites.queries import require_role
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.errors import Conflict, NotFound, Problem
from fablab.people.models import User
from jobs.worklist.models import Handling
from jobs.worklist.queries import Handled, entries_at
from jobs.worklist.rules import HANDLED_FOR, open_to
from jobs.worklist.states import Need


def take(site_id: str, key: str, *, actor: User, at: datetime) -> Handled:
    """Say that the actor deals with an entry, for a quarter of an hour. Pressing again prolongs it.

    Raises ``NotFound``, ``NotAllowed`` (who is on duty), ``Conflict``: ``handled_by`` with the other's name,
    ``entry_over``: nothing needs a hand there any more.
    """
    roles = require_role(actor, site_id, ON_DUTY_ROLES)
    entry = next((one for one in open_to(entries_at(site_id, at), roles) if one.key == key), None)
    if entry is None:
        raise Conflict("entry_over")
    try:
        with transaction.atomic():
            row = Handling.objects.select_for_update(of=("self",)).filter(site_id=site_id, key=key).first()
            over = row is None or row.until <= at or (entry.since is not None and row.since < entry.since)
            if row is not None and not over and row.person_id != actor.pk:
                raise _held(row.person.display_name)
            until = at + HANDLED_FOR
            if row is None:
                row = Handling(site_id=site_id, key=key)
            row.person, row.until = actor, until
            row.since = at if over else row.since
            row.save()
    except IntegrityError:  # both saw that nobody goes; the other one was quicker
        other = Handling.objects.select_related("person").filter(site_id=site_id, key=key).first()
        raise _held(other.person.display_name if other else "") from None
    if entry.need is Need.ASKED:
        say_who_comes(entry.about, actor=actor, at=at)
    board_changed(site_id)
    return Handled(actor.pk, actor.display_name, until)


def give_back(site_id: str, key: str, *, actor: User, at: datetime) -> None:
    """\"Je laisse\": others may go. Raises ``NotFound`` (also when it is not the actor's), ``NotAllowed``."""
    require_role(actor, site_id, ON_DUTY_ROLES)
    if not Handling.objects.filter(site_id=site_id, key=key, person=actor, until__gt=at).delete()[0]:
        raise NotFound
    need, _, about = key.partition(":")
    if need == Need.ASKED:
        nobody_comes(about)
    board_changed(site_id)


def _held(name: str) -> Conflict:
    return Conflict(Problem("handled_by", {"person": name}))
