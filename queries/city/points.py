"""Turns two text columns into WGS 84 points, and tells the points that cannot be meant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from pyproj import CRS

from queries.city import doors
from queries.city.sieve import Sieve
from queries.city.values import numbers

Extent = tuple[float, float, float, float]
#: Degrees around the extent in which a point is still no mistake of writing.
_MARGIN = 0.5
_FEW = 20


@dataclass
class PointReader:
    """Reads the points of one table; without a given extent it learns one from the first chunk."""

    crs: str
    extent: Extent | None = None
    told: bool = False

    def read(self, x: pl.Series, y: pl.Series, sieve: Sieve) -> tuple[pl.Series, pl.Series]:
        """Return (lon, lat); both are null where there is no point or it is not trusted."""
        east, bad_east = numbers(x)
        north, bad_north = numbers(y)
        sieve.doubt(bad_east, "lon", x, "坐标不是数字", "the coordinate is no number")
        sieve.doubt(bad_north, "lat", y, "坐标不是数字", "the coordinate is no number")
        half = (east.is_null() != north.is_null()) & ~bad_east & ~bad_north
        sieve.doubt(half, "lon" if east.null_count() > north.null_count() else "lat", None,
                    "坐标只有一半", "only one of the two coordinates is given")
        lon, lat = east.fill_null(np.nan).to_numpy().copy(), north.fill_null(np.nan).to_numpy().copy()
        lon[np.isnan(lat)] = np.nan
        lat[np.isnan(lon)] = np.nan
        self._doubt(lon, lat, (lon == 0) & (lat == 0), sieve, x, y, "坐标为 0,0，视为没有坐标", "the point 0,0 is taken for no point")
        if self._is_degrees():
            swapped = self._swapped(lon, lat)
            if not self.told and swapped.sum() >= _FEW and swapped.sum() * 2 > (~np.isnan(lon)).sum():
                self.told = True
                sieve.whole("lon, lat", "", "大部分行的经纬度疑似颠倒，请在 city.toml 中对调 lon 与 lat 两列",
                            "longitude and latitude of most rows seem to be swapped: exchange the columns of lon and lat in city.toml")
            self._doubt(lon, lat, swapped, sieve, x, y,
                        "经纬度疑似颠倒，未采用该坐标", "longitude and latitude seem to be swapped; the point is not used")
            self._doubt(lon, lat, (np.abs(lon) > 180) | (np.abs(lat) > 90), sieve, x, y,
                        "坐标超出经纬度范围，请核对坐标系", "the point is not in degrees: is the declared crs right?")
        known = ~np.isnan(lon)
        there_lon, there_lat = doors.to_wgs84(lon, lat, self.crs)
        lost = known & (np.isnan(there_lon) | np.isnan(there_lat))
        self._doubt(there_lon, there_lat, lost, sieve, x, y,
                    "坐标在所声明的坐标系中无效", "the point has no place in the declared crs")
        self._tell(there_lon, there_lat, sieve)
        return _series("lon", there_lon), _series("lat", there_lat)

    def _is_degrees(self) -> bool:
        return doors.is_offset(self.crs) or CRS.from_user_input(doors.plain(self.crs)).is_geographic

    @staticmethod
    def _doubt(
        lon: np.ndarray, lat: np.ndarray, mask: np.ndarray, sieve: Sieve, x: pl.Series, y: pl.Series, zh: str, en: str
    ) -> None:
        if not mask.any():
            return
        marked = pl.Series(mask)
        told = pl.select(pl.concat_str(x, pl.lit(", "), y, ignore_nulls=True)).to_series()
        sieve.doubt(marked, "lon, lat", told, zh, en)
        lon[mask] = np.nan
        lat[mask] = np.nan

    def _swapped(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        never = (np.abs(lat) > 90) & (np.abs(lat) <= 180) & (np.abs(lon) <= 90)
        area = self.extent or self._learned(lon, lat)
        if area is None:
            return never
        return never | (~_inside(lon, lat, area) & _inside(lat, lon, area))

    def _learned(self, lon: np.ndarray, lat: np.ndarray) -> Extent | None:
        known = ~np.isnan(lon)
        if known.sum() < _FEW:
            return None
        x, y = float(np.median(lon[known])), float(np.median(lat[known]))
        return x - 1.5, y - 1.5, x + 1.5, y + 1.5

    def _tell(self, lon: np.ndarray, lat: np.ndarray, sieve: Sieve) -> None:
        """Say once if most points are not in the city at all: the declared crs will be wrong."""
        known = ~np.isnan(lon)
        if self.told or self.extent is None or known.sum() < _FEW:
            return
        out = known & ~_inside(lon, lat, self.extent)
        if out.sum() * 2 > known.sum():
            self.told = True
            sieve.whole("crs", self.crs,
                        f"大部分坐标（{int(out.sum())}/{int(known.sum())}）不在城市范围内，请核对坐标系与经纬度列",
                        f"most points ({int(out.sum())} of {int(known.sum())}) lie far from the city: check crs and the lon/lat columns")


def _inside(lon: np.ndarray, lat: np.ndarray, area: Extent) -> np.ndarray:
    west, south, east, north = area
    return (lon >= west - _MARGIN) & (lon <= east + _MARGIN) & (lat >= south - _MARGIN) & (lat <= north + _MARGIN)


def _series(name: str, values: np.ndarray) -> pl.Series:
    return pl.Series(name, values, pl.Float64).fill_nan(None)
