"""Pictures of flat work: stitches in their threads' colours on cloth, lines to cut on a mat. Seen from above."""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .cutting import CutLines
from .limits import Frame
from .raster import Floats, blurred, rasterise
from .stitches import UNIT_MM, Design, Move

SIZE = (640, 640)
FINER = 2  # drawn this many times larger, then averaged
FILLS = 0.80  # of the picture, by the work
THREAD_MM = 0.42
MOST_DRAWN = 150_000  # stitches or pieces of line; more are thinned evenly
# Where a file names no colour: far apart, none of them the cloth's.
Places = NDArray[np.float64]  # (n, 2) in millimetres
PALETTE = ("#d1481f", "#1f6f8b", "#e0a526", "#4b7f52", "#6d4a8c", "#2f3542", "#c2477f", "#7a5230")
CLOTH = np.array([238, 232, 220], dtype=np.float32) / 255
RING = np.array([214, 219, 222], dtype=np.float32) / 255
RING_MM = 7.0
LEAST_SHARE = 0.35  # of a frame's side: a smaller design is shown without it
MAT = np.array([44, 88, 80], dtype=np.float32) / 255
MAT_LINE = np.array([88, 132, 122], dtype=np.float32) / 255
CUT_COLOURS = ("#fdf6e3", "#ffd166", "#8ecae6", "#f4a6c0", "#b8e0a0", "#e0c3fc")


class View(NamedTuple):
    """From millimetres to fine pixels: `scale` pixels a millimetre, `low` at the lower left `corner`."""

    scale: float
    low: NDArray[np.float64]
    corner: tuple[float, float]

    def see(self, points: NDArray[np.float64]) -> Floats:
        seen = (points - self.low) * self.scale
        return np.stack((self.corner[0] + seen[..., 0], self.corner[1] - seen[..., 1]), axis=-1).astype(
            np.float32
        )


