"""Which tables of time zones this process believes: the system's or those of the pinned ``tzdata``, the newer wins.

Python prefers the system's, however old, and rules do change: a system of 2025 has Morocco an hour ahead in winter,
which gave that up in 2026. Who upgrades only the system, or only this program, is right either way. A folder that
``PYTHONTZPATH`` names is somebody's decision and is left alone.
"""

import os
import zoneinfo
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

PINNED = Path(str(files("tzdata"))) / "zoneinfo"


def believe_the_newest() -> str | None:
    """Make this process use the newest tables, and return their version, like ``2026f``. Called before all else."""
    of_system, pinned = version_in(zoneinfo.TZPATH), version_in([PINNED])
    if "PYTHONTZPATH" in os.environ or (of_system or "") > (pinned or ""):
        return of_system
    zoneinfo.reset_tzpath(to=())  # without folders Python asks the package
    zoneinfo.ZoneInfo.clear_cache()
    return pinned


def version_in(folders: Iterable[str | Path]) -> str | None:
    """Return the version of the tables in the first of ``folders`` that says one."""
    for folder in folders:
        for name in ("tzdata.zi", "+VERSION"):  # Linux and the package; macOS and the BSDs
            try:
                with (Path(folder) / name).open(encoding="utf-8", errors="replace") as tables:
                    return tables.readline().removeprefix("# version ").strip()
            except OSError:
                continue
    return None
