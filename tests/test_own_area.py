"""A street official sees the cases of their own area and no other, in every panel of every page."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache

import pytest
from sqlalchemy import select

from dashboard import panels, scenes
from dashboard.address import View
from dashboard.context import Context, Visitor, visited
from dashboard.still import markup
from queries import places, scope
from queries.errors import GovError
from queries.frame import Actor, Scope
from queries.intervals import inside
from queries.settings import Settings
from queries.store import Store
from queries.tables import cases

LAST = date(2026, 11, 23)
VIEW = View(period="custom", since=LAST - timedelta(days=29), until=LAST)
CODE = re.compile(r"\b99\d{4,13}\b")


@cache
def numbers(store: Store) -> re.Pattern[str]:
    """Return what finds any case number of the city in a text."""
    with store.read() as connection:
        kinds = {re.sub(r"\d+", r"\\d+", re.escape(no)) for no in connection.scalars(select(cases.c.no))}
    return re.compile("|".join(sorted(kinds)))


def told(context: Context, view: View) -> dict[str, str]:
    """Return all that the panels of a view's page say, by panel; one that refuses says its refusal."""
    out = {}
    for panel in panels.found().values():
        if view.scene in panel.slots:
            try:
                drawn = panel.render(context, view)
                out[panel.id] = markup(drawn) + repr(drawn)
            except GovError as bad:
                out[panel.id] = str(bad)
    return out


def streets(store: Store) -> list[places.Place]:
    with store.read() as connection:
        return places.below(connection, places.root(connection, LAST), 2)


@pytest.mark.parametrize("scene", scenes.found())
@pytest.mark.parametrize("which", [0, 7, -1])
def test_no_panel_names_a_case_or_a_grid_of_another_street(scene: str, which: int, sqlite_city: Store) -> None:
    store = sqlite_city
    own, other = streets(store)[which], streets(store)[which - 1]
    seen = Scope(areas=frozenset({own.code}))
    with store.read() as connection:
        mine = scope.node_ranges(connection, seen, own)
        allowed = set(connection.scalars(select(cases.c.no).where(inside(cases.c.node, mine))))
        abroad = connection.scalar(select(cases.c.no).where(cases.c.is_open, ~inside(cases.c.node, mine)).limit(1))
        grids = [p.code for p in places.below(connection, own, 4)]
        path = {p.code for p in places.path(connection, own)}
    context = Context(Settings(), store)
    visitor = Visitor(actor=Actor(name="street", post="street", scope=seen), by="session")
    views = [VIEW.but(scene=scene, place=place) for place in (None, own.code, grids[0], other.code)]
    views += [VIEW.but(scene=scene, place=own.code, case=abroad, order="newest"), VIEW.but(scene=scene, order="newest")]
    found = 0

    with visited(visitor):
        for view in views:
            for panel, text in told(context, view).items():
                named = set(numbers(store).findall(text)) - {view.case}
                assert named <= allowed, f"{panel} of {view.scene} at {view.place} names {sorted(named - allowed)[:3]}"
                outside = {code for code in CODE.findall(text) if not code.startswith(own.code)} - path - {view.place}
                assert not outside, f"{panel} of {view.scene} at {view.place} names areas {sorted(outside)[:3]}"
                found += len(named)

    assert found or scene not in ("leader", "street", "grid"), "what is tried names cases at all"


def test_who_sees_everything_is_told_of_other_streets_so_that_the_test_above_can_fail(sqlite_city: Store) -> None:
    context = Context(Settings(), sqlite_city)
    own = streets(sqlite_city)[0]
    with visited(Visitor(actor=Actor(name="all", post="dispatcher", scope=Scope()), by="session")):
        text = "".join(told(context, VIEW.but(scene="street")).values())
    assert any(not code.startswith(own.code) for code in CODE.findall(text))
    assert len(set(numbers(sqlite_city).findall(text))) > 10
