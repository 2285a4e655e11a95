"""One room unseals keys, one function starts machines. Read from the source, since no import tells of it."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [
    path
    for top in ("fablab", "equipment", "jobs")
    for path in sorted((ROOT / top).rglob("*.py"))
    if "migrations" not in path.parts
]


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in SOURCES:
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def callers_of(name: str) -> set[str]:
    return {
        where
        for where, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name
    }


def test_keys_are_unsealed_in_one_room() -> None:
    assert callers_of("unseal") <= {"equipment/machines/connection.py", "equipment/machines/keys.py"}


def test_one_function_sends_starts() -> None:
    """``driver.start(...)``: the only call on anything named driver is in the orders of supervision."""
    starts = [
        where
        for where, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "start"
        and ast.unparse(node.func.value).rpartition(".")[2].lstrip("_") == "driver"
    ]
    assert starts == ["jobs/supervision/orders.py"]
