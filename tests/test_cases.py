"""The case list, its paging and filters, the card, the bins of the map, and what is hidden."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event

from queries import cases
from queries.errors import AskError, ScopeError
from queries.frame import EVERYTHING, Ask, Filters, Scope
from queries.masking import masked
from queries.store import Store

ASK = Ask(scope=EVERYTHING, since=date(2026, 10, 25), until=date(2026, 11, 23))
BOX = (125.0, 29.0, 126.5, 30.0)


@pytest.mark.parametrize("filters", [Filters(open_only=True), Filters(overdue=True), Filters(statuses=("handling",), open_only=True)])
@pytest.mark.parametrize("order", cases.ORDERS)
def test_pages_follow_each_other_without_gap_or_repeat(city: Store, filters: Filters, order: str) -> None:
    ask = ASK.but(filters=filters)
    seen: list[str] = []
    after = None
    while True:
        answer = cases.page(city, ask, after=after, limit=37, order=order)
        seen += [row.no for row in answer.rows]
        if len(answer.rows) < 37:
            break
        after = cases.cursor(answer.rows[-1], order)
    assert len(seen) == len(set(seen)) == answer.total


def test_the_list_of_a_scope_holds_its_own_cases_only(city: Store) -> None:
    mine = Scope(areas=frozenset({"990103"}))
    rows = cases.page(city, ASK.but(scope=mine), limit=500).rows
    assert rows
    assert all(row.area_code.startswith("990103") for row in rows)
    other = next(row for row in cases.page(city, ASK, limit=500).rows if not row.area_code.startswith("990103"))
    with pytest.raises(ScopeError):
        cases.one(city, mine, other.no)


def test_cases_outside_every_area_are_listed_not_lost(city: Store) -> None:
    rows = cases.page(city, ASK.but(filters=Filters(unplaced=True)), limit=500).rows
    assert rows
    assert {row.placed for row in rows} <= {"outside", "none"}


def test_bins_hold_every_open_case_of_the_view(city: Store) -> None:
    ask = ASK.but(filters=Filters(open_only=True))
    inside = [r for r in cases.page(city, ask, limit=1000).rows if r.lon is not None and BOX[0] < r.lon < BOX[2]]
    bins = cases.points(city, ASK, BOX, 10).rows
    assert sum(p.n for p in bins) == len(inside)
    assert all(sum(p.by_status.values()) == p.n for p in bins)
    assert sum(p.overdue for p in bins) == sum(r.overdue for r in inside)


def test_a_card_tells_the_whole_way_in_order(city: Store) -> None:
    closed = cases.page(city, ASK.but(filters=Filters(statuses=("closed",))), limit=1).rows[0]
    card = cases.one(city, EVERYTHING, closed.no).row
    assert [step.step for step in card.events] == ["reported", "filed", "closed"]
    assert all(step.derived for step in card.events)
    assert len(card.path) == 5


def test_an_unknown_number_is_said_so(city: Store) -> None:
    with pytest.raises(AskError, match="NOSUCH"):
        cases.one(city, EVERYTHING, "NOSUCH")
    with pytest.raises(AskError, match="first page"):
        cases.page(city, ASK, after="rubbish")


@pytest.mark.parametrize(("text", "hidden"), [
    ("请致电13812345678处理", "12345678"), ("身份证110101199003074514", "19900307"), ("mail li.wei@example.org", "li.wei"),
    ("电话 010-88886666", "8888"), ("call (617) 635-4500", "635"), ("联系人：王小明", "小明"),
])
def test_personal_data_is_masked(text: str, hidden: str) -> None:
    assert hidden not in masked(text)


@pytest.mark.parametrize("text", ["第3网格 路灯不亮 12 盏", "YC261124000123", "2026-11-24 08:30"])
def test_what_is_not_personal_stays(text: str) -> None:
    assert masked(text) == text


def test_open_cases_are_looked_for_among_the_open_ones_however_long_the_history_is(city: Store) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        asked.append((statement, given))

    if city.dialect != "sqlite":
        pytest.skip("PostgreSQL plans by what it has counted")
    event.listen(city.engine, "before_cursor_execute", note)
    try:
        for box in (BOX, (125.5, 29.3, 126.0, 29.6)):
            cases.points(city, ASK, box, 10)
        cases.page(city, ASK.but(filters=Filters(open_only=True)))
    finally:
        event.remove(city.engine, "before_cursor_execute", note)
    with city.read() as connection:
        plans = [row[3] for statement, given in asked if "FROM cases" in statement
                 for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)]
    read = [line for line in plans if re.search(r"(SCAN|SEARCH) cases\b", line)]
    assert len(read) >= 4
    assert all("ix_cases_open" in line for line in read), read
