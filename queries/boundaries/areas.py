"""All levels of a city together: files read, checked against each other, hung under each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from queries.boundaries import shapes
from queries.boundaries.parents import TreePlan, check_types, plan
from queries.boundaries.read import COLUMNS, LevelRead, read_level
from queries.city.model import City
from queries.city.sieve import Refusal
from queries.errors import BoundaryError

#: A level that lies farther than this from those above it was read in the wrong coordinate system.
FAR_DEGREES = 0.5


@dataclass(frozen=True, kw_only=True)
class AreasRead:
    """All areas of a city, all levels, all days; `trees` says how they hang together when."""

    city: City
    areas: pd.DataFrame  # see read.COLUMNS; shapes in WGS 84
    trees: list[TreePlan]
    levels: list[LevelRead]
    root_shape: shapely.Geometry
    root_given: bool  # False: no file has the city's own boundary, it is the union of the top areas

    @property
    def refusals(self) -> list[Refusal]:
        """Return everything that was refused or doubted, level after level."""
        return [refusal for level in self.levels for refusal in level.refusals]


def read_areas(city: City, folder: Path) -> AreasRead:
    """Return the areas of a city from the files that its levels name. Raises BoundaryError."""
    frames: list[pd.DataFrame] = []
    logs: list[LevelRead] = []
    for number, spec in enumerate(city.levels):
        log = LevelRead(level=number, id=spec.id, name=spec.name, name_en=spec.name_en or spec.name,
                        file=spec.file or "", read=0)
        logs.append(log)
        if spec.file:
            frame = read_level(city, folder, number, log)
            frames.append(_beside(frame, frames, spec.id, spec.file, log))
    areas = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))
    check_types(city, areas, logs)
    _separate(city, areas, logs)
    trees = plan(city, areas, logs)
    if not trees:
        raise BoundaryError(
            f"No boundary of {city.name} could be used: every area was refused. " + _reasons(logs, "en"),
            zh=f"{city.name} 没有可用的边界：所有区域都被拒收。" + _reasons(logs, "zh"),
        )
    given = areas[areas["level"] == 0]
    newest = trees[-1]
    if len(given):
        held = np.array([to is None or to > newest.valid_from for to in given["valid_to"]])
        shape = shapely.union_all(given["geometry"].to_numpy()[held if held.any() else ~held])
    else:
        shape = shapely.union_all(areas["geometry"].to_numpy()[newest.rows[newest.parent == -1]])
    return AreasRead(city=city, areas=areas, trees=trees, levels=logs, root_shape=shapes.polygons(shape),
                     root_given=bool(len(given)))


def _reasons(logs: list[LevelRead], language: str) -> str:
    """Return why areas were refused, each reason once with where it was met first."""
    first: dict[str, str] = {}
    for log in logs:
        for r in log.refusals:
            if r.grade == "refused":
                said = r.reason if language == "zh" else r.reason_en
                row = f"数据第 {r.row} 行" if language == "zh" else f"data row {r.row}"
                first.setdefault(f"{log.id} {said}", f"{log.file} {row} {r.field} = {r.value!r}: {said}")
    return "; ".join(list(first.values())[:5])


def _beside(
    frame: pd.DataFrame, others: list[pd.DataFrame], level: str, file: str, log: LevelRead
) -> pd.DataFrame:
    """Make sure that a level lies where the levels above it lie."""
    others = [other for other in others if len(other)]
    if frame.empty or not others:
        return frame
    above = shapely.box(*shapely.total_bounds(np.concatenate([o["geometry"].to_numpy() for o in others])))
    geoms = frame["geometry"].to_numpy()
    if shapely.box(*shapely.total_bounds(geoms)).intersects(above):
        return frame
    turned = shapes.swapped(geoms)
    if shapely.box(*shapely.total_bounds(turned)).intersects(above):
        log.say(0, "geometry", len(frame), "doubted", "整个文件经纬度颠倒，已对调", "the whole file has latitude first: exchanged")
        return frame.assign(geometry=turned)
    if above.distance(shapely.box(*shapely.total_bounds(geoms))) < FAR_DEGREES:
        return frame
    here, there = shapely.get_coordinates(above.centroid)[0], np.median(shapely.bounds(geoms), axis=0)[:2]
    raise BoundaryError(
        f"{file} (level {level}) lies near ({there[0]:.3f}, {there[1]:.3f}), but the levels above it near "
        f"({here[0]:.3f}, {here[1]:.3f}). Check its crs in city.toml.",
        zh=f"{file}（层级 {level}）位于 ({there[0]:.3f}, {there[1]:.3f}) 附近，而上级位于 ({here[0]:.3f}, {here[1]:.3f}) 附近。请核对 city.toml 中的坐标系 crs。",
    )


def _separate(city: City, areas: pd.DataFrame, logs: list[LevelRead]) -> None:
    """Give codes that a level above uses too a prefix, so that a code means one place."""
    taken = {city.code}
    for number, spec in enumerate(city.levels[1:], start=1):
        here = areas["level"] == number
        clash = here & areas["raw_code"].isin(taken)
        if clash.any():
            areas.loc[clash, "code"] = f"{spec.id}:" + areas.loc[clash, "raw_code"]
            n = int(clash.sum())
            logs[number].say(
                0, "code", n, "doubted", f"{n} 个编码与上级重复，已加前缀 {spec.id}:",
                f"{n} codes are used above too: written with {spec.id}: before them",
            )
        taken |= set(areas.loc[here, "raw_code"])
