"""Departments by areas: the totals agree in every direction, with the figures of the place, and with the cases behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queries import cases, kpi, matrix, places, summing
from queries.clock import local_day, now, stamp
from queries.errors import AskError
from queries.frame import EVERYTHING, Ask, Filters, Scope
from queries.loop.book import Book
from queries.loop.projector import catch_up
from queries.loop.writer import Writer
from queries.store import Store
from tests.test_loop import little, new, to_handling, writer

__all__ = ["little", "writer"]
LAST = date(2026, 11, 23)


def codes(city: Store, level: int) -> list[str]:
    with city.read() as connection:
        return [p.code for p in places.below(connection, places.root(connection, LAST), level)]


def n(cell: matrix.Cell, part: str) -> int:
    return getattr(cell, part) or 0


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_totals_agree_in_every_direction_and_with_the_tiles(city: Store, data: st.DataObject) -> None:
    level = data.draw(st.integers(0, 4))
    place = data.draw(st.sampled_from(codes(city, level)))
    granted = data.draw(st.sets(st.sampled_from([*codes(city, 1), *codes(city, 2)]), min_size=1, max_size=4) | st.none())
    days, end = data.draw(st.integers(1, 90)), LAST - timedelta(days=data.draw(st.integers(0, 40)))
    ask = Ask(scope=EVERYTHING if granted is None else Scope(areas=frozenset(granted)), place=place if granted is None else None,
              since=end - timedelta(days=days - 1), until=end,
              filters=Filters(departments=tuple(data.draw(st.sets(st.sampled_from(["urban", "works", summing.UNNAMED]), max_size=2)))))
    measure = data.draw(st.sampled_from(matrix.MEASURES))

    table = matrix.matrix(city, ask, measure).row

    for part in ("numerator", "denominator"):
        if table.columns:
            assert all(sum(n(one, part) for one in line.cells) == n(line.total, part) for line in table.lines)
            assert sum(n(one, part) for one in table.totals) == n(table.corner, part)
        for i in range(len(table.columns)):
            assert sum(n(line.cells[i], part) for line in table.lines) == n(table.totals[i], part)
        assert sum(n(line.total, part) for line in table.lines) == n(table.corner, part)
    tile = next(t for t in kpi.tiles(city, ask).rows if t.id == measure)
    assert (table.corner.value, table.corner.numerator, table.corner.denominator) == (tile.value, tile.numerator, tile.denominator)


def test_each_cell_is_the_number_of_the_cases_that_it_opens(city: Store) -> None:
    ask = Ask(scope=EVERYTHING, since=LAST - timedelta(days=29), until=LAST)
    table = matrix.matrix(city, ask, "open").row
    assert len(table.lines) > 5
    for line in table.lines:
        for column, cell in zip(table.columns, line.cells, strict=True):
            behind = ask.but(place=column.code or None, filters=Filters(open_only=True, departments=(line.code,), unplaced=not column.code))
            assert cases.page(city, behind, limit=1).total == cell.value


def test_what_no_department_has_yet_and_what_lies_in_no_part_have_a_line_and_a_column(writer: Writer) -> None:
    new(writer)
    new(writer, lon=115.0, lat=25.0)
    handled = to_handling(writer)
    catch_up(writer.store, Book())
    today = local_day(stamp(now()), ZoneInfo("Asia/Shanghai"))
    ask = Ask(scope=EVERYTHING, since=today, until=today)

    table = matrix.matrix(writer.store, ask, "open").row

    assert [(line.code, [c.value for c in line.cells], line.total.value) for line in table.lines] == [("urban", [1, 0, 0], 1), ("-", [1, 0, 1], 2)]
    assert [c.code for c in table.columns] == ["91", "92", ""]
    nobodys = ask.but(filters=Filters(open_only=True, departments=(summing.UNNAMED,)))
    assert cases.page(writer.store, nobodys).total == 2
    assert cases.page(writer.store, nobodys.but(filters=replace(nobodys.filters, unplaced=True))).total == 1
    assert handled not in {row.no for row in cases.page(writer.store, nobodys).rows}


def test_a_figure_that_cannot_be_added_up_is_refused(city: Store) -> None:
    with pytest.raises(AskError, match="cannot be added up"):
        matrix.matrix(city, Ask(scope=EVERYTHING, since=LAST, until=LAST), "handling_median_h")
