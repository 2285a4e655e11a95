"""The import contracts of pyproject.toml, and the rules of docs/architecture.md that no import can show."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
ROOTS = ("fablab", "equipment", "jobs")


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield every module of the project (no migrations) with its path from the top and its syntax tree."""
    for root in ROOTS:
        for path in sorted((PROJECT / root).rglob("*.py")):
            name = path.relative_to(PROJECT).as_posix()
            if "/migrations/" not in name:
                yield name, ast.parse(path.read_text(), filename=name)


def test_imports_point_the_way_the_contracts_say() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))",
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def writes_of_job_state(tree: ast.Module) -> list[int]:
    """Return the lines that assign ``job.state`` or update ``state`` through ``Job.objects``."""
    lines = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign | ast.Call):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            if (
                isinstance(target, ast.Attribute)
                and target.attr == "state"
                and re.search(r"\bjob$", ast.unparse(target.value))
            ):
                lines.append(node.lineno)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update":
            receiver = ast.unparse(node.func.value)
            if re.search(r"\bJob\.objects\b|\bjobs?\b", receiver) and any(
                word.arg == "state" for word in node.keywords
            ):
                lines.append(node.lineno)
    return lines


def test_the_search_for_writes_of_a_jobs_state_finds_them() -> None:
    assert writes_of_job_state(ast.parse("job.state = State.QUEUED")) == [1]
    assert writes_of_job_state(ast.parse("attempt.job.state = 'queued'")) == [1]
    assert writes_of_job_state(ast.parse("Job.objects.filter(id=1).update(state='queued')")) == [1]
    assert writes_of_job_state(ast.parse("booking.state = 'done'")) == []


def test_one_place_in_lifecycle_writes_the_state_of_a_job() -> None:
    writers = {name for name, tree in modules() if writes_of_job_state(tree)}
    # `apply` has a file of its own, which services.py hands out.
    assert writers <= {"jobs/lifecycle/services.py", "jobs/lifecycle/apply.py"}
    assert len(writers) <= 1


def test_a_file_holds_one_subject() -> None:
    long = {
        name: lines
        for name, _ in modules()
        if (lines := len((PROJECT / name).read_text().splitlines())) > 500
    }
    assert long == {}
