"""The land of the demo city: an outline, a river, and cells that nest by union."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

LON, LAT = 125.6, 29.4
#: Metres per degree there; good enough for a city that does not exist.
X = 111_320 * float(np.cos(np.radians(LAT)))
Y = 110_850.0
RADIUS = 21_000.0


@dataclass(frozen=True, kw_only=True)
class Land:
    """Cells and what they belong to. `community[i]` is the community of cell i, and so upwards."""

    cells: np.ndarray
    centre: np.ndarray  # metres from the middle of the city
    community: np.ndarray
    street: np.ndarray  # of each community
    district: np.ndarray  # of each street
    river: shapely.Geometry


def land(rng: np.random.Generator, grids: int, districts: int) -> Land:
    """Return about `grids` cells (a few at the edge fall away) in EPSG:4326."""
    outline, river = _outline(rng), _river(rng)
    ground = shapely.difference(outline, river)
    points = _seeds(rng, grids, ground)
    cells = np.empty(0, object)
    for step in range(3):  # two rounds of moving each seed to the middle of its cell
        cells = _cells(points, outline)
        if step < 2:
            middle = shapely.centroid(cells)
            points = np.column_stack((shapely.get_x(middle), shapely.get_y(middle)))
    shapely.prepare(ground)
    across = ~shapely.contains_properly(ground, cells)
    cells[across] = shapely.intersection(cells[across], ground)
    # What the river cuts off from a cell is left to the larger part; slivers fall away.
    many = np.array([g.geom_type not in ("Polygon",) for g in cells])
    for i in np.flatnonzero(many):
        parts = [p for p in shapely.get_parts(cells[i]) if p.geom_type == "Polygon"]
        cells[i] = max(parts, key=lambda p: p.area) if parts else shapely.Polygon()
    keep = shapely.area(cells) > 400
    cells = cells[keep]
    middle = shapely.point_on_surface(cells)
    centre = np.column_stack((shapely.get_x(middle), shapely.get_y(middle)))
    n = len(cells)
    towns = max(districts, round(118 * (n / 5000) ** 0.6))
    villages = max(towns, round(n / 3.42))
    community, seats = _clusters(rng, centre, villages)
    street, towns_at = _clusters(rng, seats, towns)
    district, _ = _clusters(rng, towns_at, districts)
    return Land(cells=_degrees(cells), centre=centre, community=community, street=street, district=district,
                river=_degrees(np.array([shapely.intersection(river, outline.buffer(2500))]))[0])


def _outline(rng: np.random.Generator) -> shapely.Geometry:
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    radius = np.full(720, RADIUS)
    for k in range(2, 14):
        radius += RADIUS * rng.normal(0, 0.17 / k) * np.cos(k * angle + rng.uniform(0, 6.3))
    return shapely.Polygon(np.column_stack((radius * np.cos(angle) * 1.18, radius * np.sin(angle))))


def _river(rng: np.random.Generator) -> shapely.Geometry:
    x = np.linspace(-2 * RADIUS, 2 * RADIUS, 400)
    y = 1800 * np.sin(x / 5200 + rng.uniform(0, 6)) + 2600 * np.sin(x / 13000 + rng.uniform(0, 6)) - 900
    stem = shapely.LineString(np.column_stack((x, y))).buffer(210)
    at = int(rng.integers(220, 260))
    side = np.linspace(0, 1, 120)
    arm = np.column_stack((x[at] + 2500 * np.sin(side * 7) * side, y[at] + side * 1.6 * RADIUS))
    lake = shapely.Point(-0.42 * RADIUS, 0.34 * RADIUS).buffer(1500)
    lake = shapely.affinity.scale(lake, 1.7, 0.8) if hasattr(shapely, "affinity") else lake
    return shapely.union_all([stem, shapely.LineString(arm).buffer(110), lake])


def _seeds(rng: np.random.Generator, n: int, ground: shapely.Geometry) -> np.ndarray:
    shapely.prepare(ground)
    found = np.empty((0, 2))
    while len(found) < n:
        # Dense in the middle, thin at the edge, and three smaller towns.
        r = RADIUS * 1.3 * rng.beta(1.25, 2.1, 4 * n)
        angle = rng.uniform(0, 2 * np.pi, 4 * n)
        some = np.column_stack((r * np.cos(angle) * 1.18, r * np.sin(angle)))
        for x, y in ((0.6, 0.35), (-0.55, -0.4), (0.2, -0.65)):
            town = rng.normal((x * RADIUS, y * RADIUS), 1500, (n // 6, 2))
            some = np.vstack((some, town))
        some = rng.permutation(some)
        found = np.vstack((found, some[shapely.contains_xy(ground, some[:, 0], some[:, 1])]))
    return found[:n]


def _cells(points: np.ndarray, outline: shapely.Geometry) -> np.ndarray:
    whole = shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=outline.buffer(3000), ordered=True)
    cells = shapely.get_parts(whole).copy()
    shapely.prepare(outline)
    over = ~shapely.contains_properly(outline, cells)
    cells[over] = shapely.intersection(cells[over], outline)
    return cells


def _clusters(rng: np.random.Generator, points: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return to which of n seats each point belongs, and the seats; every seat has points."""
    seats = points[rng.choice(len(points), min(n, len(points)), replace=False)]
    for _ in range(4):
        home = shapely.STRtree(shapely.points(seats)).nearest(shapely.points(points))
        used, home = np.unique(home, return_inverse=True)
        count = np.bincount(home)
        seats = np.column_stack([np.bincount(home, points[:, k]) / count for k in (0, 1)])
    return home, seats


def _degrees(shapes: np.ndarray) -> np.ndarray:
    moved = shapely.transform(shapes, lambda c: np.column_stack((LON + c[:, 0] / X, LAT + c[:, 1] / Y)))
    return shapely.set_precision(moved, 1e-7) if len(shapes) == 1 else moved
