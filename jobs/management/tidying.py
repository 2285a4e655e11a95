"""What is kept for a day and no longer: answers to repeated requests, wrong passwords counted, half-sent files, calls
for somebody, and what killed processes left of files.

Nothing goes while the clock is not believed: by a clock that stands a year ahead everything would be old.
"""

import logging
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from equipment.machines import photos
from equipment.machines.asking import forget_calls
from fablab.core.idempotency import forget_answers
from fablab.core.witness import clock_is_trusted
from fablab.front.spool import sweep
from fablab.people.services import forget_tries
from jobs.lifecycle.samples import thin_all
from jobs.lifecycle.stills import purge as purge_stills
from jobs.uploads.services import purge_left_over, purge_without_rows

logger = logging.getLogger(__name__)
EVERY = timedelta(hours=1)


class Tidying:
    """A step for ``Stepping``: at the start and then once an hour. A missed hour only delays it."""

    def __init__(self) -> None:
        self._next: datetime | None = None

    def __call__(self, at: datetime) -> bool:
        """Remove what is due; always False, because nothing waits behind it."""
        if self._next is None or at >= self._next or self._next - at > EVERY:  # a clock that was put back
            if not clock_is_trusted(at):
                return False  # asked again at the next look
            gone = forget_answers(at) + forget_tries(at) + thin_all(at) + purge_stills(at) + forget_calls(at)
            gone += photos.forget_old(at)
            if purge_left_over():  # the computer's own clock is believed too
                purge_without_rows()
                photos.forget_without_rows(at)
                sweep(Path(settings.VAR_DIR) / "spool")
            self._next = at + EVERY
            logger.info("tidying: %d rows gone", gone)
        return False
