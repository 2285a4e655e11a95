"""Everything of one lab in one process: pages, websockets, supervision of machines, background work."""

import asyncio
import logging
import signal
import socket
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from equipment.sites.models import SiteRole
from equipment.sites.states import Role
from jobs.management.instance import alone_needed, hold_alone, lock_file
from jobs.management.stepping import Stepping
from jobs.management.supervising import supervise
from jobs.management.waking import wake
from jobs.management.workers import take_up, workers

logger = logging.getLogger(__name__)

# Named, not imported: pages and API stand above this app.
APPLICATION = "fablab.asgi:application"
GRACE_SECONDS = 3  # for answers that are under way at the end
END_SECONDS = 8  # for everything together


class Web(uvicorn.Server):
    """uvicorn in a loop that is not its own: signals are ours, they end everything together."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address.

    :raises CommandError: with a sentence, when it is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP: else the loop leaves Nagle's delay on, 40 ms on every second small answer.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as reason:
        listening.close()
        raise CommandError(
            f"Cannot listen on {host}:{port} ({reason.strerror}). Another port: PORT=8001 make run, or --port 8001."
        ) from None
    return listening


class Command(BaseCommand):
    help = "Serve one lab: pages, websockets, supervision of machines and background work in one process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (8000)")
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")

    def handle(self, *args: Any, **options: Any) -> None:
        path = lock_file(settings.DATABASES["default"], settings.VAR_DIR)
        with hold_alone(path) if alone_needed() else nullcontext():
            bring_up_to_date(migrate=options["migrate"])
            if alone_needed() and (left := take_up()):
                logger.info("%d files were left in the middle of work, it begins again", left)
            if not SiteRole.objects.filter(role=Role.MANAGER).exists():
                self.stdout.write(
                    "There is no manager yet. In a second terminal:\n"
                    '  .venv/bin/python manage.py create_manager --username anna --site "Mon lieu"'
                )
            watchers = wake(timezone.now())
            listening = listen(options["host"], options["port"])
            connections.close_all()
            host = f"[{options['host']}]" if ":" in options["host"] else options["host"]
            self.stdout.write(f"http://{host}:{listening.getsockname()[1]}  (Ctrl-C ends)")
            self.stdout.flush()
            well = asyncio.run(serve(listening, watchers))
        if not well:
            raise CommandError("The site ended by itself; the reason stands above.")


def bring_up_to_date(*, migrate: bool) -> None:
    """Apply missing migrations, or refuse to serve tables that the code does not know.

    :raises CommandError: when migrations are missing and may not be applied.
    """
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing and not migrate:
        raise CommandError(
            f"{len(missing)} migrations are missing, the first is {missing[0][0]}. Make a backup, then run "
            "manage.py migrate, or start with --migrate."
        )
    if missing:
        call_command("migrate", interactive=False, verbosity=0)


async def serve(listening: socket.socket, watchers: list[Stepping]) -> bool:
    """Run, with ``watchers`` beside the workers, until asked to end by SIGTERM or SIGINT (a second one does not wait).

    False when the site ended itself.
    """
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    web = Web(
        uvicorn.Config(
            APPLICATION,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            ws_ping_interval=20,
            ws_ping_timeout=20,
            ws_max_size=100_000,
            ws_per_message_deflate=False,  # live frames are small; packing each one for each socket costs more
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )

    def end() -> None:
        if asked.is_set():
            web.force_exit = True
        asked.set()
        web.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)

    working = [*workers(), *watchers]
    for worker in working:
        worker.start()
    watching = asyncio.create_task(supervise(asked), name="supervision")
    well = True
    try:
        await web.serve(sockets=[listening])
    except SystemExit:  # uvicorn's way to say that the application did not start
        well = False
    well = well and asked.is_set()
    asked.set()
    await end_together(watching, working)
    return well


async def end_together(watching: "asyncio.Task[None]", working: list[Stepping]) -> None:
    """Wait for supervision and workers, but not for ever: what they leave is taken up at the next start."""
    for worker in working:
        worker.end()
    _, late = await asyncio.wait({watching}, timeout=END_SECONDS - GRACE_SECONDS)
    for task in late:
        logger.warning("supervision does not end, it is cancelled")
        task.cancel()
        await asyncio.wait({task}, timeout=1)
    for worker in working:
        await asyncio.to_thread(worker.join, 1)
        if worker.is_alive():
            logger.warning("%s was in the middle of something; the next start takes it up", worker.name)
