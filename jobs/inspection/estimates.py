"""How long it takes to sew or to cut: always an estimate, and said to be one."""

from .findings import Report
from .limits import ModelLimits

# An ordinary machine, where a model does not say its own.
STITCHES_A_MINUTE = 600.0
SECONDS_A_CHANGE = 90.0  # somebody notices, cuts, threads, presses
SECONDS_A_TRIM = 6.0
CUT_MM_S = 100.0
TRAVEL_MM_S = 300.0
SECONDS_A_LIFT = 0.15
SETTLE_SHARE = 1.5  # corners slow a blade down: about half as long again as at full speed

SEWN = frozenset({"dst", "pes"})
CUT = frozenset({"hpgl", "svg"})


def sewing_minutes(
    *,
    stitches: int,
    changes: int,
    trims: int,
    rpm: float = STITCHES_A_MINUTE,
    change_s: float = SECONDS_A_CHANGE,
) -> float:
    """Minutes at the machine, thread changes included."""
    return round(stitches / rpm + (max(changes, 0) * change_s + trims * SECONDS_A_TRIM) / 60, 1)


def cutting_minutes(*, cut_mm: float, travel_mm: float, lifts: int, cut_mm_s: float = CUT_MM_S) -> float:
    """Minutes of the blade alone: laying the sheet and weeding are people's."""
    seconds = SETTLE_SHARE * cut_mm / cut_mm_s + travel_mm / max(TRAVEL_MM_S, cut_mm_s)
    return round((seconds + lifts * SECONDS_A_LIFT) / 60, 1)


def minutes_on(report: Report, limits: ModelLimits) -> float | None:
    """The minutes of a file on this machine model: estimated where the file cannot say; None when nobody can."""
    told = {name: float(one) for name, one in report.facts.items() if isinstance(one, (int, float))}
    if report.format in SEWN and "stitches" in told:
        return sewing_minutes(
            stitches=int(told["stitches"]),
            changes=int(told["colours"]) - 1,
            trims=int(told["trims"]),
            rpm=limits.rpm or STITCHES_A_MINUTE,
            change_s=limits.change_s or SECONDS_A_CHANGE,
        )
    if report.format in CUT and "cut_mm" in told:
        return cutting_minutes(
            cut_mm=told["cut_mm"],
            travel_mm=told["travel_mm"],
            lifts=int(told["paths"]),
            cut_mm_s=limits.cut_mm_s or CUT_MM_S,
        )
    return report.minutes
