"""What browsers are told at once, before the database is written: a machine's state, and its figures.

The database stays the truth: what is told here is a patch over the last known state, and the write that follows has it
read anew. Shapes are those of ``fablab.api.shapes``.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from equipment.drivers.base import Observation
from equipment.machines import figures
from equipment.machines.figures import Figures
from equipment.machines.said import help_needed
from equipment.machines.states import AT_WORK, Condition, Plate, Report, condition_of
from fablab.live.push import publish_async
from jobs.lifecycle.on_machines import LiveAttempt
from jobs.lifecycle.states import STARTED
from jobs.supervision.facts import Decision, Step, Unsure
from jobs.supervision.records import Heard, Situation

FIGURES_EVERY_S = 1.0
PROGRESS_KEPT_EVERY_S = 10.0


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Told:
    """What people were last told, so that nobody is told the same again."""

    state: Condition
    report: str
    trouble: str
    unsure: bool


def as_told(found: Situation, heard: Heard, decisions: tuple[Decision, ...]) -> Told:
    """Return what people will see of a machine when the decisions have been written."""
    machine, attempt = found.machine, found.attempt
    unsure = attempt is not None and attempt.unsure_since is not None
    started = attempt is not None and attempt.state in STARTED
    live = attempt is not None
    for decision in decisions:
        if isinstance(decision, Unsure):
            unsure = bool(decision.why)
        if isinstance(decision, Step):
            started = decision.action in ("start", "pause", "resume")
            live, unsure = started, False
    report = Report(heard.report)
    touched = started or report in AT_WORK or any(isinstance(one, Step) for one in decisions)
    state = condition_of(
        linked=True,
        out_of_order=found.out_of_order,
        plate=Plate.TO_CLEAR if touched else Plate(machine.plate),
        needs_plate=machine.model.kind.needs_plate,
        report=report,
        stale=False,
        live_attempt=live,
        foreign=heard.foreign,
        started=started,
        unsure=unsure,
        needs_help=help_needed(machine, staff=False),
    )
    return Told(state, heard.report, heard.error, unsure)


async def tell_state(found: Situation, told: Told, at: datetime) -> None:
    """Tell those who watch the machine or its board its new state."""
    public = {"state": told.state, "seen_at": stamp(at)}
    staff = {**public, "report": told.report, "trouble": told.trouble or None}
    await _tell(found, public, staff, figures_only=False)


async def tell_figures(found: Situation, seen: Observation, at: datetime) -> None:
    """Tell how far the print is and how warm it is. The newest replaces what was not delivered yet."""
    latest = Figures(
        seen_at=at,
        percent=seen.progress.percent if seen.is_busy else None,
        seconds_left=seen.progress.seconds_left if seen.is_busy else None,
        temperatures={
            name: {"actual": value.actual, "target": value.target}
            for name, value in seen.temperatures.items()
        },
    )
    figures.note(found.machine.pk, latest)
    patch = latest.as_patch()
    progress = patch["progress"] if latest.percent is not None else None
    public = {"seen_at": patch["seen_at"], "progress": progress}
    await _tell(found, public, {**public, "temperatures": patch["temperatures"]}, figures_only=True)
    attempt = found.attempt
    if attempt is None or attempt.state not in STARTED or progress is None:
        return
    job = {"progress": {**progress, "estimated": True, "at": stamp(at)}}
    for job_id in attempt.job_ids:
        await publish_async(f"job:{job_id}", job, patch=True, figures=True)


async def tell_sending(live: LiveAttempt, sent: int, total: int, at: datetime) -> None:
    """Tell how much of the file has left for the machine."""
    percent = round(100 * sent / total, 1) if total else None
    progress = {"percent": percent, "minutes_left": None, "estimated": False, "at": stamp(at)}
    for job_id in live.job_ids:
        await publish_async(f"job:{job_id}", {"progress": progress}, patch=True, figures=True)


async def _tell(
    found: Situation, public: dict[str, Any], staff: dict[str, Any], *, figures_only: bool
) -> None:
    machine = found.machine
    await publish_async(
        f"machine:{machine.pk}", {"public": public, "staff": staff}, patch=True, figures=figures_only
    )
    board = {"machines": {machine.pk: staff}}
    await publish_async(f"board:{machine.site_id}", board, patch=True, figures=figures_only)
