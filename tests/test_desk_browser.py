"""Acting from the street's page in a real browser: the whole way of a case by clicking, undo, two at once."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from queries import places, today
from queries.frame import EVERYTHING, Actor
from queries.loop import task_list
from queries.settings import Settings
from queries.store import Store
from tests.waiting import shown as until

pytestmark = pytest.mark.browser
ADMIN = Actor(name="root", post="admin", scope=EVERYTHING)


@pytest.fixture(scope="module")
def desk(demo_copy: Callable[[str], Store], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own: these tests change what they see."""
    import uvicorn

    from dashboard import create_app

    settings = Settings(data_dir=tmp_path_factory.mktemp("desk"))
    store = demo_copy(settings.database)
    if not any(item.category == "order" and item.department == "urban" for item in task_list.items(store).rows):
        task_list.apply(store, ADMIN, code="T-ORDER", title="占道经营处置", department_code="urban", to="department", category="order", basis="示例")
        for step in ("review", "approve", "publish"):
            task_list.move(store, ADMIN, "T-ORDER", step)
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    app = create_app(settings, store).server
    runner = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=runner.run, kwargs={"sockets": [free]}, daemon=True)
    thread.start()
    while not runner.started:
        time.sleep(0.05)
    global GRID
    with store.read() as connection:
        root = places.root(connection, today.city_now(connection).last_day)
        GRID = places.below(connection, root, 4)[0].code
    yield f"http://127.0.0.1:{free.getsockname()[1]}"
    runner.should_exit = True
    thread.join(10)
    app.state.context.close()
    store.close()


GRID = ""


def be(browser: Any, desk: str, post: str, path: str) -> None:
    """Open a page as a demo post."""
    browser.get(desk + "/healthz")
    browser.add_cookie({"name": "gov_demo_post", "value": post, "path": "/"})
    browser.get(desk + path)
    until(browser, "return document.querySelector('.panel .strip') && !document.querySelector('.waiting:not(#map-tip)')")


def press(browser: Any, what: str, inside: str = ".card") -> None:
    """Press a button by its word, as a person would find it; the page must have settled."""
    found = (f"const b=[...document.querySelectorAll({inside!r})].flatMap(c=>[...c.querySelectorAll('button')])"
             f".find(b=>b.innerText.trim()=={what!r}&&!b.disabled);")
    until(browser, found + "return !!b")
    browser.execute_script(found + "b.scrollIntoView({block:'center'});b.click()")


def said(browser: Any, words: str) -> str:
    """Wait until the bar says words; return all that it says."""
    return until(browser, f"const d=document.querySelector('#done');return d&&d.innerText.includes({words!r})&&d.innerText")


def choose(browser: Any, label: str, inside: str) -> None:
    """Choose an option by the beginning of its label."""
    found = f"const l=[...document.querySelectorAll('{inside} label')].find(l=>l.innerText.trim().startsWith({label!r})&&l.querySelector('input'));"
    until(browser, found + "return !!l")
    browser.execute_script(found + "l.querySelector('input').click()")


def write(browser: Any, selector: str, text: str) -> None:
    from selenium.webdriver.common.by import By

    until(browser, f"return !!document.querySelector({selector!r})")
    browser.find_element(By.CSS_SELECTOR, selector).send_keys(text)


def report(browser: Any, desk: str, title: str) -> str:
    """Report a case by the desk's own form; return its number."""
    be(browser, desk, "dispatcher", "/street?lang=en")
    browser.execute_script("document.querySelector('.report').open=true")
    choose(browser, "Street order", ".report-form")
    write(browser, ".report-form input[maxlength='200']", title)
    write(browser, ".report-form input[list]", GRID)
    press(browser, "Report", ".report-form")
    text = said(browser, "✓ Reported")
    assert (no := re.search(r"\d{6}-\d+", text)), text
    return no[0]


def test_a_case_goes_the_whole_way_by_clicking(desk: str, browser: Any) -> None:
    no = report(browser, desk, "Stall on the pavement")
    card = f"/street?case={no}&lang=en"
    be(browser, desk, "dispatcher", card)
    press(browser, "File")
    said(browser, "✓ File")
    press(browser, "Dispatch")
    # What the task list does not allow is greyed and says why.
    greyed = until(browser, "const l=[...document.querySelectorAll('.act-form label')].filter(l=>l.querySelector('input:disabled'));return l.length&&l[0].innerText")
    assert "task list" in greyed
    choose(browser, "Urban", ".act-form")
    press(browser, "Dispatch", ".act-form")
    assert "Urban" in said(browser, "✓ Dispatch") or "department" in said(browser, "✓ Dispatch")
    be(browser, desk, "department", card)
    press(browser, "Accept")
    said(browser, "✓ Accept")
    press(browser, "Feed back")
    said(browser, "✓ Feed back")
    be(browser, desk, "dispatcher", card)
    press(browser, "Verify")
    said(browser, "✓ Verify")
    press(browser, "Close", ".card .acts")
    said(browser, "✓ Close")
    steps = until(browser, "const s=[...document.querySelectorAll('.timeline strong')].map(e=>e.innerText);return s.length>=7&&s")
    assert steps == ["Reported", "File", "Dispatch", "Accept", "Feed back", "Verify", "Close"]
    assert "Department · demo:department" in browser.execute_script("return document.querySelector('.timeline').innerText")


