"""Somebody who will not be there: who relied on them is told once, with other times; nobody's booking is taken away."""

from datetime import date, timedelta

import pytest

from equipment.bookings.models import Booking
from equipment.bookings.obstacles import hit_by
from equipment.bookings.services import book
from equipment.bookings.states import BookingState
from equipment.bookings.unsupervised import (
    be_away,
    come_besides,
    left_alone,
    revoke_role,
    take_change_back,
)
from equipment.sites.models import Shift, Site
from equipment.sites.states import Role
from fablab.core.errors import Refused
from fablab.notices.models import Notice
from fablab.people.models import User
from fablab.people.states import AgeBand
from tests.builders import (
    MONDAY,
    certify,
    hours,
    make_booking,
    make_kind,
    make_machine,
    make_person,
    make_site,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)
NEXT_WEEK = timedelta(days=7)


def on_duty(site: Site, role: Role = Role.INSTRUCTOR) -> User:
    """Return somebody who is there every Monday from 9:00 to 18:00."""
    person = make_person(None, role, site=site)
    Shift.objects.create(
        site=site, person=person, weekday=0, starts=540, ends=1080, first_day=date(2020, 1, 1)
    )
    return person


def told(person: User) -> list[str]:
    return list(Notice.objects.filter(person=person).order_by("at", "pk").values_list("code", flat=True))


def test_a_minor_books_where_an_instructor_is_there_by_the_rota_and_is_told_when_they_will_not_be() -> None:
    site = make_site()
    instructor, machine = on_duty(site), make_machine(site)
    young = make_person("Zoé", site=site, age_band=AgeBand.FROM_15)
    start = MONDAY + NEXT_WEEK + hours(2)
    wish = {"person": young, "machine_id": machine.pk, "actor": young, "at": MONDAY}
    with pytest.raises(Refused) as refused:
        book(start=start + timedelta(days=1), end=start + timedelta(days=1, hours=1), **wish)  # type: ignore[arg-type]
    assert refused.value.codes == ["needs_supervision"]
    # What is offered instead, an instructor is there for.
    assert {one["start"][:10] for one in refused.value.extra["alternatives"]} == {"2026-11-30"}
    booking = book(start=start, end=start + hours(1), **wish)  # type: ignore[arg-type]
    grown_up = make_booking(make_machine(site), start=start)

    away = {"site_id": site.pk, "person_id": instructor.pk, "actor": instructor}
    day = TODAY + NEXT_WEEK
    (change,) = be_away(first_day=day, last_day=day, at=MONDAY, **away)  # type: ignore[arg-type]
    be_away(first_day=day, last_day=day, at=MONDAY, **away)  # type: ignore[arg-type]  # said twice
    assert told(young) == ["booking_unsupervised"]
    assert told(grown_up.person) == []
    assert hit_by(
        Booking.objects.select_related("person", "machine__site", "machine__model__kind"), MONDAY
    ) == {booking.pk: "alone"}
    booking.refresh_from_db()
    assert booking.state == BookingState.CONFIRMED

    # Well again before anybody read it: nothing was said. Read already: the good news too.
    take_change_back(change.pk, actor=instructor, at=MONDAY)
    assert told(young) == []
    (change,) = be_away(first_day=day, last_day=day, at=MONDAY, **away)  # type: ignore[arg-type]
    Notice.objects.update(seen_at=MONDAY)
    other = make_person("R", Role.INSTRUCTOR, site=site)
    come_besides(
        site_id=site.pk, person_id=other.pk, day=day, starts=540, ends=1080, actor=other, at=MONDAY + hours(1)
    )
    assert told(young) == ["booking_unsupervised", "booking_supervised_again"]
    assert left_alone(site, MONDAY) == []


def test_who_is_accompanied_relies_on_the_person_who_answers_for_them_and_a_kind_on_anybody() -> None:
    site = make_site()
    one, two = on_duty(site), on_duty(site)
    laser = make_machine(site, kind=make_kind(needs_certificate=True))
    help_ = make_machine(site, kind=make_kind(needs_instructor=True))
    certify(one, laser)
    start = MONDAY + NEXT_WEEK
    beginner, senior = make_person("B", site=site), make_person("S", site=site)
    book(
        person=beginner, machine_id=laser.pk, start=start, end=start + hours(1), actor=one, at=MONDAY,
        overrides=[{"code": "not_certified", "reason": "avec moi"}],
    )  # fmt: skip
    book(person=senior, machine_id=help_.pk, start=start, end=start + hours(1), actor=senior, at=MONDAY)
    day = {"site_id": site.pk, "first_day": TODAY + NEXT_WEEK, "last_day": TODAY + NEXT_WEEK, "at": MONDAY}
    be_away(person_id=one.pk, actor=one, **day)  # type: ignore[arg-type]  # shared by both
    assert (told(beginner), told(senior)) == (["booking_unsupervised"], [])
    be_away(person_id=two.pk, actor=two, **day)  # type: ignore[arg-type]  # likewise
    assert (told(beginner), told(senior)) == (["booking_unsupervised"], ["booking_unsupervised"])


def test_who_relied_on_an_instructor_whose_role_is_taken_back_is_told() -> None:
    site = make_site()
    instructor, machine = on_duty(site), make_machine(site)
    manager = make_person(None, Role.MANAGER, site=site)
    young = make_person("Zoé", site=site, age_band=AgeBand.FROM_15)
    make_booking(machine, young, start=MONDAY + NEXT_WEEK + hours(2))
    revoke_role(person_id=instructor.pk, site_id=site.pk, role=Role.INSTRUCTOR, actor=manager, at=MONDAY)
    assert told(young) == ["booking_unsupervised"]
