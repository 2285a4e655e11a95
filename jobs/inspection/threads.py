"""Threads: their colours as a file tells them, and the plain word for a colour that people read."""

import colorsys
import re
from dataclasses import dataclass

from .findings import JSON

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
NAME_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Thread:
    """`hex` is "#rrggbb" or None when the file does not say; brand, code and name are the file's own, cleaned."""

    hex: str | None = None
    brand: str = ""
    code: str = ""
    name: str = ""

    def as_json(self) -> dict[str, JSON]:
        return {
            "hex": self.hex,
            "colour": colour_word(self.hex) if self.hex else None,
            "brand": self.brand,
            "code": self.code,
            "name": self.name,
        }


UNKNOWN_THREAD = Thread()


def thread(hex_colour: str | None, brand: str = "", code: str = "", name: str = "") -> Thread:
    """A thread from what stands in a file: a wrong colour is none, texts are printable and short."""
    told = hex_colour.lower() if hex_colour and _HEX.fullmatch(hex_colour) else None
    return Thread(told, clean(brand), clean(code), clean(name))


def clean(text: str) -> str:
    """A file's own words without control and invisible signs, at most `NAME_LENGTH` long."""
    return "".join(one for one in text if one.isprintable()).strip()[:NAME_LENGTH]


def colour_word(hex_colour: str) -> str:
    """The code of the plain word for a colour: "red", "dark_blue", "light_grey"... Words stand beside the pages."""
    red, green, blue = (int(hex_colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    strength = saturation * (1 - abs(2 * light - 1))  # chroma: a nearly white blue is no blue
    if light > 0.93 and strength < 0.12:
        return "white"
    if light < 0.09:
        return "black"
    if strength < 0.11:
        return "dark_grey" if light < 0.38 else "light_grey" if light > 0.72 else "grey"
    name = _hue_word(hue * 360, light, strength)
    if name in {"brown", "beige"}:
        return name
    return f"dark_{name}" if light < 0.27 else f"light_{name}" if light > 0.74 else name


def _hue_word(degrees: float, light: float, strength: float) -> str:
    if degrees < 50 and degrees >= 14:
        if light < 0.42 and strength < 0.75:
            return "brown"
        if light > 0.6 and strength < 0.45:
            return "beige"
    for most, name in ((14, "red"), (38, "orange"), (70, "yellow"), (165, "green"), (195, "turquoise"),
                       (255, "blue"), (300, "purple"), (345, "pink")):  # fmt: skip
        if degrees < most:
            return "pink" if name == "red" and light > 0.74 else name
    return "pink" if light > 0.74 else "red"


COLOUR_WORDS = frozenset(
    {
        *("white", "black", "grey", "dark_grey", "light_grey", "brown", "beige"),
        *(
            f"{shade}{name}"
            for name in ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink")
            for shade in ("", "dark_", "light_")
        ),
    }
)
