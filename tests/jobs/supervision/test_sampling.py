"""One moment in ten seconds of each running attempt is kept, and all are written together."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from equipment.drivers.base import MachineReport, Observation, Progress, Temperature
from fablab.core.threads import DatabaseThreads
from jobs.lifecycle import samples
from jobs.lifecycle.thinning import Sample
from jobs.supervision import sampling
from jobs.supervision.bench import Bench
from jobs.supervision.loop import Supervisor
from jobs.supervision.sampling import Sampling
from tests.jobs.supervision.lab import Lab

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SEEN = Observation(
    at=AT,
    report=MachineReport.PRINTING,
    path="fl/one.gcode",
    origin="local",
    user=None,
    progress=Progress(percent=42.0, seconds_left=600),
    temperatures={"tool0": Temperature(209.5, 210.0), "bed": Temperature(60.0, None)},
)


def test_a_moment_holds_progress_and_every_heater() -> None:
    kept = Sampling()

    kept.note("one", SEEN, at=AT, now=0.0)

    heat = {"tool0": (209.5, 210.0), "bed": (60.0, None)}
    assert kept.waiting() == [("one", Sample(AT, 42.0, 600, heat))]


def test_an_update_each_second_is_one_point_in_ten_seconds() -> None:
    kept = Sampling()

    for second in range(61):
        kept.note("one", SEEN, at=AT, now=float(second))

    assert len(kept.waiting()) == 7


def test_one_machine_takes_nothing_from_another() -> None:
    kept = Sampling()

    kept.note("one", SEEN, at=AT, now=0.0)
    kept.note("two", SEEN, at=AT, now=1.0)

    assert [attempt for attempt, _ in kept.waiting()] == ["one", "two"]


def test_what_was_written_is_not_written_again_and_what_came_meanwhile_stays() -> None:
    kept = Sampling()
    kept.note("one", SEEN, at=AT, now=0.0)
    written = kept.waiting()
    kept.note("two", SEEN, at=AT, now=0.0)

    kept.written(len(written), now=1.0)

    assert [attempt for attempt, _ in kept.waiting()] == ["two"]


def test_a_database_that_does_not_answer_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST_WAITING", 5)
    kept = Sampling()

    for number in range(50):
        kept.note(f"attempt {number}", SEEN, at=AT, now=0.0)

    assert len(kept.waiting()) == 5


def test_a_machine_that_invents_heaters_is_kept_within_bounds() -> None:
    kept = Sampling()
    many = replace(SEEN, temperatures={f"heater{n}" * 9: Temperature(1.0, None) for n in range(100)})

    kept.note("one", many, at=AT, now=0.0)

    heat = kept.waiting()[0][1].heat
    assert len(heat) <= sampling.CURVES
    assert all(len(name) <= 20 for name in heat)


async def test_a_batch_that_could_not_be_written_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []

    def fails(batch: list[tuple[str, Sample]]) -> int:
        raise OSError("disk full")

    def works(batch: list[tuple[str, Sample]]) -> int:
        written.append(len(batch))
        return len(batch)

    with DatabaseThreads(1, "test") as threads, ThreadPoolExecutor(1) as ears:
        supervisor = Supervisor("test", Bench(threads), ears)
        supervisor.bench.sampling.note("one", SEEN, at=AT, now=0.0)
        monkeypatch.setattr(samples, "keep", fails)
        with pytest.raises(OSError, match="disk full"):
            await supervisor.keep_samples()
        monkeypatch.setattr(samples, "keep", works)

        await supervisor.keep_samples()
        await supervisor.keep_samples()

    assert written == [1]


@pytest.mark.octoprint
async def test_a_real_print_leaves_its_progress_and_its_warmth(lab: Lab) -> None:
    await lab.watch()
    job = await lab.started(40)
    attempt = await lab.attempt(job)

    async def kept() -> list[Sample]:
        await lab.supervisor.keep_samples()
        return list(await lab.db(samples.samples_of, attempt.pk))

    # Its very first message may come before it has read a thermometer.
    points = await lab.until(kept, lambda found: any({"tool0", "bed"} <= set(one.heat) for one in found))

    assert points[0].percent is not None
    assert points[-1].heat["tool0"][0] is not None
