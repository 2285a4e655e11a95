"""Every sample file gets the verdict its row promises, and no rule of the policy can go unnoticed."""

from pathlib import Path
from typing import Any

import pytest

from jobs.inspection import registry
from jobs.inspection.codes import CODES
from jobs.inspection.findings import Finding, Report, Severity
from jobs.inspection.formats import gcode
from jobs.inspection.gcode_policy import MARLIN, REFUSED
from jobs.inspection.judge import judge
from tests.samples import Sample, corpus, find

BY_RULE = {one.rule: one for one in corpus() if one.rule}
GCODE_STATE_CODES = {
    code
    for code, row in CODES.items()
    if row.severity is Severity.BLOCKS
    and code
    in {
        *("outside_bed", "below_bed", "nozzle_too_hot", "bed_too_hot", "chamber_too_hot", "heater_left_on"),
        *(
            "moves_before_homing",
            "cold_extrusion",
            "nothing_printed",
            "not_gcode",
            "binary_bytes",
            "line_too_long",
        ),
        *(
            "line_unreadable",
            "line_ambiguous",
            "checksum_wrong",
            "macro_refused",
            "host_command",
            "command_refused",
        ),
        *("empty_file", "unknown_format", "wrong_content", "misleading_name", "truncated", "trailing_data"),
        *("count_wrong", "no_triangle", "not_finite", "numbers_absurd", "flat", "open_mesh", "too_big"),
    }
}


def inspected(sample: Sample, folder: Path) -> tuple[Report, tuple[Finding, ...]]:
    path = folder / "stored-under-an-id"
    path.write_bytes(sample.data)
    report = registry.read(path, sample.name)
    return report, (*report.findings, *judge(report, sample.machine))


def codes(findings: tuple[Finding, ...], severity: Severity) -> set[str]:
    return {one.code for one in findings if one.severity is severity}


@pytest.mark.parametrize("sample", corpus(), ids=lambda one: ascii(one.name))
def test_a_sample_is_judged_as_its_row_says(sample: Sample, tmp_path: Path) -> None:
    report, findings = inspected(sample, tmp_path)
    assert codes(findings, Severity.BLOCKS) == sample.blocks
    if not sample.blocks:
        assert codes(findings, Severity.ASK) == sample.asks
        told = _told(report)
        assert {name: told[name] for name in sample.facts} == dict(sample.facts)
    assert Report.from_json(report.as_json()) == report


def _told(report: Report) -> dict[str, Any]:
    material = report.material.as_json() if report.material else {}
    size = None if report.size_mm is None else list(report.size_mm)
    return {**report.facts, **material, "size_mm": size, "minutes": report.minutes}


def test_the_corpus_is_large_and_mostly_hostile() -> None:
    hostile = [one for one in corpus() if one.blocks]
    assert len([one for one in hostile if one.name.endswith(".gcode")]) >= 60
    assert len([one for one in corpus() if not one.blocks and one.name.endswith(".gcode")]) >= 60
    assert len([one for one in hostile if not one.name.endswith(".gcode")]) >= 30


@pytest.mark.parametrize("rule", sorted(MARLIN))
def test_taking_away_any_rule_changes_a_verdict(rule: str, tmp_path: Path) -> None:
    sample = BY_RULE[rule]
    path = tmp_path / "file.gcode"
    path.write_bytes(sample.data)
    whole = {one.code for one in gcode.read(path).findings}
    without = {name: verdict for name, verdict in MARLIN.items() if name != rule}
    assert {one.code for one in gcode.read(path, policy=without).findings} != whole


def test_every_rule_that_samples_stand_for_is_still_in_the_policy() -> None:
    assert BY_RULE.keys() == MARLIN.keys()
    assert {one.rule for one in corpus() if one.rule and one.blocks} == REFUSED.keys()


@pytest.mark.parametrize("code", sorted(GCODE_STATE_CODES))
def test_every_blocking_code_alone_refuses_some_sample(code: str) -> None:
    assert any(one.blocks == {code} for one in corpus()), code


@pytest.mark.parametrize(
    "code", sorted(code for code, row in CODES.items() if row.severity is Severity.BLOCKS)
)
def test_every_blocking_code_has_a_public_reason(code: str) -> None:
    assert CODES[code].reason is not None


def test_a_refused_command_is_named_with_its_first_line(tmp_path: Path) -> None:
    sample = find("refused_M500.gcode")
    _, findings = inspected(sample, tmp_path)
    (refused,) = [one for one in findings if one.code == "command_refused"]
    assert sample.data.split(b"\n")[int(str(refused.params["line"])) - 1] == b"M500"
    assert refused.params["command"] == "M500" and refused.params["count"] == 1


def test_a_place_outside_is_named_with_its_line(tmp_path: Path) -> None:
    sample = find("outside_travel_only.gcode")
    _, findings = inspected(sample, tmp_path)
    (outside,) = [one for one in findings if one.code == "outside_bed"]
    assert sample.data.split(b"\n")[int(str(outside.params["line"])) - 1] == b"G0 X500"
    assert (outside.params["axis"], outside.params["at_mm"], outside.params["most_mm"]) == ("x", 500.0, 220.0)
