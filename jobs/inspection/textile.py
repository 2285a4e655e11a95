"""What an embroidery machine or a cutter says about a report. Pure, called by `judge`."""

import math
from collections.abc import Iterator
from typing import Any

from .codes import finding
from .findings import Finding, Report
from .limits import Frame, ModelLimits

SLACK_MM = 0.1  # embroidery counts in tenths
CUT_SLACK_MM = 0.03  # a plotter counts in fortieths


def frames_for(report: Report, limits: ModelLimits) -> tuple[Frame, ...]:
    """The model's frames that this design fits in as it lies, smallest field first."""
    if report.size_mm is None:
        return ()
    width, height, _ = report.size_mm
    return tuple(sorted((one for one in limits.frames if _fits(width, height, one)), key=_field))


def in_frame(report: Report, limits: ModelLimits, chosen: str) -> Iterator[Finding]:
    """What there is to say about the frame that somebody chose for a design; nothing about one of unknown size."""
    frame = next((one for one in limits.frames if one.name == chosen), None)
    if frame is not None and report.size_mm is not None:
        width, height, _ = report.size_mm
        if not _fits(width, height, frame) and not _fits(height, width, frame):
            yield finding("frame_too_small", frame=frame.size)


def sews(report: Report, limits: ModelLimits) -> Iterator[Finding]:
    """Frame, number of stitches and of threads."""
    if report.size_mm is None:
        return
    facts: Any = report.facts
    yield from _frame(report, limits)
    if limits.max_stitches and facts["stitches"] > limits.max_stitches:
        yield finding("too_many_stitches", stitches=facts["stitches"], most=limits.max_stitches)
    if limits.max_colours and facts["colours"] > limits.max_colours:
        yield finding("too_many_colours", colours=facts["colours"], most=limits.max_colours)


def _frame(report: Report, limits: ModelLimits) -> Iterator[Finding]:
    """A design is centred in its frame, so only its size counts; a machine follows its jumps too."""
    assert report.size_mm is not None
    width, height, _ = report.size_mm
    frames = limits.frames or (Frame("", *limits.bed_mm),)
    fitting = [one for one in frames if _fits(width, height, one)]
    if not fitting:
        turned = next((one for one in frames if _fits(height, width, one)), None)
        largest = max(frames, key=_field)
        if turned is not None:
            yield finding("fits_frame_turned", frame=turned.size)
        else:
            yield finding(
                "too_big_for_frames",
                width_mm=math.ceil(width),
                height_mm=math.ceil(height),
                frame=largest.size,
            )
        return
    if limits.frames:
        yield finding("frame_needed", frame=min(fitting, key=_field).size)
    facts: Any = report.facts
    (low_x, low_y), (high_x, high_y) = facts["travel_box_mm"]
    largest = max(fitting, key=_field)
    if not _fits(high_x - low_x, high_y - low_y, largest):
        yield finding("start_outside_frame")


def _fits(width: float, height: float, frame: Frame) -> bool:
    return width <= frame.width_mm + SLACK_MM and height <= frame.height_mm + SLACK_MM


def _field(frame: Frame) -> float:
    return frame.width_mm * frame.height_mm


def cuts(report: Report, limits: ModelLimits) -> Iterator[Finding]:
    """A machine file's lines stand where they stand: inside the sheet, to the blade's resolution."""
    box: Any = report.facts.get("box_mm")
    if not box:
        return
    for axis, index in (("x", 0), ("y", 1)):
        least = limits.origin_mm[index]
        most = least + limits.bed_mm[index]
        low, high = box[0][index], box[1][index]
        at = high if high > most + CUT_SLACK_MM else low
        if at > most + CUT_SLACK_MM or at < least - CUT_SLACK_MM:
            yield finding("outside_sheet", axis=axis, at_mm=round(at), least_mm=least, most_mm=most)


def fits_sheet(size: tuple[float, float, float], limits: ModelLimits) -> Iterator[Finding]:
    """A drawing is laid at the sheet's corner, and may be turned a quarter, so only its size counts."""
    width, height, _ = size
    across, along = limits.bed_mm
    if width <= across + CUT_SLACK_MM and height <= along + CUT_SLACK_MM:
        return
    if width <= along + CUT_SLACK_MM and height <= across + CUT_SLACK_MM:
        yield finding("fits_turned")
        return
    for axis, measure, most in (("x", width, across), ("y", height, along)):
        if measure > most + CUT_SLACK_MM:
            yield finding("too_big", axis=axis, size_mm=round(measure, 1), most_mm=most)
