"""The alarm page in a real browser: an alarm's whole life by keyboard only, and the sound that a person tries."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from sqlalchemy import select

from dashboard import create_app
from queries.alarms import sound
from queries.clock import now, stamp
from queries.people import tokens
from queries.sensing.intake import Parcel
from queries.sensing.judge import Read
from queries.sensing.scribe import Scribe
from queries.sensing.tables import alarm, alarm_event, shelf
from queries.settings import Settings
from queries.store import Store
from queries.tables import cases
from tests.conftest import serving
from tests.test_alarms import RULES, SENSORS
from tests.test_sensing import sensing_city
from tests.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture
def quiet(browser: Any, tmp_path: Path) -> Iterator[tuple[Any, Store, str]]:
    """The alarm page as the dispatcher, without any alarm."""
    with opened(browser, tmp_path) as told:
        yield told


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[tuple[Any, Store, str]]:
    """The alarm page as the dispatcher, with three alarms: orange and red side by side, blue far off."""
    with opened(browser, tmp_path, Read("W1", 9, 4.5), Read("W2", 8, 5.5), Read("W3", 7, 2.5)) as told:
        assert until(lambda: len(browser.find_elements("css selector", ".alarm-item")) == 2)
        yield told


@contextmanager
def opened(browser: Any, tmp_path: Path, *readings: Read) -> Iterator[tuple[Any, Store, str]]:
    """Open the page; the readings tell their seconds before now."""
    store = Store(f"sqlite:///{tmp_path / 'alarms.sqlite'}")
    # The demo's posts exist in a demo city only.
    sensing_city(store, tmp_path, RULES, SENSORS)
    folder = tmp_path / "sensed"
    toml = (folder / "city.toml").read_text("utf-8")
    (folder / "city.toml").write_text(toml.replace("[codes]", "demo = true\n[codes]", 1), "utf-8")
    from queries import loading

    loading.load(folder, store, quiet=True)
    scribe = Scribe(store)
    at = stamp(now())
    if readings:
        scribe.take(Parcel(source="s", rows=[replace(one, at=at - one.at) for one in readings]))
    scribe.close()
    app = create_app(Settings(data_dir=tmp_path), store).server
    with serving(app) as address:
        browser.get(address)
        browser.add_cookie({"name": "gov_demo_post", "value": "dispatcher"})
        browser.get(f"{address}/alarms?lang=zh")
        assert until(lambda: browser.find_elements("css selector", ".panel-alarm_list .strip"))
        yield browser, store, address
        browser.get("about:blank")
    app.state.context.close()
    store.close()


def press(browser: Any, *keys: str) -> None:
    for key in keys:
        ActionChains(browser).send_keys(key).perform()
        time.sleep(0.2)


def rows(store: Store, *columns: Any, **where: Any) -> list[Any]:
    with store.read() as connection:
        statement = select(*columns)
        for name, value in where.items():
            statement = statement.where(alarm.c[name] == value)
        return list(connection.execute(statement).all())


def tell(store: Store, address: str, rows: list[dict[str, Any]]) -> None:
    """Send readings as a device does: through the HTTP door, by its own token."""
    request = urllib.request.Request(f"{address}/api/v1/readings", json.dumps({"rows": rows}).encode(), {
        "Content-Type": "application/json", "Authorization": f"Bearer {tokens.make(store, 'pumps')}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert json.load(answer)["new"] == len(rows)


def lines(browser: Any, name: str = "alarm-item") -> list[str]:
    return browser.execute_script("return [...document.querySelectorAll('.' + arguments[0])].map(one => one.innerText)", name)


def on(browser: Any) -> str:
    """Return the classes of what has the focus."""
    # In one step: the list is drawn anew at any moment, and an element that was asked for before is gone then.
    return browser.execute_script("return document.activeElement.className || ''")


def reach(browser: Any, word: str, name: str = "alarm-item") -> None:
    """Walk up, then down, until the line with a word has the focus."""
    for key in "kkkkjjjjjj":
        if name in on(browser) and word in browser.execute_script("return document.activeElement.innerText || ''"):
            return
        press(browser, key)
    raise AssertionError(f"{word} is not reached: {lines(browser)}, on {on(browser)!r}")


def write(browser: Any, words: str) -> None:
    assert until(lambda: browser.find_elements("css selector", ".act-form"))
    assert until(lambda: browser.execute_script("return document.activeElement.tagName") == "INPUT")
    browser.switch_to.active_element.send_keys(words + Keys.ENTER)


def test_the_whole_life_of_two_alarms_by_keyboard_only(quiet: tuple[Any, Store, str]) -> None:
    browser, store, address = quiet
    assert lines(browser) == []
    at = stamp(now())
    tell(store, address, [{"sensor": "W1", "at": at - 5, "value": 5.5, "unit": "m"}, {"sensor": "W3", "at": at - 4, "value": 450, "unit": "cm"}])
    # They come by themselves, the red one first.
    assert until(lambda: len(lines(browser)) == 2)
    assert "Ⅰ级·红色" in lines(browser)[0]
    assert "Ⅱ级·橙色" in lines(browser)[1]

    reach(browser, "Ⅰ级")
    press(browser, "a")
    assert until(lambda: "已确认" in lines(browser)[0] + lines(browser)[1])
    reach(browser, "Ⅰ级")
    press(browser, "s")
    write(browser, "泵站检修")
    assert until(lambda: len(lines(browser)) == 1 and len(lines(browser, "shelf-item")) == 1)
    assert "泵站检修" in lines(browser, "shelf-item")[0]

    # The shelf is walked after the list; the same key brings it back.
    reach(browser, "泵站检修", "shelf-item")
    press(browser, "s")
    assert until(lambda: len(lines(browser)) == 2 and not lines(browser, "shelf-item"))

    reach(browser, "Ⅰ级")
    press(browser, "c")
    write(browser, "桥下积水")
    assert until(lambda: [r.title for r in rows(store, cases.c.title)] == ["桥下积水"])
    assert until(lambda: len(lines(browser)) == 1)

    reach(browser, "Ⅱ级")
    press(browser, "f")
    write(browser, "")
    assert until(lambda: "请写明原因" in "".join(lines(browser, "act-form")))
    write(browser, "树枝遮挡")
    assert until(lambda: lines(browser) == [])
    assert until(lambda: "50%" in "".join(lines(browser, "alarm-pace")), 30)

    told = [(r.alarm_id, r.what) for r in rows(store, alarm_event.c.alarm_id, alarm_event.c.what)]
    first, second = (r.id for r in rows(store, alarm.c.id))
    assert [what for id_, what in told if id_ == first] == ["raised", "acked", "shelved", "unshelved", "case"]
    assert [what for id_, what in told if id_ == second] == ["raised", "false"]
    assert [(r.outcome, r.reason) for r in rows(store, alarm.c.outcome, alarm.c.reason, id=second)] == [("false", "树枝遮挡")]


def test_the_focus_belongs_to_an_alarm_and_not_to_its_place_in_the_list(quiet: tuple[Any, Store, str]) -> None:
    browser, store, address = quiet
    at = stamp(now())
    tell(store, address, [{"sensor": "W1", "at": at - 5, "value": 5.5, "unit": "m"}, {"sensor": "W3", "at": at - 4, "value": 4.5, "unit": "m"}])
    assert until(lambda: len(lines(browser)) == 2)
    focused = "return document.activeElement.dataset.alarm || ''"
    reach(browser, "Ⅰ级")
    mine = browser.execute_script(focused)
    press(browser, "a")
    # It goes below what nobody has acknowledged, and the focus goes with it.
    assert until(lambda: "Ⅱ级" in lines(browser)[0])
    assert browser.execute_script(focused) == mine
    press(browser, "s")
    assert until(lambda: browser.find_elements("css selector", ".act-form"))
    assert browser.execute_script("return document.querySelector('.act-form').closest('.alarm-item').dataset.alarm") == mine
    press(browser, Keys.ESCAPE)
    assert until(lambda: not browser.find_elements("css selector", ".act-form"))
    # On a button the focus is that of one alarm too, also when another comes above it.
    button = "const b = [...document.querySelectorAll('.alarm-item')].find(one => one.dataset.alarm === arguments[0]).querySelector('[data-act]'); b.focus(); return b.dataset.act"
    act = browser.execute_script(button, mine)
    tell(store, address, [{"sensor": "W2", "at": stamp(now()) - 1, "value": 5.9, "unit": "m"}])
    assert until(lambda: "Ⅰ级" in lines(browser)[0] and "桥下二" in lines(browser)[0])
    assert browser.execute_script("return document.activeElement.dataset.act || ''") in (act, "")


def test_an_alarm_is_acknowledged_shelved_and_made_a_case_without_a_mouse(page: tuple[Any, Store, str]) -> None:
    browser, store, _ = page
    press(browser, "j")
    first = browser.switch_to.active_element
    assert "Ⅰ级·红色" in first.text
    press(browser, "a")
    assert until(lambda: rows(store, alarm.c.id, level=1, acked_by="派遣员") or [r for r in rows(store, alarm.c.acked_at, level=1) if r.acked_at])
    # The blue one is last: shelved with its end and its reason.
    press(browser, "j", "j", "j", "s")
    assert until(lambda: browser.find_elements("css selector", ".act-form"))
    browser.switch_to.active_element.send_keys("检修" + Keys.ENTER)
    assert until(lambda: rows(store, shelf.c.reason))
    assert until(lambda: "检修" in browser.find_element("css selector", ".panel-alarm_shelf").text)
    # The red one is a case now, by a person.
    press(browser, "k", "k", "k", "c")
    assert until(lambda: browser.find_elements("css selector", ".act-form"))
    browser.switch_to.active_element.send_keys("桥下积水" + Keys.ENTER)
    assert until(lambda: rows(store, cases.c.title))
    assert [r.title for r in rows(store, cases.c.title)] == ["桥下积水"]
    told = [r.what for r in rows(store, alarm_event.c.what)]
    assert {"raised", "acked", "shelved", "case"} <= set(told)


def test_a_card_opens_by_enter_shows_duty_and_series_and_goes_to_what_is_near(page: tuple[Any, Store, str]) -> None:
    browser, _, _ = page
    press(browser, "j", Keys.ENTER)
    assert until(lambda: browser.find_elements("css selector", ".thing-card .series img"))
    card = browser.find_element("css selector", ".thing-card")
    assert "Ⅰ级·红色" in card.text
    press(browser, "n")
    assert "near" in browser.switch_to.active_element.get_attribute("class")
    press(browser, Keys.ENTER)
    assert until(lambda: "thing=sensor" in browser.current_url)
    press(browser, Keys.ESCAPE)
    assert until(lambda: "thing=" not in browser.current_url)


def test_the_sound_is_tried_and_written_down_and_a_new_alarm_sounds(page: tuple[Any, Store, str]) -> None:
    browser, store, _ = page
    assert sound.tried(store) is None
    browser.find_element("css selector", ".sound .button").click()
    assert until(lambda: sound.tried(store) is not None)
    first = browser.execute_script("return document.documentElement.dataset.sounded")
    assert first
    scribe = Scribe(store)
    scribe.take(Parcel(source="s", rows=[Read("N1", stamp(now()), 50.0), Read("W3", stamp(now()), 5.9)]))
    scribe.close()
    assert until(lambda: browser.execute_script("return document.documentElement.dataset.sounded") != first, 30)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_panel_is_wider_than_its_place(lively: tuple[str, Store], browser: Any, lang: str) -> None:
    browser.get(f"{lively[0]}/alarms?lang={lang}")
    assert until(lambda: browser.find_elements("css selector", ".panel-cameras tbody.rows tr") and browser.find_elements("css selector", ".panel-sensors tbody.rows tr"))
    wide = browser.execute_script("return [...document.querySelectorAll('.slot, .slot > .panel')].filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.className)")
    assert wide == []
