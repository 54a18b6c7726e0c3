"""Brings the shapes of one file to WGS 84 and refuses coordinates that cannot be what they claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from queries.boundaries import shapes
from queries.city import doors
from queries.city.model import LevelSpec
from queries.errors import BoundaryError

if TYPE_CHECKING:
    from queries.boundaries.read import LevelRead


def on_earth(geoms: np.ndarray, crs: str | None, spec: LevelSpec, log: LevelRead) -> np.ndarray:
    """Return the shapes in WGS 84. The CRS in city.toml wins over the file's own, with a note."""
    geoms = shapely.force_2d(geoms)
    if spec.crs and crs and not _same(spec.crs, crs):
        log.say(
            0, "crs", _short(crs), "doubted",
            f"文件声明的坐标系与 city.toml 不同，已按 city.toml 的 {spec.crs}",
            f"the file declares another system than city.toml; {spec.crs} of city.toml was used",
        )
    chosen = spec.crs or crs
    if chosen is None:
        _must_be_degrees(geoms, spec, "names no coordinate system")
        if (spec.file or "").lower().endswith((".shp", ".zip", ".gpkg", ".parquet", ".geoparquet")):
            log.say(
                0, "crs", "", "doubted", "文件没有坐标系说明，按经纬度 WGS 84 处理",
                "names no coordinate system: taken as degrees of WGS 84",
            )
        chosen = "EPSG:4326"
    if _in_degrees(chosen):
        geoms = _turned(geoms, spec, log)
        _must_be_degrees(geoms, spec, f"is said to be {_short(chosen)}, which is in degrees")
    try:
        moved = shapes.to_wgs84(geoms, chosen)
    except CRSError as bad:
        raise BoundaryError(
            f"{spec.file}: the coordinate system {_short(chosen)} is not known. "
            f"Write crs = \"EPSG:…\" for level {spec.id} in city.toml.",
            zh=f"{spec.file}：未知的坐标系 {_short(chosen)}。请在 city.toml 的层级 {spec.id} 中写明 crs = \"EPSG:…\"。",
        ) from bad
    if np.isnan(_medians(moved)).any() and not np.isnan(_medians(geoms)).any():
        raise BoundaryError(
            f"{spec.file}: its coordinates have no place on earth in {_short(chosen)}. "
            f"Write the right crs = \"EPSG:…\" for level {spec.id} in city.toml.",
            zh=f"{spec.file}：其坐标在 {_short(chosen)} 中没有位置。请在 city.toml 的层级 {spec.id} 中写明正确的坐标系 crs = \"EPSG:…\"。",
        )
    return moved


def _turned(geoms: np.ndarray, spec: LevelSpec, log: LevelRead) -> np.ndarray:
    """Exchange longitude and latitude where they can only be the wrong way round."""
    boxes = shapely.bounds(geoms)
    with np.errstate(invalid="ignore"):
        wrong = (np.abs(boxes[:, [1, 3]]) > 90).any(axis=1) & (np.abs(boxes[:, [1, 3]]) <= 180).all(axis=1)
        wrong &= (np.abs(boxes[:, [0, 2]]) <= 90).all(axis=1)
    if not wrong.any():
        return geoms
    log.say(
        0, "geometry", int(wrong.sum()), "doubted",
        f"{int(wrong.sum())} 个图形经纬度颠倒，已对调", f"{int(wrong.sum())} shapes have latitude first: exchanged",
    )
    geoms = geoms.copy()
    geoms[wrong] = shapes.swapped(geoms[wrong])
    return geoms


def _must_be_degrees(geoms: np.ndarray, spec: LevelSpec, claim: str) -> None:
    x, y = _medians(geoms)
    if np.isnan(x) or (abs(x) <= 180 and abs(y) <= 180):
        return
    raise BoundaryError(
        f"{spec.file} {claim}, but its coordinates ({x:.1f}, {y:.1f}) are no degrees. "
        f"Write the system they are in for level {spec.id} in city.toml, such as crs = \"EPSG:4547\".",
        zh=f"{spec.file} 的坐标 ({x:.1f}, {y:.1f}) 不是经纬度。请在 city.toml 的层级 {spec.id} 中写明其坐标系，例如 crs = \"EPSG:4547\"。",
    )


def _medians(geoms: np.ndarray) -> np.ndarray:
    boxes = shapely.bounds(geoms)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    return np.median(boxes[:, :2], axis=0) if len(boxes) else np.array([np.nan, np.nan])


def _in_degrees(crs: str) -> bool:
    if doors.is_offset(crs):
        return True
    try:
        return CRS.from_user_input(doors.plain(crs)).is_geographic
    except CRSError:
        return False


def _same(one: str, other: str) -> bool:
    if doors.plain(one) == doors.plain(other):
        return True
    if doors.is_offset(one):
        # No file format can name GCJ-02 or BD-09; such files say WGS 84 or CGCS2000.
        return _in_degrees(other)
    try:
        return CRS.from_user_input(doors.plain(one)).equals(CRS.from_user_input(other), ignore_axis_order=True)
    except CRSError:
        return False


def _short(crs: str) -> str:
    return crs if len(crs) < 40 else crs.split('"')[1] if '"' in crs else crs[:40]
