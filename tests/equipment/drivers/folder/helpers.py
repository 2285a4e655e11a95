"""A watched folder and drivers for it."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from equipment.drivers.base import Connection
from equipment.drivers.folder import shelf
from equipment.drivers.folder.driver import FolderDriver, Limits

NAME = "7-0a1b2c3d.dst"
LIES_AS = "ZHCSRWZ3.DST"


@dataclass(frozen=True)
class Watched:
    """A folder that a machine reads, below one that the installation lists."""

    path: Path
    root: Path

    def driver(self, *, limits: Limits | None = None, link: shelf.Link = shelf.link) -> FolderDriver:
        connection = Connection(str(self.path), folders=(PurePosixPath(self.root),))
        return FolderDriver(connection, limits=limits, link=link)

    def seen(self) -> list[str]:
        """What the machine finds: it does not look at hidden names."""
        return sorted(entry.name for entry in self.path.iterdir() if not entry.name.startswith("."))

    def hidden(self) -> list[str]:
        return sorted(entry.name for entry in self.path.iterdir() if entry.name.startswith("."))
