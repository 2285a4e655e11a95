"""The judge of the starts sees what it is there to see: it reads the log as it is, and accuses when it must."""

from datetime import datetime, timedelta

import pytest

from tests.faults.witness import Clearing, Ended, Print, prints_in, what_is_wrong

NINE = datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001 - a log's clock has no zone
OURS, AGAIN, THEIRS = "fl/a1-0123abcd.gcode", "fl/a2-0123abcd.gcode", "autre.gcode"


def at(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


def printed(path: str, began: float, ended: float) -> Print:
    return Print(path, at(began), at(ended), Ended.DONE)


def cleared(asked: float, answered: float | None) -> Clearing:
    return Clearing(at(asked), None if answered is None else at(answered))


def log(*lines: tuple[int, str]) -> str:
    return "\n".join(f"2026-11-23 09:00:{second:02},000 - {text}" for second, text in lines)


def started(path: str) -> str:
    return (
        "octoprint.printer.standard.job - INFO - Print job started - origin: local, "
        f"path: {path}, owner: operator, user: operator"
    )


def becomes(state: str) -> str:
    return f'octoprint.util.comm - INFO - Changing monitoring state from "Printing" to "{state}"'


ENDINGS = [
    ([(5, "x - INFO - Print job done - origin: local"), (6, becomes("Operational"))], Ended.DONE, 6),
    (
        [(5, "x - INFO - Print job cancelled - origin: local"), (6, becomes("Operational"))],
        Ended.CANCELLED,
        6,
    ),
    ([(5, becomes("Offline after error"))], Ended.LOST, 5),
    ([(5, becomes("Error")), (6, becomes("Offline after error"))], Ended.LOST, 5),
    ([(9, "octoprint.startup - INFO - Starting OctoPrint 1.11.8")], Ended.LOST, 9),
]


@pytest.mark.parametrize(("lines", "how", "second"), ENDINGS)
def test_each_way_a_print_ends_is_read_from_the_log(
    lines: list[tuple[int, str]], how: Ended, second: int
) -> None:
    text = log((1, started(OURS)), (2, becomes("Printing")), (3, becomes("Paused")), *lines)
    assert prints_in(text) == [Print(OURS, at(1), at(second), how)]


def test_a_print_that_runs_still_has_no_end_and_lines_of_other_things_say_nothing() -> None:
    text = log((1, started(OURS)), (2, "octoprint.timelapse - INFO - Disabled")) + "\n  AUTOREPORT: no\n"
    assert prints_in(text) == [Print(OURS, at(1))]


def test_a_start_right_after_a_clearing_is_as_it_should_be() -> None:
    prints = [printed(THEIRS, 0, 5), printed(OURS, 10, 20), printed(AGAIN, 30, 40)]
    assert what_is_wrong("Ada", prints, [cleared(6, 7), cleared(25, 26)]) == []


def test_what_may_have_been_said_counts_as_said() -> None:
    assert (
        what_is_wrong(
            "Ada", [printed(OURS, 10, 20), printed(AGAIN, 30, 40)], [cleared(6, 7), cleared(21, None)]
        )
        == []
    )


def test_a_second_start_of_one_attempt_is_wrong_even_on_a_clear_plate() -> None:
    prints = [printed(OURS, 10, 20), printed(OURS, 30, 40)]
    (wrong,) = what_is_wrong("Ada", prints, [cleared(6, 7), cleared(21, 22)])
    assert "2 times" in wrong


def test_a_start_without_any_clearing_is_wrong() -> None:
    assert len(what_is_wrong("Ada", [printed(OURS, 10, 20)], [])) == 1


def test_a_clearing_from_before_the_last_end_is_too_old_whoever_printed() -> None:
    assert len(what_is_wrong("Ada", [printed(THEIRS, 8, 9), printed(OURS, 10, 20)], [cleared(6, 7)])) == 1


def test_a_clearing_that_comes_after_the_start_is_too_late() -> None:
    assert len(what_is_wrong("Ada", [printed(OURS, 10, 20)], [cleared(11, 12)])) == 1


def test_one_clearing_is_good_for_one_start() -> None:
    prints = [printed(OURS, 10, 10), printed(AGAIN, 10, 20)]
    assert len(what_is_wrong("Ada", prints, [cleared(6, 30)])) == 1
