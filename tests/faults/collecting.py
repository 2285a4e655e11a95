"""A plugin for ``pytest --collect-only``: prints every test with its markers and fixtures, as one line of JSON."""

import json
from typing import Any

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    found: dict[str, dict[str, Any]] = {}
    for item in session.items:
        name = item.nodeid.partition("[")[0]
        of_test = found.setdefault(name, {"marks": [], "fixtures": [], "times": 0})
        of_test["marks"] = sorted({*of_test["marks"], *(mark.name for mark in item.iter_markers())})
        of_test["fixtures"] = sorted({*of_test["fixtures"], *getattr(item, "fixturenames", ())})
        of_test["times"] += 1
    print(json.dumps(found))
