"""Photographs and painted pictures, PNG and JPEG: nothing a machine follows, but something a person can work from."""

import io
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image, ImageOps

from ..codes import finding
from ..findings import Report

MOST_PIXELS = 60_000_000
SIDE = 640
KINDS = {"png": "PNG", "jpeg": "JPEG"}
BROKEN = (OSError, ValueError, SyntaxError, ArithmeticError, IndexError, KeyError, TypeError, EOFError)


def read(path: Path, kind: str) -> tuple[Report, Callable[[], bytes] | None]:
    """The report of a picture of this kind ("png", "jpeg"), and what draws it anew, small and bare.

    Facts: pixels (width, height). Everything is decoded once, so that a cut file is told. Raises nothing for bad
    content.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd chunks and many pixels, which are judged here
        try:
            with Image.open(path, formats=(KINDS[kind],)) as found:
                width, height = found.size
                if width * height > MOST_PIXELS:
                    return Report(kind, findings=(finding("unreadable", why="too_complex"),)), None
                upright = ImageOps.exif_transpose(found).convert("RGB")
        except (*BROKEN, Image.DecompressionBombError) as error:
            cut = "truncated" in str(error) or "Truncated" in str(error)
            return Report(
                kind, findings=(finding("truncated") if cut else finding("unreadable", why="crashed"),)
            ), None
    return Report(kind, facts={"pixels": [width, height]}), partial(_small, upright)


def _small(picture: Image.Image) -> bytes:
    """A PNG of nothing but the pixels, at most `SIDE` a side."""
    picture.thumbnail((SIDE, SIDE))
    plain = Image.new("RGB", picture.size)
    plain.paste(picture)
    out = io.BytesIO()
    plain.save(out, "PNG", optimize=True)
    return out.getvalue()
