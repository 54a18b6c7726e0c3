"""The demo city's task list and duty roster, as a city would hand them over. Posts, never persons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from queries.demo.words import (
    BASIS_LIST,
    BASIS_TEMPORARY,
    CATEGORIES,
    DEPARTMENTS,
    GRID_ITEMS,
    SHARED,
    TEMPORARY,
)

#: Of the grids, so many have no post: what is nobody's must be seen.
EMPTY = 0.03
ITEM_COLUMNS = {"code": "事项编码", "title": "事项名称", "title_en": "英文名称", "department": "责任部门", "category": "类别", "to": "对象",
                "content": "工作内容", "basis": "依据", "temporary": "临时", "valid_from": "起始", "valid_to": "截止"}
DUTY_COLUMNS = {"area_code": "区域编码", "post": "岗位类别", "shown": "岗位名称"}


def write_items(folder: Path, now: datetime) -> None:
    """Write the task list: each category's own department, some shared with another, some for a time only."""
    rows = [_item(f"YC-{code}-1", f"{zh}处置", f"{en}: handling", department, code, "、".join(kinds))
            for code, (zh, en, department, _, _, kinds) in CATEGORIES.items()]
    rows += [_item(f"YC-{category}-{n + 2}", *words, department, category, "配合处置")
             for n, (category, department, *words) in enumerate(SHARED)]
    rows += [_item(f"YC-G-{n + 1}", *words, department, category, "随手可办的在网格内处置", to="网格")
             for n, (category, department, *words) in enumerate(GRID_ITEMS)]
    for n, (category, department, zh, en, since, until) in enumerate(TEMPORARY):
        days = [(now + timedelta(days=d)).date().isoformat() for d in (since, until)]
        rows.append(_item(f"YC-T-{n + 1}", zh, en, department, category, "临时专项", BASIS_TEMPORARY, "是", *days))
    pl.DataFrame(rows, schema=list(ITEM_COLUMNS.values()), orient="row").write_csv(folder / "items.csv")


def _item(code: str, zh: str, en: str, department: str, category: str, content: str, basis: str = BASIS_LIST, temporary: str = "否",
          since: str = "", until: str = "", to: str = "部门") -> tuple[str, ...]:
    return code, zh, en, DEPARTMENTS[department][0], CATEGORIES[category][0], to, content, basis, temporary, since, until


def write_duty(folder: Path, rng: np.random.Generator, streets: Mapping[str, str], grids: Mapping[str, str]) -> None:
    """Write the roster from {code: name}: a lead for each street, a post for nearly every grid."""
    staffed = rng.random(len(grids)) >= EMPTY
    rows = [(code, "街道带班", f"{name}带班岗") for code, name in streets.items()]
    rows += [(code, "网格员", f"{name}岗") for (code, name), there in zip(grids.items(), staffed, strict=True) if there]
    pl.DataFrame(rows, schema=list(DUTY_COLUMNS.values()), orient="row").write_csv(folder / "duty.csv")
