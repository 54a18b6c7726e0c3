"""The page of cameras in a real browser: narrowed, opened, a reason from the list, a live picture, its place in the log, its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from dashboard import create_app
from queries.clock import now, stamp
from queries.sensing.tables import camera_view
from queries.settings import Settings
from queries.store import Store
from queries.tables import camera
from tests.conftest import serving
from tests.test_live_pictures import eyes_city, fragments, gateway  # noqa: F401
from tests.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Any, tmp_path: Path, gateway: tuple[str, list[str]]) -> Iterator[tuple[Any, Store, str]]:  # noqa: F811
    """The page as the dispatcher; one camera is away."""
    store = Store(f"sqlite:///{tmp_path / 'eyes.sqlite'}")
    eyes_city(store, tmp_path, gateway[0])
    with store.write() as connection:
        connection.execute(camera.update().where(camera.c.code == "N1").values(state="offline", since_at=stamp(now()) - 9 * 86_400))
        connection.execute(camera.update().where(camera.c.code == "P1").values(state="no_picture"))
    app = create_app(Settings(data_dir=tmp_path, camera_hosts=gateway[0]), store).server
    with serving(app) as address:
        browser.get(address + "/healthz")
        browser.add_cookie({"name": "gov_demo_post", "value": "dispatcher"})
        yield browser, store, address
        browser.get("about:blank")
    app.state.context.close()
    store.close()


def listed(browser: Any) -> list[str]:
    return [one.split(" ")[0] for one in texts(browser, ".camera-list tbody.rows td:first-child .quiet")]


def texts(browser: Any, what: str) -> list[str]:
    """Return what is read in some elements, in one go: a panel may be drawn anew between two."""
    return browser.execute_script("return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText)", what)


def text(browser: Any, what: str) -> str:
    return " ".join(texts(browser, what))


def click(browser: Any, what: str, words: str = "") -> None:
    """Click the first of some elements that has words, as soon as it is there."""
    assert until(lambda: browser.execute_script(
        "const one = [...document.querySelectorAll(arguments[0])].find((one) => one.innerText.includes(arguments[1])); if (one) one.click(); return Boolean(one)", what, words))


def views(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(camera.c.code, camera_view.c.cause, camera_view.c.reason, camera_view.c.by, camera_view.c.ended_at).join(camera, camera.c.id == camera_view.c.camera_id)).all())


def look(browser: Any, panel: str, words: str) -> None:
    """Choose a reason of the list and write the view down."""
    click(browser, f"{panel} .radios label", words)
    assert until(lambda: browser.execute_script("return document.querySelectorAll(arguments[0]).length", f"{panel} .radios input:checked"))
    click(browser, f"{panel} .report-form .button.strong")
    assert until(lambda: browser.find_elements("css selector", f"{panel} [data-live]"))


#: The colour in the middle of what is painted: of a frame that came, not of an empty box.
PAINTED = """
const one = document.querySelector(arguments[0]);
if (!one || !(one.videoWidth || one.naturalWidth) || one.readyState < 2) return null;
const canvas = document.createElement("canvas"); canvas.width = 64; canvas.height = 36;
const ink = canvas.getContext("2d"); ink.drawImage(one, 0, 0, 64, 36);
return [...ink.getImageData(20, 30, 1, 1).data];
"""


def green(browser: Any, what: str) -> bool:
    told = browser.execute_script(PAINTED, what)
    return bool(told) and told[1] > 120 > max(told[0], told[2])


def test_a_camera_is_found_looked_through_live_written_down_and_closed(page: tuple[Any, Store, str]) -> None:
    browser, store, address = page
    browser.get(f"{address}/cameras?lang=zh")
    assert until(lambda: listed(browser) == ["N1", "P1"])
    # One of one in the key area, 17 of all 19.
    assert all(part in text(browser, ".camera-tiles") for part in ("1 / 1", "17 / 19"))
    click(browser, ".camera-filters .chip", "长期离线")
    assert until(lambda: listed(browser) == ["N1"])
    assert "bucket=long_offline" in browser.current_url
    browser.get(f"{address}/cameras?lang=zh&bucket=online&text=G1")
    assert until(lambda: listed(browser) == ["G1"])
    click(browser, ".camera-list a")
    assert until(lambda: "thing=camera:G1" in browser.current_url)
    look(browser, ".thing-card", "防汛排涝")
    assert [(v.code, v.cause, v.ended_at) for v in views(store)] == [("G1", "flood", None)]
    # Live on a click, not before.
    assert not browser.find_elements("css selector", "video.live")
    click(browser, "[data-live-go]")
    assert until(lambda: green(browser, "video.live"))
    marks = texts(browser, ".live-mark span")
    assert len(marks) == 6
    assert all("派遣员" in one and "防汛排涝" in one and str(now().year) in one for one in marks)
    # The panel is drawn anew around it; the picture goes on.
    browser.execute_script("window.before = document.querySelector('video.live'); window.room = document.querySelector('.live-picture')")
    browser.execute_script("window.dash_clientside.set_props({kind: 'news', name: 'thing_card'}, {data: 'again'})")
    assert until(lambda: browser.execute_script("return window.room !== document.querySelector('.live-picture') && window.before === document.querySelector('video.live') && !window.before.paused"))
    click(browser, ".thing-card .acts .button", "结束调看")
    assert until(lambda: not browser.find_elements("css selector", "video.live"))
    assert until(lambda: views(store)[0].ended_at is not None)
    # The administrator reads it; nobody else does.
    assert "仅对管理员开放" in text(browser, ".panel-camera_views")
    browser.add_cookie({"name": "gov_demo_post", "value": "admin"})
    browser.get(f"{address}/cameras?lang=zh")
    assert until(lambda: "防汛排涝" in text(browser, ".panel-camera_views"))
    assert "原定至" in text(browser, ".panel-camera_views")


def test_several_cameras_play_on_one_screen_after_one_reason_and_end_with_their_views(page: tuple[Any, Store, str]) -> None:
    browser, store, address = page
    browser.get(f"{address}/cameras?lang=en&cams=G1,J1")
    assert until(lambda: browser.find_elements("css selector", ".panel-camera_round .radios"))
    assert not browser.find_elements("css selector", ".eye")
    look(browser, ".panel-camera_round", "Bridge round")
    assert [(v.code, v.cause) for v in views(store)] == [("G1", "bridge"), ("J1", "bridge")]
    assert until(lambda: green(browser, "video.live") and green(browser, "img.live"))
    browser.get(f"{address}/cameras?lang=en&cams=G1,J1&turn=each")
    # One at a time: the other is neither shown nor played.
    assert until(lambda: browser.execute_script("return document.querySelectorAll('.eye:not([hidden])').length === 1 && document.querySelectorAll('.live').length === 1"))
    browser.get(f"{address}/cameras?lang=en&cams=G1,J1")
    assert until(lambda: len(browser.find_elements("css selector", ".live")) == 2)
    with store.write() as connection:
        connection.execute(camera_view.update().values(until=stamp(now()) - 1))
    # The server stops both; the form asks for a reason again.
    assert until(lambda: browser.find_elements("css selector", ".panel-camera_round .radios"), 30)
    assert not browser.find_elements("css selector", ".live")


def test_who_may_not_look_gets_no_form_and_no_picture(page: tuple[Any, Store, str]) -> None:
    browser, store, address = page
    browser.add_cookie({"name": "gov_demo_post", "value": "viewer"})
    browser.get(f"{address}/cameras?lang=zh&cams=G1,J1&thing=camera:G1")
    assert until(lambda: browser.find_elements("css selector", ".panel-camera_round .empty"))
    assert until(lambda: "当前岗位无权调看画面" in text(browser, ".thing-card"))
    assert not browser.find_elements("css selector", ".report-form, [data-live], .still")
    assert views(store) == []
