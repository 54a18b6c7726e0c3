"""The time cursor in a real browser: step, play, drill and back to live; always said, never acted in, and what is real shouts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from queries.clock import now, stamp
from queries.store import Store
from queries.tables import cases
from tests.conftest import MOMENT
from tests.test_pages_browser import text, until

pytestmark = pytest.mark.browser
#: The city's own time; the demo city's zone is UTC+8 all the year.
THEN = (MOMENT + timedelta(hours=8) - timedelta(hours=26)).replace(tzinfo=None)
AT = f"{THEN:%Y-%m-%dT%H:%M}"
Open = Callable[[str], Any]
WHEN = "return document.querySelector('#cursor .when') && document.querySelector('#cursor .when').innerText"
DRAWN = "return document.querySelectorAll('.cases tbody.rows tr').length>3 && document.querySelectorAll('.tile').length>=11 && !document.querySelector('.waiting:not(#map-tip)')"


@pytest.fixture
def show(lively: tuple[str, Store], browser: Any) -> Open:
    def go(path: str) -> Any:
        browser.get("about:blank")
        # Who an earlier test was at this address is not who looks here.
        browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
        browser.get_log("browser")
        browser.get(lively[0] + path)
        until(browser, WHEN)
        return browser
    return go


def asked(browser: Any, name: str) -> str:
    return browser.execute_script("return new URLSearchParams(location.search).get(arguments[0])", name) or ""


def press(browser: Any, what: str) -> None:
    browser.execute_script(f"document.querySelector('#cursor [data-cursor={what}]').click()")


def key(browser: Any, name: str) -> None:
    browser.execute_script("document.body.dispatchEvent(new KeyboardEvent('keydown',{key:arguments[0],bubbles:true}))", name)


def test_a_live_screen_says_so_and_leads_into_the_past_and_back(show: Open) -> None:
    browser = show("/?lang=en")
    until(browser, DRAWN)
    assert text(browser, "#cursor .when") == "● live"
    assert browser.execute_script("return document.documentElement.dataset.when") == "live"
    press(browser, "begin")
    until(browser, "return document.documentElement.dataset.when=='past' && document.querySelector('#cursor .in-past')")
    assert asked(browser, "at")
    key(browser, "l")
    until(browser, "return document.querySelector('#cursor .in-live')")
    assert asked(browser, "at") == ""


def test_every_part_of_a_past_screen_says_its_moment_and_steps_move_all_of_them(show: Open) -> None:
    browser = show(f"/?lang=en&at={AT}")
    until(browser, DRAWN)
    strips = "return [...document.querySelectorAll('.panel:not(:empty) .strip')].map(one=>one.innerText)"
    said = browser.execute_script(strips)
    assert len(said) >= 6
    assert all(f"◷ playback {THEN:%Y-%m-%d %H:%M}" in one for one in said)
    later = THEN + timedelta(minutes=16)
    key(browser, "]")
    until(browser, f"return new URLSearchParams(location.search).get('at')=='{THEN + timedelta(minutes=15):%Y-%m-%dT%H:%M}'")
    key(browser, ".")
    until(browser, f"const all=[...document.querySelectorAll('.panel:not(:empty) .strip')];return all.length>=6 && all.every(one=>one.innerText.includes('{later:%Y-%m-%d %H:%M}'))")
    slide = "const one=document.querySelector('#cursor input[type=range]');one.value=61;one.dispatchEvent(new Event('change',{bubbles:true}))"
    browser.execute_script(slide)
    until(browser, f"return new URLSearchParams(location.search).get('at')=='{later:%Y-%m-%d}T01:01'")


@pytest.mark.parametrize(("path", "drawn"), [
    ("alarms", ".panel-sensors tbody.rows tr"), ("matrix", ".matrix tbody.rows tr"), ("evaluation", ".panel-like_areas tbody.rows tr"), ("grid", ".grid-choice tbody.rows tr"),
    ("grid?place=990103001001001", ".grid-figures tbody.rows tr")])
def test_the_other_pages_show_the_past_too_and_offer_nothing_to_do(show: Open, path: str, drawn: str) -> None:
    browser = show(f"/{path}{'&' if '?' in path else '?'}lang=en&at={AT}")
    until(browser, f"return document.querySelector('{drawn}') && !document.querySelector('.waiting:not(#map-tip)')", 40)
    said = browser.execute_script("return [...document.querySelectorAll('.panel:not(:empty) .strip, .grid-page .strip')].map(one=>one.innerText)")
    assert said
    assert all(f"◷ playback {THEN:%Y-%m-%d %H:%M}" in one for one in said)
    assert browser.execute_script("return document.querySelectorAll('.acts button, .report-form, .shift-new, .sound button').length") == 0


def test_playing_goes_on_by_itself_until_it_is_stopped(show: Open) -> None:
    browser = show(f"/?lang=en&at={AT}")
    until(browser, DRAWN)
    browser.execute_script("document.querySelector('#cursor [data-speed=\"600\"]').click()")
    until(browser, f"return new URLSearchParams(location.search).get('at')>='{THEN + timedelta(minutes=40):%Y-%m-%dT%H:%M}'", 40)
    press(browser, "stop")
    assert browser.execute_script("return window.govCursor.speed") == 0


def test_what_happens_now_does_not_draw_a_past_screen_and_nothing_can_be_done_on_it(show: Open, lively: tuple[str, Store]) -> None:
    browser = show(f"/street?lang=en&at={AT}")
    until(browser, "return document.querySelector('.panel-desk_overdue .case')")
    assert browser.execute_script("return document.querySelectorAll('.acts button, .report-form').length") == 0
    drawn = browser.execute_script("return window.govLive.count.draws")
    with lively[1].write():
        pass
    frames = browser.execute_script("return window.govLive.count.frames")
    until(browser, f"return window.govLive.count.frames>{frames + 1}", 30)
    # The banner of what is real is the one thing that goes on hearing.
    assert browser.execute_script("return window.govLive.count.draws") - drawn <= 6
    browser.execute_script("""window.dash_clientside.set_props('pressed', {data: {do: 'step', no: 'X', step: 'filed', seq: 1, spot: 'mine', at: 1}})""")
    until(browser, "return document.querySelector('#done .refused')")
    assert "Go back to live to act" in text(browser, "#done")


def test_a_drill_stands_under_its_mark_on_every_screen_and_shows_what_is_real(show: Open, lively: tuple[str, Store]) -> None:
    began = stamp(now()) - 20
    browser = show(f"/wall?lang=zh&drill={AT}~{began}x60")
    until(browser, "return document.documentElement.dataset.when=='drill' && document.querySelector('.panel-wall_cases .line')")
    assert "演练" in text(browser, "#cursor .when")
    mark = browser.execute_script("const s=getComputedStyle(document.getElementById('watermark'));return [s.display,s.pointerEvents,s.backgroundImage]")
    assert mark[:2] == ["block", "none"]
    assert "DRILL" in mark[2]
    first = text(browser, "#cursor .when")
    until(browser, f"return document.querySelector('#cursor .when').innerText!={json.dumps(first)}", 20)
    assert text(browser, "#real") == ""
    with lively[1].write() as connection:
        late = connection.execute(cases.select().where(cases.c.is_open).limit(1)).one()
        connection.execute(update(cases).where(cases.c.id == late.id).values(urgent=True, due_at=stamp(now()) - 5))
    until(browser, "return document.querySelector('#real [data-real]')", 30)
    assert "真实事件" in text(browser, "#real")
    assert asked(browser, "drill")
    over = browser.execute_script("return Number(getComputedStyle(document.querySelector('.real')).zIndex)>Number(getComputedStyle(document.getElementById('watermark')).zIndex)")
    assert over


def test_a_moment_that_has_not_come_is_said_and_nothing_is_shown_for_it(show: Open) -> None:
    to_come = datetime.now(UTC) + timedelta(days=400)
    browser = show(f"/?lang=en&at={to_come:%Y-%m-%dT%H:%M}")
    until(browser, "return document.querySelector('.panel-kpi .failed')")
    assert "has not come yet" in text(browser, "#cursor")
    assert browser.execute_script("return document.querySelectorAll('.tile').length") == 0
    browser = show("/?lang=en&at=yesterday")
    until(browser, DRAWN)
    assert "This moment cannot be used" in text(browser, "#notice")
    assert text(browser, "#cursor .when") == "● live"
