"""Files for a cutter: HPGL as programs write it, SVG drawings, and what hides in either."""

import math
from collections.abc import Iterator, Sequence

from jobs.inspection.limits import ModelLimits

from .corpus import Sample
from .models import PAGE, small_png

CUTTER = ModelLimits(bed_mm=(600.0, 1000.0), height_mm=1.0, formats=("hpgl",), cut_mm_s=200.0)
Point = tuple[float, float]
FRAME: list[Point] = [(10.0, 10.0), (90.0, 10.0), (90.0, 70.0), (10.0, 70.0)]


def star(cx: float, cy: float, radius: float, points: int = 5) -> list[Point]:
    turns = [math.pi * index / points for index in range(2 * points)]
    reach = [radius if index % 2 == 0 else radius * 0.4 for index in range(2 * points)]
    return [(cx + r * math.sin(a), cy - r * math.cos(a)) for r, a in zip(reach, turns, strict=True)]


def around(points: Sequence[Point]) -> float:
    """The length of a closed line."""
    ends = [*points[1:], points[0]]
    return sum(math.dist(a, b) for a, b in zip(points, ends, strict=True))


def plt(loops: Sequence[Sequence[Point]], head: str = "IN;SP1;", tail: str = "PU;SP0;\n") -> bytes:
    words = []
    for loop in loops:
        units = [f"{round(x * 40)},{round(y * 40)}" for x, y in [*loop, loop[0]]]
        words.append(f"PU{units[0]};PD{','.join(units[1:])};")
    return (head + "".join(words) + tail).encode()


def svg(body: str, size: str = 'width="100mm" height="80mm" viewBox="0 0 100 80"', before: str = "") -> bytes:
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{before}<svg {spaces} {size}>{body}</svg>\n'.encode()


def outline(points: Sequence[Point]) -> str:
    return f'<polygon fill="none" stroke="red" points="{" ".join(f"{x:.4f},{y:.4f}" for x, y in points)}"/>'


STAR = star(50, 40, 25)
LENGTH = round(around(STAR) + around(FRAME), 1)
SIZE = [80, 60, 0]
NESTED = "".join(f'<g id="g{n}">{f"""<use href="#g{n - 1}"/>""" * 10}</g>' for n in range(1, 8))
ENTITIES = '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'


def samples() -> list[Sample]:
    return [*_plots(), *_bad_plots(), *_drawings(), *_bad_drawings()]


def _sample(
    name: str, data: bytes, about: str, *codes: str, asks: Sequence[str] = (), **facts: object
) -> Sample:
    return Sample(
        name, data, about, blocks=frozenset(codes), asks=frozenset(asks), facts=facts, machine=CUTTER
    )


def _plots() -> Iterator[Sample]:
    both = plt([STAR, FRAME])
    yield _sample("star.plt", both, "a star in a frame", size_mm=SIZE, paths=2)
    yield _sample("star.hpgl", both.replace(b";", b";\r\n"), "a command a line", size_mm=SIZE)
    yield _sample("small.plt", both.lower(), "in small letters", size_mm=SIZE)
    yield _sample("tight.plt", both.replace(b";", b""), "without semicolons", size_mm=SIZE)
    yield _sample("relative.plt", b"IN;SP1;PU400,400;PR;PD3200,0,0,2400,-3200,0,0,-2400;PU;", "steps, not places",
                  size_mm=SIZE, cut_mm=280.0)  # fmt: skip
    yield _sample("circle.plt", b"IN;SP1;PU2000,2000;CI800;SP0;", "a circle", size_mm=[40, 40, 0], paths=1)
    yield _sample("arc.plt", b"IN;SP1;PU2800,2000;PD;AA2000,2000,180;AR800,0,180;PU;SP0;", "two half circles",
                  size_mm=[40, 40, 0], paths=1)  # fmt: skip
    yield _sample(
        "fractions.plt", b"IN;SP1;PU400.5,400.25;PD1200.5,400.25,.5,0;PU;", "units in fractions", paths=1
    )
    yield _sample("two_pens.plt", plt([STAR]) + plt([FRAME], head="SP2;"), "two pens", asks=["several_tools"])
    yield _sample(
        "settings.plt", plt([STAR], head="IN;VS20;FS80;SP1;"), "speed and force", asks=["command_asked"]
    )


