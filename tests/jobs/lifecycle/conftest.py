from datetime import UTC, datetime

import pytest

from tests.builders_jobs import Cast, make_cast

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def cast(db: None, now: datetime) -> Cast:
    return make_cast(at=now)
