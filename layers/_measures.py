"""Area layers that show one figure of queries/figures.py, and those that stand on the places themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import numpy as np

from layers._layer import AreaMark, AreaMarks
from queries.area_values import AreaColumns, area_values, standing
from queries.figures import FEW
from queries.frame import Answer, Ask
from queries.store import Store

Values = Callable[[Store, Ask, int], Answer[AreaMark]]


def figure(measure: str, rate: bool = False) -> Values:
    """Return the reader of one figure; a rate that rests on few cases is marked."""

    def values(store: Store, ask: Ask, level: int) -> Answer[AreaMark]:
        answer = area_values(store, ask, measure, level)
        held = cast(AreaColumns, answer.rows)
        few = ~np.isnan(held.value) & (held.n < FEW) if rate else np.zeros(len(held), bool)
        return _marks(answer, AreaMarks(code=held.code, dense=held.dense, value=held.value, n=held.n, few=few))

    return values


def per_km2(measure: str) -> Values:
    """Return the reader of a figure divided by the area's size."""

    def values(store: Store, ask: Ask, level: int) -> Answer[AreaMark]:
        answer = area_values(store, ask, measure, level)
        held = cast(AreaColumns, answer.rows)
        with store.read() as connection:
            size = standing(connection, ask, level).area_m2 / 1e6
        value = np.divide(held.value, size, out=np.full(len(held), np.nan), where=size > 0)
        return _marks(answer, AreaMarks(code=held.code, dense=held.dense, value=value, n=held.n, few=np.zeros(len(held), bool)))

    return values


def residents(store: Store, ask: Ask, level: int) -> Answer[AreaMark]:
    """Return who lives in each area, as the boundary files say."""
    with store.read() as connection:
        where = standing(connection, ask, level)
    marks = AreaMarks(code=where.code, dense=where.dense, value=where.residents, n=None, few=np.zeros(len(where.code), bool))
    return _marks(Answer(rows=(), as_of=None, source=("areas",)), marks)


def standing_areas(store: Store, ask: Ask, level: int) -> Answer[AreaMark]:
    """Return the areas without any value."""
    with store.read() as connection:
        where = standing(connection, ask, level)
    marks = AreaMarks(code=where.code, dense=where.dense, value=np.full(len(where.code), np.nan), n=None, few=np.zeros(len(where.code), bool))
    return _marks(Answer(rows=(), as_of=None, source=("areas",)), marks)


def _marks(answer: Answer[object], marks: AreaMarks) -> Answer[AreaMark]:
    return replace(answer, rows=marks)  # type: ignore[arg-type,return-value]
