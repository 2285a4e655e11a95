"""Pictures of what is in a file: a model on the bed, or the printed lines of a machine file. One light, one look."""

import io
import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .mesh import Triangles
from .raster import Floats, blurred, rasterise
from .toolpath import Toolpath

FINER = 2  # drawn this many times larger, then averaged
FILLS = 0.70  # of the picture, by the object
AZIMUTH, ELEVATION = math.radians(-32), math.radians(27)
FAR = 5.0  # the camera's distance in object radii: a little perspective
LIGHT = np.array([-0.72, -0.33, 1.0], dtype=np.float32) / np.float32(math.sqrt(0.72**2 + 0.33**2 + 1.0))
FILL_LIGHT = np.array([0.25, -0.95, 0.2], dtype=np.float32) / np.float32(
    math.sqrt(0.25**2 + 0.95**2 + 0.2**2)
)

PAPER = np.array([252, 249, 244], dtype=np.float32) / 255
PAPER_EDGE = np.array([243, 237, 228], dtype=np.float32) / 255
LINE = np.array([214, 203, 188], dtype=np.float32) / 255
SHADE = np.array([92, 66, 48], dtype=np.float32) / 255
CLAY = np.array([0.84, 0.245, 0.095], dtype=np.float32)  # linear light
CLAY_TOP = np.array([0.92, 0.42, 0.13], dtype=np.float32)


class Camera(NamedTuple):
    """Looks at `centre`; `scale` pixels a millimetre there, shown at `middle` of the picture."""

    centre: Floats
    right: Floats
    up: Floats
    forward: Floats
    distance: float
    scale: float
    middle: tuple[float, float]

    def see(self, points: Floats) -> tuple[Floats, Floats]:
        """Places in pixels (..., 2) and depths (...) of points (..., 3)."""
        seen = (points - self.centre) @ np.stack((self.right, self.up, self.forward), axis=1)
        shrink = np.float32(self.distance) / (np.float32(self.distance) + seen[..., 2])
        places = np.empty((*points.shape[:-1], 2), dtype=np.float32)
        places[..., 0] = self.middle[0] + seen[..., 0] * shrink * np.float32(self.scale)
        places[..., 1] = self.middle[1] - seen[..., 1] * shrink * np.float32(self.scale)
        return places, seen[..., 2]

    def finer(self, times: float) -> "Camera":
        return self._replace(
            scale=self.scale * times, middle=(self.middle[0] * times, self.middle[1] * times)
        )


def draw_mesh(triangles: Triangles, size: tuple[int, int] = (640, 640)) -> bytes:
    """A PNG of a model, (n, 3, 3) in millimetres, standing on the bed where its lowest point is."""
    corners = np.asarray(triangles, dtype=np.float32)
    return _draw(corners, np.broadcast_to(CLAY, (1, 3)), size)


def draw_toolpath(toolpath: Toolpath, size: tuple[int, int] = (640, 640)) -> bytes:
    """A PNG of the printed lines of a machine file, as they will lie on the bed, lighter with the height."""
    beads, heights = _beads(toolpath)
    share = ((heights - heights.min()) / max(float(np.ptp(heights)), 1e-6))[:, None].astype(np.float32)
    return _draw(beads, CLAY * (1 - share) + CLAY_TOP * share, size, occlusion=0.7)


def _draw(corners: Floats, colours: Floats, size: tuple[int, int], occlusion: float = 1.0) -> bytes:
    points = corners.reshape(-1, 3)
    low, high = points.min(axis=0), points.max(axis=0)
    camera = _camera(points, low, high, size)
    object_rgb, cover = _object(corners, colours, camera, size, float(np.linalg.norm(high - low)), occlusion)
    ground = _ground(corners, camera, size, low, high)
    picture = ground * (1 - cover[..., None]) + object_rgb
    pixels = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels, "RGB").save(out, "PNG", optimize=True)
    return out.getvalue()


def _camera(points: Floats, low: Floats, high: Floats, size: tuple[int, int]) -> Camera:
    sin_a, cos_a, sin_e, cos_e = (
        math.sin(AZIMUTH),
        math.cos(AZIMUTH),
        math.sin(ELEVATION),
        math.cos(ELEVATION),
    )
    ahead = np.array([-sin_a, cos_a, 0], dtype=np.float32)
    upward = np.array([0, 0, 1], dtype=np.float32)
    camera = Camera(
        centre=((low + high) / 2).astype(np.float32),
        right=np.array([cos_a, sin_a, 0], dtype=np.float32),
        up=ahead * np.float32(sin_e) + upward * np.float32(cos_e),
        forward=ahead * np.float32(cos_e) - upward * np.float32(sin_e),
        distance=FAR * max(float(np.linalg.norm(high - low)) / 2, 1e-3),
        scale=1.0,
        middle=(0.0, 0.0),
    )
    left, top, right, bottom = np.inf, np.inf, -np.inf, -np.inf
    for begin in range(0, len(points), 1_000_000):
        places, _ = camera.see(points[begin : begin + 1_000_000])
        (x0, y0), (x1, y1) = places.min(axis=0), places.max(axis=0)
        left, top, right, bottom = min(left, x0), min(top, y0), max(right, x1), max(bottom, y1)
    scale = float(FILLS * min(size[0] / max(right - left, 1e-6), size[1] / max(bottom - top, 1e-6)))
    middle = (size[0] / 2 - scale * (left + right) / 2, size[1] * 0.5 - scale * (top + bottom) / 2)
    return camera._replace(scale=scale, middle=(float(middle[0]), float(middle[1])))


