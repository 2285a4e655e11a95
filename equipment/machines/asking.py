""" "Demander à un animateur": one call of each person at a place, which its instructors and staff read (A11Y-10).

It names who asks and where they stand, and nothing else. It is gone when somebody came, when the person takes it back,
and after two hours in any case: a call from this morning helps nobody.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from equipment.machines.models import HelpRequest
from equipment.machines.queries import machine_for
from equipment.sites.live import board_changed
from equipment.sites.queries import require_role, roles_of
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.errors import NotFound
from fablab.notices import services as notices
from fablab.notices.queries import standing
from fablab.people.models import User

CALLED_FOR = timedelta(hours=2)
COMING = "help_coming"


def call(site_id: str, *, actor: User, at: datetime, machine_id: str = "") -> HelpRequest:
    """Ask that somebody comes, to a machine or anywhere at the place. With a machine it is that machine's place.

    Asked again, it stands where it stood and names the machine asked from last. Raises ``NotFound`` for a place where
    one has no role, or a machine that one does not see.
    """
    machine = machine_for(actor, machine_id) if machine_id else None
    site_id = machine.site_id if machine else site_id
    if not roles_of(actor, site_id):
        raise NotFound
    _forget(HelpRequest.objects.filter(site_id=site_id, person=actor, at__lte=at - CALLED_FOR))
    try:
        with transaction.atomic():
            found, new = HelpRequest.objects.get_or_create(
                site_id=site_id, person=actor, defaults={"machine": machine, "at": at}
            )
    except IntegrityError:  # two taps at once
        found, new = HelpRequest.objects.get(site_id=site_id, person=actor), False
    if not new and machine is not None:
        HelpRequest.objects.filter(pk=found.pk).update(machine=machine)
        found.machine = machine
    board_changed(site_id)
    return found


def take_back(actor: User) -> None:
    """ "C'est bon, merci": nobody need come, wherever this person asked. May be repeated."""
    _end(HelpRequest.objects.filter(person=actor))


def helped(request_id: str, *, actor: User) -> None:
    """Say that somebody has been there: instructors and staff of the place. May be repeated.

    Raises ``NotFound`` (not one's place), ``NotAllowed``.
    """
    found = HelpRequest.objects.filter(pk=request_id)
    for one in found:
        require_role(actor, one.site_id, ON_DUTY_ROLES)
    _end(found)


def say_who_comes(request_id: str, *, actor: User, at: datetime) -> None:
    """Tell who asked that this person comes, in place of who was to come before."""
    _withdraw([request_id])
    found = HelpRequest.objects.filter(pk=request_id).exclude(person=actor).first()
    if found is not None:
        key, said = f"{_key(request_id)}{actor.pk}:{at.isoformat()}", {"person": actor.display_name}
        notices.tell([found.person_id], COMING, said, key=key, link="/aide/", at=at)


def nobody_comes(request_id: str) -> None:
    """Take back that somebody comes, if it was not read yet."""
    _withdraw([request_id])


def calls(site_id: str, at: datetime) -> QuerySet[HelpRequest]:
    """Return who waits for somebody at a place, the longest first. For its staff: the caller asks who may see it."""
    waiting = HelpRequest.objects.filter(site_id=site_id, at__gt=at - CALLED_FOR)
    return waiting.select_related("person", "machine").order_by("at", "pk")


def forget_calls(at: datetime) -> int:
    """Remove what nobody waits for any more, and what was told of it; return how many."""
    return _forget(HelpRequest.objects.filter(at__lte=at - CALLED_FOR))


def _end(found: QuerySet[HelpRequest]) -> None:
    sites = set(found.values_list("site_id", flat=True))
    _forget(found)
    for site_id in sites:
        board_changed(site_id)


def _forget(found: QuerySet[HelpRequest]) -> int:
    ids = list(found.values_list("pk", flat=True))
    if not ids:
        return 0
    _withdraw(ids)
    return HelpRequest.objects.filter(pk__in=ids).delete()[0]


def _withdraw(request_ids: Iterable[str]) -> None:
    keys = tuple(_key(request_id) for request_id in request_ids)
    for key in standing(COMING):
        if key.startswith(keys):
            notices.withdraw(key)


def _key(request_id: str) -> str:
    return f"help:{request_id}:"
