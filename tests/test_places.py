"""The boundary tree as it is read: finding, walking, searching."""

from __future__ import annotations

from datetime import date

import pytest

from queries import places
from queries.boundaries import read_areas, write_trees
from queries.errors import AskError
from queries.frame import EVERYTHING, NOTHING, Scope
from queries.store import Store
from tests.boundary_cities import area, box, city, frame, level

TODAY = date(2024, 5, 1)


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    folder = tmp_path_factory.mktemp("places")
    store = Store(f"sqlite:///{folder / 'store.sqlite'}")
    store.upgrade()
    districts = [
        area("990101", box(0, 0, 4, 2), "C", name="桥东区", name_en="Qiaodong District"),
        area("990102", box(4, 0, 8, 2), "C", name="重阳区", name_en="Chongyang District"),
    ]
    streets = [
        area("990101001", box(0, 0, 4, 2), "990101", name="桥头街道", name_en="Qiaotou Street"),
        area("990102001", box(4, 0, 6, 2), "990102", name="100%_街", name_en="Percent Street"),
        area("990102002", box(6, 0, 8, 2), "990102", name="北桥街道", name_en="Beiqiao Street"),
    ]
    frames = {"district": frame(districts), "street": frame(streets)}
    for name, one in frames.items():
        one.to_file(folder / f"{name}.geojson")

    levels = [level(name, f"{name}.geojson", name_en_column="name_en") for name in frames]
    found = read_areas(city(*levels), folder)
    with store.write() as writing:
        write_trees(writing, found.city, found)
    with store.read() as reading:
        yield reading
    store.close()


def codes(found):
    return [place.code for place in found]


def test_the_whole_city_is_the_place_of_no_code(connection):
    root = places.find(connection, None, TODAY)

    assert (root.code, root.level, root.name, root.parent_code, root.residents) == ("C", 0, "云州", None, None)
    assert root == places.root(connection, TODAY) == places.find(connection, "C", TODAY)


def test_path_leads_from_the_city_down(connection):
    street = places.find(connection, "990102002", TODAY)

    assert codes(places.path(connection, street)) == ["C", "990102", "990102002"]
    assert not street.has_children


def test_children_and_all_below_a_level(connection):
    root = places.root(connection, TODAY)

    assert codes(places.children(connection, root)) == ["990101", "990102"]
    assert codes(places.below(connection, root, 2)) == ["990101001", "990102001", "990102002"]
    assert codes(places.below(connection, places.find(connection, "990101", TODAY), 2)) == ["990101001"]
    assert places.below(connection, places.find(connection, "990101", TODAY), 0) == []


def test_unknown_code_is_answered_with_the_nearest(connection):
    with pytest.raises(AskError, match=r"'99010200'.*2024-05-01.*nearest code is '99010200[12]'"):
        places.find(connection, "99010200", TODAY)


def test_nearest_code_is_not_told_to_those_who_may_not_see_everything(connection):
    with pytest.raises(AskError) as told:
        places.find(connection, "99010200", TODAY, Scope(areas=frozenset({"990101"})))

    assert "nearest" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("桥东区", "990101"), ("桥东", "990101"), ("qiaodong", "990101"), ("qiao dong", "990101"),
        ("QDQ", "990101"), ("Qiaotou Str", "990101001"), ("990102002", "990102002"), ("0102002", None),
        ("北桥", "990102002"), ("bqjd", "990102002"), ("chongyang", "990102"), ("100%_", "990102001"), ("９９０１０２００２", "990102002"),
        ("云州", "C"), ("yunzhou", "C"), ("％", "990102001"), ("'; drop table area", None), ("   ", None),
    ],
)
def test_search_by_name_pinyin_initials_or_code(connection, text, first):
    found = codes(places.search(connection, EVERYTHING, text, TODAY))

    assert found[:1] == ([first] if first else [])


def test_search_puts_the_beginning_of_a_name_before_its_middle(connection):
    found = codes(places.search(connection, EVERYTHING, "桥", TODAY))

    assert found == ["990101", "990101001", "990102002"]


def test_wildcards_in_a_search_are_plain_letters(connection):
    assert codes(places.search(connection, EVERYTHING, "%", TODAY)) == ["990102001"]
    assert codes(places.search(connection, EVERYTHING, "_", TODAY)) == ["990102001"]


def test_search_stays_inside_the_scope(connection):
    scope = Scope(areas=frozenset({"990101"}))

    assert codes(places.search(connection, scope, "桥", TODAY)) == ["990101", "990101001"]
    assert places.search(connection, NOTHING, "桥", TODAY) == []


def test_search_keeps_to_its_limit(connection):
    assert len(places.search(connection, EVERYTHING, "9901", TODAY, limit=2)) == 2


def test_dense_numbers_lead_back_to_areas(connection):
    root = places.root(connection, TODAY)
    numbers = places.level_numbers(connection, root.tree_id, 2)

    assert numbers[0] == 0
    for place in places.below(connection, root, 2):
        assert numbers[place.dense] == place.area_id


def test_outlines_of_a_view(connection):
    root = places.root(connection, TODAY)
    tree = root.tree_id

    assert len(list(places.shapes(connection, tree, 2))) == 3
    assert len(list(places.shapes(connection, tree, 2, bbox=(100.065, 30.0, 100.07, 30.01)))) == 1
    assert len(list(places.shapes(connection, tree, 2, under=places.find(connection, "990102", TODAY)))) == 2


def test_levels_are_told_from_the_city_down(connection):
    assert [(one.level, one.id) for one in places.levels(connection)] == [(0, "city"), (1, "district"), (2, "street")]


def test_everything_under_a_place_is_its_interval(connection):
    root = places.root(connection, TODAY)
    district = places.find(connection, "990102", TODAY)

    assert places.ranges(connection, [root.area_id]) == [(root.num, root.last)]
    assert places.ranges(connection, [district.area_id]) == [(district.num, district.last)]
    assert places.ranges(connection, []) == []


def test_question_about_an_empty_store_says_what_to_do(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    store.upgrade()

    with store.read() as reading:
        for ask in (places.root, places.tree_on):
            with pytest.raises(AskError, match="Load a city first"):
                ask(reading, TODAY)
    store.close()
