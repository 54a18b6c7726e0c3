"""Everybody sees their own places and nothing else, whichever way they ask and whoever else asks."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as checks
from hypothesis import strategies as st
from sqlalchemy import select
from starlette.testclient import TestClient

from dashboard import create_app
from queries import places
from queries.people import accounts
from queries.settings import Settings
from queries.store import Store
from queries.tables import cases, node
from tests.conftest import serving
from tests.visitors import GOOD, LAST, PERIOD, PLACES, open_account, people, signed_in


@pytest.fixture(scope="module")
def peopled(city: Store) -> Iterator[Store]:
    """The demo city with accounts."""
    with people(city):
        yield city


@pytest.fixture(scope="module")
def app(peopled: Store, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("tiles")), peopled).server


@pytest.fixture(scope="module")
def tree(peopled: Store) -> str:
    with peopled.read() as connection:
        return places.tree_on(connection, LAST).hash


def test_nothing_that_one_may_see_is_left_in_a_shared_cache(app: Any, tree: str) -> None:
    one = signed_in(app, "north")
    for path in ("/", f"/api/v1/kpi?{PERIOD}", f"/api/v1/cases.csv?{PERIOD}", "/map/values?layer=overdue&level=4", f"/map/shapes/{tree}/3/990103001",
                 f"/map/area/{tree}/1/1", f"/map/base/{tree}"):
        told = one.get(path)
        assert told.status_code == 200
        assert "public" not in told.headers["cache-control"]
        assert "no-store" in told.headers["cache-control"] or "no-cache" in told.headers["cache-control"]
        assert told.headers["x-content-type-options"] == "nosniff"


def test_an_outline_kept_by_one_visitor_is_not_shown_to_the_next(app: Any, tree: str) -> None:
    path = f"/map/shapes/{tree}/2/-?lang=zh"
    boss, north = signed_in(app, "boss"), signed_in(app, "north")
    whole = boss.get(path)
    assert boss.get(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304

    part = north.get(path, headers={"If-None-Match": whole.headers["etag"]})
    assert part.status_code == 200
    assert [f["properties"]["code"] for f in part.json()["features"]] == ["990103001"]
    assert len(whole.json()["features"]) > 1
    assert north.get(f"/map/shapes/{tree}/2/990101").json()["features"] == []


def test_what_lies_outside_is_refused_wherever_it_is_asked_for(app: Any, tree: str, peopled: Store) -> None:
    north = signed_in(app, "north")
    with peopled.read() as connection:
        hidden = connection.execute(
            select(cases.c.no, node.c.num).join(node, node.c.num == cases.c.node).where(node.c.level == 4).order_by(cases.c.id)
        ).all()
        there = places.find(connection, "990101", LAST)
        other = next(r.no for r in hidden if there.num <= r.num <= there.last)
    for name in ("kpi", "children", "trend", "status", "categories", "ages", "cases", "cases.csv", "areas"):
        assert north.get(f"/api/v1/{name}?place=990101&{PERIOD}").status_code == 403, name
    assert north.get(f"/api/v1/cases/{other}").status_code == 403
    assert signed_in(app, "south").get(f"/api/v1/cases/{other}").status_code in (200, 403)
    assert signed_in(app, "boss").get(f"/api/v1/cases/{other}").status_code == 200
    assert north.get(f"/map/points?place=990101&mark=cases&west=125&south=29&east=126.5&north=30&zoom=10&{PERIOD}").status_code == 403
    assert [p["code"] for p in north.get("/api/v1/areas").json()["children"]] == ["990103001"]
    assert north.get("/api/v1/sources").json()["quarantine"] == []
    assert "不在任何区域" not in north.get(f"/api/v1/kpi?{PERIOD}").text


def callback(one: Any, panel: str, search: str) -> str:
    """Return what Dash's own way gives for a panel."""
    where = {"kind": "panel", "name": panel}
    spec = next(d for d in one.get("/_dash-dependencies").json() if '"panel"' in d["output"] and "MATCH" in d["output"])
    body = {
        "output": spec["output"], "outputs": {"id": where, "property": "children"}, "changedPropIds": [f"{spec['inputs'][0]['id']}.pathname"],
        "inputs": [{"id": i["id"], "property": i["property"], "value": {"pathname": "/", "search": search}.get(i["property"])} for i in spec["inputs"]],
    }
    told = one.post("/_dash-update-component", json=body)
    assert told.status_code == 200, told.text
    return told.text


