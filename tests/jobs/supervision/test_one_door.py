"""One function in the whole system starts a machine, and it sends only what was taken."""

import ast
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]


def calls_to_start() -> list[tuple[str, str]]:
    """(file, function) of every `<something called driver>.start(...)` outside the drivers themselves."""
    found = []
    for folder in ("jobs", "fablab", "equipment"):
        for path in (PROJECT / folder).rglob("*.py"):
            if "drivers" in path.parts:
                continue
            for function in ast.walk(ast.parse(path.read_text())):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    found += [
                        (str(path.relative_to(PROJECT)), function.name)
                        for node in ast.walk(function)
                        if isinstance(node, ast.Attribute)
                        and node.attr == "start"
                        and ast.unparse(node.value).endswith("driver")
                    ]
    return found


def test_rel_3_one_function_sends_starts() -> None:
    assert calls_to_start() == [("jobs/supervision/orders.py", "_send_start")]
