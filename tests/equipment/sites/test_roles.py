"""Roles are per site: who sees which site, who gives roles, and that nobody is locked out."""

from collections.abc import Callable

import pytest

from equipment.sites.queries import (
    people_at,
    rights_of,
    roles_by_site,
    roles_of,
    site_for,
    site_ids_with_role,
    visible_sites,
)
from equipment.sites.services import grant_role, join, revoke_role, set_self_approval, unlock_sign_in
from equipment.sites.services import make_site as open_site
from equipment.sites.states import ON_DUTY_ROLES, Role
from fablab.core.errors import DomainError, Malformed, NotAllowed, NotFound, Refused
from fablab.people.errors import SignInFailed, SignInLocked
from fablab.people.services import sign_in
from tests.builders import MONDAY, PASSWORD, make_person, make_site

pytestmark = pytest.mark.django_db


def test_a_person_sees_the_sites_where_they_hold_a_role_and_no_other() -> None:
    site, other = make_site("Metz"), make_site("Rennes")
    person = make_person("Léa", Role.STAFF, site=site)
    assert list(visible_sites(person)) == [site]
    assert site_for(person, site.pk) == site
    with pytest.raises(NotFound):
        site_for(person, other.pk)


def test_one_person_holds_different_roles_at_different_sites() -> None:
    metz, rennes = make_site(), make_site()
    person = make_person("Léa", Role.STAFF, site=metz)
    join(person=person, site_id=rennes.pk, at=MONDAY)
    assert roles_of(person, metz.pk) == {Role.STAFF}
    assert roles_of(person, rennes.pk) == {Role.MEMBER}
    assert roles_by_site(person) == {metz.pk: {Role.STAFF}, rennes.pk: {Role.MEMBER}}
    assert site_ids_with_role(person, ON_DUTY_ROLES) == {metz.pk}


def test_rights_change_exactly_when_roles_do() -> None:
    site = make_site()
    manager = make_person("Nadia", Role.MANAGER, site=site)
    person, other = make_person("Léa", site=site), make_person("Sami", site=site)
    before = rights_of([person.pk, other.pk])
    grant_role(person_id=person.pk, site_id=site.pk, role=Role.STAFF, actor=manager, at=MONDAY)
    after = rights_of([person.pk, other.pk])
    assert before[person.pk] != after[person.pk]
    assert before[other.pk] == after[other.pk]


def test_a_role_is_given_once_and_taken_back() -> None:
    site = make_site()
    manager = make_person("Nadia", Role.MANAGER, site=site)
    person = make_person("Léa", site=site)
    for _ in range(2):
        grant_role(person_id=person.pk, site_id=site.pk, role=Role.INSTRUCTOR, actor=manager, at=MONDAY)
    assert roles_of(person, site.pk) == {Role.MEMBER, Role.INSTRUCTOR}
    revoke_role(person_id=person.pk, site_id=site.pk, role=Role.INSTRUCTOR, actor=manager, at=MONDAY)
    assert roles_of(person, site.pk) == {Role.MEMBER}
    with pytest.raises(NotFound):
        revoke_role(person_id=person.pk, site_id=site.pk, role=Role.INSTRUCTOR, actor=manager, at=MONDAY)


def test_a_site_keeps_its_last_manager() -> None:
    site = make_site()
    manager = make_person("Nadia", Role.MANAGER, site=site)
    with pytest.raises(Refused) as refusal:
        revoke_role(person_id=manager.pk, site_id=site.pk, role=Role.MANAGER, actor=manager, at=MONDAY)
    assert refusal.value.codes == ["last_manager"]
    second = make_person("Houria", Role.MANAGER, site=site)
    revoke_role(person_id=manager.pk, site_id=site.pk, role=Role.MANAGER, actor=second, at=MONDAY)
    assert roles_of(manager, site.pk) == frozenset()


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("given", list(Role))
def test_managers_give_every_role_and_staff_make_members(role: Role, given: Role) -> None:
    site = make_site()
    actor, person = make_person("P", role, site=site), make_person("Léa")
    may = role is Role.MANAGER or (role is Role.STAFF and given is Role.MEMBER)
    if may:
        grant_role(person_id=person.pk, site_id=site.pk, role=given, actor=actor, at=MONDAY)
    else:
        with pytest.raises(NotAllowed):
            grant_role(person_id=person.pk, site_id=site.pk, role=given, actor=actor, at=MONDAY)
    assert (given in roles_of(person, site.pk)) is may


