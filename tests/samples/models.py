"""Models: sound ones, broken ones, and files that only pretend."""

import math
import struct
import zlib
from collections.abc import Iterator

from . import shapes
from .corpus import Sample

PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><p>Sign in first</p></body></html>\n"
CUBE = shapes.box(20, 20, 20)
CUBE_FACTS = {"triangles": 12, "size_mm": [20, 20, 20], "volume_mm3": 8000.0, "closed": True, "parts": 1}


def small_png() -> bytes:
    def chunk(tag: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + bytes(range(8)) for _ in range(8)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def samples() -> list[Sample]:
    return [*_sound(), *_broken(), *_disguised(), *_unfit()]


def _sound() -> Iterator[Sample]:
    top, cube = shapes.spinning_top(), CUBE
    binary, text = shapes.binary_stl, shapes.text_stl
    yield Sample("cube.stl", binary(cube), "a 20 mm cube", facts=CUBE_FACTS)
    yield Sample(
        "cube_text.stl", text(cube), "the same cube as text", facts={**CUBE_FACTS, "encoding": "text"}
    )
    yield Sample("cube_windows.stl", text(cube, end="\r\n"), "text with Windows line ends", facts=CUBE_FACTS)
    yield Sample("cube_mac.stl", text(cube, end="\r"), "text with old Macintosh line ends", facts=CUBE_FACTS)
    yield Sample("cube_capitals.stl", text(cube).upper(), "text in capitals", facts=CUBE_FACTS)
    yield Sample("cube_unnamed.stl", text(cube, name=""), "text whose solid has no name", facts=CUBE_FACTS)
    yield Sample(
        "cube_wordy.stl",
        text(cube, name="facet normal endsolid vertex"),
        "a name made of keywords",
        facts=CUBE_FACTS,
    )
    yield Sample(
        "cube_solid.stl", binary(cube, b"solid by a CAD program"), "binary that begins with the word solid",
        facts={**CUBE_FACTS, "encoding": "binary"},
    )  # fmt: skip
    yield Sample(
        "two_solids.stl", text(cube) + text(shapes.box(10, 10, 10, (40, 0, 0))), "two solids in one text file",
        facts={"triangles": 24, "size_mm": [50, 20, 20], "closed": True, "parts": 2},
    )  # fmt: skip
    yield Sample(
        "top.stl", binary(top), "a turned toy", facts={"triangles": len(top), "closed": True, "parts": 1}
    )
    yield Sample(
        "far.stl", binary(shapes.box(30, 20, 10, (500, -400, 80))), "modelled far away: fits once centred",
        facts={"size_mm": [30, 20, 10], "closed": True},
    )  # fmt: skip
    yield Sample(
        "shifted_digits.stl", binary(_shaken(top)), "corners that differ in their last digit are one corner",
        facts={"closed": True},
    )  # fmt: skip
    yield Sample(
        "inside_out.stl", binary([(a, c, b) for a, b, c in cube]), "wound the wrong way", facts=CUBE_FACTS
    )
    yield Sample(
        "one_flipped.stl", binary([(cube[0][0], cube[0][2], cube[0][1]), *cube[1:]]), "one triangle turned round",
        facts={"closed": True},
    )  # fmt: skip
    yield Sample(
        "on_a_tower.stl", binary([*cube, *shapes.box(10, 10, 10, (5, 5, 20))]), "a part standing on another",
        facts={"parts": 2, "closed": True},
    )  # fmt: skip
    yield Sample(
        "long_but_turned.stl",
        binary(shapes.box(20, 215, 10)),
        "long the other way round",
        facts={"closed": True},
    )
    yield Sample(
        "floating.stl", binary([*cube, *shapes.box(10, 10, 10, (5, 5, 60))]), "a part in the air",
        asks=frozenset({"floating_parts"}), facts={"parts": 2},
    )  # fmt: skip
    yield Sample(
        "metres.stl",
        binary(shapes.box(0.08, 0.05, 0.02)),
        "modelled in metres",
        asks=frozenset({"very_small"}),
    )


def _shaken(triangles: list[shapes.Triangle]) -> list[shapes.Triangle]:
    """The same corner written with a different last digit each time."""
    number = 0
    shaken = []
    for triangle in triangles:
        corners = []
        for x, y, z in triangle:
            number += 1
            corners.append((x + 1e-6 * (number % 3), y, z))
        shaken.append((corners[0], corners[1], corners[2]))
    return shaken


def _broken() -> Iterator[Sample]:
    def bad(name: str, data: bytes, about: str, code: str) -> Sample:
        return Sample(name, data, about, blocks=frozenset({code}))

    binary, text, cube, top = shapes.binary_stl, shapes.text_stl, CUBE, shapes.spinning_top()
    yield bad("empty.stl", b"", "nothing at all", "empty_file")
    yield bad("cut.stl", binary(top)[:9000], "binary that ends early", "truncated")
    yield bad("cut_header.stl", binary(cube)[:84], "only the header of a cube", "truncated")
    yield bad("cut_text.stl", text(cube)[:700], "text that ends inside a facet", "truncated")
    yield bad("cut_text_early.stl", text(cube)[:40], "text that ends in its second line", "truncated")
    yield bad("no_end.stl", text(cube).rpartition(b"endsolid")[0], "text without its last line", "truncated")
    yield bad(
        "text_tail.stl", text(cube) + b"and then some more words", "words after the end", "trailing_data"
    )
    yield bad("text_word.stl", text(cube).replace(b"vertex", b"vertes", 1), "a keyword misspelt", "truncated")
    yield bad("text_number.stl", text(cube).replace(b"2.0", b"2,0", 1), "a number with a comma", "truncated")
    yield bad(
        "text_nan.stl",
        text(cube).replace(b"2.000000e+01", b"nan", 1),
        "text that holds no number",
        "not_finite",
    )
    yield bad(
        "text_infinite.stl",
        text(cube).replace(b"2.000000e+01", b"1e999", 1),
        "beyond any number",
        "not_finite",
    )
    yield bad(
        "count_huge.stl",
        binary(cube, count=0xFFFFFFF0),
        "announces four thousand million triangles",
        "count_wrong",
    )
    yield bad("count_low.stl", binary(top, count=12), "holds more than it announces", "count_wrong")
    yield bad("tail.stl", binary(cube) + b"\0" * 30, "thirty bytes too many", "count_wrong")
    yield bad("none.stl", binary([]), "no triangle", "no_triangle")
    yield bad("none_text.stl", b"solid nothing\nendsolid nothing\n", "no triangle, as text", "no_triangle")
    nan = [((math.nan, 0.0, 0.0), *cube[0][1:]), *cube[1:]]
    yield bad("nan.stl", binary(nan), "a coordinate that is no number", "not_finite")
    infinite = [((math.inf, 0.0, 0.0), *cube[0][1:]), *cube[1:]]
    yield bad("infinite.stl", binary(infinite), "an infinite coordinate", "not_finite")
    yield bad(
        "point.stl", binary([((1, 1, 1), (1, 1, 1), (1, 1, 1))] * 8), "every triangle is a point", "flat"
    )
    yield bad("flat.stl", binary(shapes.box(20, 20, 0)), "no thickness", "flat")
    yield bad("hair.stl", binary(shapes.box(20, 20, 0.005)), "thinner than a hundredth", "flat")
    yield bad("open.stl", binary(cube[:-2]), "one side is missing", "open_mesh")
    yield bad("one_missing.stl", binary(top[:-1]), "one triangle is missing", "open_mesh")
    yield bad("alone.stl", binary([((0, 0, 0), (20, 0, 0), (0, 20, 20))]), "a single triangle", "open_mesh")
    yield bad(
        "absurd.stl", binary(shapes.box(2e30, 2e30, 2e30)), "numbers beyond any machine", "numbers_absurd"
    )


def _unfit() -> Iterator[Sample]:
    for name, size, about in (
        ("long.stl", (400, 30, 30), "400 mm long"),
        ("deep.stl", (230, 230, 30), "too wide both ways"),
        ("tall.stl", (200, 200, 260), "260 mm high"),
        ("mansion.stl", (20_000, 20_000, 20_000), "twenty metres"),
    ):
        yield Sample(name, shapes.binary_stl(shapes.box(*size)), about, blocks=frozenset({"too_big"}))


def _disguised() -> Iterator[Sample]:
    wrong = frozenset({"wrong_content"})
    cube = shapes.binary_stl(CUBE)
    yield Sample("page.stl", PAGE, "a web page", blocks=wrong)
    yield Sample(
        "page_commented.stl", b"<!-- solid -->\n" + PAGE, "a web page behind a comment", blocks=wrong
    )
    yield Sample("script.stl", b"\n<script>alert(1)</script>", "a script", blocks=wrong)
    yield Sample(
        "drawing.stl",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        "a drawing",
        blocks=wrong,
    )
    yield Sample("picture.stl", small_png(), "a picture", blocks=wrong)
    yield Sample("archive.stl", b"PK\x03\x04" + bytes(200), "an archive", blocks=wrong)
    yield Sample("document.stl", b"%PDF-1.7\n" + bytes(200), "a document", blocks=wrong)
    yield Sample("program.stl", b"\x7fELF" + bytes(200), "a program", blocks=wrong)
    yield Sample("shell.stl", b"#!/bin/sh\necho hello\n" + b" " * 100, "a shell script", blocks=wrong)
    for name, start in (("gif", b"GIF89a=1/*"), ("pdf", b"  %PDF-1.4"), ("page", b"<html><body>")):
        both = shapes.binary_stl(CUBE, start)
        yield Sample(f"both_{name}.stl", both, f"a sound cube that is also a {name}", blocks=wrong)
    yield Sample("commands.stl", b"; made by hand\nG28\nG1 X10 Y10\n" * 10, "machine commands", blocks=wrong)
    yield Sample("cube.gcode", cube, "a model under a machine file's name", blocks=wrong)
    yield Sample("cube.exe", cube, "a model under a program's name", blocks=frozenset({"unknown_format"}))
    yield Sample(
        "cube.stl.html", cube, "two endings, the last one a page's", blocks=frozenset({"unknown_format"})
    )
    yield Sample("cube", cube, "no ending", blocks=frozenset({"unknown_format"}))
    yield Sample(
        "cube_\u202elts.stl", cube, "a name that reads backwards", blocks=frozenset({"misleading_name"})
    )
    yield Sample(
        "cube\u200b.stl", cube, "an invisible letter in the name", blocks=frozenset({"misleading_name"})
    )
