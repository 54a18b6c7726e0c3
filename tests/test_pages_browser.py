"""The pages in a real browser: the map draws, three clicks reach a grid, a link opens its screen."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.waiting import shown as until

pytestmark = pytest.mark.browser
Open = Callable[[str], Any]


@pytest.fixture
def show(server: str, browser: Any) -> Open:
    def go(path: str) -> Any:
        # What earlier pages said and asked is not this page's; of another server's page a last question may still be on its way.
        browser.get("about:blank")
        time.sleep(0.3)
        browser.get_log("browser")
        browser.get_log("performance")
        browser.get(server + path)
        until(browser, "return window.govMap && window.govMap.painted > 0")
        return browser
    return go


def text(browser: Any, selector: str) -> str:
    return browser.execute_script("const e=document.querySelector(arguments[0]);return e?e.innerText:''", selector)


def test_the_first_page_is_whole_and_calls_nobody_else(show: Open, server: str) -> None:
    browser = show("/?lang=zh")
    until(browser, "return document.querySelectorAll('.tile').length>=11 && document.querySelectorAll('.ranking tbody.rows tr').length==9")
    assert "演示数据" in text(browser, ".header")
    until(browser, "return document.querySelectorAll('.gov-map path[role=button]').length==9")
    # A server that ended may still be asked by the page before this one.
    assert not [line for line in browser.get_log("browser") if line["level"] == "SEVERE" and not re.match(rf"http://127\.0\.0\.1:(?!{server.rpartition(':')[2]}/)", line["message"])]
    asked = [json.loads(line["message"])["message"] for line in browser.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"]
    assert urls
    assert all(url.startswith((server, "data:", "blob:", "chrome:")) for url in urls)


def test_clicks_lead_from_the_city_to_one_grid_and_escape_leads_back(show: Open) -> None:
    browser = show("/?lang=en")
    for depth in range(2, 6):
        until(browser, "return document.querySelector('.ranking tbody.rows a.drill')")
        browser.execute_script("document.querySelector('.ranking tbody.rows a.drill').click()")
        until(browser, f"return document.querySelectorAll('.crumbs a').length=={depth}")
        until(browser, f"const s=window.govMap.state();return s && new URLSearchParams(location.search).get('place')==s.place && {depth}>0")
        if depth < 5:
            until(browser, "const t=document.querySelector('.panel-children');return t && t.innerText && !t.innerText.includes('Reading')")
            time.sleep(0.5)
    browser.execute_script("document.body.dispatchEvent(new KeyboardEvent('keydown',{key:'Escape',bubbles:true}))")
    until(browser, "return document.querySelectorAll('.crumbs a').length==4")


def test_an_area_is_reached_on_the_map_by_keyboard(show: Open) -> None:
    browser = show("/?lang=en")
    until(browser, "return document.querySelector('.gov-map path[role=button]')")
    name = browser.execute_script(
        "const p=document.querySelector('.gov-map path[role=button]');p.focus();"
        "p.dispatchEvent(new KeyboardEvent('keydown',{key:'Enter',bubbles:true}));return p.getAttribute('aria-label')")
    assert ":" in name
    until(browser, "return new URLSearchParams(location.search).get('place')")
    until(browser, f"return document.querySelector('.crumbs').innerText.includes({json.dumps(name.split(':')[0])})")


def test_the_language_changes_in_place(show: Open) -> None:
    browser = show("/?lang=zh&place=990103")
    until(browser, "return document.querySelectorAll('.tile').length>=11")
    browser.execute_script("[...document.querySelectorAll('.chip')].find(c=>c.innerText=='English').click()")
    until(browser, "return document.querySelector('.header').innerText.includes('Demo data')")
    until(browser, "return document.querySelector('.panel-kpi').innerText.includes('Overdue')")
    assert "place=990103" in browser.current_url


def test_a_case_opens_with_its_timeline_from_a_link(show: Open, server: str) -> None:
    browser = show("/?lang=en&open=1")
    until(browser, "return document.querySelector('.cases tbody.rows a.drill')")
    no = browser.execute_script("const a=document.querySelector('.cases tbody.rows a.drill');a.click();return a.innerText")
    until(browser, "return document.querySelector('.card .timeline li')")
    link = browser.current_url.removeprefix(server)
    again = show(link)
    until(again, f"return document.querySelector('.card') && document.querySelector('.card').innerText.includes({json.dumps(no)})")


def test_a_search_by_initials_finds_the_district(show: Open) -> None:
    from selenium.webdriver.common.by import By

    browser = show("/?lang=zh")
    browser.find_element(By.ID, "search").send_keys("np")
    until(browser, "return [...document.querySelectorAll('.found a')].some(a=>a.innerText.includes('南浦区'))")
    browser.execute_script("[...document.querySelectorAll('.found a')].find(a=>a.innerText.includes('南浦区')).click()")
    until(browser, "return new URLSearchParams(location.search).get('place')=='990106'")


def test_many_areas_come_as_tiles_and_are_painted(show: Open) -> None:
    browser = show("/?lang=en&level=4")
    until(browser, "return window.govMap.state().n > 300")
    painted = """
      const tiles=[...document.querySelectorAll('.leaflet-gov-areas-pane canvas')].filter(c=>c.ids);
      const shapes=document.querySelectorAll('.leaflet-gov-areas-pane path').length;
      return shapes>300 || tiles.some(c=>{const d=c.getContext('2d').getImageData(0,0,256,256).data;let n=0;for(let i=3;i<d.length;i+=4)n+=d[i]>0;return n>500})"""
    assert until(browser, painted)


def test_a_phone_sees_everything_without_scrolling_sideways(show: Open) -> None:
    browser = show("/?lang=zh")
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True})
    try:
        until(browser, "return document.querySelectorAll('.tile').length>=11")
        assert until(browser, "return document.documentElement.scrollWidth<=391")
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_data_page_shows_every_source_with_its_age(show: Open, server: str, browser: Any) -> None:
    browser.get(server + "/data?lang=en")
    until(browser, "return document.querySelectorAll('.panel-sources tbody.rows tr').length>=5")
    assert "Grid cases (demo)" in text(browser, ".panel-sources")


def test_a_damaged_link_is_said_and_the_page_lives(show: Open) -> None:
    browser = show("/?lang=en&from=never&place=nosuch")
    until(browser, "return document.querySelector('.notice')")
    assert "Not a date" in text(browser, "#notice")
