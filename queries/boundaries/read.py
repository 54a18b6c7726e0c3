"""Reads the boundary files of a city: valid polygons in WGS 84 with clean codes, and every refusal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from queries.boundaries import fields, shapes
from queries.boundaries.files import open_file
from queries.boundaries.place_on_earth import on_earth
from queries.city.model import City, LevelSpec
from queries.city.sieve import Grade, Refusal
from queries.errors import BoundaryError
from queries.places import EARLY

#: No code is longer: an index of PostgreSQL takes 2,700 bytes at most.
LONGEST = 200
COLUMNS = (
    "level", "code", "raw_code", "name", "name_en", "parent", "residents", "valid_from", "valid_to",
    "row", "geometry",
)


@dataclass(kw_only=True)
class LevelRead:
    """What became of one level's file. `refusals` grows until the tree is planned."""

    level: int
    id: str
    name: str
    name_en: str
    file: str
    read: int
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def source(self) -> str:
        """Return the id under which this level stands among the sources."""
        return f"areas-{self.id}"

    @property
    def refused(self) -> int:
        """Return how many rows were not loaded."""
        return len({r.row for r in self.refusals if r.grade == "refused"})

    @property
    def kept(self) -> int:
        """Return how many rows became areas."""
        return self.read - self.refused

    def say(self, row: int, column: str, value: Any, grade: Grade, zh: str, en: str) -> None:
        """Note what is wrong with a row."""
        self.refusals.append(Refusal(
            row=row, field=column, value="" if value is None else str(value)[:200], grade=grade,
            reason=zh, reason_en=en, raw={},
        ))


def read_level(city: City, folder: Path, number: int, log: LevelRead) -> pd.DataFrame:
    """Return the areas of one level. Bad rows are noted in `log`. Raises BoundaryError."""
    spec = city.levels[number]
    opened = open_file(folder, spec)
    frame = opened.frame
    log.read = len(frame)
    for zh, en in opened.notes:
        log.say(0, "", spec.file, "doubted", zh, en)
    table = _fields(city, number, frame, log)
    table["geometry"] = on_earth(np.asarray(frame.geometry.array), opened.crs, spec, log)
    table["level"] = number
    table["row"] = np.arange(1, len(frame) + 1)
    table = table[_good_codes(table, spec, log)]
    table = table[_good_days(table, log)]
    table = _good_shapes(table, log)
    table = table[_no_twins(table, log)]
    return table.reset_index(drop=True)[list(COLUMNS)]


def _fields(city: City, number: int, frame: Any, log: LevelRead) -> pd.DataFrame:
    spec = city.levels[number]
    columns = [c for c in frame.columns if c != frame._geometry_column_name]

    def column(name: str | None, what: str) -> pd.Series | None:
        if name is None:
            return None
        if name not in columns:
            raise BoundaryError(
                f"{spec.file} has no column {name!r} (levels.{spec.id}.{what}). "
                f"The nearest one is {fields.nearest(name, columns)!r}.",
                zh=f"{spec.file} 没有列 {name!r}（levels.{spec.id}.{what}）。最接近的是 {fields.nearest(name, columns)!r}。",
            )
        return frame[name]

    n = len(frame)
    parent_rule = city.parent_rule(number)
    by_column = parent_rule not in (None, "prefix", "contains")
    table = pd.DataFrame(index=range(n))
    table["raw_code"] = fields.codes(column(spec.code, "code"), n, city.code if number == 0 else None)
    if spec.code_length:
        table["raw_code"] = fields.padded(table["raw_code"], spec, frame, log)
    table["code"] = table["raw_code"]
    table["name"] = fields.words(column(spec.name_column, "name_column"), n)
    table["name_en"] = fields.words(column(spec.name_en_column, "name_en_column"), n)
    table["parent"] = fields.codes(column(parent_rule if by_column else None, "parent"), n, None)
    table["residents"] = fields.residents(column(spec.residents, "residents"), n, log)
    for key, other in (("valid_from", EARLY), ("valid_to", None)):
        given = getattr(spec, key)
        source = given if given is None or given not in columns else frame[given]
        table[key] = fields.days(source, n, other, log, key, spec)
    return table


