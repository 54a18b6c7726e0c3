"""Which grids need the desk: counted where the cases lie, those first where it presses, as the lists count them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from dashboard import panels
from dashboard.address import View
from dashboard.context import Context, Visitor, visited
from queries import cases as case_answers
from queries import places
from queries.clock import now, stamp
from queries.errors import ScopeError
from queries.frame import EVERYTHING, Actor, Ask
from queries.loop import desk, needs, whistles
from queries.loop.needs import Need
from queries.loop.service import tick
from queries.loop.tables import whistle
from queries.loop.writer import Writer
from queries.settings import Settings
from queries.store import Store
from queries.tables import cases
from tests.test_loop import DESK, STREET, URBAN, WATER, little, new, step, to_handling, writer  # noqa: F401  (fixtures)

ASK = Ask(scope=EVERYTHING, since=now().date(), until=now().date())
EAST = {"lon": 110.15}


def told(store: Store, actor: Actor, ask: Ask = ASK) -> dict[str, Need]:
    return {row.code: row for row in needs.grids(store, ask, actor).rows}


def due(store: Store, no: str, at: int | None, stage: int | None = None) -> None:
    with store.engine.begin() as connection:
        connection.execute(update(cases).where(cases.c.no == no).values(due_at=at, stage_due_at=stage))


def time_is_over(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(update(whistle).values(due_at=stamp(now()) - 60))


def test_each_grid_is_counted_by_what_it_asks_of_this_desk_and_the_pressing_ones_stand_first(writer: Writer) -> None:  # noqa: F811
    store, present = writer.store, stamp(now())
    fresh = new(writer)
    due(store, fresh, present + 60, present - 60)
    handled = to_handling(writer)
    due(store, handled, present - 3600)
    east = new(writer, category="flood", **EAST)
    step(writer, east, "filed")
    due(store, east, None)
    step(writer, east, "whistled", reason="emergency", department="water")
    assert told(store, DESK)["92"].missing == 0, "there is time left to come"
    time_is_over(store)

    as_street, as_desk = told(store, Actor(name="all", post="street", scope=EVERYTHING)), told(store, DESK)
    # The street's own: the case to be filed, whose stage is late. The department's is overdue with somebody else.
    assert (as_street["91"].mine, as_street["91"].late, as_street["91"].overdue, as_street["91"].missing) == (1, 1, 1, 0)
    assert (as_street["92"].mine, as_street["92"].late, as_street["92"].missing) == (0, 0, 1)
    assert list(as_street) == ["91", "92"]
    # The dispatcher waits for neither; the filed one is the dispatcher's.
    assert (as_desk["91"].mine, as_desk["91"].overdue, as_desk["92"].mine) == (0, 1, 1)
    assert as_street["91"].name == {"zh": "91", "en": "91"}


@pytest.mark.parametrize("post", ["street", "dispatcher", "department", "admin", "viewer"])
def test_the_grids_add_up_to_the_lists(city: Store, post: str) -> None:
    actor = Actor(name="x", post=post, scope=EVERYTHING, department="urban" if post == "department" else "")
    last = now().date()
    with_grids = next(row for row in _streets(city) if told(city, actor, ASK.but(place=row, until=last)))
    ask = ASK.but(place=with_grids)
    rows = needs.grids(city, ask, actor).rows
    for name, which in (("mine", "mine"), ("overdue", "overdue"), ("overnight", "overnight")):
        assert sum(getattr(row, name) for row in rows) == desk.page(city, ask, actor, which, 1).total  # type: ignore[arg-type]
    assert all(row.late <= row.mine for row in rows)


def _streets(store: Store) -> list[str]:
    with store.read() as connection:
        return [place.code for place in places.below(connection, places.root(connection, now().date()), 2)]


def test_who_answers_for_one_street_is_told_of_no_other(writer: Writer) -> None:  # noqa: F811
    new(writer)
    new(writer, **EAST)
    assert list(told(writer.store, STREET, ASK.but(scope=STREET.scope))) == ["91"]
    assert (needs.grids(writer.store, ASK, DESK).total, needs.grids(writer.store, ASK.but(scope=STREET.scope), STREET).total) == (2, 1)
    with pytest.raises(ScopeError):
        needs.grids(writer.store, ASK.but(scope=STREET.scope, place="92"), STREET)


def test_a_department_counts_its_own_cases_and_the_whistles_that_call_it(writer: Writer) -> None:  # noqa: F811
    to_handling(writer)
    east = new(writer, category="flood", **EAST)
    step(writer, east, "filed")
    step(writer, east, "whistled", reason="emergency", department="water")
    time_is_over(writer.store)
    assert {code: (row.mine, row.missing) for code, row in told(writer.store, URBAN).items()} == {"91": (1, 0)}


def test_a_moment_of_the_past_counts_what_stood_open_then(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    began = now()
    to_handling(writer)
    closed = new(writer, **EAST)
    monkeypatch.setattr("queries.loop.page.now", lambda: began + timedelta(minutes=30))
    step(writer, closed, "rejected", reason="重复")
    assert list(told(writer.store, DESK)) == ["91"]
    then = ASK.but(at=began + timedelta(minutes=10))
    assert {code: row.mine for code, row in told(writer.store, URBAN, then).items()} == {"91": 1}
    assert {code: row.mine for code, row in told(writer.store, STREET, then).items()} == {"91": 0, "92": 1}


def test_of_a_place_with_more_grids_than_anybody_looks_through_nothing_is_counted(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    new(writer)
    monkeypatch.setattr(needs, "MOST", 1)
    answer: Any = needs.grids(writer.store, ASK, DESK)
    assert (answer.rows, answer.total) == ((), None)


@pytest.mark.parametrize(("lang", "name", "other"), [("zh", "城管局", "水务局"), ("en", "Urban", "Water")])
def test_a_department_that_is_late_stands_where_a_leader_looks_and_in_the_history_of_its_case(writer: Writer, lang: str, name: str, other: str) -> None:  # noqa: F811
    store, panel = writer.store, panels.found()["whistles_late"]
    no = new(writer, category="flood")
    step(writer, no, "whistled", STREET, reason="emergency", department="urban", details={"departments": ["water"]}, at=now() - timedelta(hours=1))
    step(writer, no, "arrived", WATER, at=now() - timedelta(minutes=50))
    writer.run(tick)
    with visited(Visitor(actor=Actor(name="mayor", post="viewer", scope=EVERYTHING), by="session")):
        drawn = repr(panel.render(Context(Settings(), store), View(lang=lang)))
        assert name in drawn
        assert other not in drawn
        step(writer, no, "arrived", URBAN)
        assert panel.render(Context(Settings(), store), View(lang=lang)) == []
    events = {one.step: one for one in case_answers.one(store, EVERYTHING, no).row.events}
    assert [one[lang] for one in events["whistled"].called] == [name, other]
    assert events["whistled"].why == whistles.REASONS["emergency"]
    assert (events["escalated"].why or {})[lang].endswith(whistles.RUNGS[0][lang])
    # An emergency leaves thirty minutes.
    assert 1790 <= events["arrived"].late_s <= 1830
