"""A lab with one person in each role, and a program for each of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from tests.builders_jobs import Cast, make_cast
from tests.fablab.api.callers import Caller

As = Callable[[str], Caller]


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture(autouse=True)
def nobody_asked_yet() -> Iterator[None]:
    """Requests of earlier tests do not count."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast(at=timezone.now())


@pytest.fixture
def as_(cast: Cast) -> As:
    """Return a program of this part's: owner, other_member, instructor, staff, manager, elsewhere."""
    return lambda part: Caller(cast.person(part))