@pytest.mark.parametrize("role", list(Role))
def test_at_another_site_nobody_gives_or_takes_anything(role: Role) -> None:
    site = make_site()
    actor = make_person("P", role, site=make_site())
    person = make_person("Léa", Role.STAFF, site=site, password=PASSWORD)
    verbs: list[Callable[[], object]] = [
        lambda: grant_role(person_id=person.pk, site_id=site.pk, role=Role.MEMBER, actor=actor, at=MONDAY),
        lambda: revoke_role(person_id=person.pk, site_id=site.pk, role=Role.STAFF, actor=actor, at=MONDAY),
        lambda: unlock_sign_in(person_id=person.pk, site_id=site.pk, actor=actor, at=MONDAY),
    ]
    for verb in verbs:
        with pytest.raises(NotFound):
            verb()
    assert roles_of(person, site.pk) == {Role.STAFF}


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.MEMBER, False), (Role.INSTRUCTOR, False), (Role.STAFF, True), (Role.MANAGER, True)],
)
def test_staff_let_a_locked_out_person_try_again(role: Role, may: bool) -> None:
    site = make_site()
    actor = make_person("P", role, site=site)
    person = make_person("Léa", site=site, password=PASSWORD)
    for _ in range(5):
        with pytest.raises(SignInFailed):
            sign_in(username=person.username, password="faux", at=MONDAY)
    if may:
        assert unlock_sign_in(person_id=person.pk, site_id=site.pk, actor=actor, at=MONDAY)
        assert sign_in(username=person.username, password=PASSWORD, at=MONDAY) == person
    else:
        with pytest.raises(NotAllowed):
            unlock_sign_in(person_id=person.pk, site_id=site.pk, actor=actor, at=MONDAY)
        with pytest.raises(SignInLocked):
            sign_in(username=person.username, password=PASSWORD, at=MONDAY)


def test_only_whoever_runs_the_installation_opens_a_site_and_names_its_first_manager() -> None:
    root = make_person("Root", is_superuser=True, is_staff=True)
    with pytest.raises(Malformed) as refusal:
        open_site(name="Tunis", slug="tunis", time_zone="Afrique/Tunis", actor=root, at=MONDAY)
    assert refusal.value.codes == ["time_zone_unknown"]
    site = open_site(name="Tunis", slug="tunis", time_zone="Africa/Tunis", actor=root, at=MONDAY)
    first = make_person("Houria")
    grant_role(person_id=first.pk, site_id=site.pk, role=Role.MANAGER, actor=root, at=MONDAY)
    assert list(people_at(site.pk)) == [first]
    refusals: list[type[DomainError]] = [NotFound]
    with pytest.raises(tuple(refusals)):
        open_site(name="Sfax", slug="sfax", time_zone="Africa/Tunis", actor=first, at=MONDAY)


def test_a_single_instructor_may_approve_their_own_jobs_until_there_is_a_second_one() -> None:
    site = make_site()
    manager = make_person("Nadia", Role.MANAGER, site=site)
    make_person("Inès", Role.INSTRUCTOR, site=site)
    assert set_self_approval(site_id=site.pk, on=True, actor=manager, at=MONDAY).self_approval
    second = make_person("Karim", site=site)
    grant_role(person_id=second.pk, site_id=site.pk, role=Role.INSTRUCTOR, actor=manager, at=MONDAY)
    site.refresh_from_db()
    assert not site.self_approval
    with pytest.raises(Refused) as refusal:
        set_self_approval(site_id=site.pk, on=True, actor=manager, at=MONDAY)
    assert refusal.value.codes == ["several_instructors"]


@pytest.mark.parametrize("role", [Role.MEMBER, Role.INSTRUCTOR, Role.STAFF])
def test_only_managers_let_a_single_instructor_approve_their_own_jobs(role: Role) -> None:
    site = make_site()
    with pytest.raises(NotAllowed):
        set_self_approval(site_id=site.pk, on=True, actor=make_person("P", role, site=site), at=MONDAY)
