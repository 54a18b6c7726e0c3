"""The doors through which coordinates come in: any declared system to WGS 84, once, and nowhere else."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

#: The offset systems of Chinese web maps; they have no EPSG code.
GCJ02 = "GCJ02"
BD09 = "BD09"
_OFFSET = {"GCJ02": GCJ02, "MARS": GCJ02, "BD09": BD09, "BD09LL": BD09}

#: Semi-major axis and eccentricity squared of the Krasovsky ellipsoid, as the GCJ-02 offset uses them.
_AXIS = 6378245.0
_ECCENTRICITY = 0.00669342162296594323
_BD_PI = np.pi * 3000.0 / 180.0

Points = tuple[np.ndarray, np.ndarray]


def plain(name: str) -> str:
    """Return a coordinate system's name in one spelling: 'GCJ02', 'BD09', 'EPSG:4490'."""
    word = re.sub(r"[\s_\-]", "", name).upper()
    if word in _OFFSET:
        return _OFFSET[word]
    if word in ("WGS84", "CRS84"):
        return "EPSG:4326"
    if word == "CGCS2000":
        return "EPSG:4490"
    if word.isdigit():
        return f"EPSG:{word}"
    return word if re.fullmatch(r"[A-Z]+:\d+", word) else name.strip()


@lru_cache(maxsize=64)
def is_known(name: str) -> bool:
    """Return whether there is a door for a coordinate system."""
    # pyproj would also guess from a mere place name ("Beijing"), which is too much luck for a coordinate.
    if plain(name) in (GCJ02, BD09):
        return True
    if not re.match(r"[A-Z]+:\d+$|\+proj=|(PROJ|GEOG|GEOD|BOUND|COMPOUND)[A-Z]*\[", plain(name)):
        return False
    try:
        return CRS.from_user_input(plain(name)) is not None
    except CRSError:
        return False


def is_offset(name: str) -> bool:
    """Return whether a system is GCJ-02 or BD-09, which no map library can convert."""
    return plain(name) in (GCJ02, BD09)


@lru_cache(maxsize=64)
def _transformer(name: str) -> Transformer:
    return Transformer.from_crs(plain(name), "EPSG:4326", always_xy=True)


def to_wgs84(x: np.ndarray, y: np.ndarray, crs: str) -> Points:
    """Return longitude and latitude in WGS 84; NaN where a point has no place there.

    `x` is the longitude or easting whatever the order of the system's official axes.
    """
    x = np.asarray(x, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64)
    name = plain(crs)
    if name == GCJ02:
        return gcj02_to_wgs84(x, y)
    if name == BD09:
        return gcj02_to_wgs84(*bd09_to_gcj02(x, y))
    # CGCS2000 and WGS 84 differ by centimetres: the same at the scale of any screen.
    if name in ("EPSG:4326", "EPSG:4490"):
        return x.copy(), y.copy()
    lon, lat = _transformer(name).transform(x, y)
    bad = ~(np.isfinite(lon) & np.isfinite(lat))
    return np.where(bad, np.nan, lon), np.where(bad, np.nan, lat)


def _outside_china(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    return ~((lon >= 72.004) & (lon <= 137.8347) & (lat >= 0.8293) & (lat <= 55.8271))


def _offset(lon: np.ndarray, lat: np.ndarray) -> Points:
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    angle = lat / 180.0 * np.pi
    magic = 1.0 - _ECCENTRICITY * np.sin(angle) ** 2
    turn = np.sqrt(magic)
    north = north * 180.0 / ((_AXIS * (1.0 - _ECCENTRICITY)) / (magic * turn) * np.pi)
    east = east * 180.0 / (_AXIS / turn * np.cos(angle) * np.pi)
    return east, north


def wgs84_to_gcj02(lon: np.ndarray, lat: np.ndarray) -> Points:
    """Return GCJ-02 coordinates; a point outside China is not moved."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    east, north = _offset(lon, lat)
    out = _outside_china(lon, lat)
    return np.where(out, lon, lon + east), np.where(out, lat, lat + north)


def gcj02_to_wgs84(lon: np.ndarray, lat: np.ndarray) -> Points:
    """Return WGS 84 coordinates by iteration (1e-9 degrees); a point outside China is not moved."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    out = _outside_china(lon, lat)
    to_lon, to_lat = lon.copy(), lat.copy()
    for _ in range(12):
        east, north = _offset(to_lon, to_lat)
        next_lon, next_lat = lon - east, lat - north
        moved = np.maximum(np.abs(next_lon - to_lon), np.abs(next_lat - to_lat))
        to_lon, to_lat = next_lon, next_lat
        if not np.any(moved[~out] > 1e-10):
            break
    return np.where(out, lon, to_lon), np.where(out, lat, to_lat)


def gcj02_to_bd09(lon: np.ndarray, lat: np.ndarray) -> Points:
    """Return BD-09 coordinates of GCJ-02 ones."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    far = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_PI)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_PI)
    return far * np.cos(angle) + 0.0065, far * np.sin(angle) + 0.006


def bd09_to_gcj02(lon: np.ndarray, lat: np.ndarray) -> Points:
    """Return GCJ-02 coordinates of BD-09 ones, by iteration (1e-9 degrees)."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    to_lon, to_lat = lon - 0.0065, lat - 0.006
    for _ in range(12):
        there_lon, there_lat = gcj02_to_bd09(to_lon, to_lat)
        off_lon, off_lat = there_lon - lon, there_lat - lat
        to_lon, to_lat = to_lon - off_lon, to_lat - off_lat
        if not np.any(np.maximum(np.abs(off_lon), np.abs(off_lat)) > 1e-10):
            break
    return to_lon, to_lat
