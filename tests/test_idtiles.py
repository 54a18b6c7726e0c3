"""Id tiles: every pixel is the area that holds its middle; small areas and enclaves are not lost."""

from __future__ import annotations

import io

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from layers._idtiles import SIZE, TileSet, mercator


def drawn(*shapes: shapely.Geometry, z: int = 0, x: int = 0, y: int = 0) -> np.ndarray:
    return TileSet([(i + 1, shapely.to_wkb(one)) for i, one in enumerate(shapes)]).numbers(z, x, y)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-170, 170), st.floats(-80, 80)), min_size=3, max_size=12), st.integers(0, 3))
def test_a_pixel_is_in_the_area_that_holds_its_middle(points: list[tuple[float, float]], z: int) -> None:
    shape = shapely.convex_hull(shapely.MultiPoint(points))
    flat = shapely.transform(shape, mercator)
    x0, y0, x1, y1 = shapely.bounds(flat) * SIZE * 2**z
    if shape.geom_type != "Polygon" or min(x1 - x0, y1 - y0) < 2:
        return

    found = drawn(shape, z=z, x=2**z // 2, y=2**z // 2)

    middle = (np.arange(SIZE) + 0.5 + SIZE * (2**z // 2)) / (SIZE * 2**z)
    column, row = np.meshgrid(middle, middle)
    inside = shapely.contains_xy(flat, column, row)
    # A middle on the very edge may fall to either side.
    edge = shapely.distance(shapely.boundary(flat), shapely.points(column, row)) < 1e-9
    assert ((found == 1) == inside)[~edge].all()


def test_neighbours_leave_no_gap_and_an_enclave_lies_on_top() -> None:
    whole, enclave = shapely.box(-100, -60, 100, 60), shapely.box(-10, -10, 10, 10)
    left, right = shapely.box(-100, -60, 3.3, 60), shapely.box(3.3, -60, 100, 60)

    split, nested = drawn(left, right), drawn(whole, enclave)

    assert ((split > 0) == (nested > 0)).all()
    assert nested[128, 128] == 2
    assert nested[128, 60] == 1


def test_a_hole_and_an_empty_part_show_nothing() -> None:
    ring = shapely.box(-100, -60, 100, 60) - shapely.box(-20, -20, 20, 20)

    found = drawn(ring, shapely.Polygon())

    assert found[128, 128] == 0
    assert found[128, 60] == 1
    assert set(np.unique(found)) == {0, 1}


def test_an_area_smaller_than_a_pixel_is_still_one_pixel() -> None:
    found = drawn(shapely.box(10, 10, 10.01, 10.01), shapely.box(-60.0, -10, -59.99, 10))

    assert (found == 1).sum() == 1
    assert (found == 2).sum() >= 1


def test_thinned_neighbours_leave_no_pixel_between_them() -> None:
    # A wavy border of many corners, which each side would thin in its own way.
    at = np.linspace(-60, 60, 4000)
    wave = np.column_stack((3 * np.sin(at * 2.1) + np.sin(at * 31), at))
    left = shapely.Polygon([(-100, -60), *wave, (-100, 60)])
    right = shapely.Polygon([(100, -60), *wave, (100, 60)])

    found = drawn(left, right)

    rows = found[np.flatnonzero((found > 0).any(1))[1:-1]]
    assert all((row[row.nonzero()[0][0]:row.nonzero()[0][-1] + 1] > 0).all() for row in rows)


def test_the_picture_holds_the_numbers_exactly() -> None:
    tiles = TileSet([(70_000, shapely.to_wkb(shapely.box(-100, -60, 100, 60)))])

    rgb = np.asarray(Image.open(io.BytesIO(tiles.picture(0, 0, 0)))).astype(int)

    assert (rgb @ [65536, 256, 1] == tiles.numbers(0, 0, 0)).all()
