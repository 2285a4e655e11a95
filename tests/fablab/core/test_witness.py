"""Whether the clock is believed (``fablab.core.witness``). Fault case 20: a server's clock jumps by an hour."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fablab.core import witness
from fablab.core.models import Witness
from fablab.core.witness import Reading, Why, clock_is_trusted, confirm, judge, look
from tests.builders import MONDAY, hours, make_person, minutes

DAY_S = 24 * 3600.0
NOW = Reading(MONDAY, DAY_S, True)
OFFLINE = replace(NOW, synchronised=False)


def later(reading: Reading, by: timedelta, *, jump: timedelta = timedelta()) -> Reading:
    """Return what the computer says after a time ``by``, its clock having jumped meanwhile."""
    return replace(reading, at=reading.at + by + jump, running_s=reading.running_s + by.total_seconds())


def booted(at: datetime, *, ago: timedelta, synchronised: bool | None) -> Reading:
    return Reading(at, ago.total_seconds(), synchronised)


# --- the judgement ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("synchronised", [True, False, None])
def test_a_clock_that_goes_on_as_before_is_believed_with_and_without_a_network(
    synchronised: bool | None,
) -> None:
    before = replace(NOW, synchronised=synchronised)
    assert judge(later(before, minutes(1)), before, seen=MONDAY, doubted=False) == ""


@pytest.mark.parametrize("jump", [hours(1), hours(-1), minutes(3), minutes(-3)])
def test_a_jump_while_we_run_is_doubted(jump: timedelta) -> None:
    now = later(OFFLINE, timedelta(seconds=1), jump=jump)
    assert judge(now, OFFLINE, seen=None, doubted=False) == Why.STEPPED


@pytest.mark.parametrize("jump", [minutes(1), minutes(-1)])
def test_a_clock_that_is_set_right_by_a_minute_is_believed(jump: timedelta) -> None:
    now = later(OFFLINE, timedelta(seconds=1), jump=jump)
    assert judge(now, OFFLINE, seen=MONDAY, doubted=False) == ""


def test_a_computer_that_slept_has_not_jumped() -> None:
    """The time since the start counts sleep, so that a closed laptop is no reason to doubt."""
    assert judge(later(NOW, hours(9)), NOW, seen=MONDAY, doubted=False) == ""


def test_a_clock_before_the_latest_time_seen_is_doubted_even_when_it_says_to_be_synchronised() -> None:
    assert judge(NOW, None, seen=MONDAY + minutes(3), doubted=False) == Why.BEFORE_WITNESS
    assert judge(NOW, None, seen=MONDAY + minutes(1), doubted=False) == ""


def test_1970_is_doubted_whatever_else_is_known() -> None:
    epoch = Reading(datetime(1970, 1, 1, tzinfo=UTC), 5.0, True)
    assert judge(epoch, None, seen=None, doubted=False) == Why.BEFORE_RELEASE


def test_a_clock_that_nobody_set_since_a_power_cut_is_doubted_although_it_goes_forward() -> None:
    woken = booted(MONDAY, ago=minutes(2), synchronised=False)
    assert judge(woken, None, seen=MONDAY - minutes(5), doubted=False) == Why.UNSYNCHRONISED


@pytest.mark.parametrize(
    "reading",
    [
        booted(MONDAY, ago=minutes(2), synchronised=True),
        booted(MONDAY, ago=minutes(2), synchronised=None),
        booted(MONDAY, ago=minutes(11), synchronised=False),
    ],
    ids=["synchronised", "nobody-can-tell", "long-after-the-start"],
)
def test_other_starts_of_the_computer_are_no_reason_to_doubt(reading: Reading) -> None:
    assert judge(reading, None, seen=MONDAY - hours(9), doubted=False) == ""


def test_our_own_restart_on_a_computer_that_went_on_is_no_reason_to_doubt() -> None:
    restarted = booted(MONDAY, ago=minutes(9), synchronised=False)
    assert judge(restarted, None, seen=MONDAY - minutes(1), doubted=False) == ""


@pytest.mark.parametrize(
    ("synchronised", "seen", "why"),
    [
        (True, MONDAY, ""),
        (True, MONDAY + minutes(1), Why.STEPPED),
        (False, MONDAY, Why.STEPPED),
        (None, MONDAY, Why.STEPPED),
    ],
    ids=["ahead-and-synchronised", "not-ahead-yet", "not-synchronised", "nobody-can-tell"],
)
def test_a_doubt_ends_by_itself_only_ahead_of_what_was_seen_and_synchronised(
    synchronised: bool | None, seen: datetime, why: str
) -> None:
    now = replace(NOW, synchronised=synchronised)
    assert judge(now, now, seen=seen, doubted=True, why=Why.STEPPED) == why


# --- what is remembered -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_new_installation_believes_its_clock_and_begins_to_remember() -> None:
    assert clock_is_trusted(MONDAY)
    assert not look(NOW, None)
    assert Witness.objects.get().at == MONDAY


@pytest.mark.django_db
def test_the_latest_time_is_written_every_half_minute_and_never_goes_back() -> None:
    look(NOW, None)
    look(later(NOW, timedelta(seconds=29)), NOW)
    assert Witness.objects.get().at == MONDAY
    look(later(NOW, timedelta(seconds=31)), NOW)
    assert Witness.objects.get().at == MONDAY + timedelta(seconds=31)
    look(NOW, None)
    assert Witness.objects.get().at == MONDAY + timedelta(seconds=31)


@pytest.mark.django_db
def test_an_hour_back_is_doubted_at_once_before_any_look_and_a_look_notes_it() -> None:
    look(NOW, None)
    wrong = later(OFFLINE, timedelta(seconds=1), jump=-hours(1))
    assert not clock_is_trusted(wrong.at)
    assert look(wrong, NOW)
    assert not look(later(wrong, minutes(1)), wrong)  # told once
    assert Witness.objects.get().why == Why.BEFORE_WITNESS
    # An hour later the wrong clock is ahead of what was seen; that proves nothing.
    look(later(wrong, hours(2)), later(wrong, hours(2) - minutes(1)))
    assert not clock_is_trusted(wrong.at + hours(2))


@pytest.mark.django_db
def test_an_hour_forward_is_not_remembered_and_right_again_when_the_clock_is() -> None:
    look(NOW, None)
    wrong = later(OFFLINE, timedelta(seconds=1), jump=hours(1))
    assert look(wrong, NOW)
    assert not clock_is_trusted(wrong.at)
    assert Witness.objects.get().at == MONDAY
    right = later(NOW, minutes(2))
    assert not look(right, wrong)  # it jumped once more, back: not at this look
    assert look(later(right, timedelta(seconds=1)), right)
    assert clock_is_trusted(right.at)


@pytest.mark.django_db
def test_a_persons_yes_ends_the_doubt_and_forgets_a_memory_from_the_future() -> None:
    look(replace(NOW, at=MONDAY + timedelta(days=900)), None)
    assert look(OFFLINE, None)
    assert not clock_is_trusted(MONDAY)
    assert confirm(person_id=make_person().pk, at=MONDAY)
    assert clock_is_trusted(MONDAY)
    assert not look(later(OFFLINE, timedelta(seconds=1)), OFFLINE)
    assert not confirm(person_id=make_person().pk, at=MONDAY)


@pytest.mark.django_db
def test_nobody_can_say_that_1970_is_right() -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    look(Reading(epoch, 5.0, False), None)
    assert not confirm(person_id=make_person().pk, at=epoch)
    assert not clock_is_trusted(epoch)


def test_this_computer_tells_how_long_it_runs_and_perhaps_whether_it_is_synchronised() -> None:
    reading = witness.read(MONDAY)
    assert reading.running_s > 0
    assert reading.synchronised in {True, False, None}
    assert not witness._jumped(reading, replace(witness.read(MONDAY), at=MONDAY))
