"""A picture becomes one of ours: decoded and drawn anew in the sandbox, without anything that came beside it.

Run as a child (`python -m jobs.inspection.photographs SOURCE`), it leaves `photograph.jpg` in its folder.
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

from .sandbox import MIB, PROJECT, run_program, take

LARGEST_SIDE = 1280
MOST_PIXELS = 40_000_000  # decoded, before it is made smaller
SECONDS = 15.0
MEMORY = 1024 * MIB
JPEG = b"\xff\xd8\xff"
MADE = "photograph.jpg"


def redraw(source: Path, to: Path) -> bool:
    """Writes the picture in `source` to `to` as a plain JPEG of at most 1280 pixels a side.

    No EXIF, no place, no comment, no colour profile comes along. False, and no file, for what is no JPEG, PNG or WebP,
    is broken, or is too large to decode.
    """
    with tempfile.TemporaryDirectory(prefix="photograph-") as folder:
        done = run_program(
            [sys.executable, "-P", "-s", "-B", "-m", "jobs.inspection.photographs", str(source.resolve())],
            cwd=Path(folder),
            seconds=SECONDS,
            memory=MEMORY,
            file_bytes=8 * MIB,
            environment={"PYTHONPATH": str(PROJECT)},
        )
        return done.ok and take(Path(folder) / MADE, to, JPEG, 8 * MIB)


def main(source: str) -> None:
    """The child's work. What cannot be drawn raises, and the parent sees a run that failed."""
    with Image.open(source, formats=("JPEG", "PNG", "WEBP")) as found:
        if found.width * found.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        upright = ImageOps.exif_transpose(found).convert("RGB")
    upright.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    # A new picture has nothing but its pixels: a copy would carry comments and profiles along.
    plain = Image.new("RGB", upright.size)
    plain.paste(upright)
    plain.save(MADE, "JPEG", quality=82)


if __name__ == "__main__":
    main(sys.argv[1])
