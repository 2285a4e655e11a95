"""``make soak``: every fault case and rule of reliability with its full count, written to docs/reliability.md.

    python -m tests.faults.soak [case ...]        e.g.  3 4 REL-14; none: all
    python -m tests.faults.soak --fresh           forget what was done
    python -m tests.faults.soak --report          only write the page
    python -m tests.faults.soak --lanes 3         so many runs at once (2): most of each is waiting

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
from concurrent.futures import ThreadPoolExecutor, as_completed
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
RUNNING: set[subprocess.Popen[bytes]] = set()  # ended with the soak
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
        RUNNING.add(process)
        try:
            status = process.wait(SECONDS_EACH * len(run.proofs) + 60 * run.count)
        except subprocess.TimeoutExpired:
            process.terminate()
            status = process.wait()
        finally:
            RUNNING.discard(process)
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
    lines = [Done(**json.loads(line)) for line in STATE.read_text().splitlines() if line.endswith("}")]
    asked = {run.key for case in (*CASES, *RULES) for run in runs_of(case)}
    # What failed and was run again has been run again; what a case is not proven by any more says nothing of it.
    return list({(one.key, one.test): one for one in lines if one.key in asked}.values())


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
    parser.add_argument("--lanes", type=int, default=2, metavar="N", help="runs at once")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    FOLDER.mkdir(parents=True, exist_ok=True)
    if given.fresh:
        STATE.unlink(missing_ok=True)
    done = done_before()
    if not given.report:
        _run_all(chosen(given.cases), done, max(1, given.lanes))
    write_report(PROJECT / "docs" / "reliability.md", (*CASES, *RULES), done)
    failed = sorted({f"{one.case}: {one.test}" for one in done if one.failed})
    for line in failed:
        print(f"failed  {line}")
    return 1 if failed else 0


def _run_all(cases: list[Case], done: list[Done], lanes: int) -> None:
    """What runs once first: it says soonest what is broken. Then the first part of everything that is counted."""
    finished = {one.key for one in done} - {one.key for one in done if one.failed}
    runs = sorted((run for case in cases for run in runs_of(case)), key=lambda run: (run.count > 1, run.part))
    left = [run for run in runs if run.key not in finished]
    # The same counted test may prove several cases: it is run once for all of them.
    for run in [run for run in left if (lines := _proven_elsewhere(run, done)) and _keep(done, lines)]:
        left.remove(run)
    alike: dict[object, list[Run]] = {}
    for run in left:
        alike.setdefault(_what_is_run(run), []).append(run)
    print(f"{len(runs) - len(left)} of {len(runs)} runs stand already", flush=True)
    pool = ThreadPoolExecutor(lanes)
    try:
        waiting = {pool.submit(carry_out, same[0]): same for same in alike.values()}
        for number, future in enumerate(as_completed(waiting), 1):
            lines = future.result()
            _keep(done, lines)
            for run in waiting[future][1:]:
                _keep(done, _proven_elsewhere(run, done))
            write_report(PROJECT / "docs" / "reliability.md", (*CASES, *RULES), done)
            run = waiting[future][0]
            said = (
                f"{bad} FAILED, see {lines[0].log}" if (bad := sum(one.failed for one in lines)) else "passed"
            )
            print(
                f"{number}/{len(waiting)}  {run.case:7} {run.database:10} {len(run.proofs)} tests x {run.count}: "
                f"{said}, {sum(one.seconds for one in lines):.0f} s",
                flush=True,
            )
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(RUNNING):
            process.terminate()


def _what_is_run(run: Run) -> object:
    return (run.proofs[0].test, run.database, run.seed, run.count) if run.seed else run.key


def _proven_elsewhere(run: Run, done: list[Done]) -> list[Done]:
    """Return the lines of this run, when the same counted test has run for another case; or nothing."""
    if not run.seed:
        return []
    for one in done:
        if not one.failed and (one.test, one.database, one.seed, one.count) == _what_is_run(run):
            return [
                Done(**{**asdict(one), "key": run.key, "case": run.case, "level": str(run.proofs[0].level)})
            ]
    return []


def _keep(done: list[Done], lines: list[Done]) -> bool:
    keys = {one.key for one in lines}
    done[:] = [one for one in done if one.key not in keys] + lines
    with STATE.open("a") as file:
        file.writelines(json.dumps(asdict(one)) + "\n" for one in lines)
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main())