def _object(
    corners: Floats, colours: Floats, camera: Camera, size: tuple[int, int], extent: float, occlusion: float
) -> tuple[Floats, Floats]:
    """The lit object, its colour already weighed by how much of each pixel it covers, and that cover."""
    width, height = size[0] * FINER, size[1] * FINER
    places, depths = camera.finer(FINER).see(corners)
    seen = rasterise(places, depths, width, height)
    there = seen.number >= 0
    number = seen.number[there]
    faces = corners[number]
    normals = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals / np.maximum(lengths, 1e-20)
    normals[(normals @ camera.forward) > 0] *= -1  # whichever way it was wound, we see its front
    key = np.maximum(normals @ LIGHT, 0)
    fill = np.maximum(normals @ FILL_LIGHT, 0)
    sky = 0.5 + 0.5 * normals[:, 2]
    half = LIGHT - camera.forward
    shine = np.maximum(normals @ (half / np.linalg.norm(half)), 0) ** 24
    open_sky = 1 - occlusion * _hollow(seen.depth, there, extent)[there]
    albedo = colours[number % len(colours)] if len(colours) > 1 else colours
    warm = np.array([1.0, 0.965, 0.90], dtype=np.float32)
    cool = np.array([0.86, 0.93, 1.0], dtype=np.float32)
    light = (0.95 * key * (0.35 + 0.65 * open_sky))[:, None] * warm + (
        (0.10 + 0.22 * sky + 0.12 * fill) * open_sky
    )[:, None] * cool
    colour = albedo * light + (0.05 * shine * open_sky)[:, None]
    shown = np.clip(colour, 0, None)
    shown = shown / (1 + 0.18 * shown)  # bright places roll off instead of clipping
    layer = np.zeros((height, width, 3), dtype=np.float32)
    layer[there] = np.clip(shown, 0, 1) ** np.float32(1 / 2.2)
    return _averaged(layer), _averaged(there.astype(np.float32)[..., None])[..., 0]


def _hollow(depth: Floats, there: NDArray[np.bool_], extent: float) -> Floats:
    """0 in the open to about 0.75 in corners and hollows: deeper than the mean of the surroundings.

    Worked out on every second pixel, and only where the surroundings belong to the object too: at its outline the
    mean is one-sided and would draw a dark rim.
    """
    coarse, solid = depth[::FINER, ::FINER], there[::FINER, ::FINER]
    cover = solid.astype(np.float32)
    filled = np.where(solid, coarse, 0).astype(np.float32)
    total = np.zeros_like(coarse)
    for radius, reach, weight in ((2, 0.010, 0.35), (6, 0.03, 0.4), (17, 0.08, 0.5)):
        share = blurred(cover, radius)
        around = blurred(filled, radius) / np.maximum(share, 1e-3)
        behind = np.where(solid, coarse - around, 0) / max(reach * extent, 1e-9)
        total += weight * np.clip(behind, 0, 1) * np.clip(share * 6 - 5, 0, 1)
    total = blurred(np.minimum(total, 0.75), 1)
    fine: Floats = total.repeat(FINER, axis=0).repeat(FINER, axis=1)
    return fine


