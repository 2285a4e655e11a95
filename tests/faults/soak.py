"""``make soak``: every fault case and rule of reliability with its full count, written to docs/reliability.md.

    python -m tests.faults.soak [case ...]        e.g.  3 4 REL-14; none: all
    python -m tests.faults.soak --fresh           forget what was done
    python -m tests.faults.soak --report          only write the page

What is done stands in ``var/soak/done.jsonl``, one line each: a soak that was killed goes on where it was. What a run
said stands beside it; seeds that failed are kept in ``failing-seeds.txt``. Exit status 1 when something failed.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from tests.faults.cases import CASES
from tests.faults.levels import Case, Level, Proof
from tests.faults.report import Done, write_report
from tests.faults.rules import RULES
from tests.fixtures.services import end_with_parent

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "var" / "soak"
STATE = FOLDER / "done.jsonl"
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
SECONDS_EACH = 900  # for one test; counted ones get more
NICE = 10
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "HTTPS")


@dataclass(frozen=True)
class Run:
    """One call of pytest: some tests of one case on one database, or one part of a counted test."""

    case: str
    proofs: tuple[Proof, ...]
    database: str
    part: int = 0
    count: int = 1
    seed: int = 0

    @property
    def key(self) -> str:
        tests = " ".join(sorted(proof.test for proof in self.proofs))
        return f"{self.case}|{self.database}|{tests}|{self.part}|{self.count}"


def runs_of(case: Case) -> Iterator[Run]:
    """Return a case's runs: what runs once together (browsers apart), what is counted in parts."""
    for database in (SQLITE, POSTGRESQL):
        for browser in (False, True):
            once = tuple(
                proof
                for proof in case.proofs
                if proof.count == 1
                and (proof.level is Level.B) is browser
                and (database == SQLITE or proof.both)
            )
            if once:
                yield Run(case.name, once, database)
        for proof in case.proofs:
            if proof.count > 1 and (database == SQLITE or proof.both):
                parts = range(0, proof.count, proof.at_once)
                for part, done in enumerate(parts):
                    count = min(proof.at_once, proof.count - done)
                    yield Run(case.name, (proof,), database, part, count, seed=1000 + done)


def carry_out(run: Run) -> list[Done]:
    """Run it and return one line for each of its tests."""
    name = f"{run.case}-{sha256(run.key.encode()).hexdigest()[:8]}"
    results, log = FOLDER / f"{name}.xml", FOLDER / f"{name}.log"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-s",
        "-o",
        "junit_family=xunit1",
        f"--junitxml={results}",
    ]
    command += [proof.path for proof in run.proofs]
    if run.database == POSTGRESQL:
        command = [".ci/with-postgres", *command]
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    environment["FABLAB_FAILING_SEEDS"] = str(FOLDER / "failing-seeds.txt")
    if run.seed:
        environment |= {run.proofs[0].counted_by: str(run.count), "FABLAB_SEED": str(run.seed)}
    began = time.monotonic()
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            preexec_fn=end_with_parent,
        )
        try:
            status = process.wait(SECONDS_EACH * len(run.proofs) + 60 * run.count)
        except subprocess.TimeoutExpired:
            process.terminate()
            status = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    failed = failures_in(results) if results.exists() else {}
    seconds = time.monotonic() - began
    return [_done(run, proof, status, failed, seconds, log) for proof in run.proofs]


def _done(run: Run, proof: Proof, status: int, failed: dict[str, int], seconds: float, log: Path) -> Done:
    known = failed.get(proof.path)
    # A test of which the results say nothing did not run to its end.
    bad = 0 if known == 0 and status in (0, 1) else min(known or run.count, run.count)
    return Done(
        key=run.key,
        case=run.case,
        test=proof.test,
        level=str(proof.level),
        database=run.database,
        wanted=proof.count,
        count=run.count,
        failed=bad,
        seed=run.seed,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        commit=commit(),
        seconds=round(seconds / len(run.proofs), 1),
        log=str(log.relative_to(PROJECT)) if bad else "",
    )


def failures_in(results: Path) -> dict[str, int]:
    """Return how many times each test failed, from pytest's own results; a test that ran stands there with 0."""
    found: dict[str, int] = {}
    for case in ElementTree.parse(results).iter("testcase"):
        name = case.attrib["name"].partition("[")[0]
        path = f"{case.attrib.get('file', '')}::{name}"
        bad = any(case.find(what) is not None for what in ("failure", "error", "skipped"))
        found[path] = found.get(path, 0) + bad
    return found


def commit() -> str:
    """Return the commit under test, with a plus when the files differ from it."""
    name = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=PROJECT, capture_output=True, text=True, timeout=30
    ).stdout.strip()
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=no"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
    ).stdout.splitlines()
    return name + ("+" if any(not line.endswith("docs/reliability.md") for line in changed) else "")


def done_before() -> list[Done]:
    if not STATE.exists():
        return []
    return [Done(**json.loads(line)) for line in STATE.read_text().splitlines() if line.endswith("}")]


def chosen(names: Iterable[str]) -> list[Case]:
    """Return the cases of these names, all without any.

    :raises SystemExit: for a name that is none.
    """
    known = {case.name: case for case in (*CASES, *RULES)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"no such case: {' '.join(unknown)}; there are {' '.join(known)}")
    return [known[name] for name in names] or list(known.values())


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--fresh", action="store_true", help="forget what was done")
    parser.add_argument("--report", action="store_true", help="only write docs/reliability.md")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    FOLDER.mkdir(parents=True, exist_ok=True)
    if given.fresh:
        STATE.unlink(missing_ok=True)
    done = done_before()
    if not given.report:
        os.nice(NICE)
        _run_all(chosen(given.cases), done)
    write_report(PROJECT / "docs" / "reliability.md", (*CASES, *RULES), done)
    failed = sorted({f"{one.case}: {one.test}" for one in done if one.failed})
    for line in failed:
        print(f"failed  {line}")
    return 1 if failed else 0


def _run_all(cases: list[Case], done: list[Done]) -> None:
    """What runs once first: it says soonest what is broken. Then the first part of everything that is counted."""
    finished = {one.key for one in done if not one.failed}
    runs = sorted((run for case in cases for run in runs_of(case)), key=lambda run: (run.count > 1, run.part))
    # The same test may prove several cases: it is run once for all of them.
    shared = {(one.test, one.database, one.seed, one.count): one for one in done if not one.failed}
    for number, run in enumerate(runs, 1):
        if run.key in finished:
            continue
        known = [
            shared.get((proof.test, run.database, run.seed, run.count)) if run.seed else None
            for proof in run.proofs
        ]
        if all(known):
            lines = [
                Done(**{**asdict(one), "key": run.key, "case": run.case, "level": str(proof.level)})
                for one, proof in zip(known, run.proofs, strict=True)
                if one is not None
            ]
        else:
            lines = carry_out(run)
        done[:] = [one for one in done if one.key != run.key] + lines
        shared |= {(one.test, one.database, one.seed, one.count): one for one in lines if not one.failed}
        with STATE.open("a") as file:
            file.writelines(json.dumps(asdict(one)) + "\n" for one in lines)
        write_report(PROJECT / "docs" / "reliability.md", (*CASES, *RULES), done)
        bad = sum(one.failed for one in lines)
        print(
            f"{number}/{len(runs)}  {run.case:7} {run.database:10} {len(run.proofs)} tests x {run.count}: "
            f"{f'{bad} FAILED, see {lines[0].log}' if bad else 'passed'}",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
