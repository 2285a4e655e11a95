"""What a machine cannot do is refused in one way, by every driver."""

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from equipment.drivers.base import Code, DriverError, Observation, Probe, Push, PushKind, RemoteFile


class Unable:
    """Every call of `base.Driver`, refused as `not_supported`. A driver overrides what its machines can do.

    Nothing is tried, so the refusal is certain. `close` has nothing to let go of.
    """

    async def probe(self) -> Probe:
        raise _refused("probe")

    async def observe(self) -> Observation:
        raise _refused("observe")

    async def watch(self) -> AsyncIterator[Push]:
        yield Push(PushKind.LOST, reason=Code.NOT_SUPPORTED)

    async def send(
        self,
        source: Path,
        folder: str,
        name: str,
        note: Mapping[str, str | int],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> RemoteFile:
        raise _refused("send")

    async def remote_file(self, path: str) -> RemoteFile | None:
        raise _refused("remote_file")

    async def list_folder(self, folder: str) -> tuple[RemoteFile, ...]:
        raise _refused("list_folder")

    async def start(
        self,
        path: str,
        source: Path | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        raise _refused("start")

    async def pause(self) -> None:
        raise _refused("pause")

    async def resume(self) -> None:
        raise _refused("resume")

    async def stop(self) -> None:
        raise _refused("stop")

    async def delete(self, path: str) -> None:
        raise _refused("delete")

    async def close(self) -> None:
        """Nothing is held."""


def _refused(call: str) -> DriverError:
    return DriverError(Code.NOT_SUPPORTED, call=call)
