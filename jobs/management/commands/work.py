"""Background work alone, beside web processes: any number of them take work by lease."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from jobs.management.instance import refuse_without_common_layer
from jobs.management.workers import workers

END_SECONDS = 5


class Command(BaseCommand):
    help = "Inspect and slice files (scaled installation: DATABASE_URL and REDIS_URL)."

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_without_common_layer("work")
        asked = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, frame: asked.set())
        working = workers()
        for worker in working:
            worker.start()
        asked.wait()
        for worker in working:
            worker.end()
        for worker in working:
            worker.join(END_SECONDS)
