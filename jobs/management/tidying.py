"""What is kept for a day and no longer: answers to repeated requests, wrong passwords that were counted."""

import logging
from datetime import datetime, timedelta

from fablab.core.idempotency import forget_answers
from fablab.people.services import forget_tries

logger = logging.getLogger(__name__)
EVERY = timedelta(hours=1)


class Tidying:
    """A step for ``Stepping``: at the start and then once an hour. A missed hour only delays it."""

    def __init__(self) -> None:
        self._next: datetime | None = None

    def __call__(self, at: datetime) -> bool:
        """Remove what is due; always False, because nothing waits behind it."""
        if self._next is None or at >= self._next or self._next - at > EVERY:  # a clock that was put back
            gone = forget_answers(at) + forget_tries(at)
            self._next = at + EVERY
            logger.info("tidying: %d rows gone", gone)
        return False
