"""A gateway's own page (WebRTC) in a frame, in a real browser: nothing before the view is written down, its mark, its end, and what is no page."""

from __future__ import annotations

import urllib.request
from typing import Any

import pytest

from queries import cameras
from queries.clock import now, stamp
from queries.frame import EVERYTHING, Actor
from queries.sensing.tables import camera_view
from queries.store import Store, bump
from queries.tables import camera
from tests.test_cameras_browser import click, look, page, text, texts, views  # noqa: F401  (a fixture)
from tests.test_live_pictures import fragments, gateway  # noqa: F401  (fixtures)
from tests.waiting import never, until

pytestmark = pytest.mark.browser
FRAME = "iframe.live"


def shown(page: tuple[Any, Store, str], gateway_: str, stream: str) -> Any:  # noqa: F811
    """Open the card of a camera whose picture is a page of a gateway, and write a view down."""
    browser, store, address = page
    with store.write() as connection:
        connection.execute(camera.update().where(camera.c.code == "G1").values(gateway=gateway_, stream=stream))
    browser.get(f"{address}/cameras?lang=zh&thing=camera:G1")
    assert until(lambda: browser.find_elements("css selector", ".thing-card .radios"))
    return browser


def played(browser: Any) -> str:
    """Return what the page in the frame says."""
    browser.switch_to.frame(browser.find_element("css selector", FRAME))
    try:
        return browser.find_element("css selector", "body").text
    finally:
        browser.switch_to.default_content()


@pytest.mark.parametrize(("gateway_", "way"), [("go", "/stream.html?src=cross&mode=webrtc&key="), ("mtx", "/cross/?key=")])
def test_a_page_plays_under_its_mark_only_after_the_view_was_written_down(page: tuple[Any, Store, str], gateway: tuple[str, list[str]], gateway_: str, way: str) -> None:  # noqa: F811
    browser, asked = shown(page, gateway_, "cross"), gateway[1]
    look(browser, ".thing-card", "防汛排涝")
    assert [v.code for v in views(page[1])] == ["G1"]
    # A view alone shows nothing yet.
    assert asked == []
    click(browser, "[data-live-go]")
    assert until(lambda: browser.find_elements("css selector", FRAME) and "plays" in played(browser))
    assert all(one.startswith(way) and len(one) > len(way) + 40 for one in asked)
    # The name, the time and the reason lie over all of it, and it can neither fill the screen nor lead it away.
    marks = texts(browser, ".live-mark span")
    assert len(marks) == 6
    assert all("派遣员" in one and "防汛排涝" in one and str(now().year) in one for one in marks)
    frame, mark = (browser.execute_script("const r = document.querySelector(arguments[0]).getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom].map(Math.round)", one)
                   for one in (FRAME, ".live-mark"))
    assert frame == mark
    assert browser.current_url.startswith(page[2])
    # The panel is not drawn anew around it: it would begin again.
    before = len(asked)
    browser.execute_script("window.room = document.querySelector('.live-picture')")
    with page[1].write() as connection:
        bump(connection)
    assert never(lambda: browser.execute_script("return window.room !== document.querySelector('.live-picture')") or len(asked) > before, 4)
    click(browser, ".thing-card .acts .button", "结束调看")
    assert until(lambda: not browser.find_elements("css selector", FRAME))


@pytest.mark.parametrize("how", ["its time is over", "somebody ends it"])
def test_a_page_ends_with_its_view_wherever_that_is_ended(page: tuple[Any, Store, str], how: str) -> None:  # noqa: F811
    browser, store = shown(page, "go", "cross"), page[1]
    look(browser, ".thing-card", "防汛排涝")
    click(browser, "[data-live-go]")
    assert until(lambda: browser.find_elements("css selector", FRAME))
    key = browser.execute_script("return document.querySelector('[data-live]').dataset.live")
    if how == "somebody ends it":
        (held,) = views(store)
        assert cameras.close(store, Actor(name=held.by, post="dispatcher", scope=EVERYTHING), "G1") == 1
    else:
        with store.write() as connection:
            connection.execute(camera_view.update().values(until=stamp(now()) - 1))
    assert until(lambda: not browser.find_elements("css selector", FRAME))
    # The link shows nothing any more, also to who kept it.
    browser.get(page[2] + key)
    assert "plays" not in browser.page_source


@pytest.mark.parametrize(("stream", "words"), [("never", "没有应答"), ("nosuch", "404"), ("config", "不是网页")])
def test_a_gateway_without_a_page_is_said_and_holds_nothing_up(page: tuple[Any, Store, str], stream: str, words: str) -> None:  # noqa: F811
    browser = shown(page, "mtx", stream)
    look(browser, ".thing-card", "防汛排涝")
    click(browser, "[data-live-go]")
    with urllib.request.urlopen(page[2] + "/healthz", timeout=3) as answer:
        assert answer.status == 200
    assert until(lambda: browser.find_elements("css selector", FRAME) and words in played(browser))
    assert until(lambda: "没有实时画面" in text(browser, ".live-told"))
    assert "hush" not in played(browser)
