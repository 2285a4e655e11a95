"""Tables, computers, rooms: several places of a kind are booked as one. Who comes second gets the next one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from equipment.bookings.finding import free_at
from equipment.bookings.models import Booking
from equipment.bookings.services import book
from equipment.machines.queries import in_use, machine_for
from fablab.core.errors import Refused
from fablab.people.models import User

# What another place of the same kind would meet.
OF_PLACE = frozenset({"slot_taken", "machine_out_of_order"})


def book_place(
    *,
    person: User,
    machine_id: str,
    start: datetime,
    end: datetime,
    actor: User,
    at: datetime,
    overrides: Sequence[Mapping[str, str]] = (),
) -> Booking:
    """Book as ``book``; where one place is as good as another, and this one is gone, one that is free then.

    Raises what ``book`` raises.
    """
    wish = partial(book, person=person, start=start, end=end, actor=actor, at=at, overrides=overrides)
    try:
        return wish(machine_id=machine_id)
    except Refused as refused:
        machine = machine_for(actor, machine_id)
        if not machine.model.kind.is_place or {one.code for one in refused.problems} - OF_PLACE:
            raise
        same = in_use().filter(site_id=machine.site_id, model__kind_id=machine.model.kind_id)
        for other in free_at(list(same.exclude(pk=machine.pk).order_by("name")), start, end, person=person):
            try:
                return wish(machine_id=other)
            except Refused as also:
                refused = also
        raise refused
