"""The alarm page in a real browser: an alarm's whole life by keyboard only, and the sound that a person tries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from sqlalchemy import select

from dashboard import create_app
from queries.alarms import sound
from queries.clock import now, stamp
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

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[tuple[Any, Store, str]]:
    """The alarm page as the dispatcher, with three alarms: orange and red side by side, blue far off."""
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
    scribe.take(Parcel(source="s", rows=[Read("W1", at - 9, 4.5), Read("W2", at - 8, 5.5), Read("W3", at - 7, 2.5)]))
    scribe.close()
    app = create_app(Settings(data_dir=tmp_path), store).server
    with serving(app) as address:
        browser.get(address)
        browser.add_cookie({"name": "gov_demo_post", "value": "dispatcher"})
        browser.get(f"{address}/alarms?lang=zh")
        assert until(lambda: len(browser.find_elements("css selector", ".alarm-item")) == 2)
        yield browser, store, address
        browser.get("about:blank")
    app.state.context.close()
    store.close()


def until(what: Any, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.1)
    return False


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