def _bad_plots() -> Iterator[Sample]:
    both = plt([STAR, FRAME])
    yield _sample("empty.plt", b"", "nothing at all", "empty_file")
    yield _sample("page.plt", PAGE, "a web page", "wrong_content")
    yield _sample("picture.plt", small_png(), "a picture", "wrong_content")
    yield _sample("drawing.plt", svg(outline(STAR)), "a drawing", "wrong_content")
    yield _sample("binary.plt", b"IN;SP1;" + bytes(range(256)), "bytes that are no text", "wrong_content")
    yield _sample(
        "escape.plt", b"\x1b.(\x1b.I81;;17:" + both, "speaks to the machine itself", "device_command"
    )
    yield _sample("escape_late.plt", both + b"\x1b.R", "the same, at the end", "device_command")
    yield _sample("other_language.plt", b"\x1b%-12345X@PJL ENTER LANGUAGE=HPGL;\n" + both, "changes the language",
                  "device_command")  # fmt: skip
    yield _sample("label.plt", both + b"LBLab\x03;", "a text", "text_inside")
    for command in ("SC0,100,0,100", "RO90", "IP0,0,100,100", "PG", "EC", "LT2", "WU1", "OA"):
        name = f"refused_{command[:2]}.plt"
        yield _sample(
            name, plt([FRAME], head=f"IN;{command};SP1;"), f"asks for {command[:2]}", "command_refused"
        )
    yield _sample("encoded.plt", b"IN;SP1;PE=:?Ac?Ad;PU;", "lines in letters", "line_unreadable")
    yield _sample(
        "odd_number.plt", b"IN;SP1;PU0,0;PD400,400,800;PU;", "a place without its half", "line_unreadable"
    )
    yield _sample(
        "two_points.plt", b"IN;SP1;PU0,0;PD4.0.0,400;PU;", "a number that is none", "line_unreadable"
    )
    yield _sample(
        "outside.plt", plt([[(-50, -50), (700, -50), (700, 40)]]), "beside the sheet", "outside_sheet"
    )
    yield _sample(
        "behind.plt", plt([[(10, 10), (50, 10), (50, -1)]]), "a millimetre behind its edge", "outside_sheet"
    )
    yield _sample("lifted.plt", b"IN;SP1;PU0,0;PU400,400;PU;SP0;", "never lowers the blade", "nothing_to_cut")
    yield _sample("dots.plt", b"IN;SP1;PU0,0;PD;PU400,400;PD;PU;", "dots", "nothing_to_cut")
    yield _sample(
        "absurd.plt", b"IN;SP1;PU0,0;PD9999999,9999999;PU;", "a quarter of a kilometre", "numbers_absurd"
    )