def test_a_step_can_be_undone_from_the_bar(desk: str, browser: Any) -> None:
    no = report(browser, desk, "Cardboard in the lane")
    be(browser, desk, "dispatcher", f"/street?case={no}&lang=en")
    press(browser, "File")
    said(browser, "✓ File")
    press(browser, "Undo", "#done")
    said(browser, "✓ Take back")
    until(browser, "return document.querySelector('.card .lead').innerText.includes('Reported')")


def test_a_likely_repeat_is_named_when_it_comes_in_and_merged_by_one_click(desk: str, browser: Any) -> None:
    first = report(browser, desk, "Lamp post leans over the lane")
    again = report(browser, desk, "The lamp post is about to fall")
    assert first in said(browser, "repeat")
    be(browser, desk, "dispatcher", f"/street?case={again}&lang=en")
    # One button for each case that it may repeat; nothing happens before one is pressed.
    found = f"const l=[...document.querySelectorAll('.card .standing li')].find(l=>l.innerText.includes({first!r}));const b=l&&l.querySelector('button');"
    until(browser, found + "return b&&b.innerText.trim()=='Merge into this'")
    assert "Reported" in browser.execute_script("return document.querySelector('.card .lead').innerText")
    browser.execute_script(found + "b.click()")
    said(browser, "✓ Merge a repeat")
    until(browser, "return document.querySelector('.card .lead').innerText.includes('Cancelled')")
    # Both reports are kept, each with its own words, and the merge can be taken back.
    press(browser, "Undo", "#done")
    said(browser, "✓ Take back")
    until(browser, "return document.querySelector('.card .lead').innerText.includes('Reported')")


def test_a_mistake_in_a_form_is_said_in_it_and_loses_nothing(desk: str, browser: Any) -> None:
    no = report(browser, desk, "Broken kerb")
    be(browser, desk, "dispatcher", f"/street?case={no}&lang=zh")
    press(browser, "不予立案")
    until(browser, "return !!document.querySelector('.act-form')")
    press(browser, "不予立案", ".act-form")
    assert "理由" in until(browser, "const f=document.querySelector('.act-form .failed');return f&&f.innerText")


def test_of_two_browsers_the_slower_one_is_told_and_sees_what_holds_now(desk: str, browser: Any) -> None:
    no = report(browser, desk, "Two at once")
    be(browser, desk, "dispatcher", f"/street?case={no}&lang=zh")
    until(browser, "return [...document.querySelectorAll('.card button')].some(b=>b.innerText=='立案')")
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    try:
        be(browser, desk, "dispatcher", f"/street?case={no}&lang=zh")
        press(browser, "立案")
        said(browser, "✓ 立案")
    finally:
        browser.close()
        browser.switch_to.window(first)
    # The first page has not heard of it yet and still offers what it saw.
    press(browser, "立案")
    said(browser, "已先对")
    until(browser, "return document.querySelector('.card .lead').innerText.includes('立案')")
    until(browser, "return [...document.querySelectorAll('.card button')].some(b=>b.innerText=='派遣')")


def test_the_keyboard_opens_fills_and_leaves_a_form(desk: str, browser: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    no = report(browser, desk, "By keys")
    be(browser, desk, "dispatcher", f"/street?case={no}&lang=zh")
    until(browser, "return [...document.querySelectorAll('.card button')].some(b=>b.innerText=='不予立案')")
    browser.execute_script("[...document.querySelectorAll('.card button')].find(b=>b.innerText=='不予立案').focus()")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    until(browser, "return document.activeElement.closest('.act-form')")
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    until(browser, "return !document.querySelector('.act-form')")
    browser.execute_script("[...document.querySelectorAll('.card button')].find(b=>b.innerText=='不予立案').focus()")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    until(browser, "return document.activeElement.closest('.act-form')")
    browser.switch_to.active_element.send_keys("不在范围内", Keys.ENTER)
    said(browser, "✓ 不予立案")


def test_nothing_is_wider_than_a_phone(desk: str, browser: Any) -> None:
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True})
    try:
        be(browser, desk, "dispatcher", "/street?lang=en")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
        small = browser.execute_script("return [...document.querySelectorAll('.acts .button')].filter(b=>b.offsetHeight&&b.offsetHeight<36).length")
        assert small == 0
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
