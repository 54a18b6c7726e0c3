"""Shapes as such: into WGS 84, measured, repaired, only polygons. Knows no code and no parent."""

from __future__ import annotations

import numpy as np
import shapely

from queries.city import doors

#: Semi-major axis and eccentricity squared of WGS 84.
_AXIS = 6378137.0
_ECCENTRICITY = 0.00669437999014
#: Longer edges are divided before they are converted, so that they bend with their neighbours.
_EDGE_M = 200.0
_EDGE_DEGREES = 0.002


def to_wgs84(geoms: np.ndarray, crs: str) -> np.ndarray:
    """Return shapes in WGS 84 from any system for which there is a door."""
    if doors.plain(crs) in ("EPSG:4326", "EPSG:4490"):
        return geoms

    def move(points: np.ndarray) -> np.ndarray:
        return np.column_stack(doors.to_wgs84(points[:, 0], points[:, 1], crs))

    edge = _EDGE_DEGREES if doors.is_offset(crs) else _EDGE_M
    return shapely.transform(shapely.segmentize(geoms, edge), move)


def swapped(geoms: np.ndarray) -> np.ndarray:
    """Return shapes with longitude and latitude exchanged."""
    return shapely.transform(geoms, lambda points: points[:, ::-1])


def square_metres(geoms: np.ndarray) -> np.ndarray:
    """Return the areas in square metres of shapes of WGS 84, none larger than a city.

    Shapes are overlaid and measured in degrees, in which their edges are straight: in any projection
    a long edge and the vertices of its neighbours along it would part by metres. One square degree at
    the middle of a shape tells the rest.
    """
    sizes = shapely.area(geoms)
    middles = shapely.centroid(geoms)
    middles[shapely.is_empty(middles)] = shapely.Point(0, 0)
    lat = np.radians(shapely.get_y(middles))
    bent = 1.0 - _ECCENTRICITY * np.sin(lat) ** 2
    north, east = _AXIS * (1.0 - _ECCENTRICITY) / bent**1.5, _AXIS / np.sqrt(bent) * np.cos(lat)
    return sizes * north * east * np.radians(1.0) ** 2


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
