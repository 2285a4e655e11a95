"""What may be spooled: by people who are signed in, so much at once in all and for each, while disks have room."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from fablab.core import disk
from fablab.front.limits import Limits
from fablab.front.spool import StorageFull

Scope = Mapping[str, Any]
Who = Callable[[Scope], str | None]  # the id of who asks; reads the database
Coming = Callable[[str, str], None]  # a piece for this address still comes from this person


class Unknown(Exception):
    """More than memory holds, and nobody is signed in."""


class Crowded(Exception):
    """So much is being received that this must wait."""


class Room:
    """Counts the bytes of bodies that lie in the spool now; of this process. Used on the loop alone."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all = 0
        self._of: Counter[str] = Counter()

    def take(self, person: str, count: int) -> None:
        """:raises Crowded: when that would be too much."""
        if (
            self._all + count > self._limits.spool_bytes
            or self._of[person] + count > self._limits.person_spool_bytes
        ):
            raise Crowded
        self._all += count
        self._of[person] += count

    def give_back(self, person: str, count: int) -> None:
        self._all -= count
        self._of[person] -= count
        if not self._of[person]:
            del self._of[person]


class Door:
    """Lets one request's body into the spool. ``coming`` is told of its going on, at most once in ``limits.window``."""

    def __init__(
        self, scope: Scope, room: Room, limits: Limits, who: Who, pages: Executor, coming: Coming | None
    ) -> None:
        self._scope = scope
        self._room = room
        self._limits = limits
        self._who = who
        self._pages = pages
        self._coming = coming
        self._told = float("-inf")
        self._person: str | None = None
        self._taken = 0

    async def open(self, declared: int, on: Executor) -> None:
        """Ask who it is and whether ``declared`` bytes have room, to the end. ``on`` is where the disk is asked.

        :raises Unknown: for nobody.
        :raises StorageFull: when there is no room.
        """
        loop = asyncio.get_running_loop()
        if self._person is None:
            self._person = await loop.run_in_executor(self._pages, self._who, self._scope)
        if self._person is None:
            raise Unknown
        needed = self._limits.room_for(declared, self._scope["path"])
        if not await loop.run_in_executor(on, disk.has_room, needed):
            raise StorageFull("what is left is the database's")

    def take(self, count: int) -> None:
        """Count what is about to be spooled. :raises Crowded: when it is too much at once."""
        assert self._person is not None
        self._room.take(self._person, count)
        self._taken += count

    def close(self) -> None:
        """Nothing of it lies in the spool any more. May be called again."""
        if self._person is not None and self._taken:
            self._room.give_back(self._person, self._taken)
            self._taken = 0

    async def came(self, now: float, on: Executor) -> None:
        """Tell that more came of what somebody waits for."""
        if self._coming is None or self._person is None or now - self._told < self._limits.window:
            return
        self._told = now
        await asyncio.get_running_loop().run_in_executor(on, self._coming, self._person, self._scope["path"])
