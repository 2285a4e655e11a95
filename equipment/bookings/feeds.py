"""One secret address for each person, at which their own calendar program reads their bookings (SEC-25).

The address is the feed's id with a signature of this installation: nothing that opens it is stored, and the page can
show it again. A feed that is removed, or made anew, leaves the old address dead.
"""

from datetime import datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.db import transaction

from equipment.bookings.models import Booking, CalendarFeed
from equipment.bookings.queries import visible_bookings
from fablab.core.errors import NotFound
from fablab.people.models import User

_SIGNER = Signer(sep=".", salt="fablab.calendar-feed")
KEPT = timedelta(days=31)  # calendar programs show what the feed shows; a month back is memory enough


def open_feed(person: User, *, at: datetime) -> str:
    """Make the person's feed, or a new one in place of the old; return what its address ends in."""
    with transaction.atomic():
        CalendarFeed.objects.filter(person=person).delete()
        return _address(CalendarFeed.objects.create(person=person, created_at=at))


def close_feed(person: User) -> None:
    """Remove the person's feed: its address is dead at once. May be repeated."""
    CalendarFeed.objects.filter(person=person).delete()


def address_of(person: User) -> str | None:
    """Return what the address of the person's feed ends in; None when they have none."""
    found = CalendarFeed.objects.filter(person=person).first()
    return _address(found) if found else None


def person_of(address: str) -> User:
    """Return whose feed this is. Raises ``NotFound``: no such address, a dead one, or somebody who left."""
    try:
        feed_id = _SIGNER.unsign(address)
    except BadSignature as wrong:
        raise NotFound from wrong
    feed = CalendarFeed.objects.select_related("person").filter(pk=feed_id, person__is_active=True).first()
    if feed is None:
        raise NotFound
    return feed.person


def bookings_in_feed(person: User, at: datetime) -> list[Booking]:
    """Return the person's own bookings of the last month and to come, given-back ones included, by time."""
    own = visible_bookings(person).filter(person=person, end__gt=at - KEPT)
    return list(own.order_by("start", "pk"))


def _address(feed: CalendarFeed) -> str:
    return _SIGNER.sign(feed.pk)
