"""Where the time goes is read in one pass on both databases, whatever the planner thinks of windows."""

from __future__ import annotations

from datetime import date

from queries.frame import EVERYTHING, Ask
from queries.loop import flow
from queries.store import Store

ASK = Ask(scope=EVERYTHING, since=date(2026, 10, 25), until=date(2026, 11, 23))
#: A plan that looks all cases through for each event needs some hundred times as long.
TOLD_WITHIN_S = 60


def test_postgresql_does_not_look_all_cases_through_for_each_event(city: Store) -> None:
    if city.engine.dialect.name == "postgresql":
        url = city.engine.url.update_query_dict({"options": f"-c statement_timeout={TOLD_WITHIN_S * 1000}"})
        city = Store(url.render_as_string(hide_password=False))
    told = flow.flow(city, ASK).rows[0]
    assert told.cases > 10_000
    assert told.events > told.cases
    assert sum(way.n for way in told.ways) <= told.cases
