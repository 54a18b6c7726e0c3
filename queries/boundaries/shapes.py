"""Shapes as such: into WGS 84, into metres, repaired, only polygons. Knows no code and no parent."""

from __future__ import annotations

import numpy as np
import shapely
from pyproj import Transformer

from queries.city import doors

Bounds = tuple[float, float, float, float]


def to_wgs84(geoms: np.ndarray, crs: str) -> np.ndarray:
    """Return shapes in WGS 84 from any system for which there is a door."""
    if doors.plain(crs) in ("EPSG:4326", "EPSG:4490"):
        return geoms

    def move(points: np.ndarray) -> np.ndarray:
        return np.column_stack(doors.to_wgs84(points[:, 0], points[:, 1], crs))

    return shapely.transform(geoms, move)


def swapped(geoms: np.ndarray) -> np.ndarray:
    """Return shapes with longitude and latitude exchanged."""
    return shapely.transform(geoms, lambda points: points[:, ::-1])


class Metric:
    """Square metres near one place: an equal-area projection around its middle."""

    def __init__(self, bounds: Bounds) -> None:
        west, south, east, north = bounds
        plane = (
            f"+proj=laea +lat_0={(south + north) / 2:.4f} +lon_0={(west + east) / 2:.4f} "
            "+datum=WGS84 +units=m +no_defs"
        )
        self._there = Transformer.from_crs("EPSG:4326", plane, always_xy=True)

    def plane(self, geoms: np.ndarray) -> np.ndarray:
        """Return shapes of WGS 84 in metres."""

        def move(points: np.ndarray) -> np.ndarray:
            return np.column_stack(self._there.transform(points[:, 0], points[:, 1]))

        return shapely.transform(geoms, move)

    def areas(self, geoms: np.ndarray) -> np.ndarray:
        """Return the areas in square metres of shapes of WGS 84."""
        return shapely.area(self.plane(geoms))


def polygons(shape: shapely.Geometry | None) -> shapely.Geometry | None:
    """Return the polygons of any shape as Polygon or MultiPolygon; None if it has none."""
    if shape is None or shape.is_empty:
        return None
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    if shape.geom_type != "GeometryCollection":
        return None
    parts = [
        part
        for member in shape.geoms
        if (inner := polygons(member)) is not None
        for part in shapely.get_parts(inner)
    ]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def repaired(shape: shapely.Geometry) -> shapely.Geometry | None:
    """Return the nearest valid polygons of a shape whose rings cross or touch themselves."""
    return polygons(shapely.make_valid(shape, method="structure", keep_collapsed=False))


def label_points(geoms: np.ndarray) -> np.ndarray:
    """Return a point inside each shape, as columns of longitude and latitude."""
    return shapely.get_coordinates(shapely.point_on_surface(geoms))


def digest_bytes(geoms: np.ndarray) -> np.ndarray:
    """Return WKB rounded to about a centimetre: what makes two shapes the same."""
    rounded = shapely.transform(geoms, lambda points: np.round(points, 7) + 0.0)
    return shapely.to_wkb(rounded, byte_order=1, output_dimension=2)
