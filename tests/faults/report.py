"""docs/reliability.md: what was proven how often, when, at which commit; and what was not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults import full_disk
from tests.faults.levels import Case, Proof

HEAD = f"""# Reliability: what was tried, how often, with which result

Written by `make soak`; do not edit. Thirty fault cases and the rules of reliability, each with the tests that prove
it. `make test` runs every one of them at least once, with a fixed seed; the figures here are those of the soak,
which repeats the dangerous ones. Levels: U pure or property test, D Django with its database, F a machine that
answers as it is told to (what OctoPrint says is recorded from real servers, and the soak records it again and
compares), R real OctoPrint with its virtual printer, K real processes killed, frozen or many at once, B headless
browser.

`make soak` goes on where it was stopped, `make soak CASES="3 4 REL-14"` runs some, `make soak FRESH=1` begins anew.
A commit with a plus had files that were changed and not committed. 10,000 runs without a double start are an
indication, no proof; a killed process is no power cut, and the virtual printer knows no heat. Where this ran, the
full disk of case 12 was {full_disk.how()}.
"""


@dataclass(frozen=True)
class Done:
    """One test of one run. ``count``: how often in this run, of ``wanted`` altogether; ``failed`` of these."""

    key: str
    case: str
    test: str
    level: str
    database: str
    wanted: int
    count: int
    failed: int
    seed: int
    date: str
    commit: str
    seconds: float
    log: str


def write_report(path: Path, cases: Sequence[Case], done: Iterable[Done]) -> None:
    """Write the page from what was done."""
    lines = list(done)
    rows = {
        case.name: [_row(case, proof, database, lines) for proof, database in _wanted(case)] for case in cases
    }
    states = {name: _state(of) for name, of in rows.items()}
    said = {
        state: [name for name, one in states.items() if one == state] for state in ("failed", "unfinished")
    }
    passed = sum(state == "passed" for state in states.values())
    text = [
        HEAD,
        f"{passed} of {len(cases)} passed in full. Failed: {', '.join(said['failed']) or 'none'}. "
        f"Unfinished: {', '.join(said['unfinished']) or 'none'}.",
        "",
        "| case | fault or rule | level | test | database | count | seeds | date | commit | result |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for case in cases:
        for number, row in enumerate(rows[case.name]):
            text.append(f"| {case.name} | {case.what if number == 0 else ''} | {' | '.join(row)} |")
        if case.lacking:
            text.append(f"| {case.name} | *not proven: {case.lacking}* | | | | | | | | |")
    path.write_text("\n".join(text) + "\n")


def _wanted(case: Case) -> list[tuple[Proof, str]]:
    return [
        (proof, database)
        for proof in case.proofs
        for database in (("SQLite", "PostgreSQL") if proof.both else ("SQLite",))
    ]


def _row(case: Case, proof: Proof, database: str, done: list[Done]) -> list[str]:
    found = [
        one
        for one in done
        if (one.case, one.test, one.database, one.level) == (case.name, proof.test, database, proof.level)
    ]
    ran, failed = sum(one.count for one in found), sum(one.failed for one in found)
    file, _, name = proof.test.partition("::")
    seeds = sorted(one.seed for one in found if one.seed)
    if failed:
        result = f"**{failed} of {ran} failed**"
    elif ran >= proof.count:
        result = "passed"
    else:
        result = f"passed so far, {proof.count - ran} to go" if ran else "not run yet"
    return [
        str(proof.level),
        f"`{file}` {name.removeprefix('test_').replace('_', ' ')}",
        database,
        f"{ran} of {proof.count}",
        f"from {seeds[0]}" if seeds else "",
        max((one.date for one in found), default=""),
        ", ".join(sorted({one.commit for one in found})),
        result,
    ]


def _state(rows: list[list[str]]) -> str:
    results = [row[-1] for row in rows]
    if any("failed" in result for result in results):
        return "failed"
    return "passed" if all(result == "passed" for result in results) else "unfinished"
