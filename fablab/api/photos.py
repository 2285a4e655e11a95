"""A picture that somebody sends of a machine: looked at and drawn anew in the sandbox, then it is ours."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from equipment.machines import photos
from fablab.core import disk
from fablab.core.errors import Malformed, NoRoom, Problem, TooLarge
from jobs.inspection.photographs import redraw

MIB = 1024 * 1024
FIELD = "photo"
ACCEPTED = ".jpg,.jpeg,.png,.webp,image/jpeg,image/png,image/webp"


@contextmanager
def kept_photo(file: Any, *, field: str = FIELD) -> Iterator[str]:
    """Keep a picture for what is written inside, and yield its name; "" without a file.

    When that fails, the picture goes too. Raises ``TooLarge`` (12 MiB), ``Malformed`` and ``NoRoom``.
    """
    name = _keep(file, field) if file is not None else ""
    try:
        yield name
    except BaseException:
        photos.remove([name])
        raise


def _keep(file: Any, field: str) -> str:
    if file.size > photos.LARGEST_BYTES:
        raise TooLarge(Problem("photo_too_large", {"most": photos.LARGEST_BYTES // MIB}, field))
    if not disk.has_room(photos.LARGEST_BYTES):
        raise NoRoom("storage_full")
    name = photos.new_name()
    place = photos.path_of(name)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with disk.full_is_no_room(), tempfile.TemporaryDirectory(prefix="photo-") as folder:
        source = Path(folder) / "as-sent"
        _copy(file.chunks, source)
        if not redraw(source, place):
            raise Malformed(Problem("photo_unreadable", field=field))
    return name


def _copy(chunks: Callable[[], Iterator[bytes]], to: Path) -> None:
    with to.open("wb") as out:
        for chunk in chunks():
            out.write(chunk)
