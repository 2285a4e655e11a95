"""A plot's curves lie where the figures say, break where nobody spoke, and the same stands beside them in figures."""

from datetime import timedelta

from django.utils.translation import override

from fablab.dashboard.plot import HEIGHT, ROWS, WIDTH, plots, table
from jobs.lifecycle.thinning import Sample
from tests.builders import MONDAY

ZONE = "Europe/Paris"


def moment(
    minute: float, percent: float | None = None, tool: float | None = None, goal: float | None = None
) -> Sample:
    heat = {} if tool is None and goal is None else {"tool0": (tool, goal)}
    return Sample(MONDAY + timedelta(minutes=minute), percent, None, heat)


def test_a_curve_begins_below_and_ends_above_with_the_print() -> None:
    (plot,) = plots([moment(0, 0.0), moment(1, 50.0), moment(2, 100.0)], ZONE)

    (curve,) = plot["curves"]
    assert curve["parts"] == [f"0.0,{HEIGHT:.1f} {WIDTH / 2:.1f},{HEIGHT / 2:.1f} {WIDTH:.1f},0.0"]


def test_the_scale_of_temperatures_ends_above_the_warmest_moment() -> None:
    (plot,) = plots([moment(0, tool=20.0, goal=210.0), moment(1, tool=213.4, goal=210.0)], ZONE)

    assert plot["values"][0] == 240
    assert plot["values"][-1] == 0
    assert [curve["looks"] for curve in plot["curves"]] == ["tool0", "tool0 goal"]


def test_a_heater_that_is_off_has_no_goal() -> None:
    (plot,) = plots([moment(0, tool=30.0, goal=0.0), moment(1, tool=29.0, goal=0.0)], ZONE)

    assert [curve["looks"] for curve in plot["curves"]] == ["tool0"]


def test_silence_is_a_gap_and_not_a_straight_line() -> None:
    samples = [moment(n / 6, n / 10) for n in range(60)] + [moment(30 + n / 6, 50.0) for n in range(60)]

    (plot,) = plots(samples, ZONE)

    assert len(plot["curves"][0]["parts"]) == 2


def test_a_moment_without_a_figure_breaks_only_its_own_curve() -> None:
    samples = [moment(0, 0.0, 200.0), moment(0.5, None, 201.0), moment(1, 2.0, 202.0)]

    progress, heat = plots(samples, ZONE)

    assert len(progress["curves"][0]["parts"]) == 2
    assert len(heat["curves"][0]["parts"]) == 1


def test_nothing_is_drawn_of_one_moment_or_of_none() -> None:
    assert plots([], ZONE) == []
    assert plots([moment(0, 1.0)], ZONE) == []


def test_a_figure_that_no_machine_can_reach_stays_inside_the_picture() -> None:
    (plot,) = plots([moment(0, -5.0), moment(1, 170.0)], ZONE)

    assert plot["curves"][0]["parts"] == [f"0.0,{HEIGHT:.1f} {WIDTH:.1f},0.0"]


def test_times_are_those_of_the_lab() -> None:
    (plot,) = plots([moment(0, 0.0), moment(60, 100.0)], ZONE)

    assert [time["label"] for time in plot["times"]] == ["10 h", "10 h 30", "11 h"]


def test_the_table_tells_the_same_in_a_dozen_rows() -> None:
    samples = [moment(n / 6, n / 10, 200.0 + n % 5) for n in range(1000)]

    found = table(samples, ZONE)

    assert found is not None
    assert ROWS <= len(found["rows"]) <= ROWS + 2
    assert [cell["value"] for cell in found["rows"][0]] == ["10 h", "0\u202f%", "200 °C"]
    assert found["rows"][-1][1]["value"] == "99\u202f%"


def test_there_is_no_table_of_nothing() -> None:
    assert table([], ZONE) is None


def test_several_nozzles_have_numbers_and_the_plate_comes_after_them() -> None:
    heat = {"bed": (60.0, None), "tool1": (200.0, None), "tool0": (210.0, None), "W": (30.0, None)}

    with override("fr"):
        (plot,) = plots([Sample(MONDAY, heat=heat), Sample(MONDAY + timedelta(minutes=1), heat=heat)], ZONE)

    assert [curve["label"] for curve in plot["curves"]] == ["Buse", "Buse 2", "Plateau", "W"]


def test_a_pause_is_shaded_where_it_was_and_told_in_the_words_that_stand_for_the_picture() -> None:
    samples = [moment(n, 10.0 * n) for n in range(11)]
    ended = (MONDAY + timedelta(minutes=2), MONDAY + timedelta(minutes=4))
    lasting = (MONDAY + timedelta(minutes=9), None)
    before = (MONDAY - timedelta(minutes=9), MONDAY - timedelta(minutes=5))

    with override("fr"):
        (plot,) = plots(samples, ZONE, [before, ended, lasting])

    assert [(one["x"], one["width"]) for one in plot["pauses"]] == [
        (WIDTH * 0.2, WIDTH * 0.2),
        (WIDTH * 0.9, WIDTH * 0.1),
    ]
    assert plot["alt"] == "Avancement · En pause de 10 h 02 à 10 h 04 · En pause depuis 10 h 09"
