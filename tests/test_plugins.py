"""The folder is the list: each plug-in is tried the moment its file exists."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

import layers
from dashboard import panels, rounds, scenes
from layers._layer import paint
from queries import cases
from queries.errors import AskError
from queries.frame import EVERYTHING, Actor, Ask, Filters
from queries.settings import Settings
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


@pytest.mark.parametrize("one", rounds.found().values(), ids=lambda one: one.id)
def test_a_round_stops_at_addresses_that_are_read_back(one: rounds.Round, city: Store) -> None:
    from dashboard import address
    from dashboard.address import View
    from dashboard.context import Context, Visitor, visited
    from queries.settings import Settings

    with visited(Visitor(actor=Actor(name="wall", post="wall", scope=EVERYTHING), by="session")):
        turns = rounds.turns(Context(Settings(), city), View(scene="wall", kiosk=True), one)
    assert turns
    for i, turn in enumerate(turns):
        view, notices = address.read("/wall", turn.search)
        assert (view.round, view.stop, view.kiosk, notices) == (one.id, i, True, ())
        assert view.layer in layers.found()
        assert turn.dwell_s >= 5


@pytest.mark.parametrize("scene", scenes.found().values(), ids=lambda one: one.id)
def test_a_scene_takes_panels_into_slots_that_it_has(scene: scenes.Scene) -> None:
    assert set(scene.takes) <= set(scene.slots)


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


#: A day before the end of the demo city's records, in its own time.
THEN = datetime(2026, 11, 22, 14, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize("layer", layers.found().values(), ids=lambda one: one.id)
def test_a_layer_answers_of_the_past_or_is_left_out_of_it(layer: layers.Layer, city: Store) -> None:
    ask = ASK.but(since=date(2026, 10, 25), until=date(2026, 11, 21), at=THEN)
    if layer.kind == "points":
        # The map and the API ask only those that say they can; what they then say is as of the moment.
        told = layer.points(city, ask, (125.0, 29.0, 126.5, 30.0), 11) if layer.then else None
        assert told is None or told.as_of is not None and told.as_of <= THEN
        return
    if not layer.then:
        with pytest.raises(AskError, match="left out of the past"):
            paint(layer, city, ask, 1)
        return
    answer = paint(layer, city, ask, 1).answer
    assert answer.as_of is None or answer.as_of <= THEN


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("panel", panels.found().values(), ids=lambda one: one.id)
def test_a_panel_shows_the_past_or_says_that_it_cannot(panel: panels.Panel, lang: str, sqlite_city: Store) -> None:
    from dashboard import draw
    from dashboard.address import View
    from dashboard.context import Context, Visitor, visited
    from dashboard.words import Words

    leader = Visitor(actor=Actor(name="leader", post="admin", scope=EVERYTHING), by="session")
    for scene in panel.slots:
        view = View(scene=scene, lang=lang, at="2026-11-22T14:30")
        with visited(leader):
            context = Context(Settings(), sqlite_city)
            shown = str(draw(context, view, panel.id))
        assert Words(lang)("panel.failed") not in shown
        if not panel.then and shown != "[]":
            assert Words(lang)("when.only_now") in shown
        # Nothing acts in the past, and no part forgets to say which moment it shows.
        assert "data-act" not in shown
        assert shown == "[]" or "2026-11-22 14:30" in shown or "strip" not in shown
