"""A lab with one person who has left traces everywhere; files of a test lie in the test's own folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from tests.builders_jobs import Cast, make_cast


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture(autouse=True)
def in_french() -> Iterator[None]:
    with override("fr"):  # whatever a request before has left
        yield


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast(at=timezone.now())
