"""Free times as plain arithmetic: nothing outside opening, nothing on top of a booking, and nothing kept back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from equipment.bookings.free import MachineTimes, free_spans, nearest, offers
from equipment.bookings.rules import BookingFacts, judge
from fablab.core.clock import Span, grid_starts, merged, opening_spans
from tests.builders import hours, minutes
from tests.clocks import FIRST, NIGHTS, ZONES, Mask, World, world
from tests.faults.runs import first_seed, times

WORLDS = times("FABLAB_CLOCK_WORLDS", 10 * len(NIGHTS))
SEED = first_seed(0)


def machine_in(here: World) -> MachineTimes:
    """Return a machine of this place by chance; what takes its time overlaps, and reaches beyond what is asked."""
    chance = here.chance
    return MachineTimes(
        zone=here.zone,
        open=tuple(
            opening_spans(
                here.hours, here.closures, here.zone, here.from_ - hours(6), here.to + hours(6), here.cuts
            )
        ),
        outages=here.some_spans(2, 400),
        taken=here.some_spans(8, 240),
        buffer_minutes=chance.choice([0, 0, 5, 10, 30]),
        grid_minutes=chance.choice([5, 10, 15, 20, 30, 45, 60, 90]),
        supervised=here.some_spans(12, 900) if chance.random() < 0.25 else None,
    )


def possible(here: World, known: MachineTimes, length: int, opening: Mask) -> Mask:
    """Say of each minute, by counting minutes: could a booking of ``length`` begin here?"""
    usable = opening & ~here.minutes.inside(known.outages)
    if known.supervised is not None:
        usable &= here.minutes.inside(known.supervised)
    taken = here.minutes.inside(known.taken)
    return all_of(usable, length) & all_of(~taken, length + known.buffer_minutes)


def all_of(good: Mask, length: int) -> Mask:
    """Say of each minute whether it and the following ones, ``length`` in all, are good."""
    counted = np.concatenate(([0], np.cumsum(good)))
    found = np.zeros(len(good), dtype=bool)
    found[: len(good) - length + 1] = counted[length:] - counted[: len(counted) - length] == length
    return found


def breaks_no_rule_of_time(known: MachineTimes, start: datetime, length: int) -> bool:
    """Ask the booking rules themselves."""
    facts = BookingFacts(
        at=start - hours(1),
        start=start,
        end=start + minutes(length),
        zone=known.zone,
        open=known.open,
        outages=known.outages,
        taken=known.taken,
        min_minutes=length,
        max_minutes=length,
        buffer_minutes=known.buffer_minutes,
        grid_minutes=known.grid_minutes,
        minor=known.supervised is not None,
        supervised=tuple(merged(known.supervised or ())),
    )
    return not judge(facts).problems


def test_what_is_free_and_offered_is_what_counting_every_minute_finds_and_what_the_rules_would_take() -> None:
    offered = 0
    for seed in range(SEED, SEED + WORLDS):
        here = world(seed)
        known, length = machine_in(here), here.chance.choice([15, 30, 45, 60, 120, 240])
        told = f"{here.said}, {known}, {length} min"
        expected = possible(here, known, length, here.open())

        free = free_spans(known, here.from_, here.to, length)
        inside = np.zeros(len(expected), dtype=bool)
        for span in free:
            first, last = here.minutes.place(span.start), here.minutes.place(span.end) - length
            inside[first : last + 1] = True
            # As one booking, too, the whole span breaks no rule.
            whole = int(span.minutes)
            assert possible(here, known, whole, here.open())[first], told
        assert (inside == expected).all(), told

        on_grid = expected & (here.minutes.minute % known.grid_minutes == 0)
        starts = [here.minutes.at(place) for place in np.flatnonzero(on_grid).tolist()]
        found = list(offers(known, free, length))
        assert found == [Span(start, start + minutes(length)) for start in starts], told
        offered += len(found)

        asked = np.flatnonzero(here.minutes.inside([Span(here.from_, here.to - minutes(length))])).tolist()
        for place in here.chance.sample(asked, min(len(asked), 4)):
            assert breaks_no_rule_of_time(known, here.minutes.at(place), length) is bool(on_grid[place]), told
        assert all(breaks_no_rule_of_time(known, offer.start, length) for offer in found[::7]), told
    print(f"seeds {SEED} to {SEED + WORLDS - 1}: {offered} offers")
    assert offered > WORLDS


@given(
    st.sampled_from(ZONES),
    st.integers(0, 12 * 365 * 24 * 4).map(lambda quarters: FIRST + timedelta(minutes=15 * quarters)),
    st.integers(0, 3000),
    st.integers(1, 5),
)
def test_the_nearest_offers_are_the_nearest_and_stand_in_order_of_time(
    zone: str, at: datetime, offset: int, most: int
) -> None:
    every = [Span(start, start + hours(1)) for start in grid_starts(Span(at, at + hours(30)), 30, 60, zone)]
    wanted = at + minutes(offset)
    chosen: Sequence[Span] = nearest(every, wanted, most)
    assert list(chosen) == sorted(chosen)
    assert len(chosen) == most
    farthest = max(abs(offer.start - wanted) for offer in chosen)
    assert all(abs(offer.start - wanted) >= farthest for offer in set(every) - set(chosen))