def _good_codes(table: pd.DataFrame, spec: LevelSpec, log: LevelRead) -> np.ndarray:
    blank = (table["raw_code"] == "").to_numpy()
    for row in table["row"][blank]:
        log.say(row, spec.code or "code", "", "refused", "没有编码", "has no code")
    long = (table["raw_code"].str.len() > LONGEST).to_numpy()
    for row, code in zip(table["row"][long], table["raw_code"][long], strict=True):
        log.say(row, spec.code or "code", code, "refused", f"编码超过 {LONGEST} 个字符", f"its code is longer than {LONGEST} characters")
    return ~(blank | long)


def _good_days(table: pd.DataFrame, log: LevelRead) -> np.ndarray:
    bad = np.array([
        to is not None and to <= since
        for since, to in zip(table["valid_from"], table["valid_to"], strict=True)
    ], bool)
    for row, code in zip(table["row"][bad], table["raw_code"][bad], strict=True):
        log.say(row, "valid_to", code, "refused", "失效日期不晚于生效日期", "ends before it begins")
    return ~bad


def _good_shapes(table: pd.DataFrame, log: LevelRead) -> pd.DataFrame:
    kept: list[bool] = []
    good: list[Any] = []
    geoms = table["geometry"].to_numpy()
    fine = shapely.is_valid(geoms) & np.isin(shapely.get_type_id(geoms), (3, 6)) & ~shapely.is_empty(geoms)
    fine &= _on_the_globe(geoms)
    for shape, ok, row, code in zip(geoms, fine, table["row"], table["raw_code"], strict=True):
        if ok:
            kept.append(True)
            good.append(shape)
            continue
        final, problem = _repair(shape)
        kept.append(final is not None)
        if final is not None:
            good.append(final)
            if problem:
                log.say(row, "geometry", code, "doubted", f"图形已修复：{problem[0]}", f"shape repaired: {problem[1]}")
        else:
            log.say(row, "geometry", code, "refused", *(problem or ("", "")))
    table = table[np.array(kept, bool)].copy()
    table["geometry"] = good
    return table


def _repair(shape: Any) -> tuple[Any, tuple[str, str] | None]:
    if shape is None or shape.is_empty:
        return None, ("没有图形", "has no shape")
    only = shapes.polygons(shape)
    if only is None:
        return None, (f"图形类型是 {shape.geom_type}，不是面", f"its shape is a {shape.geom_type}, not a polygon")
    if not np.isfinite(shapely.get_coordinates(only)).all():
        return None, ("坐标不是数字", "a coordinate is not a number")
    if not _on_the_globe(np.array([only]))[0]:
        return None, ("坐标不在地球上", "its coordinates are nowhere on earth")
    if only.is_valid:
        return only, None
    why = shapely.is_valid_reason(only).split("[")[0].strip()
    fixed = shapes.repaired(only)
    if fixed is None or fixed.area == 0:
        return None, (f"图形无效且无法修复（{why}）", f"its shape is broken beyond repair ({why})")
    return fixed, (why, why)


def _on_the_globe(geoms: np.ndarray) -> np.ndarray:
    boxes = np.abs(shapely.bounds(geoms))
    with np.errstate(invalid="ignore"):
        return (boxes[:, [0, 2]] <= 180).all(axis=1) & (boxes[:, [1, 3]] <= 90).all(axis=1)


def _no_twins(table: pd.DataFrame, log: LevelRead) -> np.ndarray:
    """Return which rows are not a second area of the same code on the same days."""
    keep = np.ones(len(table), bool)
    for code, at in table.groupby("raw_code", sort=False).indices.items():
        if len(at) == 1:
            continue
        held: list[int] = []
        for i in at:
            one = table.iloc[i]
            twin = next((j for j in held if fields.overlap(one, table.iloc[j])), None)
            if twin is None:
                held.append(i)
                continue
            keep[i] = False
            first = table["row"].iloc[twin]
            log.say(
                int(one["row"]), "code", code, "refused",
                f"编码重复，第 {first} 行已用", f"the code is already used by row {first}",
            )
    return keep
