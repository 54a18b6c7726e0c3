"""The grid page's answer: one grid whole, its neighbours, its peers; a place that is none offers what is below it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from queries import cases, kpi, places
from queries.errors import AskError, ScopeError
from queries.frame import EVERYTHING, Ask, Filters, Scope
from queries.loop import grid
from queries.store import Store

LAST = date(2026, 11, 23)
ASK = Ask(scope=EVERYTHING, since=LAST - timedelta(days=29), until=LAST)


def busiest(city: Store) -> str:
    """Return the grid with the most open cases of a few communities."""
    with city.read() as connection:
        root = places.root(connection, LAST)
        some = places.below(connection, root, 3)[:6]
    found = [one for place in some for one in grid.choose(city, ASK.but(place=place.code)).rows]
    return max(found, key=lambda one: one.n).place.code


def test_a_grid_is_told_whole(city: Store) -> None:
    code = busiest(city)
    here = grid.grid(city, ASK.but(place=code)).row

    opened = cases.page(city, ASK.but(place=code, filters=Filters(open_only=True)))
    late = cases.page(city, ASK.but(place=code, filters=Filters(open_only=True, overdue=True)))
    assert {row.case.no for row in here.open} == {row.no for row in opened.rows}
    assert (here.n_open, here.n_overdue) == (opened.total, late.total)
    assert sum(here.waiting.values()) == here.n_open
    untils = [row.until for row in here.open if row.until]
    assert untils == sorted(untils)
    assert here.duty
    assert [p.code for p in here.path][-1] == code
    assert all(item.to == "grid" and item.in_force for item in here.items)
    assert all(not case.is_open and case.area_code == code for case in here.closed)


def test_a_figure_stands_beside_the_median_of_the_other_grids_and_the_parents_own(city: Store) -> None:
    code = busiest(city)
    here = grid.grid(city, ASK.but(place=code)).row
    above = here.path[-2].code
    rate = next(one for one in here.figures if one.figure.id == "on_time_rate")
    over = next(t for t in kpi.tiles(city, ASK.but(place=above)).rows if t.id == "on_time_rate")
    assert rate.parent == over.value
    count = next(one for one in here.figures if one.figure.id == "reported")
    assert count.parent is None, "a sum over the parent says nothing beside one grid"
    others = sorted(r.numerator for r in kpi.children(city, ASK.but(place=above), "reported").rows if r.place.code != code)
    assert others[0] <= count.peers <= others[-1]
    assert count.n_peers == len(others)


def test_neighbours_name_each_other(city: Store) -> None:
    code = busiest(city)
    here = grid.grid(city, ASK.but(place=code)).row
    assert here.neighbours
    for other in here.neighbours:
        assert other.level == here.place.level
        assert code in {p.code for p in grid.grid(city, ASK.but(place=other.code)).row.neighbours}


def test_who_answers_for_one_grid_sees_no_other(city: Store) -> None:
    code = busiest(city)
    one = grid.grid(city, ASK.but(place=code, scope=Scope(areas=frozenset({code})))).row
    assert one.neighbours == ()
    assert all(figure.peers is None and figure.parent is None for figure in one.figures)
    with city.read() as connection:
        other = next(p.code for p in places.below(connection, places.root(connection, LAST), 4) if p.code != code)
    with pytest.raises(ScopeError):
        grid.grid(city, ASK.but(place=other, scope=Scope(areas=frozenset({code}))))


def test_a_place_that_is_no_grid_offers_what_is_below_it_with_its_open_cases(city: Store) -> None:
    with pytest.raises(AskError, match="is no grid"):
        grid.grid(city, ASK)
    offered = grid.choose(city, ASK).rows
    with city.read() as connection:
        below = places.children(connection, places.root(connection, LAST))
    assert [one.place.code for one in offered] == [p.code for p in below]
    for one in offered[:2]:
        assert one.n == cases.page(city, ASK.but(place=one.place.code, filters=Filters(open_only=True))).total
