"""Booking a machine: what is written, every refusal at once, other times instead, and who answers for what."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from equipment.bookings import services
from equipment.bookings.models import Booking
from equipment.bookings.rules import RULES
from equipment.bookings.services import book
from equipment.bookings.states import BookingState
from equipment.machines.models import Machine
from equipment.machines.services import put_out_of_order, retire_machine
from equipment.sites.states import Role
from fablab.core.errors import Malformed, NotFound, Refused
from fablab.core.words import SENTENCES, say_problem
from fablab.people.models import User
from tests.builders import (
    ALWAYS,
    MONDAY,
    certify,
    hours,
    make_booking,
    make_kind,
    make_machine,
    make_model,
    make_person,
    make_site,
    minutes,
)

pytestmark = pytest.mark.django_db


def wish(machine: Machine, person: User, start: datetime, length: float = 1, **others: object) -> Booking:
    """Ask for ``length`` hours from ``start``, at the moment MONDAY, for oneself."""
    asked = {"actor": person, "at": MONDAY, **others}
    return book(person=person, machine_id=machine.pk, start=start, end=start + hours(length), **asked)  # type: ignore[arg-type]  # each test names arguments of book


def refused(machine: Machine, person: User, start: datetime, length: float = 1, **others: object) -> Refused:
    with pytest.raises(Refused) as refusal:
        wish(machine, person, start, length, **others)
    return refusal.value


def test_a_booking_holds_its_time_and_the_buffer_after_it() -> None:
    machine = make_machine(kind=make_kind(buffer_minutes=10))
    person = make_person("Léa", site=machine.site)
    booking = wish(machine, person, MONDAY + hours(2))
    booking.refresh_from_db()
    assert (booking.start, booking.end) == (MONDAY + hours(2), MONDAY + hours(3))
    assert (booking.held_start, booking.held_end) == (booking.start, booking.end + minutes(10))
    assert booking.state == BookingState.CONFIRMED
    assert (booking.person, booking.created_by, booking.created_at) == (person, person, MONDAY)
    assert len(booking.code) == 6
    assert booking.overrides == []


def test_a_walk_up_now_is_never_too_soon() -> None:
    machine = make_machine(kind=make_kind(notice_minutes=120))
    person = make_person(site=machine.site)
    assert refused(machine, person, MONDAY + hours(1)).codes == ["too_soon"]
    assert wish(machine, person, MONDAY).start == MONDAY


def test_every_broken_rule_is_said_at_once_and_nothing_is_written() -> None:
    machine = make_machine(kind=make_kind(needs_certificate=True))
    person = make_person(site=machine.site)
    make_booking(machine, start=MONDAY + timedelta(days=20))
    problem = refused(machine, person, MONDAY + timedelta(days=20), 12)
    assert problem.codes == ["site_closed", "too_far", "too_long", "not_certified", "slot_taken"]
    assert Booking.objects.count() == 1


def test_each_rule_has_the_sentence_that_the_requirements_fix() -> None:
    assert {rule.code for rule in RULES} <= set(SENTENCES)
    machine = make_machine(kind=make_kind(needs_certificate=True, notice_minutes=120, min_minutes=30))
    person = make_person(site=machine.site)
    make_booking(machine, start=MONDAY + hours(1))
    early = refused(machine, person, MONDAY + hours(1), 0.25)
    far = refused(machine, person, MONDAY + timedelta(days=15), 12)
    past = refused(machine, person, MONDAY - hours(3))
    read = [say_problem(problem) for refusal in (early, far, past) for problem in refusal.problems]
    assert set(read) == {
        "Réserve au moins 2 h avant.",
        "Au moins 30 min.",
        f"Il te faut d’abord la formation « {machine.model.kind} ».",
        "Quelqu’un vient de prendre ce créneau. En voici 3 autres.",
        "Le fab lab est fermé à cette heure.",
        "Au plus 14 jours avant.",
        "Au plus 2 h.",
        "Cette heure est passée.",
    }


def test_a_machine_out_of_order_cannot_be_booked_until_it_is_back() -> None:
    machine = make_machine()
    staff = make_person("Karim", Role.STAFF, site=machine.site)
    put_out_of_order(machine.pk, actor=staff, reason="Elle fume", at=MONDAY)
    problem = refused(machine, make_person(site=machine.site), MONDAY + timedelta(days=3))
    assert problem.codes == ["machine_out_of_order"]


def test_the_certificate_must_hold_on_the_day_of_the_booking_itself() -> None:
    machine = make_machine(kind=make_kind(needs_certificate=True))
    person = make_person(site=machine.site)
    certify(person, machine, until=MONDAY.date() + timedelta(days=2))
    assert wish(machine, person, MONDAY + timedelta(days=2)).pk
    assert refused(machine, person, MONDAY + timedelta(days=3)).codes == ["not_certified"]


def test_bookings_may_touch_and_with_a_buffer_must_leave_it() -> None:
    machine = make_machine()
    person = make_person(site=machine.site)
    wish(machine, person, MONDAY + hours(1))
    wish(machine, person, MONDAY + hours(2))
    wish(machine, person, MONDAY)
    cleaned = make_machine(machine.site, kind=make_kind(buffer_minutes=10, grid_minutes=10))
    other = make_person(site=machine.site)
    wish(cleaned, other, MONDAY + hours(1))
    assert refused(cleaned, make_person(site=machine.site), MONDAY + hours(2)).codes == ["slot_taken"]
    assert refused(cleaned, make_person(site=machine.site), MONDAY).codes == ["slot_taken"]
    wish(cleaned, other, MONDAY + hours(2) + minutes(10))


# --- other times instead ----------------------------------------------------------------------------------


def times_of(problem: Refused) -> list[tuple[str, str, str]]:
    return [(one["machine"], one["start"], one["end"]) for one in problem.extra["alternatives"]]


def test_who_loses_a_slot_reads_the_three_nearest_free_times_of_the_same_machine() -> None:
    machine = make_machine()
    make_machine(machine.site, model=machine.model)
    make_booking(machine, start=MONDAY + hours(3))
    problem = refused(machine, make_person(site=machine.site), MONDAY + hours(3))
    assert problem.codes == ["slot_taken"]
    assert times_of(problem) == [
        (machine.pk, "2026-11-23T10:30:00Z", "2026-11-23T11:30:00Z"),
        (machine.pk, "2026-11-23T11:00:00Z", "2026-11-23T12:00:00Z"),
        (machine.pk, "2026-11-23T13:00:00Z", "2026-11-23T14:00:00Z"),
    ]


def test_a_full_machine_sends_people_to_others_of_its_model_and_then_of_its_kind() -> None:
    kind = make_kind(horizon_days=0)
    machine = make_machine(kind=kind)
    site = machine.site
    same_kind = make_machine(site, "A", model=make_model(kind))
    same_model = make_machine(site, "B", model=machine.model)
    make_machine(site, "C")  # another kind
    make_machine(make_site(), "D", model=machine.model)  # another site
    make_booking(machine, start=MONDAY, minutes=8 * 60)
    make_booking(same_model, start=MONDAY + hours(1), minutes=7 * 60)
    problem = refused(machine, make_person(site=site), MONDAY + hours(2))
    assert times_of(problem) == [
        (same_model.pk, "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"),
        (same_kind.pk, "2026-11-23T10:30:00Z", "2026-11-23T11:30:00Z"),
        (same_kind.pk, "2026-11-23T11:00:00Z", "2026-11-23T12:00:00Z"),
    ]


def test_every_alternative_can_really_be_booked() -> None:
    machine = make_machine(kind=make_kind(buffer_minutes=20, notice_minutes=60))
    make_booking(machine, start=MONDAY + hours(2), minutes=150)
    make_booking(machine, start=MONDAY + hours(6))
    member = make_person(site=machine.site)
    problem = refused(machine, member, MONDAY + hours(2), 1.5)
    assert len(times_of(problem)) == 3
    for machine_id, start, end in times_of(problem):
        other = Machine.objects.get(pk=machine_id)
        booking = book(
            person=member,
            machine_id=other.pk,
            start=datetime.fromisoformat(start),
            end=datetime.fromisoformat(end),
            actor=member,
            at=MONDAY,
        )
        booking.delete()  # the three may overlap each other: one is chosen
    assert list(member.bookings.all()) == []


def test_who_may_not_use_the_machine_is_offered_no_other_time() -> None:
    machine = make_machine(kind=make_kind(needs_certificate=True))
    make_booking(machine, start=MONDAY + hours(1))
    problem = refused(machine, make_person(site=machine.site), MONDAY + hours(1))
    assert problem.codes == ["not_certified", "slot_taken"]
    assert problem.extra["alternatives"] == []


def test_a_closed_hour_and_a_passed_one_come_with_other_times_too() -> None:
    machine = make_machine()
    person = make_person(site=machine.site)
    assert len(times_of(refused(machine, person, MONDAY + hours(10)))) == 3
    assert len(times_of(refused(machine, person, MONDAY - hours(1)))) == 3


# --- when the rule looks away -----------------------------------------------------------------------------


def test_what_the_database_refuses_reads_as_what_the_rule_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = make_machine()
    person = make_person(site=machine.site)
    make_booking(machine, start=MONDAY + hours(1))
    monkeypatch.setattr(
        "equipment.bookings.rules.RULES", tuple(rule for rule in RULES if rule.code != "slot_taken")
    )
    reached: list[str] = []
    monkeypatch.setattr(services, "failpoint", reached.append)
    problem = refused(machine, person, MONDAY + hours(1.5))
    assert reached == ["judged", "before_insert"]
    assert problem.codes == ["slot_taken"]
    assert len(times_of(problem)) == 3
    assert Booking.objects.count() == 1


def test_a_slot_taken_between_the_look_and_the_lock_is_refused_under_the_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = make_machine()
    reached = []

    def somebody_is_quicker(point: str) -> None:
        reached.append(point)
        if point == "judged":
            make_booking(machine, start=MONDAY + hours(1))

    monkeypatch.setattr(services, "failpoint", somebody_is_quicker)
    problem = refused(machine, make_person(site=machine.site), MONDAY + hours(1))
    assert (problem.codes, reached) == (["slot_taken"], ["judged"])


# --- overrides --------------------------------------------------------------------------------------------


def test_staff_book_a_closed_hour_with_a_reason_that_is_kept() -> None:
    machine = make_machine()
    staff = make_person("Karim", Role.STAFF, site=machine.site)
    person = make_person(site=machine.site)
    booking = wish(
        machine,
        person,
        MONDAY + hours(9),
        actor=staff,
        overrides=[{"code": "site_closed", "reason": "Soirée des associations"}],
    )
    assert booking.overrides == [
        {
            "code": "site_closed",
            "reason": "Soirée des associations",
            "by": staff.pk,
            "at": MONDAY.isoformat(),
        }
    ]


def test_an_override_that_is_not_ones_own_to_make_changes_nothing() -> None:
    machine = make_machine()
    member = make_person(site=machine.site)
    given = [{"code": "site_closed", "reason": "Je voudrais bien"}]
    assert refused(machine, member, MONDAY + hours(9), overrides=given).codes == ["site_closed"]


def test_an_override_needs_a_reason_and_a_rule() -> None:
    machine = make_machine()
    staff = make_person("Karim", Role.STAFF, site=machine.site)
    with pytest.raises(Malformed) as refusal:
        wish(
            machine,
            staff,
            MONDAY + hours(9),
            overrides=[{"code": "site_closed", "reason": " "}, {"code": "gravity", "reason": "Léger"}],
        )
    assert refusal.value.codes == ["override_without_reason", "override_unknown"]


def test_a_certified_instructor_answers_by_name_for_somebody_who_is_not_trained() -> None:
    machine = make_machine(kind=make_kind(needs_certificate=True))
    instructor = make_person("Inès", Role.INSTRUCTOR, site=machine.site)
    person = make_person(site=machine.site)
    given = [{"code": "not_certified", "reason": "Je reste à côté"}]
    answer: dict[str, Any] = {"actor": instructor, "overrides": given}
    assert refused(machine, person, MONDAY + hours(1), **answer).codes == ["not_certified"]
    certify(instructor, machine)
    booking = wish(machine, person, MONDAY + hours(1), **answer)
    assert booking.overrides[0]["by"] == instructor.pk


def test_an_entry_made_afterwards_holds_no_machine() -> None:
    machine = make_machine()
    staff = make_person("Karim", Role.STAFF, site=machine.site)
    person = make_person(site=machine.site)
    given = [{"code": "in_the_past", "reason": "Venue sans réserver"}]
    booking = wish(machine, person, MONDAY - hours(1), 0.75, actor=staff, overrides=given)
    assert booking.state == BookingState.DONE
    assert booking.overrides[0]["code"] == "in_the_past"


# --- what cannot be understood ----------------------------------------------------------------------------


def test_an_end_before_its_start_and_a_time_without_zone_are_malformed() -> None:
    machine = make_machine()
    person = make_person(site=machine.site)
    with pytest.raises(Malformed) as refusal:
        wish(machine, person, MONDAY, 0)
    assert (refusal.value.codes, refusal.value.problems[0].field) == (["end_before_start"], "end")
    with pytest.raises(Malformed) as refusal:
        wish(machine, person, MONDAY.replace(tzinfo=None))
    assert refusal.value.codes == ["time_without_zone", "time_without_zone"]


def test_a_retired_machine_is_nobodys_to_book() -> None:
    site = make_site(opens=ALWAYS)
    machine = make_machine(site)
    manager = make_person("Nadia", Role.MANAGER, site=site)
    retire_machine(machine.pk, actor=manager, at=MONDAY)
    with pytest.raises(NotFound):
        wish(machine, manager, MONDAY + hours(1))


def test_no_time_is_offered_that_what_limits_the_person_would_refuse_again() -> None:
    machine = make_machine(kind=make_kind(weekly_minutes=60))
    person = make_person(site=machine.site)
    wish(machine, person, MONDAY + hours(1))
    make_booking(machine, start=MONDAY + hours(3))
    problem = refused(machine, person, MONDAY + hours(3))
    assert problem.codes == ["slot_taken", "quota_used"]
    assert times_of(problem) == []  # all near ones lie in the same week
