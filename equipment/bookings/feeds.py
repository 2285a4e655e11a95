"""Secret addresses at which people's own calendar programs read bookings (SEC-25).

Each person may have one for their own bookings, and whoever is on duty one for each machine of the place. The address
is the feed's id with a signature of this installation: nothing that opens it is stored, and the page can show it again.
A feed that is removed, or made anew, leaves the old address dead; so does the person who leaves, or the role that ends.
"""

from datetime import datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.db import transaction

from equipment.bookings.models import Booking, CalendarFeed
from equipment.bookings.queries import visible_bookings
from equipment.machines.models import Machine
from equipment.machines.queries import machine_for
from equipment.sites.queries import roles_of
from equipment.sites.states import ON_DUTY_ROLES
from fablab.core.errors import NotAllowed, NotFound
from fablab.people.models import User

_SIGNER = Signer(sep=".", salt="fablab.calendar-feed")
KEPT = timedelta(days=31)  # calendar programs show what the feed shows; a month back is memory enough


def machine_of(person: User, machine_id: str) -> Machine:
    """Return a machine whose feed this person may have. Raises ``NotFound``, ``NotAllowed``: not on duty there."""
    machine = machine_for(person, machine_id)
    if not roles_of(person, machine.site_id) & ON_DUTY_ROLES:
        raise NotAllowed("not_allowed")
    return machine


def open_feed(person: User, *, at: datetime, machine_id: str | None = None) -> str:
    """Make a feed, or a new one in place of the old; return what its address ends in.

    Raises ``NotFound``, ``NotAllowed``, as ``machine_of``.
    """
    machine = machine_of(person, machine_id) if machine_id else None
    with transaction.atomic():
        # Two taps at once make one feed: the second replaces the first.
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
        CalendarFeed.objects.filter(person=person, machine=machine).delete()
        return _address(CalendarFeed.objects.create(person=person, machine=machine, created_at=at))


def close_feed(person: User, *, machine_id: str | None = None) -> None:
    """Remove one feed of the person's: its address is dead at once. May be repeated."""
    CalendarFeed.objects.filter(person=person, machine_id=machine_id).delete()


def close_feeds(person: User) -> None:
    """Remove all feeds of a person who leaves."""
    CalendarFeed.objects.filter(person=person).delete()


def address_of(person: User, *, machine_id: str | None = None) -> str | None:
    """Return what the address of a feed ends in; None when there is none."""
    found = CalendarFeed.objects.filter(person=person, machine_id=machine_id).first()
    return _address(found) if found else None


def feed_at(address: str) -> CalendarFeed:
    """Return the feed with its person and machine.

    Raises ``NotFound``: no such address, a dead one, or its person left, or is not on duty any more at the machine.
    """
    try:
        feed_id = _SIGNER.unsign(address)
    except BadSignature as wrong:
        raise NotFound from wrong
    feed = CalendarFeed.objects.select_related("person").filter(pk=feed_id, person__is_active=True).first()
    if feed is None:
        raise NotFound
    if feed.machine_id is not None:
        try:
            feed.machine = machine_of(feed.person, feed.machine_id)
        except NotAllowed as ended:
            raise NotFound from ended
    return feed


def bookings_in(feed: CalendarFeed, at: datetime) -> list[Booking]:
    """Return the bookings of the last month and to come, given-back ones included, by time."""
    whose = {"machine": feed.machine_id} if feed.machine_id else {"person": feed.person_id}
    found = visible_bookings(feed.person).filter(**whose, end__gt=at - KEPT)
    return list(found.order_by("start", "pk"))


def _address(feed: CalendarFeed) -> str:
    return _SIGNER.sign(feed.pk)