def _drawings() -> Iterator[Sample]:
    body = outline(STAR) + outline(FRAME)
    inkscape = "<!-- Created with Inkscape (http://www.inkscape.org/) -->\n\n"
    yield _sample("star.svg", svg(body), "a star in a frame", size_mm=SIZE, cut_mm=LENGTH, paths=2, unit="mm")
    yield _sample("inkscape.svg", svg(body, before=inkscape), "as Inkscape begins it", size_mm=SIZE)
    doctype = (
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n'
    )
    yield _sample("doctype.svg", svg(body, before=doctype), "names a standard, fetches nothing", size_mm=SIZE)
    prefixed = svg(body).replace(b"<svg ", b"<svg:svg ").replace(b"</svg>", b"</svg:svg>").replace(
        b"<polygon", b"<svg:polygon").replace(b'xmlns="', b'xmlns:svg="')  # fmt: skip
    yield _sample("prefixed.svg", prefixed, "with a prefix", size_mm=SIZE)
    for unit, share in (("cm", 0.1), ("in", 1 / 25.4), ("pt", 72 / 25.4)):
        size = f'width="{100 * share}{unit}" height="{80 * share}{unit}" viewBox="0 0 100 80"'
        yield _sample(f"unit_{unit}.svg", svg(body, size), f"its size in {unit}", size_mm=SIZE, unit=unit)
    yield _sample("pixels.svg", svg(body, 'width="378" height="302" viewBox="0 0 100 80"'), "its size in pixels",
                  asks=["scale_assumed"])  # fmt: skip
    yield _sample("no_size.svg", svg(body, 'viewBox="0 0 100 80"'), "no size", asks=["scale_assumed"],
                  size_mm=[21.2, 15.9, 0])  # fmt: skip
    yield _sample(
        "one_side.svg", svg(body, 'width="100mm" viewBox="0 0 100 80"'), "one side's size", size_mm=SIZE
    )
    wide = 'width="200mm" height="80mm" viewBox="0 0 100 80" preserveAspectRatio="none"'
    yield _sample("stretched.svg", svg(body, wide), "stretched on purpose", size_mm=[160, 60, 0])
    turned = f'<g transform="translate(50 40) rotate(90)"><g transform="translate(-50,-40)">{body}</g></g>'
    yield _sample("turned.svg", svg(turned), "a quarter turn", size_mm=[60, 80, 0], cut_mm=LENGTH)
    reused = f'<defs><g id="s">{outline(star(0, 0, 10))}</g></defs><use xlink:href="#s" x="20" y="20"/>'
    yield _sample("reused.svg", svg(reused + '<use href="#s" transform="translate(60 20) scale(2)"/>'), "a star twice",
                  paths=2, shapes=2)  # fmt: skip
    symbol = '<symbol id="s" viewBox="0 0 10 10"><rect width="10" height="10"/></symbol>'
    yield _sample("symbol.svg", svg(symbol + '<use href="#s" x="5" y="5" width="40" height="40"/>'), "a symbol",
                  size_mm=[40, 40, 0])  # fmt: skip
    inner = '<svg x="10" y="10" width="50%" height="40" viewBox="0 0 5 4"><rect width="5" height="4"/></svg>'
    yield _sample("nested.svg", svg(inner), "a drawing in the drawing", size_mm=[50, 40, 0])
    hidden = '<rect width="90" height="70" display="none"/><g style="display:none"><rect width="99" height="9"/></g>'
    hidden += '<rect width="90" height="70" style="fill:none;stroke:none"/>'
    hidden += '<rect width="95" height="9" visibility="hidden"/>'
    yield _sample("hidden.svg", svg(outline(FRAME) + hidden), "hidden shapes beside", size_mm=SIZE, paths=1)
    yield _sample("classed.svg", svg(f"<style>.a{{fill:none}}</style><g class='a'>{outline(FRAME)}</g>"), "classes",
                  size_mm=SIZE)  # fmt: skip
    yield _sample(
        "circle.svg", svg('<circle cx="50" cy="40" r="20"/>'), "a circle", size_mm=[40, 40, 0], cut_mm=125.6
    )
    yield _sample(
        "ellipse.svg", svg('<ellipse cx="50" cy="40" rx="30" ry="10"/>'), "an ellipse", size_mm=[60, 20, 0]
    )
    yield _sample("rounded.svg", svg('<rect x="10" y="10" width="60" height="40" rx="10"/>'), "round corners",
                  size_mm=[60, 40, 0], cut_mm=182.8)  # fmt: skip
    yield _sample("arcs.svg", svg('<path d="M30,40a20,20 0 0140 0A20 20 0 1 1 30 40z"/>'), "flags without spaces",
                  size_mm=[40, 40, 0], cut_mm=125.6)  # fmt: skip
    yield _sample("curves.svg", svg('<path d="M20 20C40 0 60 0 80 20S80 60 60 60q-10 10-20 0t-20 0z"/>'), "all curves",
                  shapes=1)  # fmt: skip
    yield _sample("numbers.svg", svg('<path d="m10-.5.5.5 1e1 0-1E+1 10zM50 50h10v10H50z"/>'), "numbers without spaces",
                  paths=2)  # fmt: skip
    yield _sample("half_path.svg", svg(outline(FRAME) + '<path d="M0 0L10 10L20"/>'), "a path breaks off",
                  asks=["path_broken"])  # fmt: skip
    embedded = f'<image href="data:image/png;base64,iVBORw0KGgo=" width="9" height="9"/>{outline(FRAME)}'
    yield _sample("with_picture.svg", svg(embedded), "a picture beside the lines", asks=["picture_inside"])
    link = f'<a href="https://example.org/">{outline(FRAME)}</a>'
    yield _sample("linked.svg", svg(link), "a link around the lines", size_mm=SIZE)
    yield _sample("turned_to_fit.svg", svg(outline([(0, 0), (900, 0), (900, 500)]), 'width="900mm" height="500mm"'
                  ' viewBox="0 0 900 500"'), "fits once turned", size_mm=[900, 500, 0])  # fmt: skip


