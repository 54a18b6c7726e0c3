"""Small cities of squares for the tests of the boundary tree."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely

from queries.boundaries import AreasRead, read_areas
from queries.city.model import City

STEP = 0.01
WEST, SOUTH = 100.0, 30.0


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    """A rectangle whose corners are counted in steps from the south-western corner of the city."""
    return shapely.box(WEST + x0 * STEP, SOUTH + y0 * STEP, WEST + x1 * STEP, SOUTH + y1 * STEP)


def at(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude of a point counted in steps."""
    return WEST + x * STEP, SOUTH + y * STEP


def frame(rows: Iterable[dict[str, Any]], crs: str | None = "EPSG:4326") -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(list(rows), geometry="geometry", crs=crs)


def area(code: Any, shape: Any, parent: Any = None, **more: Any) -> dict[str, Any]:
    return {"code": code, "name": f"区域{code}", "parent": parent, **more, "geometry": shape}


def level(id_: str, file: str | None, **more: Any) -> dict[str, Any]:
    named = {} if file is None else {"code": "code", "name_column": "name", "parent": "parent"}
    return {"id": id_, "name": id_, "name_en": id_.title(), "file": file, **named, **more}


def city(*levels: dict[str, Any], **more: Any) -> City:
    """A city without a boundary file of its own, code C, with these levels below."""
    return City(**{"name": "云州", "name_en": "Yunzhou", "code": "C",
                   "levels": [level("city", None), *levels], **more})


def two_by_two() -> dict[str, gpd.GeoDataFrame]:
    """Two districts of two streets of four grids: D1 (x 0-4), D2 (x 4-8); streets are 2 wide, 2 high."""
    districts = [area(f"D{i}", box(4 * i - 4, 0, 4 * i, 2), "C") for i in (1, 2)]
    streets = [area(f"S{i}", box(2 * i - 2, 0, 2 * i, 2), f"D{(i + 1) // 2}") for i in (1, 2, 3, 4)]
    grids = [
        area(f"G{s}{n}", box(2 * s - 2 + (n - 1) % 2, (n - 1) // 2, 2 * s - 1 + (n - 1) % 2, (n + 1) // 2), f"S{s}")
        for s in (1, 2, 3, 4) for n in (1, 2, 3, 4)
    ]
    return {"district": frame(districts), "street": frame(streets), "grid": frame(grids)}


def write(folder: Path, frames: dict[str, gpd.GeoDataFrame]) -> list[dict[str, Any]]:
    """Write each frame as GeoJSON and return the levels that name them."""
    for name, one in frames.items():
        one.to_file(folder / f"{name}.geojson", driver="GeoJSON")
    return [level(name, f"{name}.geojson") for name in frames]


def read(folder: Path, frames: dict[str, gpd.GeoDataFrame] | None = None, **more: Any) -> AreasRead:
    """Write frames as files of a city and read them as its areas."""
    return read_areas(city(*write(folder, two_by_two() if frames is None else frames), **more), folder)


def reasons(found: AreasRead) -> list[tuple[str, str]]:
    """Grade and English reason of everything that was refused or doubted."""
    return [(refusal.grade, refusal.reason_en) for refusal in found.refusals]
