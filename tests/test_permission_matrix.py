"""Every address and every live topic × every part. A new one without a row fails here (SEC-7, SEC-9)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver

from fablab.live import topics
from jobs.lifecycle.states import State
from tests.permission_rows_api import ROWS as API_ROWS
from tests.permission_rows_api import TOPICS
from tests.permission_rows_pages import ROWS as PAGE_ROWS
from tests.permissions import PARTS, Row, ask, make_world

pytestmark = pytest.mark.rules_alone

ROWS = [*API_ROWS, *PAGE_ROWS]
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def addresses() -> Iterator[tuple[str, str, Any]]:
    """Yield each pattern of the URL configuration: its name, its address with {places}, its view."""

    def walk(patterns: list[Any], before: str, space: str) -> Iterator[tuple[str, str, Any]]:
        for pattern in patterns:
            whole = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                inside = f"{space}{pattern.namespace}:" if pattern.namespace else space
                yield from walk(pattern.url_patterns, whole, inside)
            elif isinstance(pattern, URLPattern):
                yield f"{space}{pattern.name or whole}", f"/{whole}", pattern.callback

    yield from walk(get_resolver().url_patterns, "", "")


def verbs_of(view: Any) -> list[str]:
    """Return the verbs that an API view answers; a page is asked by GET at least, unless it says POST only."""
    shape = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if shape is not None:
        return [verb for verb in VERBS if hasattr(shape, verb.lower())]
    return []


def address_of(row: Row, ids: dict[str, str]) -> str:
    pattern = row.address or next(address for name, address, _ in addresses() if name == row.name)
    for place, value in ids.items():
        for converter in ("id:", "str:", "slug:", ""):
            pattern = pattern.replace(f"<{converter}{place}>", value)
    address = pattern.format(**ids)
    assert "<" not in address, f"{row.title}: nothing stands for a place in {address}"
    return address


def test_every_address_has_a_row() -> None:
    known = {row.name for row in ROWS}
    missing = sorted(f"{name} ({address})" for name, address, _ in addresses() if name not in known)
    assert not missing, f"addresses without a row in the permission matrix: {missing}"


def test_every_verb_of_an_address_has_a_row() -> None:
    known = {(row.name, row.method) for row in ROWS}
    asked = {(name, verb) for name, _, view in addresses() for verb in verbs_of(view)}
    assert asked - known == set()


def test_no_row_speaks_of_an_address_that_is_gone() -> None:
    assert {row.name for row in ROWS} <= {name for name, _, _ in addresses()}


def test_rows_are_told_apart_by_their_titles() -> None:
    titles = [row.title for row in ROWS]
    assert len(titles) == len(set(titles))


@pytest.mark.django_db
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_each_part_gets_what_the_matrix_says(row: Row, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.MACHINE_NETWORKS = ["127.0.0.1/32:1", "127.0.0.1/32:5000", "10.0.0.0/8:80-65535"]
    world = make_world(row.state, linked=row.linked)
    address = address_of(row, world.ids())
    got = []
    for part in PARTS:
        cache.clear()
        with transaction.atomic():
            got.append(ask(row, world, part, address))
            transaction.set_rollback(True)  # the next part finds the same world
    assert dict(zip(PARTS, got, strict=True)) == dict(zip(PARTS, row.statuses, strict=True))


def test_every_live_topic_has_a_row() -> None:
    assert set(topics.registered()) == set(TOPICS)


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", sorted(TOPICS))
def test_each_part_watches_what_the_matrix_says(prefix: str, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    world = make_world(State.RUNNING, linked=True)
    place, shapes = TOPICS[prefix]
    key = {**world.ids(), "owner_id": world.cast.person("owner").pk}[place]
    topic = topics.named(f"{prefix}:{key}")
    assert topic is not None
    got = [topic.kind.may_watch(world.cast.person(part), key) for part in PARTS[1:]]
    assert dict(zip(PARTS[1:], got, strict=True)) == dict(zip(PARTS[1:], shapes, strict=True))
    nothing = topics.named(f"{prefix}:nothing")
    assert nothing is not None
    assert [nothing.kind.may_watch(world.cast.person(part), "nothing") for part in PARTS[1:]] == [None] * 6
