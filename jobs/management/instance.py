"""One process on one embedded installation: a second would miss what the first one tells its pages (case 8)."""

import fcntl
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management.base import CommandError


def alone_needed() -> bool:
    """Whether processes of this installation would not hear each other."""
    return bool(settings.CHANNEL_LAYERS["default"]["BACKEND"].endswith("InMemoryChannelLayer"))


def refuse_without_common_layer(command: str) -> None:
    """Refuse a command that makes sense only beside other processes.

    :raises CommandError: when there is no Redis.
    """
    if alone_needed():
        raise CommandError(
            f"{command} works beside other processes, and without REDIS_URL they would not hear each other. "
            "Set REDIS_URL, or use serve, which does everything in one process."
        )


def lock_file(database: dict[str, Any], folder: Path) -> Path:
    """Return the file whose lock stands for the installation: beside the SQLite file, wherever that is."""
    if database["ENGINE"].endswith("sqlite3"):
        return Path(f"{database['NAME']}.lock")
    return folder / "serve.lock"


def hold_alone(path: Path) -> IO[str]:
    """Take the installation's lock for as long as the returned file stays open. The kernel frees it at any end.

    :raises CommandError: when another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise CommandError(
            f"Another process already serves this installation ({path}). End it first, or set DATABASE_URL and "
            "REDIS_URL to run several."
        ) from None
    return handle
