"""Where jobs go and when: what holds of every plan, whatever waits and whatever the calendar."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from fablab.core.clock import Span
from jobs.planning.facts import CHANGEOVER, Held, MachineNow, Place, Waiting
from jobs.planning.guards import ALL_CODES, OPERATOR, could_take, why_not
from jobs.planning.order import in_order
from jobs.planning.plan import plan

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PEOPLE = ("lea", "sam", "zoe")


def after(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


def span(first: int, minutes: int) -> Span:
    return Span(after(first), after(first + minutes))


def job(name: str = "job", minutes: float | None = 60, **fields: object) -> Waiting:
    values = {
        "id": name,
        "owner_id": "lea",
        "model_id": "mk3",
        "queued_at": after(-60),
        "approved_at": after(-60),
        "length": None if minutes is None else timedelta(minutes=minutes),
    }
    return Waiting(**{**values, **fields})  # type: ignore[arg-type]  # a test names what it is about


def machine(name: str = "red", **fields: object) -> MachineNow:
    values = {
        "id": name,
        "name": name.title(),
        "model_id": "mk3",
        "formats": frozenset({"gcode"}),
        "open": tuple(span(day * 1440, 540) for day in range(3)),
    }
    return MachineNow(**{**values, **fields})  # type: ignore[arg-type]  # a test names what it is about


# --- made up: three days of a lab with bookings, outages, power cuts, and machines in every condition ------------

steps = st.integers(0, 3 * 48).map(lambda half_hours: half_hours * 30)
spans = st.builds(span, steps, st.sampled_from([30, 60, 120, 300]))
lengths = st.none() | st.sampled_from([10, 29, 30, 60, 95, 240, 539, 540, 541, 700]).map(
    lambda number: timedelta(minutes=number)
)


def apart(found: Sequence[Span]) -> tuple[Span, ...]:
    """Keep what does not overlap what stands before it, as the database would."""
    kept: list[Span] = []
    for one in sorted(found):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return tuple(kept)


@st.composite
def machines(draw: st.DrawFn, name: str) -> MachineNow:
    held = apart(draw(st.lists(spans, max_size=4)))
    opens = apart(draw(st.lists(spans, max_size=6)))
    cuts = apart(draw(st.lists(spans, max_size=1)))
    out = apart(draw(st.lists(spans, max_size=1)))
    return MachineNow(
        id=name,
        name=name,
        model_id=draw(st.sampled_from(["mk3", "mk3", "mk4"])),
        formats=frozenset({"gcode"}),
        open=opens if draw(st.booleans()) else tuple(span(day * 1440, 540) for day in range(3)),
        by_line=draw(st.sampled_from([True, True, False])),
        only_named=draw(st.sampled_from([False, False, True])),
        in_service=draw(st.sampled_from([True, True, True, False])),
        heard=draw(st.sampled_from([True, True, True, False])),
        taken=draw(st.sampled_from([False, False, True])),
        free_at=draw(st.none() | st.sampled_from([after(0), after(45), after(600)])),
        may_overrun=draw(st.sampled_from([False, False, True])),
        material=draw(st.sampled_from(["", "", "PLA", "PETG"])),
        plate_clear=draw(st.booleans()),
        held=tuple(
            Held(f"{name}-{number}", draw(st.sampled_from(PEOPLE)), *hold) for number, hold in enumerate(held)
        ),
        outages=tuple((one.start, one.end if draw(st.booleans()) else None) for one in out),
        cuts=cuts,
    )


@st.composite
def labs(draw: st.DrawFn, least: int = 0) -> tuple[list[Waiting], list[MachineNow]]:
    there = [draw(machines(f"m{number}")) for number in range(draw(st.integers(least, 4)))]
    bookings = [(one.id, hold) for one in there for hold in one.held]
    waiting = []
    for number in range(draw(st.integers(0, 9))):
        booked = draw(st.sampled_from(bookings)) if bookings and draw(st.integers(0, 4)) == 0 else None
        named = (
            draw(st.sampled_from([one.id for one in there]))
            if there and draw(st.integers(0, 4)) == 0
            else None
        )
        waiting.append(
            job(
                f"j{number}",
                owner_id=booked[1].person_id if booked else draw(st.sampled_from(PEOPLE)),
                model_id=draw(st.sampled_from(["mk3", "mk3", "mk4"])),
                length=draw(lengths),
                queued_at=after(-draw(st.integers(1, 300))),
                approved_at=draw(st.sampled_from([after(-60), after(-60), after(-60), None])),
                priority=draw(st.sampled_from([0, 0, 0, 1])),
                material=draw(st.sampled_from(["", "PLA", "PETG"])),
                machine_id=named if booked is None else booked[0],
                own_booking=booked[1] if booked else None,
                booked_machine_id=booked[0] if booked else None,
                put_off={"m0": ("refused", after(5))} if draw(st.integers(0, 9)) == 0 else {},
            )
        )
    return waiting, there


def taken_times(
    jobs: Sequence[Waiting], places: Sequence[Place], on: MachineNow
) -> list[tuple[datetime, datetime, Waiting]]:
    lengths_of = {one.id: one for one in jobs}
    found = [
        (
            place.expected_start,
            place.expected_start + lengths_of[place.job_id].must_fit,
            lengths_of[place.job_id],
        )
        for place in places
        if place.machine_id == on.id and place.expected_start is not None
    ]
    return sorted(found, key=lambda time: time[:2])


def overlaps(start: datetime, end: datetime, other: Span) -> bool:
    return start < other.end and end > other.start


@given(labs())
@settings(max_examples=250)
def test_no_two_jobs_overlap_on_a_machine_and_none_runs_where_it_must_not(
    lab: tuple[list[Waiting], list[MachineNow]],
) -> None:
    jobs, there = lab
    places = list(plan(jobs, there, AT).values())
    for one in there:
        times = taken_times(jobs, places, one)
        for (_, end, before), (start, _, _) in pairwise(times):
            assert end <= start, before.id
        for start, end, made in times:
            assert one.in_service and one.heard and one.model_id == made.model_id
            assert made.named in (None, one.id)
            assert not (one.material and made.material and one.material != made.material)
            opened = next(hours for hours in one.open if hours.start <= start < hours.end)
            assert one.may_overrun or end <= opened.end
            others = [hold for hold in one.held if hold.person_id != made.owner_id]
            assert not any(hold.start <= start < hold.end for hold in others)
            assert one.may_overrun or not any(overlaps(start, end, Span(*hold[2:])) for hold in others)
            assert not any(overlaps(start, end, cut) for cut in one.cuts)
            assert not any(overlaps(start, end, Span(out[0], out[1] or after(10**6))) for out in one.outages)
            if made.own_booking is not None:
                assert start >= made.own_booking.start and one.id == made.booked_machine_id
            if one.taken:
                assert one.free_at is None or start >= one.free_at
                assert start > AT


@given(labs())
@settings(max_examples=250)
def test_what_begins_now_is_what_no_guard_stands_against_and_whoever_waits_is_told_why(
    lab: tuple[list[Waiting], list[MachineNow]],
) -> None:
    jobs, there = lab
    known = {one.id: one for one in there}
    waiting = {one.id: one for one in jobs}
    places = plan(jobs, there, AT)
    assert set(places) == set(waiting)
    begun = [place for place in places.values() if place.expected_start == AT]
    assert len({place.machine_id for place in begun}) == len(begun)
    for place in places.values():
        codes = [reason.code for reason in place.reasons]
        assert set(codes) <= ALL_CODES
        if place.expected_start != AT:
            assert codes
            continue
        assert place.machine_id is not None
        assert why_not(waiting[place.job_id], known[place.machine_id], AT) == ()
        assert codes == ([] if known[place.machine_id].by_line else [OPERATOR])
    # And the other way round: what could begin on a machine that stays idle would be in the way of what comes first.
    begun_on = {place.machine_id for place in begun}
    for place in places.values():
        made = waiting[place.job_id]
        for one in there:
            if place.expected_start == AT or one.id in begun_on or not could_take(made, one):
                continue
            if why_not(made, one, AT) == ():
                times = taken_times(jobs, [*places.values()], one)
                assert any(start < AT + made.must_fit for start, _, other in times if other is not made)


@given(labs(), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_the_order_in_which_jobs_and_machines_are_given_plays_no_part(
    lab: tuple[list[Waiting], list[MachineNow]], chance: Random
) -> None:
    jobs, there = lab
    before = plan(jobs, there, AT)
    chance.shuffle(jobs)
    chance.shuffle(there)
    after_ = plan(jobs, there, AT)
    assert list(before.items()) == list(after_.items())


@given(labs(), machines("more"))
@settings(max_examples=150)
def test_one_more_machine_never_makes_the_first_start_later(
    lab: tuple[list[Waiting], list[MachineNow]], more: MachineNow
) -> None:
    """Of single jobs it can: who gets a machine of their own leaves another's turn to somebody else."""
    jobs, there = lab
    more = replace(more, held=())

    def first(machines_: list[MachineNow]) -> datetime | None:
        starts = [place.expected_start for place in plan(jobs, machines_, AT).values()]
        return min((start for start in starts if start is not None), default=None)

    before = first(there)
    if before is not None:
        found = first([*there, more])
        assert found is not None and found <= before


