"""The schema is OpenAPI 3.1, describes everything, and the running application keeps to it."""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fablab.people.services import make_token
from jobs.lifecycle.states import State
from tests.fablab.api.truth import published
from tests.permissions import PARTS, World, make_world

EXAMPLES = 8  # for each operation; derandomized by the profile in tests/conftest.py


def test_the_schema_is_open_and_of_version_3_1() -> None:
    answer = Client().get("/api/schema/")
    document = json.loads(answer.content)
    assert answer.status_code == 200
    assert document["openapi"].startswith("3.1")
    assert document == json.loads(json.dumps(published()))


def test_every_address_of_the_api_is_described() -> None:
    from tests.test_permission_matrix import addresses, verbs_of

    described = {
        (re.sub(r"{(\w+)}", r"<id:\1>", path), verb.upper())
        for path, operations in published()["paths"].items()
        for verb in operations
    }
    served = {
        (address, verb)
        for _, address, view in addresses()
        if address.startswith("/api/v1/")
        for verb in verbs_of(view)
    }
    assert described == served


def test_operations_have_names_of_their_own() -> None:
    names = [
        each["operationId"] for operations in published()["paths"].values() for each in operations.values()
    ]
    assert len(names) == len(set(names))


def test_requests_hold_what_is_named_and_nothing_else() -> None:
    shapes = published()["components"]["schemas"]
    assert all(
        shape["additionalProperties"] is False for name, shape in shapes.items() if name.endswith("Request")
    )


def test_the_description_as_a_page_needs_nothing_from_elsewhere() -> None:
    page = Client().get("/api/docs/").content.decode()
    addresses = re.findall(r'(?:src|href|data-schema)="([^"]+)"', page)
    assert len(addresses) == 5
    assert all(address.startswith("/") and not address.startswith("//") for address in addresses)
    assert not re.search(r"<script(?![^>]*src=)|<style|style=|\son\w+=", page)


@pytest.mark.parametrize(
    "file", ["api/docs.js", "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"]
)
def test_what_the_page_is_made_of_is_served_here(file: str) -> None:
    answer = Client().get(f"/static/{file}")
    assert answer.status_code == 200
    assert b"SwaggerUIBundle" in answer.getvalue()


CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


# --- random requests ----------------------------------------------------------------------------------------------


@pytest.fixture
def world(db: None, settings: Any, tmp_path: Path) -> World:
    settings.MEDIA_ROOT = tmp_path
    settings.API_PER_MINUTE = {"reads": 10**6, "writes": 10**6, "anonymous": 10**6}
    settings.MACHINE_NETWORKS = ["127.0.0.1/32:1"]
    cache.clear()
    return make_world(State.SUBMITTED, linked=True)


def whole(application: Any) -> Any:
    """Read each answer to its end and close it, as a server does and the checking client does not."""

    def serve(environ: Any, start_response: Any) -> list[bytes]:
        answer = application(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            answer.close()

    return serve


schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


@functools.cache
def served() -> Any:
    """Return the application with the schema it serves, read once: what it promises does not change between tests."""
    return schemathesis.openapi.from_wsgi("/api/schema/", whole(get_wsgi_application()))


@pytest.fixture
def api(world: World) -> Iterator[Any]:
    """Have the application answer inside the test's transaction, which the end of a request would close."""
    for moment in (request_started, request_finished):
        moment.disconnect(close_old_connections)
    yield served()
    for moment in (request_started, request_finished):
        moment.connect(close_old_connections)


# Not by schemathesis' own pytest plugin: it reaches into a part of pytest that is no more.
OPERATIONS = [(path, verb) for path, operations in published()["paths"].items() for verb in operations]


@pytest.mark.parametrize(("path", "verb"), OPERATIONS, ids=lambda part: str(part))
def test_random_requests_get_what_the_schema_promises(path: str, verb: str, api: Any, world: World) -> None:
    ids = world.ids()

    @example_settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=api[path][verb].as_strategy(), part=st.sampled_from(PARTS[1:]), there=st.booleans())
    def asked(case: "schemathesis.Case[Any]", part: str, there: bool) -> None:
        if there:  # else a thing that nobody has
            case.path_parameters.update({place: ids[place] for place in case.path_parameters if place in ids})
        token = make_token(person=world.cast.person(part), at=timezone.now())[1]
        with transaction.atomic():
            case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)
            transaction.set_rollback(True)

    asked()
