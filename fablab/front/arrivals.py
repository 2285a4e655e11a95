"""Pieces of files that come in just now. Who asks how far a file has come is told what is true from then on."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from fablab.front.bodies import Line


class Arrivals:
    """By address, the lines on which pieces come in; of this process alone."""

    def __init__(self) -> None:
        self._open: dict[str, dict[Line, asyncio.Event]] = {}

    @contextmanager
    def open(self, path: str, line: Line) -> Iterator[None]:
        """A piece comes in on ``line`` and is handed on, for as long as the block runs."""
        ended = asyncio.Event()
        self._open.setdefault(path, {})[line] = ended
        try:
            yield
        finally:
            del self._open[path][line]
            if not self._open[path]:
                del self._open[path]
            ended.set()

    async def settle(self, path: str) -> None:
        """End what still seems to come in at ``path``, and wait until what came of it was handed on.

        Who asks how far a file has come has lost its line: the old one may look open here for a minute yet, and what
        came on it would be sent once more.
        """
        pieces = dict(self._open.get(path, {}))
        for line in pieces:
            line.give_up()
        for ended in pieces.values():
            await ended.wait()