def test_visitors_at_the_same_time_see_their_own_and_nothing_else(app: Any) -> None:
    import httpx2

    days = f"?period=custom&from={LAST.replace(day=1)}&to={LAST}&lang=zh"

    def look(name: str) -> list[tuple[str, set[str]]]:
        found = []
        with httpx2.Client(base_url=address, timeout=60) as one:
            assert one.post("/login", data={"name": name, "password": GOOD}).status_code == 303
            for _ in range(6):
                found.append((name, {r["area_code"][:len(PLACES[name][0])] for r in one.get(f"/api/v1/cases?{PERIOD}&limit=200").json()["rows"]}))
                shown = callback(one, "children", days) + callback(one, "case_list", days)
                found.append((name, {code[:len(PLACES[name][0])] for code in re.findall(r"place=(9901\d{3,})", shown)}))
        return found

    with serving(app) as address, ThreadPoolExecutor(6) as crowd:
        seen = [one for many in crowd.map(look, [*PLACES, *PLACES]) for one in many]

    assert len(seen) == 72
    assert all(areas == set(PLACES[name]) for name, areas in seen)


@pytest.fixture(scope="module")
def random_officer(app: Any, peopled: Store) -> tuple[TestClient, Store, dict[str, list[str]]]:
    open_account(peopled, "random", "viewer", ["all"])
    with peopled.read() as connection:
        known = {place.code: [step.code for step in places.path(connection, place)]
                 for level in range(5) for place in places.below(connection, places.root(connection, LAST), level)}
    return signed_in(app, "random"), peopled, known


@checks(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_for_any_branches_every_way_shows_the_same_and_only_them(random_officer: Any, data: st.DataObject) -> None:
    one, store, known = random_officer
    codes = sorted(known)
    granted = data.draw(st.lists(st.integers(0, 3).flatmap(lambda level: st.sampled_from([c for c in codes if len(known[c]) == level + 2])),
                                 min_size=1, max_size=6, unique=True))
    accounts.change(store, "random", areas=granted)
    with store.read() as connection:
        leaf = {place.num: place.code for level in range(5) for place in places.below(connection, places.root(connection, LAST), level)}
        rows = connection.execute(select(cases.c.no, cases.c.node).where(cases.c.is_open)).all()
    mine = {r.no for r in rows if set(known[leaf[r.node]]) & set(granted)}

    listed: set[str] = set()
    after = ""
    while after is not None:
        page = one.get(f"/api/v1/cases?open=1&{PERIOD}&limit=1000&after={after}").json()
        listed |= {r["no"] for r in page["rows"]}
        after = page["after"]
    table = list(csv.DictReader(io.StringIO(one.get(f"/api/v1/cases.csv?open=1&{PERIOD}").text.lstrip("\ufeff"))))
    children = one.get(f"/api/v1/children?measure=open&{PERIOD}").json()["rows"]
    tiles = {r["id"]: r["numerator"] for r in one.get(f"/api/v1/kpi?{PERIOD}").json()["rows"]}
    values = one.get(f"/map/values?layer=open_cases&level=4&period=custom&{PERIOD}").json()
    points = one.get(f"/map/points?mark=cases&west=120&south=25&east=130&north=35&zoom=9&period=custom&{PERIOD}").json()["points"]
    statuses = {r["id"]: r["n"] for r in one.get(f"/api/v1/status?{PERIOD}").json()["rows"]}

    assert listed == mine
    assert {row["no"] for row in table} == mine
    assert page["total"] == len(mine)
    assert tiles["open"] == len(mine)
    assert sum(row["numerator"] for row in children) == len(mine)
    assert sum(n for status, n in statuses.items() if status != "closed") == len(mine)
    shown = [values["values"]["values"][i] for i in base64.b64decode(values["values"]["at"])]
    assert values["values"]["bits"] == 8
    assert sum(n for n in shown if n) == len(mine)
    assert sum(p["n"] for p in points) == len(mine)
    painted = base64.b64decode(values["numbers"])
    assert sum(1 for number in painted if number) <= sum(1 for path in known.values() if len(path) == 5 and set(path) & set(granted))