def draw_stitches(design: Design, frames: Sequence[Frame] = (), size: tuple[int, int] = SIZE) -> bytes:
    """A PNG of the sewn design on cloth, each stitch a thread with its sheen, later ones above earlier ones.

    The smallest of `frames` that holds it is drawn around it, unless the design would be lost in it.
    """
    sewn = np.flatnonzero(design.moves == Move.STITCH)
    sewn = sewn[sewn > 0] if len(sewn) > 1 else sewn
    if len(sewn) > MOST_DRAWN:
        sewn = sewn[:: -(-len(sewn) // MOST_DRAWN)]
    places: Places = np.stack((design.x, design.y), axis=1).astype(np.float64) * UNIT_MM
    starts, ends = places[np.maximum(sewn - 1, 0)], places[sewn]
    points = np.concatenate((ends, starts))
    frame = _frame_around(points, frames)
    view = _view(points if frame is None else _corners(points, frame), size)
    sewn_blocks = design.sewn_blocks()
    blocks = np.searchsorted(sewn_blocks, design.block[sewn])
    colours = np.stack(
        [
            _linear(design.thread(int(one)).hex or PALETTE[n % len(PALETTE)])
            for n, one in enumerate(sewn_blocks)
        ]
    )
    ground = _cloth(size)
    if frame is not None:
        ground = _framed(ground, view, frame)
    rgb, cover = _threads(starts, ends, colours[blocks], view, size)
    shadow = blurred(np.roll(cover, (round(1.5 * FINER), FINER), (0, 1)), 2 * FINER)
    return _png(_shrunk(ground * (1 - 0.35 * shadow[..., None]) * (1 - cover[..., None]) + rgb))


def _frame_around(points: Places, frames: Sequence[Frame]) -> Frame | None:
    width, height = np.ptp(points, axis=0)
    fitting = (one for one in frames if width <= one.width_mm + 0.1 and height <= one.height_mm + 0.1)
    best = min(fitting, key=lambda one: one.width_mm * one.height_mm, default=None)
    if best is None or max(width / best.width_mm, height / best.height_mm) < LEAST_SHARE:
        return None
    return best


def _corners(points: Places, frame: Frame) -> Places:
    """The outer corners of a frame around the middle of the points."""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    half = np.array([frame.width_mm, frame.height_mm]) / 2 + RING_MM
    corners: Places = np.stack((middle - half, middle + half))
    return corners


def _framed(ground: Floats, view: View, frame: Frame) -> Floats:
    """A frame laid on the cloth: a rounded ring with light from the upper left, its shadow, marks at its middles."""
    height, width, _ = ground.shape
    x, y = np.meshgrid(
        (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / np.float32(view.scale),
        (height / 2 - np.arange(height, dtype=np.float32) - 0.5) / np.float32(view.scale),
    )
    radius = np.float32(min(12.0, frame.width_mm / 5, frame.height_mm / 5))
    inside = _beyond(x, y, frame, radius)
    pixel = np.float32(1 / view.scale)
    ring = np.clip(0.5 + inside / pixel, 0, 1) * np.clip(0.5 + (RING_MM - inside) / pixel, 0, 1)
    thrown = blurred(np.roll(ring, (2 * FINER, round(1.5 * FINER)), (0, 1)), 3 * FINER)
    shaded = ground * (1 - 0.40 * thrown[..., None])
    across = np.clip(inside / RING_MM, 0, 1)
    lean = (np.gradient(inside, axis=0) - np.gradient(inside, axis=1)) / pixel * 0.5
    light = 0.90 + 0.10 * np.sin(np.pi * across) + 0.09 * lean * np.cos(np.pi * across)
    mark = ((np.abs(x) < 0.5) | (np.abs(y) < 0.5)) & (across > 0.25) & (across < 0.75)
    colour = RING * np.where(mark, 0.62, light)[..., None]
    framed: Floats = (shaded + (np.clip(colour, 0, 1) - shaded) * ring[..., None]).astype(np.float32)
    return framed


def _beyond(x: Floats, y: Floats, frame: Frame, radius: np.float32) -> Floats:
    """How many millimetres each place lies outside the frame's rounded inner edge; less than 0 within."""
    beside_x = np.abs(x) - frame.width_mm / 2 + radius
    beside_y = np.abs(y) - frame.height_mm / 2 + radius
    out = np.hypot(np.maximum(beside_x, 0), np.maximum(beside_y, 0))
    beyond: Floats = (out + np.minimum(np.maximum(beside_x, beside_y), 0) - radius).astype(np.float32)
    return beyond


def _threads(
    starts: NDArray[np.float64], ends: NDArray[np.float64], colours: Floats, view: View, size: tuple[int, int]
) -> tuple[Floats, Floats]:
    """The threads' light, already weighed by cover, and their cover, both in fine pixels."""
    half = max(THREAD_MM / 2, 0.9 / view.scale)
    along = ends - starts
    length = np.linalg.norm(along, axis=1, keepdims=True)
    along = np.where(length > 1e-6, along / np.maximum(length, 1e-6), [1.0, 0.0])
    beside = np.stack((-along[:, 1], along[:, 0]), axis=1)
    starts, ends = starts - along * half * 0.4, ends + along * half * 0.4
    # Strips across the thread: dark below, light above; a thread across the light shines, one along it less.
    across = np.abs(beside @ np.array([0.6, 0.8]))[:, None]
    order = np.arange(len(starts), dtype=np.float32)
    pieces, shades, depths = [], [], []
    edges = (-1.0, -0.45, 0.15, 0.6, 1.0)
    lights = (0.62, 0.92, 1.18, 0.80)
    for low, high, light in zip(edges, edges[1:], lights, strict=False):
        a, b = starts + beside * half * low, starts + beside * half * high
        c, d = ends + beside * half * low, ends + beside * half * high
        pieces += [np.stack((a, b, c), axis=1), np.stack((b, d, c), axis=1)]
        shade = colours * ((0.78 + 0.3 * across) * light) + 0.05 * max(light - 1, 0) * across
        shades += [shade, shade]
        depths += [-order, -order]
    triangles = view.see(np.concatenate(pieces))
    seen = rasterise(triangles, np.repeat(np.concatenate(depths)[:, None], 3, axis=1), *_fine(size))
    there = seen.number >= 0
    rgb = np.zeros((*there.shape, 3), dtype=np.float32)
    rgb[there] = np.clip(np.concatenate(shades)[seen.number[there]], 0, 1) ** (1 / 2.2)
    return rgb, there.astype(np.float32)


def draw_lines(lines: CutLines, size: tuple[int, int] = SIZE) -> bytes:
    """A PNG of lines to cut on a mat with a square for every centimetre (or ten); a colour for each tool."""
    paths = list(lines.paths())
    starts = np.concatenate([points[:-1] for _, points in paths])
    ends = np.concatenate([points[1:] for _, points in paths])
    of = np.repeat([tool for tool, _ in paths], [len(points) - 1 for _, points in paths])
    tools = list(dict.fromkeys(tool for tool, _ in paths))
    if len(starts) > MOST_DRAWN:
        every = -(-len(starts) // MOST_DRAWN)
        starts, ends, of = starts[::every], ends[::every], of[::every]
    view = _view(np.concatenate((starts, ends)), size)
    colours = np.stack([_rgb(CUT_COLOURS[tools.index(one) % len(CUT_COLOURS)]) for one in tools])
    half = 1.5 * FINER * size[0] / 640 / view.scale
    along = ends - starts
    length = np.linalg.norm(along, axis=1, keepdims=True)
    along = np.where(length > 1e-9, along / np.maximum(length, 1e-9), [1.0, 0.0])
    beside = np.stack((-along[:, 1], along[:, 0]), axis=1) * half
    starts, ends = starts - along * half * 0.7, ends + along * half * 0.7
    triangles = np.concatenate(
        (
            np.stack((starts - beside, starts + beside, ends - beside), axis=1),
            np.stack((starts + beside, ends + beside, ends - beside), axis=1),
        )
    )
    flat = np.zeros((len(triangles), 3), dtype=np.float32)
    seen = rasterise(view.see(triangles), flat, *_fine(size))
    there = seen.number >= 0
    index = np.searchsorted(np.sort(tools), of)
    ordered = colours[np.argsort(tools)]
    ground = _mat(size, view)
    cover = there.astype(np.float32)
    shadow = blurred(np.roll(cover, (FINER, FINER), (0, 1)), FINER)
    picture = ground * (1 - 0.45 * shadow[..., None])
    picture[there] = ordered[np.concatenate((index, index))[seen.number[there]]]
    return _png(_shrunk(picture))


def _view(points: NDArray[np.float64], size: tuple[int, int]) -> View:
    low, high = points.min(axis=0), points.max(axis=0)
    extent = np.maximum(high - low, 2.0)
    width, height = _fine(size)
    scale = float(FILLS * min(width / extent[0], height / extent[1]))
    corner = ((width - scale * (high - low)[0]) / 2, (height + scale * (high - low)[1]) / 2)
    return View(scale, low, (float(corner[0]), float(corner[1])))


def _fine(size: tuple[int, int]) -> tuple[int, int]:
    return size[0] * FINER, size[1] * FINER


def _cloth(size: tuple[int, int]) -> Floats:
    """Plain weave: threads over and under each other, and a little light from the upper left."""
    width, height = _fine(size)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    step = np.float32(np.pi / (2.6 * FINER))
    warp, weft = np.sin(x * step), np.sin(y * step)
    over = np.where(warp * weft > 0, np.abs(warp), np.abs(weft))
    shade = 0.955 + 0.05 * over + 0.02 * (0.5 - (x / width + y / height) / 2)
    cloth: Floats = np.clip(CLOTH * shade[..., None], 0, 1).astype(np.float32)
    return cloth


def _mat(size: tuple[int, int], view: View) -> Floats:
    width, height = _fine(size)
    picture = np.broadcast_to(MAT, (height, width, 3)).copy()
    step = next((one for one in (1, 10, 100, 1000) if one * view.scale > 14 * FINER), 10_000)
    for wide, every in ((0.5 * FINER, step), (1.0 * FINER, step * 10)):
        columns = np.arange(width, dtype=np.float32) - view.corner[0]
        rows = view.corner[1] - np.arange(height, dtype=np.float32)
        for axis, places in ((1, columns), (0, rows)):
            beside = np.abs((places + every * view.scale / 2) % (every * view.scale) - every * view.scale / 2)
            share = np.clip(wide + 0.5 - beside, 0, 1) * 0.6
            share = share[None, :, None] if axis else share[:, None, None]
            picture += (MAT_LINE - picture) * share
    mat: Floats = picture.astype(np.float32)
    return mat


def _rgb(hex_colour: str) -> Floats:
    shares: Floats = np.array([int(hex_colour[at : at + 2], 16) / 255 for at in (1, 3, 5)], dtype=np.float32)
    return shares


def _linear(hex_colour: str) -> Floats:
    linear: Floats = (_rgb(hex_colour) ** 2.2).astype(np.float32)
    return linear


def _shrunk(picture: Floats) -> Floats:
    height, width, depth = picture.shape
    cells = picture.reshape(height // FINER, FINER, width // FINER, FINER, depth)
    mean: Floats = cells.mean(axis=(1, 3), dtype=np.float32)
    return mean


def _png(picture: Floats) -> bytes:
    pixels = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels, "RGB").save(out, "PNG", optimize=True)
    return out.getvalue()
