"""Coming to a booked time: by one's own tap, by those on duty, by the code, in good time."""

import pytest

from equipment.bookings.arriving import arrive
from equipment.bookings.states import BookingState
from equipment.bookings.use import check_in
from equipment.sites.states import Role
from fablab.core.errors import DomainError, NotFound
from fablab.people.errors import SignInLocked
from tests.builders import MONDAY, hours, make_booking, make_machine, make_person, make_site, minutes

pytestmark = pytest.mark.django_db


def test_the_person_or_those_on_duty_say_it_from_fifteen_minutes_before_to_the_end() -> None:
    for role in (None, Role.INSTRUCTOR, Role.STAFF):
        booking = make_booking()
        actor = make_person("P", role, site=booking.machine.site) if role else booking.person
        for wrong, code in ((MONDAY - minutes(16), "booking_not_begun"), (MONDAY + hours(1), "booking_over")):
            with pytest.raises(DomainError) as refusal:
                check_in(booking.pk, actor=actor, at=wrong)
            assert refusal.value.codes == [code]
        for moment in (MONDAY - minutes(15), MONDAY + minutes(59)):
            assert check_in(booking.pk, actor=actor, at=moment).state == BookingState.IN_USE
    with pytest.raises(NotFound):
        check_in(booking.pk, actor=make_person(site=booking.machine.site), at=MONDAY)


def test_what_is_only_kept_for_somebody_is_nobodys_to_come_to() -> None:
    given = make_booking(
        state=BookingState.HELD, ended_at=MONDAY, hold_until=MONDAY + minutes(1), code="A7K2Q9"
    )
    with pytest.raises(DomainError):
        check_in(given.pk, actor=given.person, at=MONDAY)
    with pytest.raises(DomainError):
        arrive(given.machine_id, code="A7K2Q9", at=MONDAY)


def test_the_code_is_typed_at_any_machine_of_the_place_and_guesses_are_few() -> None:
    booking = make_booking(code="A7K2Q9")
    board = make_machine(booking.machine.site)
    for early in (minutes(16), minutes(-60)):
        with pytest.raises(DomainError) as refusal:
            arrive(board.pk, code="A7K2Q9", at=MONDAY - early)
        assert refusal.value.codes == ["code_unknown"]
    with pytest.raises(DomainError):
        arrive(make_machine(make_site()).pk, code="A7K2Q9", at=MONDAY)
    for _twice in range(2):
        assert arrive(board.pk, code=" a7k-2q9 ", at=MONDAY).state == BookingState.IN_USE
    said = []
    for number in range(12):
        with pytest.raises(DomainError) as refusal:
            arrive(board.pk, code=f"AAAAA{number}", at=MONDAY + minutes(1))
        said.append(refusal.value.codes[0])
    assert said.index("sign_in_locked") < 10
    with pytest.raises(SignInLocked):
        arrive(board.pk, code="A7K2Q9", at=MONDAY + minutes(1))
    assert arrive(booking.machine_id, code="A7K2Q9", at=MONDAY + minutes(1)).pk == booking.pk
    with pytest.raises(NotFound):
        arrive("none", code="A7K2Q9", at=MONDAY)
