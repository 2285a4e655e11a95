"""Triangles to pixels: a z-buffer in numpy, by rows, exact for one triangle over the whole picture as for a million
that are smaller than a pixel."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ROWS_AT_ONCE = 400_000
PIXELS_AT_ONCE = 2_000_000
MOST_PIXELS = 120_000_000  # a heap of giant triangles is left unfinished beyond this
NOTHING = np.int64(-1)
_DEPTHS = float(2**31 - 1) * 0.999


class Seen(NamedTuple):
    """What each pixel shows: `number` of the nearest triangle (-1: none) and its `depth` (infinite: none)."""

    number: NDArray[np.int64]
    depth: Floats


class Spans(NamedTuple):
    """Runs of covered pixels on one row each: first pixel, how many, its triangle, closeness there and a step on."""

    pixel: NDArray[np.int64]
    length: NDArray[np.int64]
    number: NDArray[np.int64]
    close: NDArray[np.float64]
    step: NDArray[np.float64]


def rasterise(places: Floats, depths: Floats, width: int, height: int) -> Seen:
    """`places` (n, 3, 2) in pixels, x to the right, y down; `depths` (n, 3), larger is farther away."""
    near, far = float(depths.min(initial=0)), float(depths.max(initial=0))
    scale = _DEPTHS / max(far - near, 1e-9)
    keys = np.full(width * height, NOTHING)
    top = np.maximum(np.ceil(places[:, :, 1].min(axis=1) - 0.5).astype(np.int64), 0)
    bottom = np.minimum(np.floor(places[:, :, 1].max(axis=1) - 0.5).astype(np.int64), height - 1)
    rows = np.maximum(bottom - top + 1, 0)
    drawn = np.flatnonzero(rows)
    work = 0
    for begin, end in _batches(rows[drawn], ROWS_AT_ONCE):
        chosen = drawn[begin:end]
        spans = _spans(places, (far - depths[chosen]) * scale, chosen, top[chosen], rows[chosen], width)
        for first, last in _batches(spans.length, PIXELS_AT_ONCE):
            work += int(spans.length[first:last].sum())
            if work <= MOST_PIXELS:
                _fill(keys, spans, slice(first, last))
    seen = keys >= 0
    depth = np.full(width * height, np.inf, dtype=np.float32)
    depth[seen] = far - (keys[seen] >> 32) / scale
    number = np.where(seen, keys & 0xFFFFFFFF, NOTHING)
    return Seen(number.reshape(height, width), depth.reshape(height, width))


def _batches(sizes: NDArray[np.int64], most: int) -> list[tuple[int, int]]:
    """Cuts a list of sizes into runs whose sums stay near `most`."""
    if not len(sizes):
        return []
    share = np.cumsum(sizes) // most
    cuts = np.flatnonzero(np.diff(share)) + 1
    edges = [0, *(int(one) for one in cuts), len(sizes)]
    return list(pairwise(edges))


def _spans(
    places: Floats,
    closeness: Floats,
    chosen: NDArray[np.int64],
    top: NDArray[np.int64],
    rows: NDArray[np.int64],
    width: int,
) -> Spans:
    """The covered run of pixels on every row of every chosen triangle.

    A pixel is covered when its centre is; each edge bounds x from one side on a row.
    """
    corners = places[chosen].astype(np.float64)
    x, y = corners[:, :, 0], corners[:, :, 1]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (y[:, 1] - y[:, 0]) * (x[:, 2] - x[:, 0])
    real = np.abs(area) > 1e-9
    turn = np.where(area < 0, -1.0, 1.0)
    over = 1 / np.where(real, area, 1.0)
    dx = ((closeness[:, 1] - closeness[:, 0]) * (y[:, 2] - y[:, 0])
          - (closeness[:, 2] - closeness[:, 0]) * (y[:, 1] - y[:, 0])) * over  # fmt: skip
    dy = ((closeness[:, 2] - closeness[:, 0]) * (x[:, 1] - x[:, 0])
          - (closeness[:, 1] - closeness[:, 0]) * (x[:, 2] - x[:, 0])) * over  # fmt: skip

    of = np.repeat(np.arange(len(chosen)), rows)
    down = np.arange(len(of)) - np.repeat(np.cumsum(rows) - rows, rows)
    row = top[of] + down
    centre = row + 0.5
    least, most = np.full(len(of), -np.inf), np.full(len(of), np.inf)
    for corner in range(3):
        following = (corner + 1) % 3
        rise = turn * (y[:, following] - y[:, corner])
        run = turn * (x[:, following] - x[:, corner])
        # inside: run * (centre - y) - rise * (x' - x) >= 0
        with np.errstate(divide="ignore", invalid="ignore"):
            bound = x[of, corner] + run[of] * (centre - y[of, corner]) / rise[of]
        up = rise[of]
        most = np.where(up > 0, np.minimum(most, bound), most)
        least = np.where(up < 0, np.maximum(least, bound), least)
    first = np.ceil(np.clip(least, 0, width) - 0.5001).astype(np.int64)
    last = np.floor(np.clip(most, 0, width) - 0.4999).astype(np.int64)
    first, last = np.maximum(first, 0), np.minimum(last, width - 1)
    kept = np.flatnonzero((last >= first) & real[of])
    of, row, first, last = of[kept], row[kept], first[kept], last[kept]
    close = closeness[of, 0] + dx[of] * (first + 0.5 - x[of, 0]) + dy[of] * (row + 0.5 - y[of, 0])
    return Spans(row * width + first, last - first + 1, chosen[of], close, dx[of])


def _fill(keys: NDArray[np.int64], spans: Spans, part: slice) -> None:
    length = spans.length[part]
    along = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
    close = np.repeat(spans.close[part], length) + np.repeat(spans.step[part], length) * along
    key = (np.clip(close, 0, _DEPTHS).astype(np.int64) << 32) | np.repeat(spans.number[part], length)
    np.maximum.at(keys, np.repeat(spans.pixel[part], length) + along, key)


def blurred(picture: Floats, radius: int) -> Floats:
    """Three box blurs, close to a Gaussian; outside the picture counts as zero."""
    for _ in range(3):
        for axis in (0, 1):
            padded = np.pad(picture, [(radius + 1, radius) if one == axis else (0, 0) for one in (0, 1)])
            sums = np.cumsum(padded, axis=axis, dtype=np.float64)
            size = picture.shape[axis]
            far, near = np.arange(2 * radius + 1, size + 2 * radius + 1), np.arange(size)
            picture = ((sums.take(far, axis) - sums.take(near, axis)) / (2 * radius + 1)).astype(np.float32)
    return picture