@given(labs(least=1))
@settings(max_examples=150)
def test_nobody_who_comes_later_in_the_order_makes_a_start_later(
    lab: tuple[list[Waiting], list[MachineNow]],
) -> None:
    jobs, there = lab
    jobs = [replace(one, own_booking=None, booked_machine_id=None, machine_id=None) for one in jobs]
    order = list(plan(jobs, there, AT))
    if not order:
        return
    alone = plan([one for one in jobs if one.id in order[:-1]], there, AT)
    full = plan(jobs, there, AT)
    for name in order[:-1]:
        assert alone[name][:4] == full[name][:4]


@given(
    st.lists(
        st.tuples(st.sampled_from(PEOPLE), st.integers(1, 10_000), st.sampled_from([0, 0, 1])), max_size=12
    ),
    st.dictionaries(st.sampled_from(PEOPLE), st.integers(0, 60).map(lambda hours: timedelta(hours=hours))),
)
@settings(max_examples=150)
def test_sec_14_nobody_waits_behind_two_jobs_of_one_person(
    wanted: list[tuple[str, int, int]], used: dict[str, timedelta]
) -> None:
    jobs = [
        job(f"j{number}", owner_id=person, queued_at=after(-age), priority=priority)
        for number, (person, age, priority) in enumerate(wanted)
    ]
    order = in_order(jobs, used=used, on_machines={}, takes_turn=lambda one: True)
    for number, one in enumerate(order):
        ahead = [other for other in order[:number] if other.priority == one.priority]
        mine = sum(other.owner_id == one.owner_id for other in ahead)
        higher = [other for other in order if other.priority > one.priority]
        mine += sum(other.owner_id == one.owner_id for other in higher)
        for person in set(PEOPLE) - {one.owner_id}:
            assert sum(other.owner_id == person for other in ahead) <= mine + 1


