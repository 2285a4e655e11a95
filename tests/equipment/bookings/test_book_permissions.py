"""Who may book for whom: role by role, at one's own site and elsewhere."""

import pytest

from equipment.bookings.services import book
from equipment.sites.states import Role
from fablab.core.errors import NotAllowed, NotFound
from fablab.people.states import Level
from tests.builders import MONDAY, hours, make_machine, make_person, make_site

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", list(Role))
def test_everybody_with_a_role_at_the_site_books_for_themself(role: Role) -> None:
    machine = make_machine()
    person = make_person("P", role, site=machine.site)
    booking = book(
        person=person, machine_id=machine.pk, start=MONDAY, end=MONDAY + hours(1), actor=person, at=MONDAY
    )
    assert booking.person == person


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.MEMBER, False), (Role.INSTRUCTOR, True), (Role.STAFF, True), (Role.MANAGER, True)],
)
def test_those_on_duty_book_for_people_of_their_site_and_members_only_for_themselves(
    role: Role, may: bool
) -> None:
    machine = make_machine()
    actor = make_person("P", role, site=machine.site)
    person = make_person("Léa", site=machine.site)

    def ask() -> None:
        booking = book(
            person=person, machine_id=machine.pk, start=MONDAY, end=MONDAY + hours(1), actor=actor, at=MONDAY
        )
        assert (booking.person, booking.created_by) == (person, actor)

    if may:
        ask()
    else:
        with pytest.raises(NotAllowed) as refusal:
            ask()
        assert refusal.value.codes == ["booking_for_others"]


@pytest.mark.parametrize("role", list(Role))
def test_a_machine_of_another_site_is_unknown_to_every_role(role: Role) -> None:
    machine = make_machine()
    person = make_person("P", role, site=make_site())
    with pytest.raises(NotFound):
        book(
            person=person, machine_id=machine.pk, start=MONDAY, end=MONDAY + hours(1), actor=person, at=MONDAY
        )


@pytest.mark.parametrize("role", [Role.INSTRUCTOR, Role.STAFF, Role.MANAGER])
def test_people_of_other_sites_are_unknown_to_those_on_duty_here(role: Role) -> None:
    machine = make_machine()
    actor = make_person("P", role, site=machine.site)
    stranger = make_person("Moussa", site=make_site())
    with pytest.raises(NotFound):
        book(
            person=stranger,
            machine_id=machine.pk,
            start=MONDAY,
            end=MONDAY + hours(1),
            actor=actor,
            at=MONDAY,
        )


def test_a_ticket_does_not_book() -> None:
    machine = make_machine()
    person = make_person("Renard", site=machine.site, level=Level.TICKET)
    with pytest.raises(NotAllowed) as refusal:
        book(
            person=person, machine_id=machine.pk, start=MONDAY, end=MONDAY + hours(1), actor=person, at=MONDAY
        )
    assert refusal.value.codes == ["ticket_cannot_book"]
