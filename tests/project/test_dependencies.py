"""What the project stands on: pinned, explained, and under licences that let anybody use the whole."""

import re
from importlib import metadata
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")


def requirements(name: str) -> list[str]:
    lines = (PROJECT / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r "))]


def distribution(line: str) -> str:
    return re.split(r"[\[=]", line)[0]


def licence(name: str) -> str:
    about = metadata.metadata(name)
    classifiers = [text for text in about.get_all("Classifier") or [] if text.startswith("License")]
    return " ".join(
        [
            (about.get_all("License-Expression") or [""])[0],
            (about.get_all("License") or [""])[0][:200],
            *classifiers,
        ]
    )


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_pinned_to_one_version(name: str) -> None:
    assert all(
        re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[0-9][A-Za-z0-9.]*", line)
        for line in requirements(name)
    )


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_installed_in_its_version(name: str) -> None:
    wrong = [
        line for line in requirements(name) if metadata.version(distribution(line)) != line.partition("==")[2]
    ]
    assert wrong == []


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_has_its_reason_written_down(name: str) -> None:
    explained = (PROJECT / "docs" / "dependencies.md").read_text().lower()
    missing = [line for line in requirements(name) if f"| {distribution(line).lower()} |" not in explained]
    assert missing == []


def test_what_the_packages_need_in_turn_is_pinned_too() -> None:
    lines = (PROJECT / "constraints.txt").read_text().splitlines()
    pins = [line.partition("==") for line in lines if line and not line.startswith("#") and ";" not in line]
    listed = {name: version for name, _, version in pins}
    assert {name: metadata.version(name) for name in listed} == listed
    for name in REQUIREMENTS:
        for line in requirements(name):
            assert listed[distribution(line).lower().replace("_", "-")] == line.partition("==")[2]


def test_nothing_imported_is_under_the_gpl_or_agpl() -> None:
    def binding(text: str) -> bool:
        return bool(
            re.search(r"\bA?GPL|Affero|General Public", re.sub(r"LGPL|Lesser General Public", "", text))
        )

    bound = sorted(
        name
        for one in metadata.distributions()
        if binding(licence(name := one.metadata["Name"])) and "Artistic" not in licence(name)
    )
    assert bound == []