# --- by example -------------------------------------------------------------------------------------------------


def order_of(*jobs: Waiting, used: dict[str, timedelta] | None = None) -> list[str]:
    return list(plan(jobs, [machine()], AT, used=used))


def test_staff_come_first_then_turns_then_who_used_least_then_age() -> None:
    first = job("first", owner_id="lea", queued_at=after(-500))
    second = job("second", owner_id="lea", queued_at=after(-400))
    heavy = job("heavy", owner_id="sam", queued_at=after(-450))
    late = job("late", owner_id="zoe", queued_at=after(-10))
    urgent = job("urgent", owner_id="lea", queued_at=after(-1), priority=1)
    used = {"sam": timedelta(hours=5)}
    assert order_of(first, second, heavy, late, used=used) == ["first", "late", "heavy", "second"]
    assert order_of(first, second, heavy, late, urgent, used=used)[0] == "urgent"


def test_a_few_minutes_of_machine_time_do_not_beat_age() -> None:
    old = job("old", owner_id="lea", queued_at=after(-500))
    young = job("young", owner_id="sam", queued_at=after(-10))
    assert order_of(old, young, used={"lea": timedelta(minutes=119)}) == ["old", "young"]
    assert order_of(old, young, used={"lea": timedelta(minutes=120)}) == ["young", "old"]


