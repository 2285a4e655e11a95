"""Certificates: given by those on duty, valid to their last day, taken back, and per site and kind."""

from datetime import date, timedelta

import pytest

from equipment.certifications.models import Certificate
from equipment.certifications.queries import (
    certificates_of,
    is_certified,
    kinds_certified,
    may_send_machine_files,
    visible_certificates,
)
from equipment.certifications.services import grant, revoke
from equipment.sites.states import Role
from fablab.core.errors import Malformed, NotAllowed, NotFound, Refused
from tests.builders import MONDAY, certify, make_kind, make_person, make_site

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)


def test_a_certificate_is_for_one_kind_at_one_site_and_says_who_gave_it() -> None:
    site, kind = make_site(), make_kind()
    instructor, person = make_person("Inès", Role.INSTRUCTOR, site=site), make_person("Léa", site=site)
    given = grant(person_id=person.pk, kind_id=kind.pk, site_id=site.pk, actor=instructor, at=MONDAY)
    assert (given.granted_by, given.granted_at, given.until) == (instructor, MONDAY, None)
    assert is_certified(person, kind.pk, site.pk, TODAY)
    assert not is_certified(person, make_kind().pk, site.pk, TODAY)
    assert not is_certified(person, kind.pk, make_site().pk, TODAY)
    assert kinds_certified(person, site.pk, TODAY) == {kind.pk}
    assert list(certificates_of(person)) == [given]


def test_it_holds_on_its_last_day_and_not_on_the_next() -> None:
    site, kind = make_site(), make_kind()
    person = make_person(site=site)
    certify(person, kind, site, until=TODAY)
    assert is_certified(person, kind.pk, site.pk, TODAY)
    assert not is_certified(person, kind.pk, site.pk, TODAY + timedelta(days=1))


def test_handing_in_machine_files_is_a_right_of_its_own() -> None:
    site, kind = make_site(), make_kind()
    instructor, person = make_person("Inès", Role.INSTRUCTOR, site=site), make_person("Léa", site=site)
    grant(person_id=person.pk, kind_id=kind.pk, site_id=site.pk, actor=instructor, at=MONDAY)
    assert not may_send_machine_files(person, kind.pk, site.pk, TODAY)
    grant(
        person_id=person.pk,
        kind_id=kind.pk,
        site_id=site.pk,
        may_send_machine_files=True,
        until=TODAY,
        actor=instructor,
        at=MONDAY,
    )
    assert may_send_machine_files(person, kind.pk, site.pk, TODAY)
    assert not may_send_machine_files(person, kind.pk, site.pk, TODAY + timedelta(days=1))
    assert Certificate.objects.filter(revoked_at__isnull=True).count() == 1  # renewed, not doubled


def test_a_certificate_taken_back_does_not_hold_and_cannot_be_taken_back_twice() -> None:
    site, kind = make_site(), make_kind()
    instructor, person = make_person("Inès", Role.INSTRUCTOR, site=site), make_person("Léa", site=site)
    given = certify(person, kind, site)
    assert revoke(given.pk, actor=instructor, at=MONDAY).revoked_at == MONDAY
    assert not is_certified(person, kind.pk, site.pk, TODAY)
    with pytest.raises(Refused) as refusal:
        revoke(given.pk, actor=instructor, at=MONDAY)
    assert refusal.value.codes == ["certificate_already_ended"]


def test_one_that_would_have_ended_already_is_refused() -> None:
    site, kind = make_site(), make_kind()
    instructor, person = make_person("Inès", Role.INSTRUCTOR, site=site), make_person("Léa", site=site)
    with pytest.raises(Malformed) as refusal:
        grant(
            person_id=person.pk,
            kind_id=kind.pk,
            site_id=site.pk,
            until=TODAY - timedelta(days=1),
            actor=instructor,
            at=MONDAY,
        )
    assert refusal.value.codes == ["until_in_the_past"]


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.MEMBER, False), (Role.INSTRUCTOR, True), (Role.STAFF, True), (Role.MANAGER, True)],
)
def test_those_on_duty_certify_and_members_do_not_not_even_themselves(role: Role, may: bool) -> None:
    site, kind = make_site(), make_kind()
    actor, person = make_person("P", role, site=site), make_person("Léa", site=site)
    held = certify(person, make_kind(), site)
    if may:
        grant(person_id=person.pk, kind_id=kind.pk, site_id=site.pk, actor=actor, at=MONDAY)
        revoke(held.pk, actor=actor, at=MONDAY)
        assert kinds_certified(person, site.pk, TODAY) == {kind.pk}
        return
    for who in (actor, person):
        with pytest.raises(NotAllowed):
            grant(person_id=who.pk, kind_id=kind.pk, site_id=site.pk, actor=actor, at=MONDAY)
    with pytest.raises(NotFound):
        revoke(held.pk, actor=actor, at=MONDAY)  # another member's: unknown
    with pytest.raises(NotAllowed):
        revoke(held.pk, actor=person, at=MONDAY)  # one's own: seen, but not to be changed


@pytest.mark.parametrize("role", list(Role))
def test_certificates_and_people_of_another_site_are_unknown(role: Role) -> None:
    site, kind = make_site(), make_kind()
    actor, person = make_person("P", role, site=make_site()), make_person("Léa", site=site)
    held = certify(person, kind, site)
    with pytest.raises(NotFound):
        grant(person_id=person.pk, kind_id=kind.pk, site_id=site.pk, actor=actor, at=MONDAY)
    with pytest.raises(NotFound):
        revoke(held.pk, actor=actor, at=MONDAY)
    assert list(visible_certificates(actor)) == []


def test_people_who_hold_no_role_at_the_site_cannot_be_certified_there() -> None:
    site, kind = make_site(), make_kind()
    instructor = make_person("Inès", Role.INSTRUCTOR, site=site)
    with pytest.raises(NotFound):
        grant(person_id=make_person().pk, kind_id=kind.pk, site_id=site.pk, actor=instructor, at=MONDAY)
