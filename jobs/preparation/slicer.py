"""The outside slicer behind one adapter: our profile, our file names, our sandbox, and nothing believed unread.

A return code of 0 means nothing until the machine file was inspected; a negative one is an answer. An uploaded 3MF is
never handed over: its settings may name a program to run, so only the bare triangles go in.
"""

import functools
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.inspection.codes import finding
from jobs.inspection.findings import JSON, Finding, Report
from jobs.inspection.judge import judge
from jobs.inspection.limits import ModelLimits
from jobs.inspection.sandbox import GIB, Completed, inspect_file, run_program

from .profiles import Unsuitable, copies, slicing_profile

SLICERS = ("prusa-slicer",)
SLICE_SECONDS = 300.0
_VERSION = re.compile(r"PrusaSlicer-(\d[\w.+-]*)")
# What the program says, in the order in which it is looked for, and what that means.
_SAYINGS: tuple[tuple[bytes, str], ...] = (
    (b"Objects could not fit on the bed", "does_not_fit"),
    (b"input is an empty file", "bad_model"),
    (b"has the wrong size", "bad_model"),
    (b"Loading of a model file failed", "bad_model"),
    (b"No layers were detected", "nothing_to_print"),
    (b"There are no extrusions in the first layer", "nothing_on_bed"),
    (b"There is an object with no extrusions", "nothing_to_print"),
    (b"Layer height can't be greater", "bad_profile"),
    (b"First layer height can't be greater", "bad_profile"),
    (b"invalid value", "bad_profile"),
    (b"Invalid value", "bad_profile"),
    (b"bad_alloc", "too_complex"),
)


@dataclass(frozen=True, slots=True)
class SliceResult:
    """`code` is "sliced", or why there is no machine file: does_not_fit, bad_model, nothing_to_print, nothing_on_bed,
    bad_profile, too_complex, too_slow, crashed, no_output, missing."""

    ok: bool
    code: str
    seconds: float = 0.0
    params: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slicer:
    program: Path
    version: str

    def slice(
        self,
        stl: Path,
        profile: Mapping[str, str],
        out: Path,
        *,
        copies: int = 1,
        turned: bool = False,
        seconds: float = SLICE_SECONDS,
        memory: int = 2 * GIB,
    ) -> SliceResult:
        """Slices a binary STL written by us into the machine file `out`, which is only there when the result is ok."""
        with tempfile.TemporaryDirectory(prefix="slice-") as name:
            folder = Path(name)
            shutil.copyfile(stl, folder / "model.stl")
            (folder / "lab.ini").write_text("".join(f"{key} = {value}\n" for key, value in profile.items()))
            argv = [str(self.program), "--export-gcode", "--load", "lab.ini", "--datadir", str(folder)]
            argv += ["--post-process", "", "--loglevel", "1", "--output", "out.gcode"]
            argv += ["--duplicate", str(copies)] if copies > 1 else []
            argv += ["--rotate", "90"] if turned else []
            done = run_program([*argv, "model.stl"], cwd=folder, seconds=seconds, memory=memory)
            made = folder / "out.gcode"
            code = _meaning(done, made)
            if code != "sliced":
                return SliceResult(False, code, done.seconds)
            out.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(made, out)
        return SliceResult(True, "sliced", done.seconds, {"slicer": "PrusaSlicer", "version": self.version})


def _meaning(done: Completed, made: Path) -> str:
    if done.stopped == "time" or done.returncode in (-24, -9):  # SIGXCPU, SIGKILL: out of time or memory
        return "too_slow"
    said = done.stderr + done.stdout
    if not done.ok:
        return next((code for words, code in _SAYINGS if words in said), "crashed")
    if made.is_symlink() or not made.is_file() or made.stat().st_size == 0:
        return "no_output"
    return "sliced"


@functools.cache
def find_slicer(name: str = SLICERS[0]) -> Slicer | None:
    """The installed slicer of this name with its version, asked once a process; None when there is none."""
    found = shutil.which(name)
    if found is None:
        return None
    with tempfile.TemporaryDirectory(prefix="slicer-") as folder:
        done = run_program([found, "--help"], cwd=Path(folder), seconds=20)
    told = _VERSION.search(done.stdout.decode("utf-8", "replace"))
    return Slicer(Path(found), told[1]) if told else None


def slice_and_judge(
    source: Path,
    limits: ModelLimits,
    settings: Mapping[str, Any],
    out: Path,
    picture: Path | None = None,
    *,
    name: str = "",
    seconds: float = SLICE_SECONDS,
    program: str = SLICERS[0],
) -> tuple[Report, tuple[Finding, ...]]:
    """From a model to a judged machine file.

    `name` is the model's name with its true ending when `source` itself is stored under an id. Returns the report of
    the machine file `out` and every finding about it, its own and this machine model's. When there is none, `out`
    does not exist, the report is empty (or the model's own, when that blocks) and the findings say why. Never raises
    for bad input; everything that touches the file runs in the sandbox.
    """
    with tempfile.TemporaryDirectory(prefix="prepare-") as folder:
        clean = Path(folder) / "clean.stl"
        model = inspect_file(source, name or source.name, bare=clean)
        about = (*model.findings, *judge(model, limits))
        if any(one.severity == "blocks" for one in about) or not clean.is_file():
            return model, about or (finding("slicing_failed", why="bad_model"),)
        try:
            profile, number = slicing_profile(limits, settings), copies(settings)
        except Unsuitable as no:
            return _failed("settings_unsuitable", setting=no.code)
        slicer = find_slicer(program)
        if slicer is None:
            return _failed("slicer_missing")
        turned = any(one.code == "fits_turned" for one in about)
        result = slicer.slice(clean, profile, out, copies=number, turned=turned, seconds=seconds)
    if not result.ok:
        return (
            _failed("plate_too_small", copies=number)
            if result.code == "does_not_fit"
            else _failed("slicing_failed", why=result.code)
        )
    report = inspect_file(out, "made.gcode", picture)
    findings = (*report.findings, *judge(report, limits))
    if any(one.severity == "blocks" for one in findings):
        out.unlink(missing_ok=True)
    return report, findings


def _failed(code: str, **params: JSON) -> tuple[Report, tuple[Finding, ...]]:
    why = (finding(code, **params),)
    return Report("", findings=why), why
