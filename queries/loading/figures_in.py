"""Departments' figures come in: appended, never overwritten, so that what was known when can always be told."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import polars as pl
from sqlalchemy import Connection, select, update

from queries.city import Refusal
from queries.index import found
from queries.index._age import holds
from queries.index._dimension import Indicator
from queries.index._tables import index_figure
from queries.intervals import chunks
from queries.loading.report import SourceReport
from queries.store import bulk
from queries.tables import area, node
from queries.touched import touch_figures

COLUMNS = ("indicator", "area_code", "first", "last", "numerator", "denominator", "value", "weight", "said")
_TOLD = ("numerator", "denominator", "value", "weight", "said")


def take_figures(connection: Connection, source: str, frame: pl.DataFrame, seen: int, told: SourceReport) -> list[Refusal]:
    """Write the rows of a table; return what cannot be written: unknown indicators, areas that are not there, figures that nobody may bring."""
    known = {one.id.casefold(): one for d in found().values() for one in d.indicators}
    nodes: dict[str, list[int]] = {}
    for code, num in connection.execute(select(area.c.code, node.c.num).join(node, node.c.area_id == area.c.id).where(node.c.main.is_(True))):
        nodes.setdefault(code, []).append(num)
    held = _held(connection, [one.id for one in known.values() if one.imported])
    refusals, rows, over, marks = [], [], [], []
    for row in frame.iter_rows(named=True):
        if (why := _wrong(row, known, nodes)) is not None:
            refusals.append(why)
            continue
        row["indicator"] = known[row["indicator"].casefold()].id
        key = (row["indicator"], row["area_code"], row["first"], row["last"])
        said = tuple(row[name] for name in _TOLD)
        old = held.get(key)
        if old is not None and old[1] == said:
            told.same += 1
            continue
        if old is None:
            told.new += 1
        else:
            told.changed += 1
            over.append(old[0])
        held[key] = (-1, said)
        rows.append((*key, *said, source, seen))
        marks += [(num, row["first"], row["last"] + holds(row["first"], row["last"])) for num in nodes[row["area_code"]]]
    for part in chunks(over):
        connection.execute(update(index_figure).where(index_figure.c.id.in_(part)).values(known_to=seen))
    bulk(connection, index_figure, (*COLUMNS, "source", "known_at"), rows)
    touch_figures(connection, marks)
    return refusals


def _held(connection: Connection, indicators: list[str]) -> dict[tuple[Any, ...], tuple[int, tuple[Any, ...]]]:
    f = index_figure.c
    out = {}
    for part in chunks(indicators):
        for r in connection.execute(select(index_figure).where(f.indicator.in_(part), f.known_to.is_(None))):
            out[r.indicator, r.area_code, r.first, r.last] = (r.id, tuple(getattr(r, name) for name in _TOLD))
    return out


def _wrong(row: dict[str, Any], known: dict[str, Indicator], nodes: dict[str, list[int]]) -> Refusal | None:
    one = known.get(row["indicator"].casefold())
    if one is None:
        near = known[get_close_matches(row["indicator"].casefold(), known, 1, 0.0)[0]].id
        return _refused(row, "indicator", f"目录中没有这个指标，最接近的是 {near}", f"the catalogue has no such indicator; the nearest one is {near}")
    if not one.imported:
        zh, en = ("由本系统计数得出，不接受导入", "is counted here and not imported") if one.top else (f"不接受导入：{(one.lacks or {})['zh']}", f"is not imported: {(one.lacks or {})['en']}")
        return _refused(row, "indicator", zh, en)
    if row["area_code"] not in nodes:
        return _refused(row, "area_code", "没有这个区域编码", "no area has this code")
    top, under = row["numerator"], row["denominator"]
    if one.kind == "share":
        if top is None and not 0 <= row["value"] <= 1:
            return _refused(row, "value", "该指标是 0 到 1 的比率（95% 也可写作 95%）", "this indicator is a share from 0 to 1 (95 % may be written as 95%)")
        if top is not None and top > under:
            return _refused(row, "numerator", "分子大于分母", "the numerator is larger than the denominator")
    if one.kind in ("rate", "ratio") and top is None and row["value"] < 0:
        return _refused(row, "value", "数值为负", "the value is negative")
    return None


def _refused(row: dict[str, Any], field: str, zh: str, en: str) -> Refusal:
    return Refusal(row=row["row"], field=field, value=str(row[field])[:200], grade="refused", reason=zh, reason_en=en)
