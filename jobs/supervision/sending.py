"""Files on their way to a machine, and away from it after the end."""

import asyncio
import hashlib
import logging
from datetime import timedelta
from pathlib import Path

from equipment.drivers.base import Code, Driver, DriverError
from jobs.dispatch import services as dispatch
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.queries import LiveAttempt
from jobs.supervision import failpoints, records
from jobs.supervision.bench import Bench

logger = logging.getLogger(__name__)

BYTES_NOTED_EVERY_S = 1.0


class _Counted:
    """Notes how many bytes have left: at most once a second, and never two notes at a time."""

    def __init__(self, attempt_id: str, bench: Bench) -> None:
        self._attempt_id = attempt_id
        self._bench = bench
        self._noted_at = bench.monotonic()
        self._note: asyncio.Future[None] | None = None

    def __call__(self, sent: int, total: int) -> None:
        now = self._bench.monotonic()
        busy = self._note is not None and not self._note.done()
        if busy or (sent < total and now - self._noted_at < BYTES_NOTED_EVERY_S):
            return
        self._noted_at = now
        self._note = asyncio.ensure_future(self._bench.db(lifecycle.note_sending, self._attempt_id, sent))
        self._note.add_done_callback(_forgive)

    async def ended(self) -> None:
        if self._note is not None:
            await asyncio.wait({self._note})


def _forgive(note: "asyncio.Future[None]") -> None:
    """A count that was not written matters to nobody; what follows meets the same trouble and says so."""
    if not note.cancelled() and note.exception() is not None:
        logger.info("bytes sent were not noted: %s", note.exception())


async def send(driver: Driver, live: LiveAttempt, bench: Bench) -> None:
    """Bring an attempt's file to its machine, prove it there, and say so: sending → loaded, or back to the queue.

    May be repeated: the same name is never written twice, and a file that came through before is found and proven.
    """
    count = _Counted(live.id, bench)
    async with bench.uploads:
        if not await bench.db(dispatch.is_still_wanted, live.id):
            return
        name = dispatch.remote_name(live.id, live.file_sha256)
        try:
            if await asyncio.to_thread(_sha256, live.file_path) != live.file_sha256:
                logger.error("%s: the file of attempt %s is not what was approved", live.machine_id, live.id)
                await bench.db(dispatch.file_has_changed, live, at=bench.clock())
                return
            file = await driver.send(
                live.file_path, dispatch.FOLDER, name, {"fablab_attempt": live.id}, on_progress=count
            )
        except DriverError as problem:
            await _not_sent(driver, live, problem, bench)
            return
        except OSError:
            logger.exception("%s: our own file of attempt %s cannot be read", live.machine_id, live.id)
            await bench.db(
                dispatch.was_not_sent, live, code="file_unreadable", storage=False, at=bench.clock()
            )
            return
        finally:
            await count.ended()
    failpoints.passing(failpoints.AFTER_UPLOAD)
    await bench.db(
        dispatch.was_sent,
        live.id,
        remote_path=file.path,
        remote_sha1=file.sha1 or "",
        remote_runs=file.prints_success + file.prints_failure,
        at=bench.clock(),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _not_sent(driver: Driver, live: LiveAttempt, problem: DriverError, bench: Bench) -> None:
    logger.warning("%s: the file of attempt %s did not arrive: %s", live.machine_id, live.id, problem)
    storage = problem.code is Code.STORAGE_REFUSED
    if storage:
        # Before it is given back: the dispatcher may look at any moment.
        until = bench.clock() + timedelta(seconds=dispatch.PUT_OFF_S)
        for job_id in live.job_ids:
            bench.put_off[(job_id, live.machine_id)] = (dispatch.REFUSES_FILE, until)
    await bench.db(dispatch.was_not_sent, live, code=problem.code, storage=storage, at=bench.clock())


async def tidy(driver: Driver, machine_id: str, bench: Bench) -> int:
    """Remove from the machine what has ended (PRIV-6); what cannot be removed now is left for later."""
    removed = 0
    for attempt_id, path in await bench.db(records.files_to_delete, machine_id):
        try:
            await driver.delete(path)
        except DriverError as problem:
            if problem.code is Code.BUSY:
                continue  # somebody prints it once more
            logger.info("%s: a file is left for later: %s", machine_id, problem)
            return removed
        await bench.db(lifecycle.note_remote_deleted, attempt_id, at=bench.clock())
        removed += 1
    return removed
