"""Departments by areas: the totals agree in every direction, and with the figures of the place."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from queries import kpi, matrix, places
from queries.errors import AskError
from queries.frame import EVERYTHING, Actor, Ask, Scope
from queries.loop import grid
from queries.store import Store

LAST = date(2026, 11, 23)


def asks(city: Store) -> list[Ask]:
    with city.read() as connection:
        root = places.root(connection, LAST)
        district = places.children(connection, root)[0]
        street = places.children(connection, district)[0]
    some = Scope(areas=frozenset({street.code, places_of(city, 2)[-1]}))
    return [Ask(scope=scope, place=code, since=LAST - timedelta(days=days - 1), until=LAST)
            for scope, code in ((EVERYTHING, None), (EVERYTHING, district.code), (EVERYTHING, street.code), (some, None))
            for days in (1, 30, 90)]


def places_of(city: Store, level: int) -> list[str]:
    with city.read() as connection:
        return [p.code for p in places.below(connection, places.root(connection, LAST), level)]


@pytest.mark.parametrize("measure", matrix.MEASURES)
def test_totals_agree_in_every_direction_and_with_the_tiles(city: Store, measure: str) -> None:
    for ask in asks(city):
        for level in (None, 2) if ask.place is None else (None,):
            table = matrix.matrix(city, ask, measure, level).row
            for part in ("numerator", "denominator"):
                def n(cell: matrix.Cell, part: str = part) -> int:
                    return getattr(cell, part) or 0

                assert all(sum(map(n, line.cells)) == n(line.total) for line in table.lines)
                assert [sum(n(line.cells[i]) for line in table.lines) for i in range(len(table.columns))] == list(map(n, table.totals))
                assert sum(map(n, table.totals)) == n(table.corner) == sum(n(line.total) for line in table.lines)
            tile = next(t for t in kpi.tiles(city, ask).rows if t.id == measure)
            assert (table.corner.value, table.corner.numerator, table.corner.denominator) == (tile.value, tile.numerator, tile.denominator)


def test_a_figure_that_cannot_be_added_up_is_refused(city: Store) -> None:
    with pytest.raises(AskError, match="cannot be added up"):
        matrix.matrix(city, asks(city)[0], "handling_median_h")


def test_a_grid_is_told_whole_and_its_neighbours_name_it_too(city: Store) -> None:
    desk = Actor(name="d", post="dispatcher", scope=EVERYTHING)
    ask = Ask(scope=EVERYTHING, since=LAST, until=LAST)
    code = grid.choose(city, ask).rows[0].place.code
    here = grid.grid(city, ask.but(place=code), desk).row
    assert here.n_open == len(here.open) or here.n_open > 12
    assert {row.case.area_code for row in here.open} == {code}
    assert here.duty
    assert here.neighbours
    for other in here.neighbours:
        back = grid.grid(city, ask.but(place=other.code), desk).row
        assert code in {p.code for p in back.neighbours}
    with pytest.raises(AskError, match="is no grid"):
        grid.grid(city, ask, desk)