def test_what_somebody_has_on_a_machine_is_their_turn() -> None:
    mine = job("mine", owner_id="lea", queued_at=after(-500))
    yours = job("yours", owner_id="sam", queued_at=after(-10))
    found = plan([mine, yours], [machine()], AT, on_machines={("lea", "mk3"): 1})
    assert list(found) == ["yours", "mine"]


def test_a_job_that_cannot_be_made_takes_no_turn_from_its_owners_next() -> None:
    stuck = job("stuck", owner_id="lea", queued_at=after(-500), material="PETG")
    mine = job("mine", owner_id="lea", queued_at=after(-400), material="PLA")
    yours = job("yours", owner_id="sam", queued_at=after(-300), material="PLA")
    found = plan([stuck, mine, yours], [machine(material="PLA")], AT)
    assert list(found) == ["stuck", "mine", "yours"]
    assert found["stuck"].reasons[0].code == "waiting_material"


def test_no_starvation_whoever_used_much_is_overtaken_only_by_who_came_within_three_days() -> None:
    """One machine, an hour each; every hour somebody new comes who never used anything."""
    heavy = job("heavy", owner_id="lea", queued_at=AT)
    used = {"lea": timedelta(hours=160)}
    always = machine(open=(Span(AT, after(60 * 24 * 14)),))
    newcomers: list[Waiting] = []
    for hour in range(24 * 4):
        now = AT + timedelta(hours=hour)
        newcomers.append(
            job(f"new{hour:03}", owner_id=f"p{hour}", queued_at=now, approved_at=AT - CHANGEOVER)
        )
        order = plan([replace(heavy, approved_at=AT - CHANGEOVER), *newcomers], [always], now, used=used)
        made = next(iter(order))
        if made == "heavy":
            break
        newcomers = [one for one in newcomers if one.id != made]
    assert timedelta(days=3) <= now - AT <= timedelta(days=3, hours=1)


def test_numbers_count_what_waits_for_the_same_model() -> None:
    found = plan(
        [job("a", queued_at=after(-9)), job("b", model_id="mk4", owner_id="sam"), job("c", owner_id="zoe")],
        [machine()],
        AT,
    )
    assert {name: place.number for name, place in found.items()} == {"a": 2, "b": 1, "c": 1}


def test_among_equal_machines_the_empty_plate_comes_first_then_the_longest_idle_then_the_name() -> None:
    to_clear = machine("a", idle_since=after(-900))
    clear = machine("b", plate_clear=True, idle_since=after(-5))
    longer = machine("c", plate_clear=True, idle_since=after(-50))
    new = machine("d", plate_clear=True, idle_since=None)

    def chosen(*there: MachineNow) -> str | None:
        return plan([job()], there, AT)["job"].machine_id

    assert chosen(to_clear, clear) == "b"
    assert chosen(to_clear, clear, longer) == "c"
    assert chosen(to_clear, clear, longer, new) == "d"
    assert chosen(machine("z"), machine("y")) == "y"


def test_a_short_job_begins_before_a_long_one_that_has_no_room_today() -> None:
    long = job("long", 300, queued_at=after(-500))
    short = job("short", 60, owner_id="sam", queued_at=after(-10))
    there = machine(open=(span(-60, 180), span(1440, 540)))
    found = plan([long, short], [there], AT)
    assert found["short"].reasons == () and found["short"].expected_start == AT
    assert found["long"].expected_start == after(1440)
    assert [reason.code for reason in found["long"].reasons] == [
        "waiting_machine_busy",
        "waiting_closing_time",
    ]


