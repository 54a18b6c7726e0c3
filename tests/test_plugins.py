"""The folder is the list: each plug-in is tried the moment its file exists."""

from __future__ import annotations

from datetime import date

import pytest

import layers
from dashboard import panels, scenes
from layers._layer import paint
from queries import cases
from queries.frame import EVERYTHING, Actor, Ask, Filters
from queries.store import Store

ASK = Ask(scope=EVERYTHING, since=date(2026, 10, 25), until=date(2026, 11, 23))


@pytest.mark.parametrize("layer", layers.found().values(), ids=lambda one: one.id)
def test_a_layer_says_what_it_shows_and_answers(layer: layers.Layer, city: Store) -> None:
    for words in (layer.title, layer.definition):
        assert words["zh"]
        assert words["en"]
    if layer.kind == "areas":
        painted = paint(layer, city, ASK, 1)
        assert sum(one.count for one in painted.classes) == len(painted.marks) == 9
        assert all(one.word["zh"] and one.text["en"] for one in painted.classes)
    else:
        answer = layer.points(city, ASK, (125.0, 29.0, 126.5, 30.0), 11)
        assert answer.rows or layer.may_be_empty
        assert all(125 < row.lon < 127 and 29 < row.lat < 30 for row in answer.rows)


@pytest.mark.parametrize("panel", panels.found().values(), ids=lambda one: one.id)
def test_a_panel_stands_in_a_slot_that_exists(panel: panels.Panel) -> None:
    assert panel.slots
    for scene, slot in panel.slots.items():
        assert slot in scenes.found()[scene].slots


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("panel", panels.found().values(), ids=lambda one: one.id)
def test_a_panel_draws_with_data_and_without(panel: panels.Panel, lang: str, city: Store, tmp_path) -> None:  # noqa: ANN001
    from dashboard.address import View
    from dashboard.context import Context, Visitor, visited
    from queries.errors import GovError
    from queries.settings import Settings

    # An open case is named, so that what speaks of one case is drawn too.
    no = cases.page(city, ASK.but(filters=Filters(statuses=("filed",), open_only=True)), limit=1).rows[0].no
    view = View(lang=lang, period="custom", since=ASK.since, until=ASK.until, case=no)
    leader = Visitor(actor=Actor(name="leader", post="viewer", scope=EVERYTHING), by="session")
    with visited(leader):
        assert panel.render(Context(Settings(), city), view) is not None
    empty = Store(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    empty.upgrade()
    told = ""
    try:
        with visited(leader):
            panel.render(Context(Settings(), empty), view.but(case=""))
    except GovError as refused:
        told = str(refused)
    finally:
        empty.close()
    assert not told or "load" in told, "a refusal says what to do"