def _bad_drawings() -> Iterator[Sample]:
    body = outline(STAR)
    yield _sample("empty.svg", b"", "nothing at all", "empty_file")
    yield _sample("page.svg", PAGE, "a web page", "wrong_content")
    yield _sample("plot.svg", plt([STAR]), "a plot", "wrong_content")
    yield _sample(
        "feed.svg", b'<?xml version="1.0"?><rss version="2.0"/>', "another kind of document", "wrong_content"
    )
    yield _sample("cut.svg", svg(body)[:200], "a download that stopped", "truncated")
    yield _sample("crossed.svg", svg(f"<g>{body}</a>"), "tags that do not close", "unreadable")
    yield _sample("nothing.svg", svg(""), "no shape", "nothing_to_cut")
    yield _sample("text_only.svg", svg("<text>Lab</text>"), "only text", "nothing_to_cut", "text_inside")
    yield _sample(
        "text.svg", svg(body + '<text x="9" y="9"><tspan>Lab</tspan></text>'), "text beside", "text_inside"
    )
    yield _sample("script.svg", svg("<script>alert(1)</script>" + body), "a script", "script_inside")
    yield _sample(
        "event.svg", svg('<rect width="9" height="9" onload="alert(1)"/>'), "an event", "script_inside"
    )
    yield _sample("late_event.svg", svg(body, 'onload="alert(1)" width="9mm" height="9mm"'), "at its root",
                  "script_inside")  # fmt: skip
    link = '<a xlink:href="javascript:alert(1)"><rect width="9" height="9"/></a>'
    yield _sample("script_link.svg", svg(link), "a link that is a program", "script_inside")
    yield _sample(
        "foreign.svg", svg("<foreignObject><p>x</p></foreignObject>" + body), "a page in it", "script_inside"
    )
    outer = '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n'
    yield _sample(
        "outside_entity.svg", svg(f"<text>&x;</text>{body}", before=outer), "reads a file", "unreadable"
    )
    yield _sample(
        "entities.svg", svg(f"<text>&b;</text>{body}", before=ENTITIES), "words of words", "unreadable"
    )
    yield _sample("picture_elsewhere.svg", svg('<image href="http://192.0.2.1/p.png" width="9" height="9"/>' + body),
                  "a picture from elsewhere", "outside_reference")  # fmt: skip
    yield _sample("use_elsewhere.svg", svg('<use xlink:href="other.svg#a"/>' + body), "a shape from elsewhere",
                  "outside_reference")  # fmt: skip
    yield _sample("style_elsewhere.svg", svg("<style>@import url(http://192.0.2.1/a.css);</style>" + body),
                  "a style from elsewhere", "outside_reference")  # fmt: skip
    yield _sample("fill_elsewhere.svg", svg('<rect width="9" height="9" style="fill:url(http://192.0.2.1/a)"/>'),
                  "a pattern from elsewhere", "outside_reference")  # fmt: skip
    sheet = '<?xml-stylesheet href="http://192.0.2.1/a.css"?>\n'
    yield _sample("sheet.svg", svg(body, before=sheet), "a sheet from elsewhere", "outside_reference")
    bomb = f'<defs><g id="g0"><rect width="1" height="1"/></g>{NESTED}</defs><use href="#g7"/>'
    yield _sample("bomb.svg", svg(bomb), "ten million shapes", "too_many_lines")
    yield _sample("loop.svg", svg('<g id="a"><use href="#a"/></g>'), "a group in itself", "unreadable")
    yield _sample("loop_long.svg", svg('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>'), "two in turns",
                  "unreadable")  # fmt: skip
    yield _sample(
        "deep.svg", svg("<g>" * 500 + body + "</g>" * 500), "five hundred groups deep", "unreadable"
    )
    yield _sample("huge.svg", svg(f'<g transform="scale(1e9)"><g transform="scale(1e9)">{body}</g></g>'), "no number",
                  "numbers_absurd")  # fmt: skip
    yield _sample("wide.svg", svg(outline([(0, 0), (1100, 0), (0, 900)]), 'width="1100mm" height="900mm" viewBox='
                  '"0 0 1100 900"'), "larger than the sheet", "too_big")  # fmt: skip
