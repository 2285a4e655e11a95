""" "Demander à un animateur": one call of each person at a place, which its instructors and staff read (A11Y-10).

It names who asks and where they stand, and nothing else. It is gone when somebody came, when the person takes it back,
and after two hours in any case: a call from this morning helps nobody.
"""

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
from fablab.people.models import User

CALLED_FOR = timedelta(hours=2)
COMING = "help_coming"


def call(site_id: str, *, actor: User, at: datetime, machine_id: str = "") -> HelpRequest:
    """Ask that somebody comes. Asked again, it stands where it stood and names the machine asked from last.

    Raises ``NotFound`` for a place where one has no role, or a machine that one does not see there.
    """
    if not roles_of(actor, site_id):
        raise NotFound
    machine = machine_for(actor, machine_id) if machine_id else None
    if machine is not None and machine.site_id != site_id:
        raise NotFound
    HelpRequest.objects.filter(site_id=site_id, person=actor, at__lte=at - CALLED_FOR).delete()
    try:
        with transaction.atomic():
            found, new = HelpRequest.objects.get_or_create(
                site_id=site_id, person=actor, defaults={"machine": machine, "at": at}
            )
    except IntegrityError:  # two taps at once
        found, new = HelpRequest.objects.get(site_id=site_id, person=actor), False
    if not new and machine is not None and found.machine_id != machine.pk:
        found.machine = machine
        found.save(update_fields=["machine"])
    board_changed(site_id)
    return found


def take_back(site_id: str, *, actor: User) -> None:
    """ "C'est bon, merci": nobody need come. May be repeated."""
    found = HelpRequest.objects.filter(site_id=site_id, person=actor).first()
    if found is not None:
        _end(found)


def helped(request_id: str, *, actor: User) -> None:
    """Say that somebody has been there: instructors and staff of the place. Raises ``NotFound``, ``NotAllowed``."""
    found = HelpRequest.objects.filter(pk=request_id).first()
    if found is None:
        raise NotFound
    require_role(actor, found.site_id, ON_DUTY_ROLES)
    _end(found)


def say_who_comes(request_id: str, *, actor: User, at: datetime) -> None:
    """Tell who asked that this person comes."""
    found = HelpRequest.objects.filter(pk=request_id).first()
    if found is not None and found.person_id != actor.pk:
        said = {"person": actor.display_name}
        notices.tell([found.person_id], COMING, said, key=_key(request_id), link="/aide/", at=at)


def nobody_comes(request_id: str) -> None:
    """Take back that somebody comes, if it was not read yet."""
    notices.withdraw(_key(request_id))


def calls(site_id: str, at: datetime) -> QuerySet[HelpRequest]:
    """Return who waits for somebody at a place, the longest first. For its staff: the caller asks who may see it."""
    waiting = HelpRequest.objects.filter(site_id=site_id, at__gt=at - CALLED_FOR)
    return waiting.select_related("person", "machine").order_by("at", "pk")


def forget_calls(at: datetime) -> int:
    """Remove what nobody waits for any more; return how many."""
    return HelpRequest.objects.filter(at__lte=at - CALLED_FOR).delete()[0]


def _end(found: HelpRequest) -> None:
    notices.withdraw(_key(found.pk))
    found.delete()
    board_changed(found.site_id)


def _key(request_id: str) -> str:
    return f"help:{request_id}"
