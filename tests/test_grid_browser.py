"""The grid page, the matrix and the task list in a real browser."""

from __future__ import annotations

from typing import Any

import pytest

from queries import cases
from queries.frame import EVERYTHING, Ask, Filters
from queries.loop import task_list
from queries.store import Store
from queries.today import city_now
from tests.test_desk_browser import be, press, said, write
from tests.waiting import shown as until

pytestmark = pytest.mark.browser
Lively = tuple[str, Store]


def opened(store: Store, **narrow: Any) -> Any:
    with store.read() as connection:
        last = city_now(connection).last_day
    return cases.page(store, Ask(scope=EVERYTHING, since=last, until=last, filters=Filters(open_only=True, **narrow)), limit=50)


def test_one_acts_from_a_grids_page_and_goes_on_to_a_neighbour(lively: Lively, browser: Any) -> None:
    address, store = lively
    case = next(row for row in opened(store, statuses=("filed",)).rows if len(row.area_code) == 15)
    be(browser, address, "dispatcher", f"/grid?place={case.area_code}&lang=en")
    until(browser, "return document.querySelector('.grid-head h2')")
    assert case.area_name["en"] in browser.execute_script("return document.querySelector('.grid-head').innerText")
    line = f"[...document.querySelectorAll('.grid-open .case')].find(c=>c.innerHTML.includes({case.no!r}))"
    browser.execute_script(f"{line}.querySelector('.acts .button').click()")
    assert until(browser, f"const f={line}&&{line}.querySelector('.act-form');return f&&f.innerText")
    near = until(browser, "const a=document.querySelector('.grid-neighbours .chip');return a&&[a.innerText,a.click()][0]")
    until(browser, f"return document.querySelector('.grid-head h2').innerText=={near!r}")


def test_a_place_that_is_no_grid_leads_down_to_one(lively: Lively, browser: Any) -> None:
    be(browser, lively[0], "viewer", "/grid?lang=en")
    for _ in range(4):
        first = until(browser, "const a=document.querySelector('.grid-choice tbody.rows a');return a&&[a.href,a.click()][0]")
        until(browser, f"const a=document.querySelector('.grid-choice tbody.rows a');return !a||a.href!=={first!r}")
    assert until(browser, "return document.querySelector('.grid-figures tbody.rows tr') && document.querySelector('.grid-head h2').innerText")


def test_a_cell_of_the_matrix_opens_its_cases(lively: Lively, browser: Any) -> None:
    address, store = lively
    be(browser, address, "viewer", "/matrix?measure=open&lang=en")
    n = int(until(browser, "const a=document.querySelector('.matrix tbody.rows td.num a');return a&&[a.innerText,a.click()][0]"))
    shown = until(browser, "const p=document.querySelector('.panel-case_list .aside');return p&&/\\d/.test(p.innerText)&&p.innerText")
    assert f"{n} case" in shown
    assert "department=" in browser.current_url


def test_an_item_goes_the_whole_way_by_clicking_and_leaves_with_a_reason(lively: Lively, browser: Any) -> None:
    address, store = lively
    be(browser, address, "admin", "/list?lang=en")
    browser.execute_script("document.querySelector('.panel-list_apply .report').open=true")
    for i, words in enumerate(("B-100", "河岸看护", "Watching the bank")):
        write(browser, f".panel-list_apply .report-form .field:nth-of-type({i + 1}) input", words)
    browser.execute_script("[...document.querySelectorAll('.panel-list_apply label')].find(l=>l.innerText.trim()=='Urban Management').querySelector('input').click()")
    press(browser, "Apply for an item", ".panel-list_apply")
    assert "legal basis" in until(browser, "return document.querySelector('.panel-list_apply .failed').innerText")
    write(browser, ".panel-list_apply .report-form .field:nth-of-type(8) input", "示例文件")
    press(browser, "Apply for an item", ".panel-list_apply")
    said(browser, "✓ Apply")
    for step in ("Review", "Approve", "Publish"):
        press(browser, step, ".panel-list_pending")
        said(browser, f"✓ {step}")
    row = "[...document.querySelectorAll('.items tbody.rows tr')].find(r=>r.innerText.includes('B-100'))"
    until(browser, f"const r={row};return r&&(r.querySelector('.button').click(),true)")
    press(browser, "End", ".items .act-form")
    assert "reason" in until(browser, f"return {row}.querySelector('.failed').innerText")
    write(browser, ".items .act-form input", "season is over")
    press(browser, "End", ".items .act-form")
    said(browser, "✓ End")
    assert next(i.state for i in task_list.items(store, only_published=False).rows if i.code == "B-100") == "ended"


def test_the_new_pages_are_no_wider_than_a_phone(lively: Lively, browser: Any) -> None:
    address, store = lively
    grid = next(row.area_code for row in opened(store).rows if len(row.area_code) == 15)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True})
    try:
        for page in (f"/grid?place={grid}", "/grid", "/matrix", "/list"):
            be(browser, address, "dispatcher", page)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= 390, page
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
