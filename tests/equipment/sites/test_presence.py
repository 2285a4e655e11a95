""" "Je suis là": who may say it, and when it ends (SEC-22)."""

from datetime import timedelta

import pytest

from equipment.sites.models import Presence
from equipment.sites.queries import is_on_site, present_people
from equipment.sites.services import leave, mark_present, revoke_role
from equipment.sites.states import Role
from fablab.core.errors import NotAllowed, NotFound
from tests.builders import ALWAYS, MONDAY, hours, make_person, make_site, minutes

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", [Role.INSTRUCTOR, Role.STAFF, Role.MANAGER])
def test_those_on_duty_say_that_they_are_here_and_it_ends_at_closing(role: Role) -> None:
    site = make_site()
    person = make_person("P", role, site=site)
    assert not is_on_site(person, site.pk, MONDAY)
    here = mark_present(person=person, site_id=site.pk, at=MONDAY)
    assert here.until == MONDAY + hours(8)  # 18:00 in Paris
    assert is_on_site(person, site.pk, MONDAY)
    assert is_on_site(person, site.pk, MONDAY + hours(8) - timedelta(seconds=1))
    assert not is_on_site(person, site.pk, MONDAY + hours(8))


def test_a_member_is_not_on_duty() -> None:
    site = make_site()
    member = make_person("Léa", site=site)
    with pytest.raises(NotAllowed) as refusal:
        mark_present(person=member, site_id=site.pk, at=MONDAY)
    assert refusal.value.codes == ["not_allowed"]


@pytest.mark.parametrize("role", list(Role))
def test_a_site_where_one_has_no_role_is_unknown(role: Role) -> None:
    person = make_person("P", role, site=make_site())
    with pytest.raises(NotFound):
        mark_present(person=person, site_id=make_site().pk, at=MONDAY)


def test_pressing_twice_is_being_there_once() -> None:
    site = make_site()
    person = make_person("Inès", Role.INSTRUCTOR, site=site)
    first = mark_present(person=person, site_id=site.pk, at=MONDAY)
    again = mark_present(person=person, site_id=site.pk, at=MONDAY + hours(1))
    assert (again.pk, again.since) == (first.pk, MONDAY)
    assert Presence.objects.count() == 1


def test_leaving_ends_it_at_once_here_and_signing_out_everywhere() -> None:
    site, other = make_site(), make_site()
    person = make_person("Inès", Role.INSTRUCTOR, site=site)
    person.site_roles.create(site=other, role=Role.STAFF)
    for place in (site, other):
        mark_present(person=person, site_id=place.pk, at=MONDAY)
    assert leave(person=person, site_id=site.pk, at=MONDAY + hours(1)) == 1
    assert not is_on_site(person, site.pk, MONDAY + hours(1))
    assert is_on_site(person, other.pk, MONDAY + hours(1))
    assert leave(person=person, site_id=None, at=MONDAY + hours(2)) == 1
    assert not is_on_site(person, other.pk, MONDAY + hours(2))
    assert leave(person=person, site_id=None, at=MONDAY + hours(3)) == 0


def test_before_the_doors_open_it_holds_to_the_closing_of_that_day() -> None:
    site = make_site()
    person = make_person("Karim", Role.STAFF, site=site)
    early = mark_present(person=person, site_id=site.pk, at=MONDAY - hours(2))  # 8:00, doors open at 9:00
    assert early.until == MONDAY + hours(8)


def test_after_closing_it_holds_for_the_two_hours_of_tidying_up() -> None:
    site = make_site()
    person = make_person("Karim", Role.STAFF, site=site)
    late = mark_present(person=person, site_id=site.pk, at=MONDAY + hours(8) + minutes(5))
    assert late.until == MONDAY + hours(10) + minutes(5)


def test_a_site_that_never_closes_asks_again_after_twelve_hours() -> None:
    site = make_site(opens=ALWAYS)
    person = make_person("Karim", Role.STAFF, site=site)
    assert mark_present(person=person, site_id=site.pk, at=MONDAY).until == MONDAY + hours(12)


def test_who_loses_the_last_role_on_duty_is_not_there_any_more() -> None:
    site = make_site()
    manager = make_person("Nadia", Role.MANAGER, site=site)
    person = make_person("Inès", Role.INSTRUCTOR, Role.STAFF, Role.MEMBER, site=site)
    mark_present(person=person, site_id=site.pk, at=MONDAY)
    revoke_role(person_id=person.pk, site_id=site.pk, role=Role.STAFF, actor=manager, at=MONDAY)
    assert is_on_site(person, site.pk, MONDAY)
    revoke_role(person_id=person.pk, site_id=site.pk, role=Role.INSTRUCTOR, actor=manager, at=MONDAY)
    assert not is_on_site(person, site.pk, MONDAY)


def test_those_who_are_present_are_named_and_a_deactivated_person_is_not() -> None:
    site = make_site()
    here = make_person("Inès", Role.INSTRUCTOR, site=site)
    gone = make_person("Karim", Role.STAFF, site=site)
    for person in (here, gone):
        mark_present(person=person, site_id=site.pk, at=MONDAY)
    gone.is_active = False
    gone.save()
    assert list(present_people(site.pk, MONDAY)) == [here]
