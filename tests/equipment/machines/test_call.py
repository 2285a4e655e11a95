""" "Demander à un animateur": one call each, read by those on duty, gone when somebody came (A11Y-10)."""

from datetime import timedelta

import pytest

from equipment.machines.asking import (
    CALLED_FOR,
    call,
    calls,
    forget_calls,
    helped,
    say_who_comes,
    take_back,
)
from equipment.machines.models import HelpRequest
from equipment.sites.models import SiteRole
from equipment.sites.states import Role
from fablab.core.errors import NotAllowed, NotFound
from fablab.core.words import say
from fablab.notices.queries import unread_of
from fablab.notices.services import mark_seen
from fablab.people.models import User
from tests.builders import MONDAY, make_machine, make_person, make_site, minutes

pytestmark = pytest.mark.django_db


def test_a_call_stands_where_it_was_made_and_names_the_machine_asked_from_last() -> None:
    site = make_site()
    one, other = make_machine(site), make_machine(site)
    person = make_person(site=site)
    first = call(site.pk, actor=person, at=MONDAY)
    assert (first.machine, first.at) == (None, MONDAY)
    again = call(site.pk, actor=person, at=MONDAY + minutes(5), machine_id=one.pk)
    assert (again.pk, again.machine, again.at) == (first.pk, one, MONDAY)
    call(site.pk, actor=person, at=MONDAY + minutes(6), machine_id=other.pk)
    assert call(site.pk, actor=person, at=MONDAY + minutes(7)).machine == other


def test_who_waits_longest_comes_first_and_after_two_hours_nobody_waits_any_more() -> None:
    site = make_site()
    early, late = make_person(site=site), make_person(site=site)
    call(site.pk, actor=late, at=MONDAY + minutes(1))
    call(site.pk, actor=early, at=MONDAY)
    assert [one.person for one in calls(site.pk, MONDAY + minutes(2))] == [early, late]
    over = MONDAY + CALLED_FOR
    assert [one.person for one in calls(site.pk, over)] == [late]
    assert call(site.pk, actor=early, at=over).at == over  # a new call, not the old one
    assert (forget_calls(over), forget_calls(over + timedelta(hours=3))) == (0, 2)


def test_it_is_gone_when_somebody_came_or_when_it_is_taken_back() -> None:
    site = make_site()
    person, staff = make_person(site=site), make_person("K", Role.STAFF, site=site)
    found = call(site.pk, actor=person, at=MONDAY)
    helped(found.pk, actor=staff)
    helped(found.pk, actor=staff)  # two colleagues were there
    call(site.pk, actor=person, at=MONDAY)
    take_back(person)
    take_back(person)
    assert not HelpRequest.objects.exists()


def test_only_those_on_duty_there_answer_it_and_nobody_calls_where_they_have_no_role() -> None:
    site, elsewhere = make_site(), make_site()
    person = make_person(site=site)
    found = call(site.pk, actor=person, at=MONDAY)
    with pytest.raises(NotAllowed):
        helped(found.pk, actor=make_person(site=site))
    with pytest.raises(NotFound):
        helped(found.pk, actor=make_person("K", Role.STAFF, site=elsewhere))
    with pytest.raises(NotFound):
        call(elsewhere.pk, actor=person, at=MONDAY)
    with pytest.raises(NotFound):
        call(site.pk, actor=person, at=MONDAY, machine_id=make_machine(elsewhere).pk)  # not one that they see


def told(person: User) -> list[str]:
    return [say(notice.code, notice.params) for notice in unread_of(person)]


def test_who_asked_hears_who_comes_now_and_nothing_of_a_call_that_is_over() -> None:
    site = make_site()
    person = make_person(site=site)
    first, second = (make_person(name, Role.STAFF, site=site) for name in ("Karim", "Ines"))
    found = call(site.pk, actor=person, at=MONDAY)
    say_who_comes(found.pk, actor=first, at=MONDAY)
    say_who_comes(found.pk, actor=second, at=MONDAY + minutes(16))
    assert told(person) == ["Ines arrive."]
    mark_seen(person, unread_of(person)[0].pk, at=MONDAY + minutes(17))
    say_who_comes(found.pk, actor=first, at=MONDAY + minutes(40))
    assert told(person) == ["Karim arrive."]
    forget_calls(MONDAY + CALLED_FOR)
    assert told(person) == []


def test_from_a_machine_the_call_goes_to_the_machines_own_place() -> None:
    here, there = make_site(), make_site()
    person = make_person(site=here)
    SiteRole.objects.create(person=person, site=there, role=Role.MEMBER)
    found = call(here.pk, actor=person, at=MONDAY, machine_id=make_machine(there).pk)
    assert found.site == there
    assert not calls(here.pk, MONDAY).exists()