def _averaged(layer: Floats) -> Floats:
    height, width, depth = layer.shape
    mean: Floats = layer.reshape(height // FINER, FINER, width // FINER, FINER, depth).mean(axis=(1, 3))
    return mean


def _ground(corners: Floats, camera: Camera, size: tuple[int, int], low: Floats, high: Floats) -> Floats:
    """Paper, the bed's grid fading away from the object, and the object's shadow."""
    width, height = size
    x, y = np.meshgrid(np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5)
    away = np.hypot((x - width / 2) / width, (y - height * 0.45) / height)
    picture = PAPER + (PAPER_EDGE - PAPER) * np.clip(away * 1.25, 0, 1)[..., None] ** 2

    across, along, valid = _on_bed(camera, x, y, float(low[2]))
    radius = float(np.linalg.norm((high - low)[:2])) / 2 + 0.25 * float((high - low)[2])
    centre = (low + high) / 2
    distance = np.hypot(across - centre[0], along - centre[1]) / max(radius, 1e-6)
    fade = np.where(valid, np.clip(1 - (distance - 0.75) / 1.0, 0, 1), 0) ** 1.5
    step = next((one for one in (1, 2, 5, 10, 20, 50, 100) if radius * 2 / one < 14), 200)
    lines = np.zeros_like(x)
    for place, middle in ((across, centre[0]), (along, centre[1])):
        beside = (place - middle) / step
        footprint = np.hypot(*np.gradient(beside)) + 1e-9
        near = np.abs(beside - np.round(beside)) / footprint
        lines = np.maximum(lines, np.clip(1.15 - near, 0, 1) * np.clip(0.35 / footprint, 0, 1))
    picture += (LINE - picture) * (lines * fade * 0.85)[..., None]

    shadow = _shadow(corners, camera, size, float(low[2]))
    shaded: Floats = picture + (SHADE - picture) * shadow[..., None]
    return shaded


def _on_bed(camera: Camera, x: Floats, y: Floats, floor: float) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Where on the bed each pixel looks, in millimetres, and whether it looks there at all."""
    eye = camera.centre - camera.forward * np.float32(camera.distance)
    u = (x - camera.middle[0]) / (camera.scale * camera.distance)
    v = (camera.middle[1] - y) / (camera.scale * camera.distance)
    ray = camera.forward + u[..., None] * camera.right + v[..., None] * camera.up
    down = ray[..., 2] < -1e-3
    travel = np.where(down, (floor - eye[2]) / np.where(down, ray[..., 2], -1), 0)
    return eye[0] + travel * ray[..., 0], eye[1] + travel * ray[..., 1], down


def _shadow(corners: Floats, camera: Camera, size: tuple[int, int], floor: float) -> Floats:
    """Thrown on the bed by a high light: dark and sharp at the foot, soft and pale around."""
    steep = LIGHT * np.array([0.8, 0.8, 1], dtype=np.float32)
    above = corners[..., 2:3] - np.float32(floor)
    laid = corners - above * (steep / steep[2])
    unit = max(size) / 640
    thrown = _outline(laid, camera, size)
    low_part = corners[above[..., 0].max(axis=1) <= 0.06 * max(float(above.max()), 1e-6)]
    foot = _outline(low_part * np.array([1, 1, 0], dtype=np.float32) + [0, 0, floor], camera, size)
    shade: Floats = np.clip(
        0.16 * blurred(thrown, max(1, round(5 * unit)))
        + 0.20 * blurred(thrown, max(1, round(14 * unit)))
        + 0.12 * blurred(thrown, max(1, round(30 * unit)))
        + 0.34 * blurred(foot, max(1, round(3 * unit))),
        0,
        0.75,
    )
    return shade


def _outline(laid: Floats, camera: Camera, size: tuple[int, int]) -> Floats:
    places, _ = camera.see(laid.astype(np.float32))
    flat = np.broadcast_to(np.zeros(1, dtype=np.float32), places.shape[:2])
    return (rasterise(places, flat, *size).number >= 0).astype(np.float32)


BEAD_MM = 0.45
# Across a bead, as shares of its half width and of its height: the upper half of a rounded bar.
_PROFILE = ((-1.0, 0.25), (-0.72, 0.86), (0.0, 1.0), (0.72, 0.86), (1.0, 0.25))


def _beads(toolpath: Toolpath) -> tuple[Floats, Floats]:
    """The triangles of all printed lines as rounded bars, and the height of each triangle's line."""
    lines = np.concatenate([np.frombuffer(piece, dtype=np.float32) for piece in toolpath.pieces()]).reshape(
        -1, 5
    )
    levels = np.unique(np.round(lines[:, 4], 3))
    tall = float(np.clip(np.median(np.diff(levels)), 0.04, 20.0)) if len(levels) > 1 else 0.2
    start, end, top = lines[:, 0:2], lines[:, 2:4], lines[:, 4]
    way = end - start
    length = np.linalg.norm(way, axis=1, keepdims=True)
    way = way / np.maximum(length, 1e-9)
    beside = np.stack((-way[:, 1], way[:, 0]), axis=1) * np.float32(BEAD_MM / 2 * 1.08)
    reach = way * np.float32(BEAD_MM * 0.3)
    ends = (start - reach, end + reach)
    rails = []
    for across, share in _PROFILE:
        z = (top - tall * (1 - share))[:, None]
        rails.append([np.concatenate((one + beside * np.float32(across), z), axis=1) for one in ends])
    pieces = []
    for (a, b), (c, d) in pairwise(rails):
        pieces += [np.stack((a, b, d), axis=1), np.stack((a, d, c), axis=1)]
    triangles = np.stack(pieces, axis=1).reshape(-1, 3, 3).astype(np.float32)
    return triangles, np.repeat(top, len(pieces))
