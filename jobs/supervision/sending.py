"""Files on their way to a machine, and away from it after the end."""

import asyncio
import logging
import re

from equipment.drivers.base import Code, Driver, DriverError, RemoteFile
from equipment.machines import services as machines
from jobs.dispatch import services as dispatch
from jobs.lifecycle import services as lifecycle
from jobs.lifecycle.on_machines import LiveAttempt
from jobs.planning.guards import NOT_REACHED, REFUSES_FILE
from jobs.supervision import failpoints, records, telling
from jobs.supervision.bench import Bench, sha256_of

logger = logging.getLogger(__name__)

BYTES_NOTED_EVERY_S = 1.0
PACE_OVER_S = 30.0  # a machine that took less than this pace for so long gives its place to one that waits
SLOWEST_WHILE_OTHERS_WAIT = 64 * 1024  # bytes a second
_OURS = re.compile(rf"{dispatch.FOLDER}/([0-9a-z]+)-[0-9a-f]{{8}}\.[a-z]+")


class _Counted:
    """Tells how many bytes have left: at most once a second, and never two notes at a time."""

    def __init__(self, live: LiveAttempt, bench: Bench, limit: asyncio.Timeout) -> None:
        self._live = live
        self._bench = bench
        self._limit = limit
        self._noted_at = bench.monotonic()
        self._pace = (bench.monotonic(), 0)
        self._note: asyncio.Future[None] | None = None

    def __call__(self, sent: int, total: int) -> None:
        now = self._bench.monotonic()
        self._mind_the_pace(now, sent)
        busy = self._note is not None and not self._note.done()
        if busy or (sent < total and now - self._noted_at < BYTES_NOTED_EVERY_S):
            return
        self._noted_at = now
        self._note = asyncio.ensure_future(self._tell(sent, total))
        self._note.add_done_callback(_forgive)

    def _mind_the_pace(self, now: float, sent: int) -> None:
        since, before = self._pace
        if now - since < PACE_OVER_S:
            return
        self._pace = (now, sent)
        if self._bench.uploads.waiting and sent - before < SLOWEST_WHILE_OTHERS_WAIT * (now - since):
            self._limit.reschedule(asyncio.get_running_loop().time())

    async def _tell(self, sent: int, total: int) -> None:
        await telling.tell_sending(self._live, sent, total, self._bench.clock())
        await self._bench.db(lifecycle.note_sending, self._live.id, sent)

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
    A machine that takes the file with its start gets nothing now: proven here, it counts as loaded.
    """
    async with bench.uploads.one():
        if not await bench.db(dispatch.is_still_wanted, live.id):
            return
        try:
            if await asyncio.to_thread(sha256_of, live.file_path) != live.file_sha256:
                logger.error("%s: the file of attempt %s is not what was approved", live.machine_id, live.id)
                await bench.db(dispatch.file_has_changed, live, at=bench.clock())
                return
            file = None
            if driver.capabilities.send:
                await bench.db(records.note_on_its_way, live)
                file = await _carry(driver, live, bench)
        except DriverError as problem:
            await _not_sent(driver, live, problem, bench)
            return
        except TimeoutError:
            logger.warning("%s: takes attempt %s too slowly, others wait", live.machine_id, live.id)
            await bench.db(dispatch.took_too_long, live, at=bench.clock())
            return
        except OSError:
            logger.exception("%s: our own file of attempt %s cannot be read", live.machine_id, live.id)
            await bench.db(dispatch.was_not_sent, live, code="file_unreadable", put_off="", at=bench.clock())
            return
    failpoints.passing(failpoints.AFTER_UPLOAD)
    await bench.db(
        dispatch.was_sent,
        live.id,
        remote_path=file.path if file else "",
        remote_sha1=(file.sha1 or "") if file else "",
        remote_runs=file.prints_success + file.prints_failure if file else 0,
        at=bench.clock(),
    )


async def _carry(driver: Driver, live: LiveAttempt, bench: Bench) -> RemoteFile:
    """Raises ``TimeoutError`` when the machine keeps others waiting; else what the driver raises."""
    name = dispatch.remote_name(live.id, live.file_sha256, live.file_format)
    async with asyncio.timeout(None) as limit:
        count = _Counted(live, bench, limit)
        try:
            return await driver.send(
                live.file_path, dispatch.FOLDER, name, {"fablab_attempt": live.id}, on_progress=count
            )
        finally:
            await count.ended()


async def _not_sent(driver: Driver, live: LiveAttempt, problem: DriverError, bench: Bench) -> None:
    logger.warning("%s: the file of attempt %s did not arrive: %s", live.machine_id, live.id, problem)
    put_off = _put_off(driver, problem)
    if put_off == NOT_REACHED:
        # The same way is tried all the while: when it is open again, that is heard.
        await bench.db(machines.hear, live.machine_id, report="silent", error=problem.code, at=bench.clock())
    await bench.db(dispatch.was_not_sent, live, code=problem.code, put_off=put_off, at=bench.clock())


def _put_off(driver: Driver, problem: DriverError) -> str:
    """Return why the job waits for a while, nothing where its file may be at fault.

    A machine that tells of itself is judged by what it says: as long as it is heard well, a file that does not get
    there was a try. Of a folder nobody knows more than that the way to it is shut.
    """
    if problem.code is Code.STORAGE_REFUSED:
        return REFUSES_FILE
    if driver.capabilities.observe or problem.code is Code.FILE_DIFFERS:
        return ""
    return NOT_REACHED


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


async def sweep(driver: Driver, machine_id: str, bench: Bench) -> bool:
    """Remove from our own folder on the machine what bears our kind of name and belongs to no try under way (PRIV-6).

    Such files stay behind when a database is restored, or arrive after the end of their try. Returns whether it was
    done.
    """
    try:
        listed = await driver.list_folder(dispatch.FOLDER)
        ours = {file.path: found[1] for file in listed if (found := _OURS.fullmatch(file.path))}
        wanted = await bench.db(records.attempts_on_machines, ours.values())
        for path in (path for path, attempt in ours.items() if attempt not in wanted):
            logger.info("%s: %s is nobody's and is removed", machine_id, path)
            await driver.delete(path)
    except DriverError as problem:
        logger.info("%s: its folder is looked through later: %s", machine_id, problem)
        return False
    return True
