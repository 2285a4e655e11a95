"""Whose tables of time zones are believed (``fablab.core.zones``)."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from fablab.core.zones import PINNED, believe_the_newest, version_in


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Path]:
    """A system with tables of its own, in which Paris is nine hours ahead; afterwards all is as it was."""
    before = zoneinfo.TZPATH
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe" / "Paris").write_bytes((PINNED / "Asia" / "Tokyo").read_bytes())
    zoneinfo.reset_tzpath(to=[tmp_path])
    zoneinfo.ZoneInfo.clear_cache()
    yield tmp_path
    zoneinfo.reset_tzpath(to=before)
    zoneinfo.ZoneInfo.clear_cache()


def ahead() -> timedelta | None:
    return datetime(2026, 1, 1, tzinfo=UTC).astimezone(zoneinfo.ZoneInfo("Europe/Paris")).utcoffset()


@pytest.mark.parametrize(("said", "of_system"), [("2009z", False), ("2099a", True), (None, False)])
def test_the_newer_tables_are_believed_and_those_that_say_no_year_are_not(
    system: Path, said: str | None, of_system: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONTZPATH", raising=False)
    if said:
        (system / "tzdata.zi").write_text(f"# version {said}\nL Asia/Tokyo Europe/Paris\n")

    assert believe_the_newest() == (said if of_system else version_in([PINNED]))
    assert ahead() == timedelta(hours=9 if of_system else 1)


def test_tables_that_somebody_chose_are_left_alone(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONTZPATH", str(system))
    (system / "+VERSION").write_text("2009z\n")

    assert believe_the_newest() == "2009z"
    assert ahead() == timedelta(hours=9)


def test_an_installation_uses_tables_at_least_as_new_as_the_pinned_ones() -> None:
    assert (settings.TIME_ZONE_TABLES or "") >= (version_in([PINNED]) or "9999")
