"""Embroidery as plain arrays, whatever file it came from: what is sewn, in which order, with which threads.

The readers of the formats fill a `Design`; here it is measured, so that two formats never disagree about a word.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .codes import finding
from .estimates import sewing_minutes
from .findings import JSON, Finding, Material, Report
from .threads import UNKNOWN_THREAD, Thread

UNIT_MM = 0.1  # of all embroidery formats
MOST_RECORDS = 1_500_000  # far beyond what any machine keeps
MOST_STEPS = 120  # told one by one; more are only counted
MOST_MM = 2000.0
FEW_STITCHES = 20  # a file of less is a test, or no design
LONG_STITCH_MM = 12.7  # beyond it, loops catch on everything
DENSE = 40  # needle points in one square millimetre: cloth is cut out, needles break
LIKELY_TRIM = 3  # jumps in a row that make the machine cut the thread


class Move(IntEnum):
    """What the machine does at the end of a move."""

    STITCH = 0
    JUMP = 1
    CHANGE = 2  # stop for another thread
    TRIM = 3


@dataclass(frozen=True, slots=True)
class Design:
    """`x`, `y` (n,) are places after each move, in `UNIT_MM`, y away from the person, the start being 0, 0; `moves`
    (n,) say what each is. `threads` are in the order of their use, as far as the file names them."""

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    moves: NDArray[np.uint8]
    threads: Sequence[Thread] = ()
    facts: dict[str, JSON] = field(default_factory=dict)  # what only this format tells

    @property
    def block(self) -> NDArray[np.int64]:
        """(n,) the number of the thread that each move is made with, from 0; a change without stitches counts."""
        counts: NDArray[np.int64] = np.cumsum(self.moves == Move.CHANGE)
        return counts

    def sewn_blocks(self) -> NDArray[np.int64]:
        """The numbers of the blocks that have stitches, in order."""
        return np.unique(self.block[self.moves == Move.STITCH])

    def thread(self, block: int) -> Thread:
        """The thread of a block, from 0, sewn or not."""
        return self.threads[block] if block < len(self.threads) else UNKNOWN_THREAD


def report(format_name: str, design: Design, found: Sequence[Finding] = ()) -> Report:
    """Measure a design.

    Facts: stitches, jumps, trims, changes (stops for another thread), colours (blocks that are sewn), steps (see
    `_steps`), box_mm and travel_box_mm ([[x, y], [x, y]] of the needle points, and of all moves, from the start),
    stitched_mm, longest_mm, densest (needle points in one square millimetre), estimated (the minutes are), and what
    the format adds. `minutes` are those of an ordinary machine; `estimates.minutes_on` knows the model's.
    """
    sewn = design.moves == Move.STITCH
    stitches = int(sewn.sum())
    if not stitches:
        return Report(format_name, findings=(*found, finding("no_stitch")))
    xs, ys = design.x[sewn] * UNIT_MM, design.y[sewn] * UNIT_MM
    width, height = float(np.ptp(xs)), float(np.ptp(ys))
    if max(width, height, float(np.abs(design.x).max()) * UNIT_MM) > MOST_MM:
        return Report(format_name, findings=(*found, finding("numbers_absurd", most_mm=MOST_MM)))
    lengths = _lengths(design)
    changes = int((design.moves == Move.CHANGE).sum())
    trims = _trims(design)
    steps = _steps(design, lengths)
    facts: dict[str, JSON] = {
        "stitches": stitches,
        "jumps": int((design.moves == Move.JUMP).sum()),
        "trims": trims,
        "changes": changes,
        "colours": len(design.sewn_blocks()),
        "steps": steps,
        "box_mm": _box(xs, ys),
        "travel_box_mm": _box(np.append(design.x, 0) * UNIT_MM, np.append(design.y, 0) * UNIT_MM),
        "stitched_mm": round(float(lengths[sewn].sum()), 1),
        "longest_mm": round(float(lengths[sewn].max()), 1),
        "densest": _densest(xs, ys),
        "estimated": True,
        **design.facts,
    }
    return Report(
        format_name,
        size_mm=(round(width, 1), round(height, 1), 0.0),
        minutes=sewing_minutes(stitches=stitches, changes=len(design.sewn_blocks()) - 1, trims=trims),
        material=Material(metres=round(float(lengths[sewn].sum()) / 1000, 2)),
        facts=facts,
        findings=(*found, *_noticed(facts)),
    )


def _noticed(facts: dict[str, Any]) -> list[Finding]:
    found = []
    if facts["stitches"] < FEW_STITCHES:
        found.append(finding("few_stitches", stitches=facts["stitches"]))
    if facts["longest_mm"] > LONG_STITCH_MM:
        found.append(
            finding("stitch_too_long", length_mm=round(facts["longest_mm"]), most_mm=round(LONG_STITCH_MM))
        )
    if facts["densest"] > DENSE:
        found.append(finding("stitches_dense", points=facts["densest"], most=DENSE))
    if all(step["hex"] is None for step in facts["steps"]):
        found.append(finding("colours_untold"))
    return found


def _lengths(design: Design) -> NDArray[np.float64]:
    """(n,) how far each move goes, in millimetres."""
    dx, dy = np.diff(design.x, prepend=0), np.diff(design.y, prepend=0)
    lengths: NDArray[np.float64] = np.hypot(dx, dy) * UNIT_MM
    return lengths


def _box(xs: NDArray[Any], ys: NDArray[Any]) -> JSON:
    return [
        [round(float(xs.min()), 1), round(float(ys.min()), 1)],
        [round(float(xs.max()), 1), round(float(ys.max()), 1)],
    ]


def _trims(design: Design) -> int:
    """How often the thread is cut between two stitches of one colour: as told, or by jumps in a row."""
    told = int((design.moves == Move.TRIM).sum())
    if told:
        return told
    jumping = np.concatenate(([0], (design.moves == Move.JUMP).astype(np.int8), [0]))
    edges = np.flatnonzero(np.diff(jumping))
    starts, ends = edges[::2], edges[1::2]
    first = int(np.argmax(design.moves == Move.STITCH))
    return int(((ends - starts >= LIKELY_TRIM) & (starts > first)).sum())


def _densest(xs: NDArray[np.float64], ys: NDArray[np.float64]) -> int:
    """The most needle points in one cell of a grid of a millimetre."""
    columns = np.floor(xs - xs.min()).astype(np.int64)
    rows = np.floor(ys - ys.min()).astype(np.int64)
    _, counts = np.unique(rows * 4096 + columns, return_counts=True)
    return int(counts.max())


def _steps(design: Design, lengths: NDArray[np.float64]) -> list[dict[str, JSON]]:
    """What a person does at the machine, in order: one row a thread, with its stitches and millimetres.

    Keys: number (from 1), stitches, mm, and those of `Thread.as_json`: hex, colour, brand, code, name.
    """
    sewn = design.moves == Move.STITCH
    of = design.block[sewn]
    blocks, counts = np.unique(of, return_counts=True)
    long = np.bincount(np.searchsorted(blocks, of), weights=lengths[sewn])
    return [
        {
            "number": index + 1,
            "stitches": int(counts[index]),
            "mm": round(float(long[index])),
            **design.thread(int(blocks[index])).as_json(),
        }
        for index in range(min(len(blocks), MOST_STEPS))
    ]
