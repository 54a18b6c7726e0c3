"""The leader's page in a real browser: three clicks to the worst street's cases, one screen, said silence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.test_pages_browser import text, until

pytestmark = pytest.mark.browser
Open = Callable[[str], Any]
HOME = Path(__file__).resolve().parent.parent
READY = ("return window.govMap && window.govMap.painted > 0 && document.querySelectorAll('.tile').length >= 11"
         " && document.querySelector('.panel-case_list .strip') && !document.querySelector('.waiting:not(#map-tip)')")


@pytest.fixture
def show(server: str, browser: Any) -> Open:
    def go(path: str) -> Any:
        browser.get(server + path)
        until(browser, READY)
        return browser
    return go


@contextmanager
def screen(browser: Any, width: int, height: int) -> Iterator[None]:
    """Give the page a screen of a size for a while."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def press(browser: Any, *keys: str) -> None:
    """Press keys where the focus is."""
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:
        ActionChains(browser).send_keys(key).perform()
        time.sleep(0.1)


def test_three_clicks_lead_from_a_dropped_rate_to_the_worst_streets_cases(show: Open) -> None:
    from selenium.webdriver.common.by import By

    browser, clicks = show("/?lang=en"), 0

    def click(selector: str) -> None:
        nonlocal clicks
        browser.find_element(By.CSS_SELECTOR, selector).click()
        clicks += 1

    click(".tile-on_time_rate")
    until(browser, "return document.querySelector('.panel-children h2').innerText.includes('On-time rate')")
    until(browser, "return document.querySelector('#map-panel .title').innerText.startsWith('On-time rate')")
    district = text(browser, ".ranking tbody.rows a.drill")
    click(".ranking tbody.rows a.drill")
    until(browser, f"return document.querySelector('.crumbs a:last-of-type').innerText=={district!r}")
    until(browser, f"const a=document.querySelector('.ranking tbody.rows a.drill');return a && a.innerText!={district!r}")
    street = text(browser, ".ranking tbody.rows a.drill")
    click(".ranking tbody.rows a.drill")
    until(browser, f"return document.querySelector('.crumbs a:last-of-type').innerText=={street!r}")

    assert clicks == 3
    place = browser.execute_script("return new URLSearchParams(location.search).get('place')")
    places = until(browser, "const l=[...document.querySelectorAll('.cases .where a')];return l.length && l.map(a=>new URL(a.href).searchParams.get('place'))")
    assert all(one.startswith(place) for one in places)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_everything_is_on_the_first_screen(show: Open, lang: str) -> None:
    browser = show(f"/?lang={lang}")
    with screen(browser, 1920, 1080):
        time.sleep(0.5)
        low = browser.execute_script("return [...document.querySelectorAll('.panel')].filter(p=>p.innerText).map(p=>[p.className,Math.round(p.getBoundingClientRect().bottom)])")
        assert len(low) >= 7
        assert [name for name, bottom in low if bottom > 1080] == []
        assert browser.execute_script("return document.documentElement.scrollHeight") <= 1080
        cut = browser.execute_script(
            "return [...document.querySelectorAll('.panel')].filter(p=>p.scrollHeight>p.clientHeight+1).map(p=>p.className)")
        assert cut == []
        assert browser.execute_script("return document.querySelector('.header').getBoundingClientRect().height") < 100
        # Nine districts and a good part of the case list are seen without scrolling inside.
        rows = "const b=document.querySelector('.%s .scroll').getBoundingClientRect().bottom;return [...document.querySelectorAll('.%s tbody.rows tr')].filter(r=>r.getBoundingClientRect().bottom<=b+1).length"
        assert browser.execute_script(rows % ("panel-children", "panel-children")) == 9
        # Above it stand the alarms.
        assert browser.execute_script(rows % ("panel-case_list", "panel-case_list")) >= 7


def test_a_wall_shows_the_same_picture_larger(show: Open) -> None:
    browser = show("/?lang=zh")
    measure = "const r=e=>document.querySelector(e).getBoundingClientRect().height;return [r('.tile'),r('.ranking tbody.rows tr'),r('.swatch'),parseFloat(getComputedStyle(document.querySelector('.panel-head .aside')).fontSize)]"
    with screen(browser, 1920, 1080):
        time.sleep(0.3)
        small = browser.execute_script(measure)
    with screen(browser, 3840, 2160):
        time.sleep(0.3)
        large = browser.execute_script(measure)
        assert browser.execute_script("return document.documentElement.scrollHeight") <= 2160
    assert all(1.85 < b / a < 2.15 for a, b in zip(small, large, strict=True))


def test_the_city_fills_the_free_part_of_the_map(show: Open) -> None:
    browser = show("/?lang=en")
    until(browser, "return document.querySelectorAll('.gov-map path[role=button]').length==9")
    height, wide, city_height, city_wide, panel = browser.execute_script(
        "const b=document.querySelector('.gov-map').getBoundingClientRect(),"
        "p=[...document.querySelectorAll('.gov-map path[role=button]')].map(e=>e.getBoundingClientRect()),m=(f,k)=>Math[f](...p.map(r=>r[k]));"
        "return [b.height,b.width,m('max','bottom')-m('min','top'),m('max','right')-m('min','left'),document.querySelector('#map-panel').offsetWidth]")

    assert max(city_height / height, city_wide / (wide - panel)) > 0.85


