"""Departments' figures come in: appended, never overwritten, so that what was known when can always be told."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import product
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
#: Of no more areas than this what is known is asked for by their codes.
MANY = 1_000
_TOLD = ("numerator", "denominator", "value", "weight", "said")


def take_figures(connection: Connection, source: str, frame: pl.DataFrame, seen: int, told: SourceReport) -> list[Refusal]:
    """Write the rows of a table; return what cannot be written: unknown indicators, areas that are not there, figures that nobody may bring."""
    known = {one.id.casefold(): one for d in found().values() for one in d.indicators}
    codes = frame["area_code"].unique().to_list()
    nodes: dict[str, list[int]] = {}
    there = select(area.c.code, node.c.num).join(node, node.c.area_id == area.c.id).where(node.c.main.is_(True))
    for part in _parts(codes):
        for code, num in connection.execute(there if part is None else there.where(area.c.code.in_(part))):
            nodes.setdefault(code, []).append(num)
    told_of = set(frame["indicator"].str.to_lowercase().unique())
    held = _held(connection, [one.id for key, one in known.items() if one.imported and key in told_of], codes)
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


def _held(connection: Connection, indicators: list[str], codes: list[str]) -> dict[tuple[Any, ...], tuple[int, tuple[Any, ...]]]:
    f = index_figure.c
    out = {}
    # One indicator at a time: the index of what holds begins with it.
    for one, part in product(indicators, _parts(codes)):
        holds_now = select(index_figure).where(f.indicator == one, f.known_to.is_(None))
        for r in connection.execute(holds_now if part is None else holds_now.where(f.area_code.in_(part))):
            out[r.indicator, r.area_code, r.first, r.last] = (r.id, tuple(getattr(r, name) for name in _TOLD))
    return out


def _parts(codes: list[str]) -> list[list[str] | None]:
    """Return area codes in parts for a statement each; of many, [None]: all are read at once."""
    return [list(part) for part in chunks(codes)] if len(codes) <= MANY else [None]


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
