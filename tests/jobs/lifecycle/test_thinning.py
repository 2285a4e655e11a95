"""Fewer points, the same curve."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from jobs.lifecycle.thinning import MOST, Sample, thin
from tests.builders import MONDAY


def curve(count: int, heat: Callable[[int], float]) -> list[Sample]:
    """Return a sample every ten seconds of a print that goes evenly from 0 to 100 %."""
    return [
        Sample(
            MONDAY + timedelta(seconds=10 * n),
            100 * n / max(count - 1, 1),
            10 * (count - n),
            {"tool0": (heat(n), 210.0), "bed": (60.0, 60.0)},
        )
        for n in range(count)
    ]


def test_a_short_print_keeps_every_point() -> None:
    assert thin(curve(MOST, lambda n: 210.0)) == list(range(MOST))


def test_a_print_of_three_days_keeps_no_more_than_a_plot_can_show() -> None:
    samples = curve(3 * 24 * 360, lambda n: 200 + n % 7)

    kept = thin(samples)

    assert MOST // 2 <= len(kept) <= MOST
    assert kept[0] == 0
    assert kept[-1] == len(samples) - 1


def test_one_moment_of_cold_in_a_long_night_is_not_lost() -> None:
    samples = curve(20_000, lambda n: 175.5 if n == 7777 else 210.0)

    assert 7777 in thin(samples)


def test_what_was_thinned_already_may_be_thinned_again() -> None:
    samples = curve(5_000, lambda n: 240.0 if n == 1234 else 200.0 + n % 3)
    once = [samples[position] for position in thin(samples)]

    twice = [once[position] for position in thin(once, 100)]

    assert len(twice) <= 100
    assert max(sample.heat["tool0"][0] or 0.0 for sample in twice) == 240.0


def test_a_machine_with_more_curves_than_points_keeps_its_two_ends() -> None:
    samples = [
        Sample(
            MONDAY + timedelta(seconds=n), heat={f"tool{k}": (float((n * k) % 97), None) for k in range(30)}
        )
        for n in range(500)
    ]

    kept = thin(samples, 10)

    assert len(kept) == 10
    assert {0, 499} <= set(kept)


values = st.one_of(st.none(), st.floats(-50, 400))


@given(
    st.lists(st.tuples(st.integers(0, 100_000), values, values, values), min_size=1, max_size=300),
    st.integers(10, 60),
)
def test_every_curve_keeps_its_extremes(
    rows: list[tuple[int, float | None, float | None, float | None]], most: int
) -> None:
    samples = [
        Sample(MONDAY + timedelta(seconds=second), percent, None, {"tool0": (actual, target)})
        for second, percent, actual, target in sorted(rows, key=lambda row: row[0])
    ]

    kept = thin(samples, most)

    assert len(kept) <= most
    assert kept == sorted(set(kept))
    assert {0, len(samples) - 1} <= set(kept)
    whole = [pair for sample in samples for pair in sample.values()]
    rest = [pair for position in kept for pair in samples[position].values()]
    for name in {name for name, _ in whole}:
        before = [value for one, value in whole if one == name]
        after = [value for one, value in rest if one == name]
        assert (min(before), max(before)) == (min(after), max(after))
