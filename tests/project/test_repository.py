"""What must not be in the repository, and what its commands promise."""

import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def tracked() -> list[Path]:
    """Return the files of the repository (or of the folder, when it was unpacked without its history)."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True)
    if listed.returncode == 0:
        return [
            path for name in listed.stdout.decode().split("\0") if name and (path := PROJECT / name).is_file()
        ]
    made = {
        ".venv",
        "var",
        "__pycache__",
        ".git",
        ".mypy_cache",
        ".ruff_cache",
        ".hypothesis",
        ".pytest_cache",
    }
    return [
        path
        for path in PROJECT.rglob("*")
        if path.is_file() and not made & set(path.relative_to(PROJECT).parts) and path.suffix != ".mo"
    ]


def test_no_path_of_one_machine_stands_in_the_project() -> None:
    own_path = re.compile(rb"(?<![A-Za-z0-9_.\])}*-])/(?:work|farm|root|home/[a-z]+)/")
    found = [str(path.relative_to(PROJECT)) for path in tracked() if own_path.search(path.read_bytes())]
    assert found == []


def test_no_large_or_foreign_file_stands_in_the_project() -> None:
    large = [str(path.relative_to(PROJECT)) for path in tracked() if path.stat().st_size > 600_000]
    assert large == []
    built = [
        str(path.relative_to(PROJECT))
        for path in tracked()
        if path.suffix in {".mo", ".sqlite3", ".pyc", ".whl"}
    ]
    assert built == []


def test_every_command_of_the_makefile_is_explained_by_make_alone() -> None:
    text = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE)) - {
        "help",
        "environment",
        "environment-dev",
    }
    shown = subprocess.run(["make"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert targets == set(re.findall(r"^make ([a-z-]+) ", shown, re.MULTILINE))


def test_the_command_that_decides_gives_back_the_status_of_make_test(tmp_path: Path) -> None:
    for status in (0, 3):
        folder = tmp_path / str(status)
        (folder / ".ci").mkdir(parents=True)
        (folder / ".ci" / "run").write_text((PROJECT / ".ci" / "run").read_text())
        (folder / "Makefile").write_text(f"test:\n\t@exit {status}\n")
        done = subprocess.run(["sh", ".ci/run"], cwd=folder, capture_output=True, text=True)
        assert (done.returncode == 0) is (status == 0)
        assert ("CI: everything passed" if status == 0 else "CI: FAILED") in done.stdout
