"""Rows that are their own work orders: taken for a short time, kept while the work goes on, never left behind.

``tries`` grows with each taking and is the taker's proof: a worker that was frozen and comes back finds another
number and writes nothing.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import Error, connection, models
from django.db.models import F, Q, QuerySet
from django.utils import timezone

logger = logging.getLogger(__name__)
Row = TypeVar("Row", bound=models.Model)

LEASE_SECONDS = 90.0
RENEW_SECONDS = 30.0
MOST_TRIES = 3


def take_oldest(waiting: QuerySet[Row, Row], at: datetime) -> Row | None:
    """Take the oldest row of ``waiting`` that nobody holds, by a conditional update. ``row.tries`` is the new count.

    A row that was taken ``MOST_TRIES`` times is returned with a higher count: the caller gives it up.
    """
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=at)
    for row in waiting.filter(free).order_by("created_at")[:20]:
        held: dict[str, Any] = {"pk": row.pk, "tries": row.tries}  # type: ignore[attr-defined]  # both models have it
        taken = waiting.filter(free, **held).update(
            lease_until=at + timedelta(seconds=LEASE_SECONDS), tries=F("tries") + 1
        )
        if taken:
            row.refresh_from_db()
            return row
    return None


def release(rows: QuerySet[Row, Row]) -> int:
    """Free rows whose holder is surely gone. Their count of tries stays. Returns how many were held."""
    return rows.filter(lease_until__isnull=False).update(lease_until=None)


@contextmanager
def kept(row: models.Model, tries: int) -> Iterator[None]:
    """Keep the lease of ``row`` for as long as the block runs: its end may be minutes away.

    Renewing takes the wall clock, because only that goes on while the work goes on.
    """
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(RENEW_SECONDS):
            until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
            try:
                type(row)._default_manager.filter(pk=row.pk, tries=tries).update(lease_until=until)
            except Error:
                # Without the lease somebody else may do the work again; the proof keeps the results apart.
                logger.exception("the lease of %s could not be renewed", row.pk)
        connection.close()

    keeper = threading.Thread(target=renew, name=f"lease-{row.pk}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()
