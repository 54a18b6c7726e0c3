"""The task list and the duty roster of a city come in by its folder, as published, and what is no longer named ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from queries import loading
from queries.clock import now
from queries.errors import CityFileError
from queries.frame import EVERYTHING, Actor
from queries.loop import task_list
from queries.loop.tables import duty, list_event, list_item
from queries.store import Store, version
from queries.tables import quarantine
from tests.test_loop import CITY, STREETS

LISTS = """
[[items]]
id = "list"
title = "事项清单"
file = "items.csv"
[items.columns]
code = "编码"
title = "名称"
department = "部门"
basis = "依据"
category = "类别"
to = "对象"
temporary = "临时"
valid_to = "截止"
[[duty]]
id = "roster"
file = "duty.csv"
[duty.columns]
area_code = "区域"
post = "类别"
shown = "岗位"
"""
ITEMS = "编码,名称,部门,依据,类别,对象,临时,截止\nA1,垃圾清运,urban,示例甲,litter,部门,,\nA2,积水排除,水务局,示例乙,flood,,,\n"
DUTY = "区域,类别,岗位\n91,街道带班,一街道带班岗\n91,网格员,一街道第001网格岗\n"
ADMIN = Actor(name="root", post="admin", scope=EVERYTHING)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    city = tmp_path / "lists"
    city.mkdir()
    text = CITY.replace('name_en = "Water" }', 'name_en = "Water", match = "水务局" }')
    (city / "city.toml").write_text(text + LISTS, "utf-8")
    (city / "streets.geojson").write_text(STREETS, "utf-8")
    tell(city)
    return city


def tell(folder: Path, items: str = ITEMS, roster: str = DUTY) -> None:
    (folder / "items.csv").write_text(items, "utf-8")
    (folder / "duty.csv").write_text(roster, "utf-8")


def states(store: Store) -> dict[str, str]:
    return {i.code: i.state for i in task_list.items(store, only_published=False).rows}


def posts(store: Store) -> set[tuple[str, str, str]]:
    with store.read() as connection:
        return {(r.area_code, r.post, r.shown) for r in connection.execute(select(duty))}


def test_the_list_comes_in_as_published_with_its_basis_and_says_by_whom(folder: Path, store: Store) -> None:
    report = loading.load(folder, store, quiet=True)

    held = {i.code: i for i in task_list.items(store).rows}
    assert (held["A2"].department, held["A2"].category, held["A2"].to, held["A2"].basis) == ("water", "flood", "department", "示例乙")
    assert posts(store) == {("91", "street_lead", "一街道带班岗"), ("91", "grid_worker", "一街道第001网格岗")}
    assert {s.id: s.new for s in report.sources if s.kind in ("items", "duty")} == {"list": 2, "roster": 2}
    with store.read() as connection:
        assert {tuple(r) for r in connection.execute(select(list_event.c.step, list_event.c.actor))} == {("publish", "import")}


def test_loading_the_lists_again_changes_nothing(folder: Path, store: Store) -> None:
    loading.load(folder, store, quiet=True)
    with store.read() as connection:
        before = version(connection)
    report = loading.load(folder, store, quiet=True)
    with store.read() as connection:
        assert version(connection) == before
        assert len(connection.execute(select(list_event)).all()) == 2
    assert not report.changed


def test_what_the_file_no_longer_names_is_ended_and_never_deleted(folder: Path, store: Store) -> None:
    loading.load(folder, store, quiet=True)
    tell(folder, "\n".join(ITEMS.splitlines()[:2]) + "\n", "\n".join(DUTY.splitlines()[:2]) + "\n")
    report = loading.load(folder, store, quiet=True)
    assert report.changed
    assert states(store) == {"A1": "published", "A2": "ended"}
    assert posts(store) == {("91", "street_lead", "一街道带班岗")}

    tell(folder)
    loading.load(folder, store, quiet=True)
    assert states(store) == {"A1": "published", "A2": "published"}


def test_an_item_applied_for_here_is_left_alone_by_a_load(folder: Path, store: Store) -> None:
    loading.load(folder, store, quiet=True)
    task_list.apply(store, ADMIN, code="B1", title="自己的", department_code="urban", to="grid", basis="示例")
    loading.load(folder, store, quiet=True)
    assert states(store)["B1"] == "applied"


def test_what_was_ended_here_stays_ended_until_its_row_changes(folder: Path, store: Store) -> None:
    loading.load(folder, store, quiet=True)
    task_list.move(store, ADMIN, "A1", "end", "不再适用")
    loading.load(folder, store, quiet=True)
    assert states(store)["A1"] == "ended"

    tell(folder, ITEMS.replace("示例甲", "示例甲（修订）"))
    loading.load(folder, store, quiet=True)
    assert states(store)["A1"] == "published"


@pytest.mark.parametrize(("row", "field"), [
    ("A3,没有依据,urban,,litter,,,", "basis"), ("A3,没有部门,,示例,litter,,,", "department"),
    ("A3,生部门,nobody,示例,litter,,,", "department"), ("A3,生类别,urban,示例,lost,,,", "category"),
    ("A3,临时,urban,示例,litter,,是,", "valid_to"), ("A3,给谁,urban,示例,litter,村民,,", "to"),
])
def test_a_bad_item_waits_in_quarantine_and_ends_nothing(folder: Path, store: Store, row: str, field: str) -> None:
    loading.load(folder, store, quiet=True)
    tell(folder, "\n".join(ITEMS.splitlines()[:2]) + f"\n{row}\n")
    loading.load(folder, store, quiet=True)
    assert states(store) == {"A1": "published", "A2": "published"}
    with store.read() as connection:
        assert [(r.source, r.field, r.grade) for r in connection.execute(select(quarantine))] == [("list", field, "refused")]


def test_a_post_of_an_area_that_is_not_there_is_refused(folder: Path, store: Store) -> None:
    tell(folder, roster=DUTY + "99,网格员,别处网格岗\n")
    report = loading.load(folder, store, quiet=True)
    assert {s.id: s.refused for s in report.sources}["roster"] == 1
    assert len(posts(store)) == 2


def test_a_temporary_item_whose_time_is_over_comes_in_as_ended(folder: Path, store: Store) -> None:
    tell(folder, ITEMS + "T1,春节保障,urban,示例,litter,,是,2026-02-20\nT2,汛期保障,urban,示例,litter,,是,2099-10-01\n")
    loading.load(folder, store, quiet=True)
    assert (states(store)["T1"], states(store)["T2"]) == ("ended", "published")
    with store.read() as connection:
        ends = connection.scalar(select(list_item.c.ends_at).where(list_item.c.code == "T2"))
    assert ends > now().timestamp()


def test_a_mistyped_key_of_a_list_is_refused_with_its_line_and_the_nearest_one(folder: Path, store: Store) -> None:
    path = folder / "city.toml"
    path.write_text(path.read_text("utf-8").replace('basis = "依据"', 'bases = "依据"'), "utf-8")
    with pytest.raises(CityFileError, match=r"line \d+: .*'bases' is no field of items. The nearest known one is 'basis'"):
        loading.load(folder, store, quiet=True)
