"""A watched folder."""

from pathlib import Path

import pytest

from tests.equipment.drivers.folder.helpers import Watched


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    root = tmp_path / "machines"
    (root / "colette").mkdir(parents=True)
    return Watched(root / "colette", root)


@pytest.fixture
def design(tmp_path: Path) -> Path:
    path = tmp_path / "design.dst"
    path.write_bytes(bytes(range(256)) * 8000)
    return path
