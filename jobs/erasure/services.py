"""Erasing a person, in an order that can be cut anywhere and taken up again.

First they can do nothing any more, in one transaction with the rules; from then on a worker brings to its end what a
process that died has begun, and looks again when a machine has ended what it was making for them. Each step finds what
is left of its own; names go after the texts that are searched for them.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction

from equipment.sites.live import board_changed
from equipment.sites.models import Presence, Site, SiteRole
from equipment.sites.queries import site_ids_with_role
from equipment.sites.states import ON_DUTY_ROLES, Role
from fablab.core.errors import NotAllowed, NotFound, Problem, Refused
from fablab.people import erasing, services
from fablab.people.models import User
from fablab.people.queries import erasures_to_end
from jobs.erasure import files, mentions, objects, traces
from jobs.erasure.queries import something_is_left, why_not

logger = logging.getLogger(__name__)

LOOKED_AT_AGAIN_FOR = timedelta(minutes=10)  # a request that was under way may still have written something
READ_BY_OTHERS_FOR = timedelta(days=30)  # an object that nobody takes up again keeps no words for ever


def erase_myself(*, password: str, actor: User, at: datetime) -> None:
    """Erase oneself, with one's password as a fresh proof.

    Raises ``Refused`` with every reason, ``Malformed``: ``password_wrong``; ``SignInLocked`` after too many tries.
    """
    problems = why_not(actor)
    if problems:
        raise Refused(*problems)
    services.prove_password(actor, password=password, at=at)
    erase_person(actor.pk, actor=actor, at=at)


def erase_person(person_id: str, *, actor: User | None, at: datetime) -> None:
    """Erase a person for good. ``actor``: themself, or None for whoever runs the installation. May be repeated.

    Gone: sign-ins, tokens, roles, certificates, messages, files, names, all that was typed. What waits is cancelled,
    what runs goes on and ends as anybody's. What they wrote of machines stays without their name; so does what they
    wrote of others' objects, until these are over, for thirty days at most. Staying: times, tries, hours, states, of a
    person without a name.
    Raises ``NotFound``, ``NotAllowed`` (somebody else), ``Refused``: ``last_manager_here`` for each such site.
    """
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        raise NotFound
    if actor is not None and actor.pk != person.pk:
        raise _not_theirs(person, actor)
    if person.erased_at is None:
        _shut_out(person, at)
    _go_on(User.objects.get(pk=person_id), at)


def go_on(at: datetime) -> int:
    """Bring to its end what was begun: after a crash, and when a machine has ended. Returns how many were looked at."""
    people = list(erasures_to_end())
    for person in people:
        try:
            _go_on(person, at)
        except Exception:  # one person's trouble holds up no other's erasure
            logger.exception("the erasure of person %s is tried again", person.pk)
    return len(people)


def _not_theirs(person: User, actor: User) -> NotFound | NotAllowed:
    helped = site_ids_with_role(actor, ON_DUTY_ROLES)
    if SiteRole.objects.filter(person=person, site_id__in=helped).exists():
        return NotAllowed(Problem("not_allowed", {"action": "erase"}))
    return NotFound()


def _shut_out(person: User, at: datetime) -> None:
    with transaction.atomic():
        # Two managers who leave at once: the second one is the last.
        held = SiteRole.objects.filter(person=person).values("site_id")
        sites = list(Site.objects.select_for_update(of=("self",)).filter(pk__in=held).order_by("pk"))
        problems = why_not(person)
        if problems:
            raise Refused(*problems)
        Presence.objects.filter(person=person, until__gt=at).update(until=at)
        _leave_a_membership(person, sites)
        erasing.shut_out(person, at=at)
    for site in sites:
        board_changed(site.pk)


def _leave_a_membership(person: User, sites: list[Site]) -> None:
    """Take every right; that they were known here is kept until the texts have been searched, also over a crash."""
    SiteRole.objects.filter(person=person).exclude(role=Role.MEMBER).delete()
    for site in sites:
        SiteRole.objects.get_or_create(person=person, site=site, role=Role.MEMBER)


def _go_on(person: User, at: datetime) -> None:
    assert person.erased_at is not None  # shut out before
    since = at - person.erased_at
    erasing.forget_rights(person)
    objects.cancel_waiting(person, at=at)
    traces.give_times_back(person, at=at)
    mentions.forget(person)
    SiteRole.objects.filter(person=person).delete()
    left = objects.forget_words(person, others_read=since < READ_BY_OTHERS_FOR)
    traces.forget(person)
    left = files.remove(person, at=at) or left
    settled = since >= LOOKED_AT_AGAIN_FOR
    if not settled or not person.username.startswith(erasing.NAMELESS):
        erasing.forget_sessions(person)
    erasing.forget_name(person)
    if settled and not left and not something_is_left(person):
        erasing.end(person, at=at)
