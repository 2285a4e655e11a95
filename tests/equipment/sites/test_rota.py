"""Who is on duty when: the rota's weeks, the days that differ, and who said they are there."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from equipment.sites.models import Shift, ShiftChange, Site
from equipment.sites.rostering import add_shift, be_away, come_besides, end_shift, take_change_back
from equipment.sites.rota import duty_spans, keeps_rota, supervised
from equipment.sites.services import grant_role, revoke_role
from equipment.sites.states import Role
from fablab.core.clock import Span
from fablab.core.errors import Malformed, NotAllowed, NotFound
from fablab.people.models import User
from tests.builders import ALWAYS, MONDAY, hours, make_closure, make_person, make_present, make_site

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TODAY = date(2026, 11, 23)  # a Monday


def local(day: date, hour: int, minute: int = 0, zone: str = "Europe/Paris") -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone))


def shift(site: Site, person: User, weekday: int, starts: int, ends: int, **fields: Any) -> Shift:
    fields = {"first_day": date(2020, 1, 1), **fields}
    return Shift.objects.create(
        site=site, person=person, weekday=weekday, starts=starts * 60, ends=ends * 60, **fields
    )


def spans(site: Site, days: int = 7, first: date = TODAY) -> list[tuple[str, str]]:
    """Return when an instructor is there, as the wall clock of the place says it."""
    begin = local(first, 0, zone=site.time_zone)
    return [
        tuple(f"{at.astimezone(ZoneInfo(site.time_zone)):%a %H:%M}" for at in span)  # type: ignore[misc]  # two of them
        for span in supervised(site, begin, begin + days * DAY)
    ]


def test_a_weeks_shifts_hold_while_the_place_is_open_and_those_of_several_people_are_one_time() -> None:
    site = make_site()  # 9:00 to 18:00
    one, two = (make_person(None, Role.INSTRUCTOR, site=site) for _ in range(2))
    shift(site, one, 0, 8, 13)
    shift(site, two, 0, 13, 20)
    shift(site, two, 2, 14, 17, last_day=TODAY + 2 * DAY)
    shift(site, two, 3, 14, 17, first_day=TODAY + 10 * DAY)
    shift(site, make_person("S", Role.STAFF, site=site), 4, 9, 18)  # no instructor
    make_closure(site, TODAY + 7 * DAY)
    assert spans(site, 10) == [("Mon 09:00", "Mon 18:00"), ("Wed 14:00", "Wed 17:00")]
    begin = local(TODAY, 0)
    assert duty_spans(site, begin, begin + DAY) == {
        one.pk: [Span(local(TODAY, 9), local(TODAY, 13))],
        two.pk: [Span(local(TODAY, 13), local(TODAY, 18))],
    }


def test_a_shift_past_midnight_belongs_to_its_evening_and_ten_stays_ten_when_clocks_change() -> None:
    site = make_site(opens=ALWAYS)
    person = make_person(None, Role.INSTRUCTOR, site=site)
    shift(site, person, 5, 22, 26)  # Saturday night; on 29 March 2026 clocks jump from two to three
    shift(site, person, 0, 10, 12)
    assert spans(site, 9, date(2026, 3, 23)) == [
        ("Mon 10:00", "Mon 12:00"),
        ("Sat 22:00", "Sun 03:00"),
        ("Mon 10:00", "Mon 12:00"),
    ]
    be_away(
        site_id=site.pk, person_id=person.pk, first_day=date(2026, 3, 28), last_day=date(2026, 3, 28),
        actor=person, at=MONDAY,
    )  # fmt: skip
    assert spans(site, 9, date(2026, 3, 23)) == [("Mon 10:00", "Mon 12:00")] * 2


def test_somebody_who_is_away_is_missing_and_somebody_who_comes_besides_is_there() -> None:
    site = make_site()
    ill, kind = (make_person(None, Role.INSTRUCTOR, site=site) for _ in range(2))
    for weekday in range(5):
        shift(site, ill, weekday, 9, 18)
    away = {"site_id": site.pk, "person_id": ill.pk, "actor": ill, "at": MONDAY}
    changes = be_away(first_day=TODAY, last_day=TODAY + 2 * DAY, **away)  # type: ignore[arg-type]  # shared by all
    be_away(first_day=TODAY + 3 * DAY, last_day=TODAY + 3 * DAY, starts=12 * 60, ends=14 * 60, **away)  # type: ignore[arg-type]
    assert be_away(first_day=TODAY, last_day=TODAY + 2 * DAY, **away) == changes  # type: ignore[arg-type]
    come_besides(
        site_id=site.pk, person_id=kind.pk, day=TODAY + DAY, starts=10 * 60, ends=11 * 60, actor=kind, at=MONDAY
    )  # fmt: skip
    expected = [
        ("Tue 10:00", "Tue 11:00"),
        ("Thu 09:00", "Thu 12:00"),
        ("Thu 14:00", "Thu 18:00"),
        ("Fri 09:00", "Fri 18:00"),
    ]
    assert spans(site) == expected
    take_change_back(changes[0], actor=ill)
    assert spans(site) == [("Mon 09:00", "Mon 18:00"), *expected]


def test_who_says_they_are_there_counts_beside_the_rota() -> None:
    site = make_site()
    make_present(make_person("I", Role.INSTRUCTOR, site=site), site, until=MONDAY + hours(1))
    make_present(make_person("S", Role.STAFF, site=site), site)
    assert supervised(site, MONDAY, MONDAY + hours(8)) == [Span(MONDAY, MONDAY + hours(1))]
    assert not keeps_rota(site.pk)


def test_a_shift_ends_today_and_keeps_what_was_and_a_lost_role_ends_all() -> None:
    site = make_site()
    manager = make_person("M", Role.MANAGER, site=site)
    person = make_person("I", Role.INSTRUCTOR, site=site)
    old, new = shift(site, person, 0, 9, 12), shift(site, person, 1, 9, 12, first_day=TODAY)
    end_shift(old, actor=manager, at=MONDAY)
    end_shift(new, actor=manager, at=MONDAY)
    assert [(one.pk, one.last_day) for one in Shift.objects.all()] == [(old.pk, TODAY - DAY)]
    shift(site, person, 2, 9, 12)
    grant_role(person_id=person.pk, site_id=site.pk, role=Role.MEMBER, actor=manager, at=MONDAY)
    revoke_role(person_id=person.pk, site_id=site.pk, role=Role.INSTRUCTOR, actor=manager, at=MONDAY)
    assert not Shift.objects.exists()


def test_what_makes_no_sense_is_told_all_at_once_and_nothing_is_written() -> None:
    site = make_site()
    staff, member = make_person("S", Role.STAFF, site=site), make_person("Léa", site=site)
    wrong = {"weekday": 7, "starts": 600, "ends": 600, "last_day": date(2025, 1, 1), "person_id": member.pk}
    with pytest.raises(Malformed) as error:
        add_shift(site_id=site.pk, first_day=date(9999, 1, 1), actor=staff, at=MONDAY, **wrong)  # type: ignore[arg-type]
    assert error.value.codes == ["shift_makes_no_sense", "shift_makes_no_sense", "shift_days", "not_on_duty"]
    right = {"weekday": 0, "starts": 540, "ends": 720, "person_id": staff.pk, "site_id": site.pk}
    add_shift(first_day=TODAY, actor=staff, at=MONDAY, **right)  # type: ignore[arg-type]
    with pytest.raises(Malformed) as error:
        add_shift(first_day=TODAY + DAY, actor=staff, at=MONDAY, **right | {"starts": 700, "ends": 900})  # type: ignore[arg-type]
    assert error.value.codes == ["shift_overlaps"]
    with pytest.raises(Malformed) as error:
        be_away(
            site_id=site.pk, person_id=staff.pk, first_day=TODAY, last_day=TODAY + 400 * DAY,
            starts=10, ends=9, actor=staff, at=MONDAY,
        )  # fmt: skip
    assert error.value.codes == ["shift_makes_no_sense", "away_too_long"]
    assert not ShiftChange.objects.exists()


@pytest.mark.parametrize("role", list(Role))
def test_staff_write_the_rota_everybody_on_it_says_when_they_are_away_and_nobody_else(role: Role) -> None:
    site = make_site()
    other = make_person("I", Role.INSTRUCTOR, site=site)
    actor, stranger = make_person("A", role, site=site), make_person("E", role, site=make_site())
    day = {"first_day": TODAY, "last_day": TODAY, "site_id": site.pk, "at": MONDAY}
    with pytest.raises(NotFound):
        be_away(person_id=other.pk, actor=stranger, **day)  # type: ignore[arg-type]  # shared by all
    if role in {Role.STAFF, Role.MANAGER}:
        be_away(person_id=other.pk, actor=actor, **day)  # type: ignore[arg-type]  # likewise
    else:
        with pytest.raises(NotAllowed):
            be_away(person_id=other.pk, actor=actor, **day)  # type: ignore[arg-type]  # likewise
    if role is not Role.MEMBER:
        be_away(person_id=actor.pk, actor=actor, **day)  # type: ignore[arg-type]  # likewise
