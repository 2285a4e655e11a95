""" "Je l'utilise maintenant": a booking that begins now, for the person who stands at the machine (J2)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from equipment.bookings.facts import limits_of, terms_of
from equipment.bookings.finding import free_for_machines
from equipment.bookings.models import Booking
from equipment.bookings.services import book
from equipment.bookings.use import check_in
from equipment.machines.models import Machine
from equipment.machines.queries import machine_for
from fablab.people.models import User


def longest_now(machine: Machine, at: datetime, *, person: User | None = None) -> datetime | None:
    """Return until when the machine can be had from now on: the next booking, closing time, the longest
    that its terms allow; for ``person`` also their own next booking, what is left of their hours of the week and,
    for a minor, until no instructor is there. None when not even its shortest booking fits.
    """
    begin = at.replace(microsecond=0)
    terms = terms_of([machine])[machine.pk]
    longest = begin + timedelta(minutes=terms.max_minutes)
    if person is not None:
        limits = limits_of(person, machine, start=begin, at=at)
        ends = [span.start for span in limits.busy if span.start > begin]
        if terms.weekly_minutes is not None:
            ends.append(begin + timedelta(minutes=terms.weekly_minutes - limits.used_minutes))
        # Where not even the shortest is left, the rules say why.
        longest = max(min([longest, *ends]), begin + timedelta(minutes=terms.min_minutes))
    for span in free_for_machines([machine], begin, longest, person=person)[machine.pk]:
        if span.start <= begin:
            return span.end
    return None


def walk_up(
    *, person: User, machine_id: str, at: datetime, overrides: Sequence[Mapping[str, str]] = ()
) -> Booking:
    """Book the machine from now on for as long as it is free, and check the person in: they are there.

    ``overrides`` and what is raised: as ``book``. When nothing is free, the rules say why, as for any other time.
    """
    machine = machine_for(person, machine_id)
    begin = at.replace(microsecond=0)
    end = longest_now(machine, at, person=person)
    if end is None:  # then the rules say why, of its shortest booking
        end = begin + timedelta(minutes=terms_of([machine])[machine.pk].min_minutes)
    booking = book(
        person=person, machine_id=machine_id, start=begin, end=end, actor=person, at=at, overrides=overrides
    )
    return check_in(booking.pk, actor=person, at=at)
