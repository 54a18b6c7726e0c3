"""Tree versions: loading again changes nothing, a change keeps what it does not touch."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from sqlalchemy import func, select

from queries import places
from queries.boundaries import Locator, plan_trees, read_areas, write_trees
from queries.clock import day_bucket
from queries.errors import BoundaryError
from queries.store import Store
from queries.tables import area, cases, node, sensor, tree
from tests.boundary_cities import area as one_area
from tests.boundary_cities import at, box, city, frame, level, read, two_by_two

TODAY = date(2024, 5, 1)


@pytest.fixture
def store(tmp_path):
    made = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    made.upgrade()
    yield made
    made.close()


def load(store, folder, frames=None, **more):
    found = read(folder, frames, **more)
    with store.write() as connection:
        return write_trees(connection, found.city, found)


def dated(folder, rows):
    frame(rows).to_file(folder / "d.geojson")
    return read_areas(city(level("district", "d.geojson", valid_from="since", valid_to="until")), folder)


def content(store):
    with store.read() as connection:
        return [connection.execute(select(t)).all() for t in (tree, area, node)]


def add_case(connection, point, day, number="1", area_code=None):
    lon, lat = at(*point) if point else (None, None)
    placed = Locator(connection).place(
        np.array([lon], float), np.array([lat], float), np.array([day_bucket(day)]), [area_code]
    )
    connection.execute(cases.insert().values(
        no=number, node=int(placed.node[0]), placed=str(placed.placed[0]), lon=lon, lat=lat, category_id=1,
        status="filed", urgent=False, reported_at=day_bucket(day) * 86400 + 3600, is_open=True, source="t", hash="",
    ))


def case_area(connection, number="1"):
    num = connection.scalar(select(cases.c.node).where(cases.c.no == number))
    return places.chain(connection, num)[-1].code


def test_loading_again_changes_nothing(store, tmp_path):
    load(store, tmp_path)
    before = content(store)

    again = load(store, tmp_path)

    assert again.change.unchanged
    assert not again.rebuild
    assert content(store) == before


def test_numbers_are_in_pre_order_and_each_interval_holds_what_is_below(store, tmp_path):
    load(store, tmp_path)

    with store.read() as connection:
        root = places.root(connection, TODAY)
        assert (root.num, root.last) == (1, 23)
        for place in [root, *places.below(connection, root, 1), *places.below(connection, root, 2)]:
            for child in places.children(connection, place):
                assert place.num < child.num <= child.last <= place.last
        grids = places.below(connection, root, 3)
    assert [g.dense for g in grids] == list(range(1, 17))


def test_further_files_of_the_same_tree_say_what_they_would_do_and_write_nothing(store, tmp_path):
    found = read(tmp_path)
    with store.read() as connection:
        change = plan_trees(connection, found.city, found)

    assert (change.created, change.areas_new, change.unchanged) == (1, 23, False)
    assert content(store) == [[], [], []]


def test_corrected_boundary_replaces_the_tree_and_moves_its_cases(store, tmp_path):
    load(store, tmp_path)
    with store.write() as connection:
        add_case(connection, (1.9, 0.5), TODAY)
        before = {r.code: r.id for r in connection.execute(select(area.c.code, area.c.id))}
    frames = two_by_two()
    frames["grid"].loc[1, "geometry"] = box(1, 0, 1.8, 1)  # G12 gets smaller

    written = load(store, tmp_path, frames)

    with store.read() as connection:
        after = {r.code: r.id for r in connection.execute(select(area.c.code, area.c.id))}
        assert case_area(connection) == "S1"
        assert connection.scalar(select(func.count()).select_from(tree)) == 1
        assert connection.scalar(select(func.min(node.c.num))) > 23  # numbers are never used again
    assert written.rebuild
    assert written.moved == 1
    assert {code for code in before if before[code] != after[code]} == {"G12"}


def test_case_placed_by_its_area_code_keeps_its_place_in_a_new_tree(store, tmp_path):
    load(store, tmp_path)
    with store.write() as connection:
        add_case(connection, None, TODAY, area_code="G33")
    frames = two_by_two()
    frames["grid"].loc[0, "name"] = "新名"

    load(store, tmp_path, frames)

    with store.read() as connection:
        assert case_area(connection) == "G33"


def test_sensors_move_too(store, tmp_path):
    load(store, tmp_path)
    with store.write() as connection:
        lon, lat = at(1.9, 0.5)
        placed = Locator(connection).place(np.array([lon]), np.array([lat]), np.array([day_bucket(TODAY)]), None)
        connection.execute(sensor.insert().values(
            code="s", name="s", lon=lon, lat=lat, node=int(placed.node[0]), placed="point", source="t", hash=""))
    frames = two_by_two()
    frames["grid"].loc[1, "geometry"] = box(1, 0, 1.8, 1)

    load(store, tmp_path, frames)

    with store.read() as connection:
        assert places.chain(connection, connection.scalar(select(sensor.c.node)))[-1].code == "S1"


def test_residents_and_english_names_are_refreshed_without_a_new_tree(store, tmp_path):
    frames = two_by_two()
    for people in (10, 20):
        frames["grid"]["people"] = people
        frames["grid"].to_file(tmp_path / "grid.geojson", driver="GeoJSON")
        one = read_areas(city(level("grid", "grid.geojson", parent=None, residents="people")), tmp_path)
        with store.write() as connection:
            written = write_trees(connection, one.city, one)

    with store.read() as connection:
        assert places.find(connection, "G11", TODAY).residents == 20
    assert written.change.unchanged


def test_area_that_did_not_change_keeps_its_id_through_tree_versions(store, tmp_path):
    found = dated(tmp_path, [
        one_area("W", box(0, 0, 4, 2), since=None, until=None),
        one_area("E", box(4, 0, 8, 2), since=None, until="2024-01-01"),
        one_area("E1", box(4, 0, 6, 2), since="2024-01-01", until=None),
        one_area("E2", box(6, 0, 8, 2), since="2024-01-01", until=None),
    ])
    with store.write() as connection:
        write_trees(connection, found.city, found)
        old, new = date(2023, 12, 31), date(2024, 1, 1)

        was, now = places.find(connection, "W", old), places.find(connection, "W", new)
        assert was.area_id == now.area_id
        assert was.num != now.num
        assert places.root(connection, old).area_id == places.root(connection, new).area_id
        assert [p.code for p in places.children(connection, places.root(connection, old))] == ["E", "W"]
        assert [p.code for p in places.children(connection, places.root(connection, new))] == ["E1", "E2", "W"]
        assert len(places.ranges(connection, [was.area_id])) == 2


def test_area_whose_parent_is_split_stays_the_same_area_with_all_of_its_cases(store, tmp_path):
    frame([one_area("E", box(0, 0, 4, 2), since=None, until="2024-01-01"), one_area("E1", box(0, 0, 2, 2), since="2024-01-01", until=None),
           one_area("E2", box(2, 0, 4, 2), since="2024-01-01", until=None)]).to_file(tmp_path / "d.geojson")
    frame([one_area("G1", box(0, 0, 2, 2)), one_area("G2", box(2, 0, 4, 2))]).to_file(tmp_path / "g.geojson")
    found = read_areas(city(level("district", "d.geojson", valid_from="since", valid_to="until"),
                            {**level("grid", "g.geojson"), "parent": "contains"}), tmp_path)
    old, new = date(2023, 12, 31), date(2024, 1, 1)
    with store.write() as connection:
        write_trees(connection, found.city, found)
        add_case(connection, (1, 1), old, "1")
        add_case(connection, (1, 1), new, "2")

        was, now = places.find(connection, "G1", old), places.find(connection, "G1", new)
        assert was.area_id == now.area_id
        assert [p.code for p in places.path(connection, was)] == ["C", "E", "G1"]
        assert [p.code for p in places.path(connection, now)] == ["C", "E1", "G1"]
        spans = places.ranges(connection, [now.area_id])
        assert connection.scalars(select(cases.c.no).where(places.inside(cases.c.node, spans)).order_by(cases.c.no)).all() == ["1", "2"]
        # The district that ended keeps the case of its time.
        spans = places.ranges(connection, [places.find(connection, "E1", new).area_id])
        assert connection.scalars(select(cases.c.no).where(places.inside(cases.c.node, spans))).all() == ["2"]


def test_delivery_that_begins_later_keeps_the_history_before_it(store, tmp_path):
    load(store, tmp_path, {"district": two_by_two()["district"]})
    with store.write() as connection:
        add_case(connection, (1, 1), date(2023, 6, 1), "old")
        add_case(connection, (1, 1), date(2024, 6, 1), "new")
    rows = [one_area("N", box(0, 0, 8, 2), since="2024-01-01", until=None)]

    found = dated(tmp_path, rows)
    with store.write() as connection:
        written = write_trees(connection, found.city, found)

        assert (case_area(connection, "old"), case_area(connection, "new")) == ("D1", "N")
        assert [(t.valid_from, t.valid_to) for t in places.trees(connection)] == [
            (None, date(2024, 1, 1)), (date(2024, 1, 1), None)]
    assert written.moved == 1
    with store.write() as connection:
        assert write_trees(connection, found.city, found).change.unchanged


def test_too_many_days_of_change_are_merged_and_said(store, tmp_path, monkeypatch):
    from queries.boundaries import parents

    monkeypatch.setattr(parents, "MOST_NODES", 100)
    rows = [one_area(f"A{i}", box(i, 0, i + 1, 1), since=f"2024-01-{i + 1:02}", until=None) for i in range(20)]

    found = dated(tmp_path, rows)

    assert len(found.trees) <= 5
    assert len(found.trees[-1].rows) == 20
    assert any("too many days" in r.reason_en for r in found.refusals)


def test_city_of_which_every_area_is_refused_is_an_error(tmp_path):
    with pytest.raises(BoundaryError, match=r"every area was refused.*data row 1 .*has no code") as told:
        read(tmp_path, {"district": frame([one_area(" ", box(0, 0, 1, 1))])})
    assert "数据第 1 行" in told.value.say("zh")


def test_boundary_of_the_city_itself_may_come_from_a_file(store, tmp_path):
    frame([one_area("whatever", box(0, 0, 9, 3))]).to_file(tmp_path / "c.geojson")
    frames = two_by_two()
    frames["district"].to_file(tmp_path / "d.geojson")
    levels = [{"id": "city", "name": "市", "file": "c.geojson"}, level("district", "d.geojson")]

    found = read_areas(city().model_validate({"name": "云州", "code": "C", "levels": levels}), tmp_path)
    with store.write() as connection:
        write_trees(connection, found.city, found)

        root = places.root(connection, TODAY)
    assert (root.code, root.name) == ("C", "云州")
    assert root.bbox == pytest.approx((100.0, 30.0, 100.09, 30.03))
