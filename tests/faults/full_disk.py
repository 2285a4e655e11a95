"""A disk that is really full: a small one in memory, mounted where only one process and its children see it.

Where a computer allows no mount of its own (who runs the tests is not root, or a container forbids it) the process is
given a limit on the size of files instead: another error of the system, met at the same places. ``HOW`` says which,
and the report of reliability repeats it.
"""

import subprocess
from functools import cache

REAL = "a full disk (ENOSPC)"
LIMIT = "a file-size limit (EFBIG)"
DISK_BYTES = 64_000_000


@cache
def may_mount() -> bool:
    """Say whether this computer lets us mount a small disk for one process alone."""
    try:
        tried = subprocess.run(
            ["unshare", "--mount", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


def how() -> str:
    """Return by what a disk is filled here."""
    return REAL if may_mount() else LIMIT


def lacking() -> str:
    """Return what is not proven here, for the table of fault cases: nothing where a real disk was filled."""
    return "" if may_mount() else f"by {LIMIT}: no disk of its own can be mounted where this ran"
