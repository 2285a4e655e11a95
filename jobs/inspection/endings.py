"""Which endings the files of a format have; light, for pages that name them."""

from collections.abc import Iterable, Mapping

ENDINGS: Mapping[str, tuple[str, ...]] = {  # the usual one first
    "stl": ("stl",),
    "gcode": ("gcode", "gco", "g"),
    "dst": ("dst",),
    "pes": ("pes",),
    "hpgl": ("plt", "hpgl", "hpg"),
    "svg": ("svg",),
    "png": ("png",),
    "jpeg": ("jpg", "jpeg"),
}


def usual_ending(format_name: str) -> str:
    """The ending that a file of this format gets from us; the format's own name when nobody reads it here."""
    return ENDINGS.get(format_name, (format_name,))[0]


def endings_of(formats: Iterable[str]) -> list[str]:
    """Every ending of these formats, in alphabetical order."""
    return sorted({ending for name in formats for ending in ENDINGS.get(name, (name,))})


def format_of(file_name: str) -> str:
    """The format that a file claims to be by its name; "" for none that is read here."""
    ending = file_name.rpartition(".")[2].strip().lower()
    return next((name for name, endings in ENDINGS.items() if ending in endings), "")
