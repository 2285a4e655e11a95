"""The simulated driver: everything that a good machine does, in memory. For teaching and demonstrations."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from equipment.drivers.base import (
    Capabilities,
    Code,
    Connection,
    DriverError,
    Observation,
    Probe,
    Push,
    PushKind,
    RemoteFile,
)
from equipment.drivers.leaving import demand_leave
from equipment.drivers.simulated.duration import seconds_of
from equipment.drivers.simulated.machine import SimulatedMachine, Stored

CAPABILITIES = Capabilities(
    address=True,
    send=True,
    start=True,
    pause=True,
    resume=True,
    stop=True,
    observe=True,
    push=True,
    temperatures=True,
)
SPEEDS = {"real": 1, "quick": 60}
REPORT_EVERY_S = 1.0
_ADDRESS = re.compile(r"simulated://([a-z0-9]{1,5})")

# The machines of this process. They outlive their drivers, and are idle and empty when the process begins anew, as
# after a power cut.
_machines: dict[tuple[str, str], SimulatedMachine] = {}


def _now() -> datetime:
    return datetime.now(UTC)


class SimulatedDriver:
    """One machine that is not there. Keeps the promises of `base.Driver`.

    `simulated://quick` prints sixty times as fast as the file says, `simulated://real` as fast,
    `simulated://7` seven times.
    """

    def __init__(self, connection: Connection, *, clock: Callable[[], datetime] = _now) -> None:
        self._connection = connection
        self._clock = clock
        self._closed = False
        self._woken: set[asyncio.Event] = set()

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def place(self) -> str:
        self._speed()
        return self._connection.address

    async def probe(self) -> Probe:
        """As promised; the version says what it is, so that nobody mistakes it."""
        return Probe(f"simulation x{self._speed()}", "simulation", ())

    async def observe(self) -> Observation:
        return self._machine().observation(self._clock())

    async def watch(self) -> AsyncIterator[Push]:
        """As promised; a report each second, and each event at once."""
        try:
            machine = self._machine()
        except DriverError as problem:
            yield Push(PushKind.LOST, reason=problem.code)
            return
        wake = asyncio.Event()
        self._woken.add(wake)
        loop = asyncio.get_running_loop()
        number, stop_listening = machine.listen(lambda: loop.call_soon_threadsafe(wake.set))
        try:
            seen = machine.observation(self._clock())
            yield Push(PushKind.CONNECTED, observation=seen, path=seen.path, user=seen.user)
            while not self._closed:
                wake.clear()
                number, events = machine.events_after(number)
                for event in events:
                    yield event
                seen = machine.observation(self._clock())
                yield Push(PushKind.STATE, observation=seen, path=seen.path, user=seen.user)
                await _woken_within(wake, min(machine.seconds_to_change(), REPORT_EVERY_S))
        finally:
            stop_listening()
            self._woken.discard(wake)
        yield Push(PushKind.LOST, reason=Code.ANSWER_LOST)

    async def send(
        self,
        source: Path,
        folder: str,
        name: str,
        note: Mapping[str, str | int],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> RemoteFile:
        """As promised; only what the file is called and how long it takes is kept, not its bytes."""
        machine = self._machine()
        stored = await asyncio.to_thread(_stored, source)
        path = f"{folder}/{name}" if folder else name
        machine.store(path, stored)
        if on_progress is not None:
            on_progress(stored.size, stored.size)
        return stored.as_file(path)

    async def remote_file(self, path: str) -> RemoteFile | None:
        stored = self._machine().files().get(path)
        return stored.as_file(path) if stored else None

    async def list_folder(self, folder: str) -> tuple[RemoteFile, ...]:
        place = folder.strip("/")
        return tuple(
            stored.as_file(path)
            for path, stored in sorted(self._machine().files().items())
            if path.rpartition("/")[0] == place
        )

    async def start(
        self,
        path: str,
        source: Path | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        machine = self._machine()
        demand_leave()
        machine.start(path)

    async def pause(self) -> None:
        machine = self._machine()
        demand_leave()
        machine.pause()

    async def resume(self) -> None:
        machine = self._machine()
        demand_leave()
        machine.resume()

    async def stop(self) -> None:
        machine = self._machine()
        demand_leave()
        machine.stop()

    async def delete(self, path: str) -> None:
        self._machine().delete(path)

    async def close(self) -> None:
        self._closed = True
        for wake in tuple(self._woken):
            wake.set()

    def _speed(self) -> int:
        match = _ADDRESS.fullmatch(self._connection.address)
        speed = SPEEDS.get(match[1]) if match else None
        if speed is None and match and match[1].isdecimal():
            speed = int(match[1])
        if not speed or speed > 3600:
            raise DriverError(Code.ADDRESS_INVALID, reason="neither real, quick nor 1 to 3600")
        return speed

    def _machine(self) -> SimulatedMachine:
        speed = self._speed()
        key = (self._connection.machine, self._connection.address)
        return _machines.setdefault(key, SimulatedMachine(speed))


async def _woken_within(wake: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        pass  # time for a report


def _stored(source: Path) -> Stored:
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False))
        size = file.tell()
        return Stored(size, digest.hexdigest(), seconds_of(file, size))
