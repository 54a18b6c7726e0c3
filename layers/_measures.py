"""Area layers that show one figure of queries/figures.py, and those that stand on the places themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from layers._layer import AreaMark
from queries import places, scope
from queries.figures import FEW, AreaValue
from queries.frame import Answer, Ask
from queries.places import Place
from queries.store import Store

Values = Callable[[Store, Ask, int], Answer[AreaMark]]


def figure(measure: str, rate: bool = False) -> Values:
    """Return the reader of one figure; a rate that rests on few cases is marked."""

    def values(store: Store, ask: Ask, level: int) -> Answer[AreaMark]:
        answer = _area_values(store, ask, measure, level)
        return _marks(answer, [
            AreaMark(code=row.code, dense=row.dense, value=row.value, n=row.n,
                     few=rate and row.value is not None and row.n < FEW)
            for row in answer.rows
        ])

    return values


def per_km2(measure: str) -> Values:
    """Return the reader of a figure divided by the area's size."""

    def values(store: Store, ask: Ask, level: int) -> Answer[AreaMark]:
        answer = _area_values(store, ask, measure, level)
        size = {place.code: place.area_m2 for place in _visible(store, ask, level)}
        return _marks(answer, [
            AreaMark(code=row.code, dense=row.dense, n=row.n, value=_per_km2(row.value, size.get(row.code)))
            for row in answer.rows
        ])

    return values


def residents(store: Store, ask: Ask, level: int) -> Answer[AreaMark]:
    """Return who lives in each area, as the boundary files say."""
    rows = tuple(
        AreaMark(code=place.code, dense=place.dense or 0,
                 value=None if place.residents is None else float(place.residents), n=None)
        for place in _visible(store, ask, level)
    )
    return Answer(rows=rows, as_of=None, source=("areas",))


def _visible(store: Store, ask: Ask, level: int) -> list[Place]:
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.until)
        return scope.visible_under(connection, ask.scope, place, level)


def _area_values(store: Store, ask: Ask, measure: str, level: int) -> Answer[AreaValue]:
    from queries import kpi

    return kpi.area_values(store, ask, measure, level)


def _marks(answer: Answer[AreaValue], rows: list[AreaMark]) -> Answer[AreaMark]:
    return replace(answer, rows=tuple(rows))  # type: ignore[arg-type]


def _per_km2(value: float | None, area_m2: float | None) -> float | None:
    return value / (area_m2 / 1e6) if value is not None and area_m2 else None
