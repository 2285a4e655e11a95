"""HTTP before Django: bodies in and files out belong to the loop, page threads only ever make pages."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

from django.db import InterfaceError, OperationalError

from fablab.core import disk
from fablab.core.threads import DatabaseThreads
from fablab.front.arrivals import Arrivals
from fablab.front.bodies import Body, BrokenOff, ClientGone, Line, TooLarge, TooSlow, take_in
from fablab.front.bridge import Answer, Application, answer, environ_of
from fablab.front.limits import Limits
from fablab.front.refusals import Refusal, refuse
from fablab.front.room import Coming, Crowded, Door, Room, Unknown, Who
from fablab.front.sending import header, send_answer, with_file
from fablab.front.spool import StorageFull, sweep

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

DISK_THREADS = 2


class Front:
    """An ASGI application around a WSGI one. ``open`` and ``close`` with the server; threads start when needed.

    A view may answer with ``X-Send-File: ABSOLUTE PATH`` under one of ``limits.send_from``: the header is taken off
    and the file sent from the loop, with ranges, while the view's thread is free again.

    A PATCH to one of ``limits.arriving_addresses`` that breaks off is handed on as far as it came; a HEAD there waits
    for that; ``coming`` hears while it goes on.

    What is too much for memory is received from those alone whom ``who`` knows: asked before Django is.
    """

    def __init__(
        self, application: Application, limits: Limits, who: Who, coming: Coming | None = None
    ) -> None:
        self._application = application
        self._limits = limits
        self._who = who
        self._coming = coming
        self._room = Room(limits)
        self._pages: Executor | None = None
        self._disk: Executor | None = None
        self._arrivals = Arrivals()

    def open(self) -> None:
        """Remove what earlier processes left. May be called again after ``close``."""
        removed = sweep(self._limits.spool)
        if removed:
            log.info("%s files of an earlier run were removed from the spool", removed)

    def close(self) -> None:
        """End the threads and their database connections; waits for pages that are being made."""
        for threads in (self._pages, self._disk):
            if threads is not None:
                threads.shutdown()
        self._pages = self._disk = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request."""
        self._pages = self._pages or DatabaseThreads(self._limits.page_threads, "page")
        self._disk = self._disk or ThreadPoolExecutor(DISK_THREADS, "disk")
        refusal: Refusal
        try:
            made = await self._answered(scope, receive)
        except ClientGone:
            return
        except TooLarge as error:
            refusal = Refusal(413, "too_large", {"limit_bytes": error.limit})
        except TooSlow:
            refusal = Refusal(408, "too_slow")
        except Unknown:
            refusal = Refusal(401, "not_signed_in")
        except Crowded:
            log.warning("So much is being received that an upload must wait")
            refusal = Refusal(503, "busy")
        except (OperationalError, InterfaceError) as error:
            log.warning("%s: the database did not answer: %s", scope["path"], type(error).__name__)
            refusal = Refusal(503, "busy")
        except StorageFull as error:
            log.error("No room left for what is being received or sent: %s", error)
            await asyncio.get_running_loop().run_in_executor(self._disk, disk.note_refusal)
            refusal = Refusal(507, "storage_full")
        except Exception:
            log.exception("A page could not be made")
            refusal = Refusal(500, "internal_error")
        else:
            await send_answer(scope, receive, send, made, self._limits, self._disk)
            return
        await refuse(scope, receive, send, refusal)

    async def _answered(self, scope: dict[str, Any], receive: Receive) -> Answer:
        """Take the body in and have Django answer. Raises what ``take_in`` raises."""
        assert self._disk is not None and self._pages is not None
        path, declared = scope["path"], header(scope, b"content-length")
        arriving = self._limits.is_arriving(path)
        if arriving and scope["method"] == "HEAD":
            await self._arrivals.settle(path)
        piece = arriving and scope["method"] == "PATCH"
        line = Line(receive, self._limits.idle)
        door = Door(scope, self._room, self._limits, self._who, self._pages, self._coming if piece else None)
        with self._arrivals.open(path, line) if piece else nullcontext():
            try:
                body = await take_in(
                    line,
                    path,
                    int(declared) if declared is not None and declared.isdecimal() else None,
                    self._limits,
                    self._disk,
                    door,
                    keep_part=piece,
                )
            except BrokenOff as error:
                if error.came is not None:
                    (await self._made(scope, error.came)).close()  # nobody is there to read it
                raise
            made = await self._made(scope, body)
        if arriving:
            # A browser sends a request that was cut on a used connection again by itself, whole and unasked.
            made.headers.append(("Connection", "close"))
        return made

    async def _made(self, scope: dict[str, Any], body: Body) -> Answer:
        """Have Django answer on a page thread. The body is given back in any case."""
        loop = asyncio.get_running_loop()
        assert self._pages is not None and self._disk is not None
        try:
            made = await loop.run_in_executor(
                self._pages, answer, self._application, environ_of(scope, body), self._limits
            )
        finally:
            body.close()
        if made.send_file is None:
            return made
        made.close()
        return await loop.run_in_executor(self._disk, with_file, scope, made, self._limits)