def test_the_first_map_is_asked_for_before_the_pages_scripts_run_and_only_once(show: Open, server: str, browser: Any) -> None:
    browser = show("/?lang=en&period=7d")
    time.sleep(1)  # whoever would ask twice does so now
    asked = browser.execute_script("""
        const when = {};
        for (const one of performance.getEntriesByType('resource')) {
          const path = new URL(one.name).pathname.replace(/^(.map.[a-z]+).*/, '$1');
          (when[path] = when[path] || []).push(one.startTime);
        }
        return when""")
    assert len(asked["/map/values"]) == len(asked["/map/state"]) == len(asked["/map/base"]) == 1
    # What it needs follows at once, so its state comes before everything that Dash asks for.
    assert asked["/map/state"][0] < min(start for path, starts in asked.items() if path.startswith("/_dash-") and "suites" not in path for start in starts)


def test_what_the_head_could_not_get_the_map_asks_for_itself(browser: Any, server: str) -> None:
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": """
        const real = window.fetch; let early = true;
        document.addEventListener('DOMContentLoaded', function () { early = false; });
        window.fetch = function (...given) { return early && String(given[0]).startsWith('/map/') ? Promise.reject(new TypeError('cut')) : real.apply(this, given); };"""})
    try:
        browser.get(server + "/?lang=en")
        until(browser, READY)
        assert browser.execute_script("return document.querySelectorAll('.leaflet-gov-areas-pane path').length") > 0
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_search_is_walked_by_arrows_and_opened_by_enter(show: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    browser = show("/?lang=zh")
    browser.execute_script("document.activeElement.blur()")
    press(browser, "/")
    assert browser.execute_script("return document.activeElement.id") == "search"
    press(browser, "n", "p")
    until(browser, "return document.querySelectorAll('#search-found a').length")
    press(browser, Keys.ARROW_DOWN)
    first = browser.execute_script("return document.activeElement.href")
    assert "place=" in first
    press(browser, Keys.ENTER)
    until(browser, f"return location.href=={first!r}")


def test_a_row_opens_its_card_and_escape_closes_it(show: Open) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser = show("/?lang=en")
    browser.find_element(By.CSS_SELECTOR, ".cases tbody.rows tr td.due").click()
    until(browser, "return document.querySelector('.card .timeline li')")
    until(browser, "return document.activeElement.closest('.card')")
    press(browser, Keys.ESCAPE)
    until(browser, "return !document.querySelector('.card') && !location.search.includes('case=')")


def test_what_a_figure_means_shows_on_focus(show: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    browser = show("/?lang=en")
    browser.execute_script("document.querySelector('.tile-rework_rate').previousElementSibling.focus()")
    press(browser, Keys.TAB)
    seen = until(browser, "const a=document.activeElement,d=a.querySelector('.definition');return d && getComputedStyle(d).display=='block' && d.innerText")
    assert "sent back" in seen
    assert browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_pressing_cases_come_first_and_say_how_long(show: Open) -> None:
    browser = show("/?lang=en")

    rows = browser.execute_script("return [...document.querySelectorAll('.cases tbody.rows td.due')].map(e=>e.className+'|'+e.innerText)")

    assert "over" in rows[0] or "left" in rows[0]
    late = ["over" in row for row in rows]
    assert late == sorted(late, reverse=True)
    assert all(row.startswith("due act|▲") for row, over in zip(rows, late, strict=True) if over)


def test_a_stamp_gets_old_by_itself(show: Open) -> None:
    browser = show("/?lang=en")
    browser.execute_script("const s=document.querySelector('.stamp');s.dataset.at=Date.now()/1000-7200;s.dataset.late=Date.now()/1000+1.5;s.className='stamp'")

    until(browser, "return document.querySelector('.stamp').innerText.includes('2.0 h ago') && !document.querySelector('.stamp').innerText.includes('late')")
    until(browser, "return document.querySelector('.stamp').className.includes('stale') && document.querySelector('.stamp').innerText.includes('⚠ late')")


def test_the_clock_is_the_citys(show: Open) -> None:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    browser = show("/?lang=en")
    shown = until(browser, "const t=document.querySelector('.clock').innerText;return t.includes(':') && !t.includes('--') && t")

    assert "Asia/Shanghai" in shown
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    told = datetime.strptime(shown[:8], "%H:%M:%S").replace(year=now.year, month=now.month, day=now.day, tzinfo=now.tzinfo)
    # A busy machine may be slow to answer; another zone would be hours off.
    assert abs((now - told).total_seconds()) % 86_400 < 20


@pytest.mark.parametrize("query", ["period=custom&from=2020-01-01&to=2020-01-31", "place=nosuch", "case=nosuch", "place=990101001001001"])
def test_a_page_without_data_says_so_and_breaks_nothing(show: Open, server: str, browser: Any, query: str) -> None:
    browser.get_log("browser")
    browser.get(f"{server}/?lang=en&{query}")
    until(browser, "return window.govMap && window.govMap.painted > 0 && !document.querySelector('.panel .waiting')")

    assert "Traceback" not in text(browser, "body")
    assert "not available" not in text(browser, "body")
    if "2020" in query:
        assert "which is not zero" in text(browser, ".panel-kpi")
        assert "0.0%" not in text(browser, ".panel-kpi .tiles")
    assert not [one for one in browser.get_log("browser") if one["level"] == "SEVERE" and "status of 400" not in one["message"]]


def test_an_unfinished_day_is_marked_and_not_compared(show: Open) -> None:
    browser = show("/?lang=en&period=7d")

    columns = browser.execute_script("return [...document.querySelectorAll('.trend-plot .column')].map(c=>c.className.includes('unfinished'))")

    assert columns == [False] * 6 + [True]
    assert "unfinished" in text(browser, ".panel-trend .keys")
