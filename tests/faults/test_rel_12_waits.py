"""Nothing of ours waits for another program or machine without a limit (REL-12): read from the code itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("fablab", "equipment", "jobs")
# Calls that wait for another program or machine, and where their limit stands.
LIMITED_BY_NAME = {
    "subprocess.run": "timeout",
    "subprocess.check_output": "timeout",
    "subprocess.check_call": "timeout",
    "urllib.request.urlopen": "timeout",
    "socket.create_connection": "timeout",
    "aiohttp.ClientSession": "timeout",
}
LIMITED_METHODS = {"communicate": "timeout"}
DEMONSTRATION = PROJECT / "fablab" / "demo"  # somebody sits before it and ends it


def calls() -> Iterator[tuple[str, ast.Call]]:
    for room in ROOMS:
        for path in sorted((PROJECT / room).rglob("*.py")):
            if path.is_relative_to(DEMONSTRATION):
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    yield f"{path.relative_to(PROJECT)}:{node.lineno}", node


def without_limit(call: ast.Call) -> str:
    """Return what waits for ever here, or nothing."""
    name = ast.unparse(call.func)
    argument = LIMITED_BY_NAME.get(name) or LIMITED_METHODS.get(name.rpartition(".")[2])
    given = {keyword.arg for keyword in call.keywords}
    return name if argument and argument not in given and None not in given else ""


def test_rel_12_no_call_to_another_program_or_machine_waits_for_ever() -> None:
    found = {f"{place} {what}" for place, call in calls() if (what := without_limit(call))}
    assert found == set()


def test_a_call_without_a_limit_would_be_seen() -> None:
    seen = [
        without_limit(call)
        for text in (
            "subprocess.run(['a'])",
            "subprocess.run(['a'], timeout=3)",
            "child.communicate()",
            "child.communicate(b'', timeout=2)",
            "socket.create_connection(('h', 1))",
        )
        if isinstance(call := ast.parse(text, mode="eval").body, ast.Call)
    ]
    assert seen == ["subprocess.run", "", "child.communicate", "", "socket.create_connection"]