def test_a_machine_is_kept_for_a_job_whose_approval_can_still_be_undone() -> None:
    """Ten seconds later it begins; what comes after it does not take its place meanwhile."""
    first = job("first", queued_at=after(-500), approved_at=AT - timedelta(seconds=4))
    second = job("second", owner_id="sam", queued_at=after(-10))
    found = plan([first, second], [machine()], AT)
    assert found["first"].expected_start == AT + timedelta(seconds=6)
    assert [reason.code for reason in found["first"].reasons] == ["waiting_undo"]
    assert [reason.code for reason in found["second"].reasons] == ["waiting_turn"]


def test_a_job_longer_than_any_day_says_so_and_a_machine_that_may_overrun_takes_it() -> None:
    found = plan([job(minutes=541)], [machine()], AT)["job"]
    assert (found.machine_id, found.expected_start) == (None, None)
    assert [(reason.code, dict(reason.params)) for reason in found.reasons] == [
        ("waiting_too_long", {"hours": 9.0})
    ]
    assert plan([job(minutes=541)], [machine(may_overrun=True)], AT)["job"].reasons == ()


def test_the_job_of_a_booking_waits_for_it_and_nothing_is_planned_into_it() -> None:
    mine = Held("b1", "lea", after(60), after(120))
    booked = job("booked", 90, own_booking=mine, booked_machine_id="red")
    other = job("other", 60, owner_id="sam", queued_at=after(-900))
    third = job("third", 60, owner_id="zoe", queued_at=after(-800))
    found = plan([booked, other, third], [machine(held=(mine,))], AT)
    assert found["booked"].expected_start == after(60)
    assert found["other"].expected_start == AT
    assert found["third"].expected_start == after(60 + 90) + CHANGEOVER  # after what runs past the booking


def test_a_job_begins_in_its_owners_booking_also_when_nobody_tied_it_to_that() -> None:
    mine = Held("b1", "lea", after(-10), after(50))
    found = plan([job("mine"), job("yours", owner_id="sam")], [machine(held=(mine,))], AT)
    assert found["mine"].reasons == ()
    assert found["yours"].expected_start == after(60) + CHANGEOVER


def test_behind_a_job_of_unknown_length_the_day_is_over() -> None:
    unknown = job("unknown", None, queued_at=after(-900))
    found = plan([unknown, job("next", owner_id="sam")], [machine()], AT)
    assert found["unknown"].expected_start == AT
    assert found["next"].expected_start == after(1440)


def test_while_nobody_knows_when_a_machine_is_done_the_next_begins_tomorrow_and_when_it_is_known_after_it() -> (
    None
):
    assert plan([job()], [machine(taken=True)], AT)["job"].expected_start == after(1440)
    known = machine(taken=True, free_at=after(25))
    assert plan([job()], [known], AT)["job"].expected_start == after(25)


def test_at_a_machine_without_a_link_a_person_takes_the_job() -> None:
    (place,) = plan([job()], [machine(by_line=False)], AT).values()
    assert (place.machine_id, place.expected_start) == ("red", AT)
    assert [reason.code for reason in place.reasons] == [OPERATOR]


def test_a_machine_with_a_line_comes_before_the_emptied_one_of_a_person_who_may_be_elsewhere() -> None:
    by_hand = machine("ada", by_line=False, plate_clear=True)
    linked = machine("zoe", idle_since=after(-5))
    (place,) = plan([job()], [by_hand, linked], AT).values()
    assert (place.machine_id, place.reasons) == ("zoe", ())
    both = plan([job("first", owner_id="a"), job("second", owner_id="b")], [by_hand, linked], AT)
    assert {place.machine_id for place in both.values()} == {"ada", "zoe"}, "neither stands idle"


def test_nothing_begins_that_an_announced_power_cut_would_end() -> None:
    found = plan([job(minutes=61)], [machine(cuts=(span(60, 30),))], AT)["job"]
    assert found.expected_start == after(90)
    assert [reason.code for reason in found.reasons] == ["waiting_power_cut"]


def test_a_model_of_which_there_is_no_machine_is_said_so() -> None:
    (place,) = plan([job(model_id="laser")], [machine()], AT).values()
    assert [reason.code for reason in place.reasons] == ["waiting_no_machine"]
