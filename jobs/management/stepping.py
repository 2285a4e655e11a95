"""Threads that repeat a step for as long as it finds work. The step is an ordinary function, which tests call."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from django.db import connections
from django.utils import timezone

from fablab.core.waking import bell

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0

Step = Callable[[datetime], bool]


class Stepping(threading.Thread):
    """Repeat ``step(at)``: at once while it says that it did something, else after its bell or a second.

    A step that raises is logged, and tried again after a pause that doubles up to half a minute. The thread is a
    daemon: what a step was doing when the process ends is taken up by the next one when its lease has run out.
    """

    def __init__(self, name: str, step: Step) -> None:
        super().__init__(name=name, daemon=True)
        self._step = step
        self._bell = bell(name)
        self._ended = threading.Event()

    def run(self) -> None:
        pause = LOOK_SECONDS
        while not self._ended.is_set():
            # Cleared before the look: what is written during it rings again.
            self._bell.clear()
            try:
                worked = self._step(timezone.now())
                pause = LOOK_SECONDS
            except Exception:
                logger.exception("%s failed, next try in %g s", self.name, pause)
                connections.close_all()
                self._ended.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                continue
            if not worked:
                self._bell.wait(LOOK_SECONDS)
        connections.close_all()

    def end(self) -> None:
        """Ask for the end after the step at hand."""
        self._ended.set()
        self._bell.set()
