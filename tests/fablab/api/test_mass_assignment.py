"""No field of any table can be set by sending its name along (SEC-10)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from fablab.people.services import make_token
from tests.permission_rows_api import ROWS
from tests.permissions import PARTS, Row, World, everything, make_world
from tests.test_permission_matrix import address_of

OURS = ("core", "people", "equipment", "jobs")
# The same intention in five spellings: a lax reader takes one of them for yes.
SPELLINGS: tuple[Any, ...] = (True, "true", 1, [True], "on")
# Uploads in pieces say everything in headers and bytes: their addresses read no fields at all.
WITHOUT_FIELDS = {"api:arriving-list", "api:arriving", "api:arriving-finish"}
WRITES = [
    row
    for row in ROWS
    if row.method in {"POST", "PATCH"}
    and not row.form
    and row.name.startswith("api:")
    and row.name not in WITHOUT_FIELDS
]


def field_names() -> set[str]:
    """Return the name of every column and relation of every table of ours."""
    names: set[str] = set()
    for label in OURS:
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.get_fields():
                names |= {field.name, getattr(field, "attname", field.name)}
    return names


def accepted(row: Row) -> set[str]:
    """Return the fields that the schema lets this request hold."""
    from tests.fablab.api.truth import published

    for path, operations in published()["paths"].items():
        place = path.replace("{", "<id:").replace("}", ">")
        if any(place == address for name, address in named() if name == row.name):
            content = operations[row.method.lower()]["requestBody"]["content"]["application/json"]["schema"]
            shape = published()["components"]["schemas"][content["$ref"].rpartition("/")[2]]
            return set(shape.get("properties", {}))
    raise LookupError(row.name)


def named() -> Iterator[tuple[str, str]]:
    from tests.test_permission_matrix import addresses

    return ((name, address) for name, address, _ in addresses())


def may_write(row: Row) -> str:
    """Return a part whose honest request succeeds, else one that is at least let in."""
    good = [part for part, status in zip(PARTS, row.statuses, strict=True) if status in {200, 201, 202}]
    return good[-1] if good else "staff"


def headers_of(world: World, part: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(person=world.cast.person(part), at=timezone.now())[1]}"}


@pytest.mark.rules_alone
@pytest.mark.django_db
@pytest.mark.parametrize("row", WRITES, ids=lambda row: row.title)
def test_no_field_of_a_table_is_taken_along(row: Row, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    world = make_world(row.state, linked=row.linked)
    address, headers = address_of(row, world.ids()), headers_of(world, may_write(row))
    forbidden = field_names() - accepted(row)
    honest = dict(row.body(world))
    before = everything()
    client = Client(raise_request_exception=False)
    for spelling in SPELLINGS:
        cache.clear()
        body = {**honest, **dict.fromkeys(forbidden, spelling)}
        answer = client.generic(
            row.method, address, json.dumps(body), content_type="application/json", headers=headers
        )
        assert answer.status_code == 400, (spelling, answer.content)
        refused = {p["field"] for p in answer.json()["problems"] if p["code"] == "unknown_field"}
        assert refused == forbidden
    nested = {**honest, **{name: {"id": "x", "state": "queued"} for name in sorted(forbidden)}}
    assert client.generic(
        row.method, address, json.dumps(nested), content_type="application/json", headers=headers
    ).status_code == 400  # fmt: skip
    form = "&".join(f"{name}=on" for name in sorted(forbidden))
    for content_type, text in (
        ("application/x-www-form-urlencoded", form),
        ("multipart/form-data; boundary=x", parts_of(forbidden)),
        ("text/plain", json.dumps(honest)),
    ):
        answer = client.generic(row.method, address, text, content_type=content_type, headers=headers)
        assert answer.status_code == 415, (content_type, answer.content)
    assert everything() == before


def parts_of(names: set[str]) -> str:
    parts = (f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\non\r\n' for name in sorted(names))
    return "".join(parts) + "--x--\r\n"


@pytest.mark.rules_alone
@pytest.mark.django_db
@pytest.mark.parametrize("row", [row for row in ROWS if row.form], ids=lambda row: row.title)
def test_no_field_of_a_table_is_taken_along_with_a_file(row: Row, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"
    world = make_world(row.state, linked=row.linked)
    before = everything()
    address, headers = address_of(row, world.ids()), headers_of(world, may_write(row))
    honest = dict(row.body(world))
    for name in sorted(field_names() - honest.keys()):
        answer = Client().post(address, {**row.body(world), name: "on"}, headers=headers)
        assert answer.status_code == 400, name
        assert "unknown_field" in {problem["code"] for problem in answer.json()["problems"]}, name
        cache.clear()
    assert everything() == before


def test_no_serializer_takes_its_fields_from_a_table() -> None:
    project = Path(__file__).resolve().parents[3]
    sources = [path for app in ("fablab", "equipment", "jobs") for path in (project / app).rglob("*.py")]
    assert len(sources) > 100
    lax = [
        path.name
        for path in sources
        if re.search(r"ModelSerializer|fields\s*=\s*[\"']__all__", path.read_text())
    ]
    assert lax == []
