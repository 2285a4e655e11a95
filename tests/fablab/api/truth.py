"""Holds every answer of the API tests against the schema that the API itself publishes."""

import functools
import re
import threading
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]  # untyped library

_one_at_a_time = (
    threading.RLock()
)  # the generator is no reader for twenty threads, and a cache lets all of them in


def published() -> dict[str, Any]:
    """Return the OpenAPI document."""
    with _one_at_a_time:
        return _published()


@functools.cache
def _published() -> dict[str, Any]:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # untyped library
    document = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # as above
    assert isinstance(document, dict)
    return document


@functools.cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    found = []
    for path, operations in published()["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        found.append((re.compile(pattern), operations))
    return found


def check_answer(method: str, path: str, status: int, content_type: str, body: Any) -> None:
    """Fail when an answer is not what the schema says of this address, verb and status."""
    operations = next((each for pattern, each in _paths() if pattern.fullmatch(path)), None)
    if operations is None or method.lower() not in operations:
        return  # an unknown address or verb: nothing is promised there
    answers = operations[method.lower()]["responses"]
    if status == 500:
        return  # promised to nobody; tests that look for it say so themselves
    assert str(status) in answers, f"{method} {path} answers {status}, which the schema does not know"
    contents = answers[str(status)].get("content", {})
    kind = content_type.split(";")[0]
    if not contents:
        assert not body, f"{method} {path} answers {status} with a body"
        return
    assert kind in contents, f"{method} {path} answers {kind}, the schema says {sorted(contents)}"
    if "json" in kind:
        schema = {**contents[kind]["schema"], "components": published()["components"]}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(body)
