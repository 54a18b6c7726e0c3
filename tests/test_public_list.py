"""The task list is public where the city allows it: that page and nothing else, without a script and without anybody's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from dashboard import create_app
from queries.clock import now, stamp
from queries.frame import EVERYTHING, Actor
from queries.loop import task_list
from queries.loop.tables import refusal
from queries.settings import Settings
from queries.store import Store
from queries.tables import department
from tests.visitors import visit

ADMIN = Actor(name="wang.keeper", post="admin", scope=EVERYTHING)
ABROAD = {"base": "http://brain.example", "client": "192.0.2.9"}


@pytest.fixture(scope="module")
def kept(demo_copy: Callable[[str], Store], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A city whose list has been worked on."""
    store = demo_copy(f"sqlite:///{tmp_path_factory.mktemp('list') / 'x.sqlite'}")
    for code, title in (("P-1", "沿河巡查 13800138000"), ("P-2", "尚在申请的事项")):
        task_list.apply(store, ADMIN, code=code, title=title, department_code="urban", to="grid", basis="示例文件")
    for step in ("review", "approve", "publish"):
        task_list.move(store, ADMIN, "P-1", step)
    with store.write() as connection:
        held = {r.code: r.id for r in connection.execute(department.select())}
        for code, n in (("urban", 3), ("works", 1)):
            for _ in range(n):
                connection.execute(insert(refusal).values(at=stamp(now()), department_id=held[code], actor="wang.keeper", what="x", reason="unlisted"))
    yield store
    store.close()


def app(store: Store, where: Path, **more: Any) -> Any:
    return create_app(Settings(data_dir=where, host="0.0.0.0", **more), store).server


def test_everybody_may_read_the_published_list_where_the_city_allows_it(kept: Store, tmp_path: Path) -> None:
    told = visit(app(kept, tmp_path, public_list=True), **ABROAD).get("/list?lang=en&period=90d")

    assert told.status_code == 200
    assert "P-1" in told.text
    assert "Urban Management" in told.text
    assert re.search(r"Urban Management</td><td[^>]*><b>▲ 3", told.text), "refusals are counted by the department that tried"
    assert told.text.count("May reach grids") >= 5


def test_the_public_page_names_nobody_and_nothing_that_is_not_published(kept: Store, tmp_path: Path) -> None:
    one = visit(app(kept, tmp_path, public_list=True), **ABROAD)
    for query in ("", "?lang=en", "?case=YC261118125668&place=990103", "?measure=grid", "?department=urban&text=%3Cscript%3E"):
        page = one.get(f"/list{query}")
        assert page.status_code == 200
        assert "wang.keeper" not in page.text
        assert "13800138000" not in page.text
        assert "P-2" not in page.text
        for forbidden in ("<script", "data-act", "<button", "<form", " onclick", "YC261118125668"):
            assert forbidden not in page.text
        assert "script-src" not in page.headers["content-security-policy"]
        assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_nothing_else_is_opened_by_it(kept: Store, tmp_path: Path) -> None:
    one = visit(app(kept, tmp_path, public_list=True), **ABROAD)
    for path in ("/", "/street", "/grid?place=990103001001001", "/matrix", "/list/x", "/data"):
        assert one.get(path).status_code == 303, path
    for path in ("/api/v1/cases", "/_dash-layout", "/_dash-dependencies", "/openapi.json", "/map/values?layer=overdue"):
        assert one.get(path).status_code == 401, path
    assert one.post("/list").status_code == 303
    assert one.post("/_dash-update-component", json={}).status_code == 401


def test_a_city_that_does_not_allow_it_leads_to_the_sign_in_page(kept: Store, tmp_path: Path) -> None:
    told = visit(app(kept, tmp_path), **ABROAD).get("/list?lang=en")
    assert told.status_code == 303
    assert told.headers["location"].startswith("/login?next=")


def test_only_whoever_keeps_the_list_reads_who_took_a_step(kept: Store) -> None:
    asked = ["P-1", "P-2"]
    assert {s.actor for s in task_list.steps_of(kept, ADMIN, asked).rows} == {"wang.keeper"}
    assert {s.actor for s in task_list.steps_of(kept, Actor(name="v", post="viewer", scope=EVERYTHING), asked).rows} == {""}
    item = next(i for i in task_list.items(kept, only_published=False).rows if i.code == "P-2")
    assert task_list.may(ADMIN, item) == ("review", "refuse")
    assert task_list.may(Actor(name="u", post="department", scope=EVERYTHING, department="urban"), item) == ()
