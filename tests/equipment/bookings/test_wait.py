"""The waiting list: whose turn it is, for how long, and that a late clock changes nothing (UX-11)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from equipment.bookings.absent import release_absent
from equipment.bookings.models import Booking, WaitingEntry
from equipment.bookings.offering import serve_all
from equipment.bookings.services import book, cancel, move
from equipment.bookings.states import BookingState
from equipment.bookings.turns import Wish
from equipment.bookings.use import finish
from equipment.bookings.waiting import decline, leave, take, wait, waits_of
from equipment.machines.models import Machine
from equipment.machines.services import retire_machine
from equipment.sites.models import SiteRole
from equipment.sites.states import Role
from fablab.core.errors import Malformed, NotAllowed, NotFound, Refused
from fablab.core.models import Witness
from fablab.notices.queries import unread_of
from fablab.people.models import User
from fablab.people.states import Level
from tests.builders import (
    ALWAYS,
    DAILY,
    MONDAY,
    certify,
    hours,
    make_booking,
    make_kind,
    make_machine,
    make_person,
    make_site,
    minutes,
)
from tests.test_races import all_at_once

pytestmark = pytest.mark.django_db
WANTED = MONDAY + hours(25)  # tomorrow at eleven in Paris


class Lab:
    """A machine that is taken tomorrow from 11 to 12, and three people who wait for that hour, one after the other."""

    def __init__(self, opens: tuple[tuple[int, int], ...] = DAILY, **kind: Any) -> None:
        self.site = make_site(hold_minutes=30, opens=opens)
        self.kind = make_kind(**kind)
        self.machine = make_machine(self.site, "Ada", kind=self.kind)
        self.taken = make_booking(self.machine, start=WANTED)
        self.people = [make_person(name, site=self.site) for name in ("Lea", "Ines", "Omar")]

    def all_wait(self) -> list[WaitingEntry]:
        return [self.wait(person, at=MONDAY + minutes(number)) for number, person in enumerate(self.people)]

    def wait(self, person: User, *, at: datetime = MONDAY, **wish: Any) -> WaitingEntry:
        given: dict[str, Any] = {
            "machine_id": self.machine.pk,
            "from_": WANTED,
            "to": WANTED + hours(1),
            "minutes": 60,
        } | wish
        return wait(person=person, at=at, **given)

    def free(self, at: datetime) -> None:
        cancel(self.taken.pk, actor=self.taken.person, at=at)


def held(machine: Machine) -> Booking:
    return Booking.objects.select_related("person").get(machine=machine, state=BookingState.HELD)


def story(lab: Lab) -> list[tuple[Any, ...]]:
    """Return all that was booked and held at the place, and what became of it."""
    rows = Booking.objects.filter(machine__site=lab.site).order_by(
        "created_at", "start", "person__display_name"
    )
    known = {person.pk: person.display_name for person in lab.people}
    return [
        (
            known.get(row.person_id, ""),
            row.machine.name,
            row.start,
            row.end,
            row.state,
            row.created_at,
            row.hold_until,
            row.ended_at,
        )
        for row in rows.select_related("machine")
    ]


def test_a_freed_time_is_held_for_the_first_who_is_told_and_takes_it() -> None:
    lab = Lab()
    first, *_ = lab.all_wait()
    freed = MONDAY + hours(1)
    lab.free(freed)
    offered = held(lab.machine)
    assert (offered.person, offered.start, offered.end) == (lab.people[0], WANTED, WANTED + hours(1))
    assert offered.hold_until == freed + minutes(30)
    (notice,) = unread_of(lab.people[0])
    assert (notice.code, notice.link) == ("waiting_offer", f"/reservations/{offered.pk}/")
    for other in (*lab.people[1:], lab.taken.person):  # nobody else books it
        with pytest.raises(Refused) as refusal:
            book(
                person=other,
                machine_id=lab.machine.pk,
                start=WANTED,
                end=WANTED + hours(1),
                actor=other,
                at=freed,
            )
        assert "slot_taken" in refusal.value.codes
        with pytest.raises(NotFound):
            take(offered.pk, actor=other, at=freed)
    booking = take(offered.pk, actor=lab.people[0], at=freed + minutes(29))
    assert (booking.state, booking.hold_until) == (BookingState.CONFIRMED, None)
    assert unread_of(lab.people[0]) == [] and unread_of(lab.people[1]) == []
    first.refresh_from_db()
    assert (first.outcome, waits_of(lab.people[0], freed)) == ("served", [])


def test_who_books_exactly_what_is_held_for_them_takes_it() -> None:
    lab = Lab(notice_minutes=24 * 60)
    lab.all_wait()
    at = MONDAY + hours(2)  # too late to book it anew: but they asked in time
    lab.free(at)
    person = lab.people[0]
    booking = book(
        person=person, machine_id=lab.machine.pk, start=WANTED, end=WANTED + hours(1), actor=person, at=at
    )
    assert (booking.pk, booking.state) == (held_before(lab), BookingState.CONFIRMED)


def held_before(lab: Lab) -> str:
    return str(Booking.objects.exclude(pk=lab.taken.pk).get(machine=lab.machine).pk)


def test_who_says_no_or_nothing_makes_way_for_the_next_and_after_the_last_it_is_open() -> None:
    lab = Lab()
    lab.all_wait()
    at = MONDAY + hours(1)
    lab.free(at)
    decline(held(lab.machine).pk, actor=lab.people[0], at=at + minutes(5))
    second = held(lab.machine)
    assert (second.person, second.hold_until) == (lab.people[1], at + minutes(35))
    with pytest.raises(
        Refused
    ) as refusal:  # nobody has looked at the clock since, and it is over all the same
        take(second.pk, actor=lab.people[1], at=at + minutes(35))
    assert refusal.value.codes == ["offer_over"]
    third = held(lab.machine)
    assert (third.person, third.hold_until) == (lab.people[2], at + minutes(65))
    anybody = lab.taken.person
    late = at + minutes(65)
    booked = book(
        person=anybody, machine_id=lab.machine.pk, start=WANTED, end=WANTED + hours(1), actor=anybody, at=late
    )
    assert booked.state == BookingState.CONFIRMED
    assert [len(waits_of(person, late)) for person in lab.people] == [1, 1, 1]  # for another time
    assert unread_of(lab.people[1]) == []  # what is over is no news
    cancel(booked.pk, actor=anybody, at=late + minutes(1))
    assert not Booking.objects.filter(state=BookingState.HELD).exists()  # not offered to them again


def test_one_late_look_after_a_night_leaves_what_frequent_looks_leave() -> None:
    stories = []
    for late in (False, True):
        lab = Lab(opens=ALWAYS)
        lab.all_wait()
        any_of_it = {"machine_id": "", "kind": lab.kind.slug, "site_id": lab.site.pk}
        other = make_machine(lab.site, "Grace", kind=lab.kind)
        also = make_booking(other, start=WANTED)
        lab.wait(lab.people[2], at=MONDAY + minutes(5), **any_of_it, to=WANTED + hours(2), minutes=90)
        evening = MONDAY + hours(9) + timedelta(seconds=17)
        tonight = MONDAY + hours(11)  # nobody comes, and two wait for these two hours
        missed = make_machine(lab.site, "Hedy")
        make_booking(missed, start=tonight, minutes=120)
        span = {"machine_id": missed.pk, "from_": tonight, "to": tonight + hours(2)}
        for number, person in enumerate(lab.people[:2]):
            lab.wait(person, at=MONDAY + minutes(6 + number), **span)
        lab.free(evening)
        cancel(also.pk, actor=also.person, at=evening)
        looks = [evening + minutes(17 * number) for number in range(20)] if not late else []
        for at in (*looks, evening + hours(13), evening + hours(13)):
            release_absent(at, watched_since=MONDAY, spared=lambda bookings: ())
            serve_all(at)
        stories.append(story(lab))
    often, once = stories
    assert often == once
    assert [row[0] for row in once if row[1] == "Ada"] == ["", "Lea", "Ines", "Omar"]
    night = [(row[0], row[4]) for row in once if row[1] == "Hedy"]
    assert night[0] == ("", BookingState.NO_SHOW)
    assert [row[0] for row in night[1:3]] == ["Lea", "Ines"]


def test_a_wish_is_for_any_machine_of_a_kind_within_a_span_and_what_does_not_fit_is_not_offered() -> None:
    lab = Lab(needs_certificate=True)
    lea, ines, omar = lab.people
    for person in lab.people:
        certify(person, lab.kind, lab.site)
    make_booking(lab.machine, start=WANTED + hours(1))
    kind = {"machine_id": "", "kind": lab.kind.slug, "site_id": lab.site.pk}
    long = lab.wait(lea, minutes=120, to=WANTED + hours(2))
    elsewhere = lab.wait(ines, at=MONDAY + minutes(1), from_=WANTED + hours(1), to=WANTED + hours(2))
    busy = make_booking(make_machine(lab.site), omar, start=WANTED)
    lab.wait(omar, at=MONDAY + minutes(2), minutes=30)
    fits = make_person("Zoe", site=lab.site)
    certify(fits, lab.kind, lab.site)
    lab.wait(fits, at=MONDAY + minutes(3), **kind, to=WANTED + hours(2), minutes=30)
    lab.free(MONDAY + hours(1))
    offered = held(lab.machine)
    assert (offered.person, offered.start, offered.end) == (fits, WANTED, WANTED + minutes(30))
    assert long.booking is elsewhere.booking is None
    cancel(busy.pk, actor=omar, at=MONDAY + hours(1))
    serve_all(MONDAY + hours(1) + minutes(1))  # Omar has time now, and the second half hour is free
    assert set(Booking.objects.filter(state=BookingState.HELD).values_list("person__display_name", "start")) == {
        ("Zoe", WANTED), ("Omar", WANTED + minutes(30))
    }  # fmt: skip


def test_every_way_of_freeing_a_time_offers_it_at_once() -> None:
    def moved(lab: Lab) -> None:
        move(
            lab.taken.pk,
            start=WANTED + hours(3),
            end=WANTED + hours(4),
            actor=lab.taken.person,
            at=MONDAY + hours(1),
        )

    def ended_early(lab: Lab) -> None:
        Booking.objects.filter(pk=lab.taken.pk).update(
            state=BookingState.IN_USE, start=MONDAY, held_start=MONDAY
        )
        finish(lab.taken.pk, actor=lab.taken.person, at=MONDAY + hours(1))

    for way in (moved, ended_early):
        lab = Lab(max_minutes=1500)
        lab.all_wait()
        way(lab)
        assert held(lab.machine).person == lab.people[0], way


def test_a_time_is_never_held_past_its_beginning_and_of_one_that_runs_the_rest_is_offered() -> None:
    lab = Lab()
    lab.all_wait()
    lab.free(WANTED - minutes(10))
    assert held(lab.machine).hold_until == WANTED
    serve_all(
        WANTED + minutes(10)
    )  # Lea let it go at eleven: Ines is offered the half hour that can still be had
    offered = held(lab.machine)
    assert (offered.person, offered.start, offered.end) == (
        lab.people[1],
        WANTED + minutes(30),
        WANTED + hours(1),
    )
    assert (offered.created_at, offered.hold_until) == (WANTED, WANTED + minutes(30))


def test_while_the_clock_is_doubted_nothing_is_offered_and_nothing_runs_out() -> None:
    lab = Lab()
    lab.all_wait()
    Witness.objects.create(at=MONDAY, doubted_since=MONDAY, why="stepped")
    lab.free(MONDAY + hours(1))
    serve_all(MONDAY + hours(2))
    assert not Booking.objects.filter(state=BookingState.HELD).exists()
    Witness.objects.update(doubted_since=None)
    serve_all(MONDAY + hours(2))
    Witness.objects.update(doubted_since=MONDAY)
    serve_all(MONDAY + hours(20))
    assert held(lab.machine).person == lab.people[0]


def test_who_leaves_gives_back_what_is_held_and_who_left_the_place_is_passed_over() -> None:
    lab = Lab()
    first, second, _third = lab.all_wait()
    lab.people[1].site_roles.all().delete()
    lab.free(MONDAY + hours(1))
    with pytest.raises(NotFound):
        leave(first.pk, actor=lab.people[1], at=MONDAY + hours(1))
    for _twice in range(2):
        assert leave(first.pk, actor=lab.people[0], at=MONDAY + hours(1)).outcome == "left"
    assert held(lab.machine).person == lab.people[2]
    second.refresh_from_db()
    serve_all(WANTED + hours(1))
    second.refresh_from_db()
    assert (second.outcome, second.ended_at) == ("over", WANTED + hours(1))


@pytest.mark.parametrize("since", ["role revoked", "machine retired"])
def test_what_was_offered_before_a_role_or_a_machine_went_cannot_be_taken(since: str) -> None:
    lab = Lab()
    lab.all_wait()
    lab.free(MONDAY + hours(1))
    offered = held(lab.machine)
    if since == "role revoked":
        SiteRole.objects.filter(person=offered.person).delete()
    else:
        retire_machine(
            lab.machine.pk, actor=make_person("Zoé", Role.MANAGER, site=lab.site), at=MONDAY + hours(1)
        )
    with pytest.raises(Refused) as refusal:
        take(offered.pk, actor=offered.person, at=MONDAY + hours(1))
    assert refusal.value.codes == ["offer_over"]


def test_nobody_waits_for_nothing() -> None:
    lab = Lab(notice_minutes=60)
    lea = lab.people[0]

    def refused(**wish: Any) -> list[str]:
        with pytest.raises((Refused, Malformed)) as refusal:
            lab.wait(lea, **wish)
        return refusal.value.codes

    tomorrow = {"from_": WANTED + hours(1), "to": WANTED + hours(3)}
    assert refused(**tomorrow) == ["waiting_for_free_time"]
    with pytest.raises(Refused) as refusal:
        lab.wait(lea, **tomorrow)
    assert refusal.value.extra["alternatives"][0]["machine"] == lab.machine.pk
    assert refused(from_=MONDAY - hours(2), to=MONDAY) == ["in_the_past"]
    assert refused(from_=MONDAY, to=MONDAY + hours(1.5)) == ["too_soon"]
    far = MONDAY + timedelta(days=40)
    assert refused(from_=far, to=far + hours(4), minutes=180) == ["too_far", "too_long"]
    assert refused(minutes=90) == ["waiting_does_not_fit"]
    assert refused(to=WANTED) == ["end_before_start"]
    assert refused(from_=WANTED.replace(tzinfo=None)) == ["time_without_zone"]
    assert refused(to=WANTED + timedelta(days=50)) == ["waiting_span_too_long"]
    lab.kind.needs_certificate = True
    lab.kind.save()
    assert refused() == ["not_certified"]
    certify(lea, lab.machine)
    entry = lab.wait(lea)
    assert lab.wait(lea, at=MONDAY + minutes(9)) == entry  # twice is once
    for number in range(9):
        make_booking(lab.machine, start=WANTED + hours(2 + 24 * number), minutes=30)
        begin = WANTED + hours(2 + 24 * number)
        lab.wait(lea, from_=begin, to=begin + minutes(30), minutes=30)
    make_booking(lab.machine, start=WANTED + hours(5))
    assert refused(from_=WANTED + hours(5), to=WANTED + hours(6)) == ["waiting_too_often"]
    ticket = make_person("Renard 27", site=lab.site, level=Level.TICKET)
    with pytest.raises(NotAllowed):
        lab.wait(ticket)
    with pytest.raises(NotFound):
        lab.wait(make_person(site=make_site()))


def test_the_shortest_that_helps_is_the_wish_until_its_span_runs() -> None:
    wish = Wish(WANTED, WANTED + hours(1), 60)
    assert wish.shortest(WANTED - minutes(1), 30) == 60
    assert wish.shortest(WANTED, 30) == 30


@pytest.mark.django_db(transaction=True)
def test_two_machines_freed_at_once_are_held_for_two_people_and_none_gets_both() -> None:
    lab = Lab()
    other = make_machine(lab.site, "Grace", kind=lab.kind)
    also = make_booking(other, start=WANTED)
    for number, person in enumerate(lab.people):
        lab.wait(person, at=MONDAY + minutes(number), machine_id="", kind=lab.kind.slug, site_id=lab.site.pk)
    at = MONDAY + hours(1)

    def give_back(number: int) -> str:
        booking = (lab.taken, also)[number]
        return str(cancel(booking.pk, actor=booking.person, at=at).state)

    assert all_at_once(2, give_back) == {"cancelled": 2}
    people = Booking.objects.filter(state=BookingState.HELD).values_list("person__display_name", flat=True)
    assert sorted(people) == ["Ines", "Lea"]
