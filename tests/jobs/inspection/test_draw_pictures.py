"""Pictures show the object: whole, in the middle, one shape for one triangle as for many."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from jobs.inspection.mesh import Triangles
from jobs.inspection.pictures import draw_mesh, draw_toolpath
from jobs.inspection.raster import rasterise
from jobs.inspection.toolpath import Toolpath
from tests.samples import shapes


def solid(triangles: list[shapes.Triangle]) -> Triangles:
    return np.array(triangles, dtype=np.float32)


def pixels(png: bytes) -> NDArray[np.int_]:
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGB"), dtype=int)


def coloured(png: bytes) -> NDArray[np.bool_]:
    """Where the object is: clay is much redder than blue, paper and shadow are not."""
    shown = pixels(png)
    return np.asarray(shown[..., 0] - shown[..., 2] > 45)


@pytest.mark.parametrize("size", [(640, 640), (320, 240), (200, 400)])
def test_a_model_stands_whole_in_the_middle(size: tuple[int, int]) -> None:
    there = coloured(draw_mesh(solid(shapes.spinning_top()), size))
    assert there.shape == (size[1], size[0])
    rows, columns = np.nonzero(there)
    assert rows.min() > 0 and columns.min() > 0
    assert rows.max() < size[1] - 1 and columns.max() < size[0] - 1
    assert abs((columns.min() + columns.max()) / 2 - size[0] / 2) < 0.03 * size[0]
    assert there.mean() > 0.1


def test_large_triangles_leave_no_gap() -> None:
    there = coloured(draw_mesh(solid(shapes.box(20, 20, 20))))
    rows, columns = np.nonzero(there)
    for row in np.unique(rows):
        run = columns[rows == row]
        assert run.max() - run.min() + 1 == len(run)


def test_the_same_shape_looks_the_same_in_few_and_in_many_triangles() -> None:
    coarse = solid(shapes.box(20, 20, 20))
    fine = coarse
    for _ in range(5):
        a, b, c = fine[:, 0], fine[:, 1], fine[:, 2]
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        fine = np.concatenate(
            [np.stack(one, axis=1) for one in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
        )
    assert len(fine) == 12 * 4**5
    difference = np.abs(pixels(draw_mesh(coarse)) - pixels(draw_mesh(fine)))
    assert (difference.max(axis=2) > 12).mean() < 0.002


def test_a_flipped_model_looks_like_the_right_one() -> None:
    triangles = solid(shapes.spinning_top())
    difference = np.abs(pixels(draw_mesh(triangles)) - pixels(draw_mesh(triangles[:, ::-1])))
    assert (difference.max(axis=2) > 12).mean() < 0.002


def test_the_same_model_gives_the_same_picture() -> None:
    triangles = solid(shapes.spinning_top())
    assert draw_mesh(triangles) == draw_mesh(triangles)


def test_printed_lines_are_drawn() -> None:
    toolpath = Toolpath()
    for layer in range(20):
        for x0, y0, x1, y1 in ((0, 0, 20, 0), (20, 0, 20, 20), (20, 20, 0, 20), (0, 20, 0, 0)):
            toolpath.add(x0, y0, x1, y1, 0.2 * (layer + 1))
    assert coloured(draw_toolpath(toolpath)).mean() > 0.03


@pytest.mark.parametrize(
    "triangles",
    [
        np.zeros((1, 3, 3)),
        np.array([[[0, 0, 0], [1e5, 0, 0], [0, 1e-5, 0]]]),
        np.tile(np.array([[[0, 0, 0], [900, 0, 300], [0, 900, 900]]]), (3000, 1, 1)),
    ],
    ids=["a point", "a hair", "a heap of giants"],
)
def test_odd_models_are_drawn_without_complaint(triangles: NDArray[np.float64]) -> None:
    assert draw_mesh(triangles.astype(np.float32)).startswith(b"\x89PNG")


def test_the_nearer_triangle_hides_the_farther_one() -> None:
    square = np.array([[[0, 0], [40, 0], [0, 40]], [[0, 0], [40, 0], [0, 40]]], dtype=np.float32)
    depths = np.array([[2, 2, 2], [1, 1, 3.5]], dtype=np.float32)
    seen = rasterise(square, depths, 40, 40)
    assert seen.number[1, 1] == 1 and seen.number[37, 1] == 0 and seen.number[39, 39] == -1
    assert seen.depth[1, 1] == pytest.approx(1 + 2.5 * 1.5 / 40, abs=0.02)
