"""A lab with one person who has left traces everywhere; files of a test lie in the test's own folder."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.builders_jobs import Cast, make_cast


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast(at=timezone.now())
