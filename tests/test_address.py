"""The address is the state: what is written is read back, and rubbish is named instead of crashing."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import address, scenes
from dashboard.address import View
from dashboard.context import span
from queries.frame import Filters

WORD = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=12)
WORDS = st.lists(WORD, max_size=3, unique=True).map(tuple)
DAY = st.dates(date(1990, 1, 1), date(2090, 1, 1))
METRES = st.just(0.0) | st.integers(2, 999).map(lambda tenths: tenths / 10)
FILTERS = st.builds(
    Filters, categories=WORDS, departments=WORDS, text=st.one_of(st.just(""), WORD),
    statuses=st.lists(st.sampled_from(address.STATUSES), max_size=4, unique=True).map(tuple),
    overdue=st.booleans(), open_only=st.booleans(), unplaced=st.booleans(),
)


@st.composite
def views(draw: st.DrawFn) -> View:
    """Draw any view that a screen can be in."""
    period = draw(st.sampled_from(address.PERIODS))
    days = sorted((draw(DAY), draw(DAY))) if period == "custom" else (None, None)
    return View(
        scene=draw(st.sampled_from(sorted(scenes.found()))), place=draw(st.none() | WORD), period=period,
        since=days[0], until=days[1], layer=draw(WORD), measure=draw(WORD),
        level=draw(st.none() | st.integers(0, 9)), filters=draw(FILTERS),
        order=draw(st.sampled_from(address.ORDERS)), after=draw(st.just("") | WORD),
        case=draw(st.just("") | WORD), source=draw(st.just("") | WORD),
        lang=draw(st.sampled_from(address.LANGUAGES)),
        kiosk=draw(st.booleans()), round=draw(st.just("") | WORD), stop=draw(st.integers(0, 999)), pause=draw(st.booleans()),
        pull=draw(st.just("") | WORD), wide=draw(METRES), far=draw(METRES),
        cams=draw(st.just("") | WORD), turn=draw(st.sampled_from(address.TURNS)),
        bucket=draw(st.sampled_from(("", *address.BUCKETS))), group=draw(st.sampled_from(("", *address.GROUPS))),
    )


@given(views(), st.sampled_from(address.LANGUAGES))
def test_a_written_address_reads_back_as_the_same_view(view: View, language: str) -> None:
    parts = urlsplit(address.write(view))

    again, notices = address.read(parts.path, f"?{parts.query}", language)

    assert again == view
    assert notices == ()


@given(st.none() | st.text(max_size=80), st.none() | st.text(max_size=200))
def test_no_address_crashes(pathname: str | None, search: str | None) -> None:
    view, _ = address.read(pathname, search)

    assert address.read(address.path(view), address.query(view))[0] == view


@pytest.mark.parametrize(
    ("search", "key"),
    [
        ("?from=2026-02-30&to=2026-03-01", "notice.date"),
        ("?from=0146-02-01&to=2026-03-01", "notice.date"),
        ("?from=2026-03-02&to=2026-03-01", "notice.backwards"),
        ("?from=2026-03-02", "notice.half_period"),
        ("?period=custom", "notice.half_period"),
        ("?period=eternity", "notice.value"),
        ("?level=-1", "notice.value"),
        ("?level=²", "notice.value"),
        ("?status=asleep", "notice.value"),
        ("?wide=0", "notice.value"),
        ("?far=1e9", "notice.value"),
        ("?stop=-1", "notice.value"),
        ("?kiosk=yes", "notice.value"),
        ("?colour=red", "notice.value"),
        ("?place=" + "9" * 1000, "notice.value"),
        ("?place=99%00", "notice.value"),
        ("?" + "&".join(["place=1"] * 200), "notice.address"),
    ],
)
def test_a_bad_value_is_named_and_left_out(search: str, key: str) -> None:
    view, notices = address.read("/", search)

    assert key in [notice.key for notice in notices]
    assert view.period == "30d"
    assert view.place is None


def test_an_unknown_scene_opens_the_leaders_page_and_says_so() -> None:
    view, notices = address.read("/wall-of-fame", "")

    assert view.scene == "leader"
    assert [notice.key for notice in notices] == ["notice.scene"]


def test_a_scene_file_that_is_dropped_in_is_reachable_with_no_other_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "night_watch.py").write_text(
        "from dashboard.scenes._scene import Scene\n"
        "SCENE = Scene(id='night_watch', title={'zh': '夜班', 'en': 'Night'}, order=90, slots=('main',))\n", "utf-8")
    monkeypatch.setattr(scenes, "__path__", [*scenes.__path__, str(tmp_path)])
    scenes.found.cache_clear()

    try:
        view, notices = address.read("/night_watch", "?lang=en")
    finally:
        monkeypatch.undo()
        scenes.found.cache_clear()
        sys.modules.pop("dashboard.scenes.night_watch", None)

    assert view.scene == "night_watch"
    assert notices == ()
    assert address.write(view) == "/night_watch?lang=en"


def test_the_default_view_has_a_short_address_that_names_its_language() -> None:
    assert address.write(View()) == "/?lang=zh"


@pytest.mark.parametrize(
    ("period", "since"),
    [
        ("1d", date(2026, 3, 15)), ("7d", date(2026, 3, 9)), ("30d", date(2026, 2, 14)),
        ("month", date(2026, 3, 1)), ("year", date(2026, 1, 1)),
    ],
)
def test_period_words_end_at_the_last_known_day(period: str, since: date) -> None:
    assert span(View(period=period), date(2026, 3, 15)) == (since, date(2026, 3, 15))


def test_last_month_is_a_whole_month() -> None:
    got = span(View(period="lastmonth"), date(2026, 3, 15))

    assert got == (date(2026, 2, 1), date(2026, 2, 28))


def test_a_page_has_its_own_layer_and_a_chosen_one_goes_along() -> None:
    own = address.read("/cameras", "?lang=zh")[0]
    assert (own.layer, own.but(scene="leader").layer, own.but(scene="alarms").layer) == ("plain", "open_cases", "plain")
    chosen = address.read("/cameras", "?layer=overdue&lang=zh")[0]
    assert chosen.but(scene="leader").layer == "overdue"
    # The overview's usual layer is a choice there, and is said.
    assert "layer=open_cases" in address.write(own.but(layer="open_cases"))


def test_another_question_starts_the_list_at_its_first_page() -> None:
    view = View(after="x:1")

    assert view.but(place="9901").after == ""
    assert view.narrowed(overdue=True).after == ""
    assert view.but(case="N1").after == "x:1"
