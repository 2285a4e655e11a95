"""Which folders may be written to, decided without touching one.

As with networks: each installation lists the folders below which machines' folders may lie. Everything else of
this computer's files is out of reach, by whatever spelling.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Folder:
    """A machine's folder: the listed one that it lies in, and the way from there."""

    root: PurePosixPath
    below: tuple[str, ...]

    @property
    def path(self) -> str:
        return str(self.root.joinpath(*self.below))


class NotListed(ValueError):
    """A folder outside those that the installation lists."""


def parse_folders(entries: Iterable[str]) -> tuple[PurePosixPath, ...]:
    """Read a list of absolute paths. Raises ValueError, naming the line, for anything else."""
    return tuple(_listed(entry.strip()) for entry in entries if entry.strip())


def _listed(entry: str) -> PurePosixPath:
    pieces = _pieces(entry)
    if not pieces:
        raise ValueError(f"the whole of this computer is no machine's folder: {entry!r}")
    return PurePosixPath("/", *pieces)


def parse_folder(address: str, allowed: Iterable[PurePosixPath]) -> Folder:
    """Take a machine's folder apart. Raises `NotListed`, else ValueError with a short English reason."""
    path = PurePosixPath("/", *_pieces(address))
    for root in sorted(allowed, key=lambda one: len(one.parts), reverse=True):
        if path.is_relative_to(root):
            return Folder(root, path.relative_to(root).parts)
    raise NotListed("outside the listed folders")


def _pieces(path: str) -> tuple[str, ...]:
    if not path.startswith("/") or len(path) > 500 or any(ord(sign) < 32 or sign == "\\" for sign in path):
        raise ValueError(f"no absolute path: {path[:500]!r}")
    pieces = tuple(piece for piece in path.split("/") if piece)
    if any(piece in (".", "..") for piece in pieces):
        raise ValueError(f"a path that leads elsewhere: {path!r}")
    return pieces
