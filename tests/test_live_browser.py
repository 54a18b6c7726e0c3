"""Live in a real browser: what happens elsewhere appears by itself, and a screen that hears nothing says so."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import HOME
from tests.test_wall import open_late
from tests.waiting import shown as until

pytestmark = pytest.mark.browser
GRID = "990103001001001"
HEARD = "return window.govLive && window.govLive.frame"
DRAWN = "return document.querySelectorAll('.cases tbody.rows tr').length>3 && !document.querySelector('.waiting:not(#map-tip)')"


class Host:
    """`python app.py --still` on a port that stays the same over restarts."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        keep = {k: v for k, v in os.environ.items() if not k.startswith("GOV_")}
        self.environment = {**keep, "GOV_DATA_DIR": str(data), "GOV_DEMO_GRIDS": "200"}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "app.py", "--still", "--port", str(self.port)], cwd=HOME, env=self.environment,
                                        stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=2).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def signal(self, what: int) -> None:
        assert self.process
        self.process.send_signal(what)

    def report(self, title: str) -> str:
        """Bring a case in over HTTP; return its number."""
        body = json.dumps({"category": "appearance", "title": title, "area_code": GRID, "urgent": True}).encode()
        asked = urllib.request.Request(f"{self.url}/api/v1/cases", body, {"Content-Type": "application/json", "Cookie": "gov_demo_post=dispatcher"})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return json.loads(answer.read())["no"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest.fixture
def host(place: Path, browser: Any) -> Iterator[Host]:
    made = Host(place)
    made.start()
    yield made
    browser.get("about:blank")
    browser.get_log("browser")
    made.kill()


def seen(title: str) -> str:
    return f"return document.querySelector('.panel-case_list').innerText.includes({json.dumps(title)})"


def test_a_case_that_somebody_reports_appears_without_a_reload(host: Host, browser: Any) -> None:
    browser.get(host.url + "/?lang=zh&order=newest")
    until(browser, HEARD)
    until(browser, DRAWN)
    browser.execute_script("window.before = true")
    host.report("井盖缺失甲")
    until(browser, seen("井盖缺失甲"), 15)
    assert browser.execute_script("return window.before && window.govLive.over") == "stream"


def test_after_a_kill_and_a_restart_the_screen_is_right_again_by_itself(host: Host, browser: Any) -> None:
    browser.get(host.url + "/?lang=en&order=newest")
    until(browser, HEARD)
    until(browser, DRAWN)
    boot = browser.execute_script("window.before = true; return window.govLive.frame.boot")
    host.kill()
    until(browser, "const u=document.querySelector('#unheard');return !u.hidden && u.innerText.includes('not been heard since')", 30)
    # What happens before the screen is back must be on it all the same.
    host.start()
    host.report("井盖缺失乙")
    until(browser, seen("井盖缺失乙"), 30)
    until(browser, "return document.querySelector('#unheard').hidden && window.govLive.over === 'stream'")
    # The same program and settings: nothing was loaded anew, so nothing that somebody did on the page is lost.
    assert browser.execute_script("return window.before === true && window.govLive.frame.boot") != boot


def test_a_server_that_stops_answering_is_said_aloud_and_forgiven(host: Host, browser: Any) -> None:
    browser.get(host.url + "/?lang=en&order=newest")
    until(browser, HEARD)
    until(browser, DRAWN)
    browser.execute_script("localStorage.setItem('gov-sound','1'); document.body.click(); window.cried = 0;"
                           "const play = window.govSound.play; window.govSound.play = function (k) { if (k === 'deaf') window.cried += 1; return play(k); }")
    host.signal(signal.SIGSTOP)
    try:
        # The connection stays open: only the beat that does not come tells.
        until(browser, "return !document.querySelector('#unheard').hidden && document.documentElement.classList.contains('unheard')", 40)
        until(browser, "return window.cried > 0")
    finally:
        host.signal(signal.SIGCONT)
    until(browser, "return document.querySelector('#unheard').hidden", 30)
    host.report("井盖缺失丙")
    until(browser, seen("井盖缺失丙"), 15)
    browser.execute_script("localStorage.removeItem('gov-sound')")


def test_a_wall_that_hears_nothing_stays_with_its_event_and_does_not_call_itself_live(host: Host, browser: Any) -> None:
    open_late(host.url, "DEAF-1")
    browser.get(host.url + "/wall?lang=en&kiosk=1&round=city")
    pulled = "new URLSearchParams(location.search).get('pull') === 'late:DEAF-1'"
    badge = ("const one = document.querySelector('.cursor .when'), said = getComputedStyle(one, '::after').content;"
             "return [one.getBoundingClientRect().height > 0 && getComputedStyle(one).fontSize !== '0px' && one.innerText, said]")
    until(browser, f"return {pulled} && document.querySelector('.beside')", 30)
    assert browser.execute_script(badge) == ["● live", "none"]
    host.kill()
    until(browser, "return !document.querySelector('#unheard').hidden", 30)
    assert browser.execute_script(badge) == [False, '"○ not live"']
    # Its minute is over: what the round would go on to could not be read.
    browser.execute_script("window.govRound.since = 1")
    time.sleep(2)
    assert browser.execute_script(f"return {pulled}")
    host.start()
    until(browser, "return document.querySelector('#unheard').hidden", 30)
    assert browser.execute_script(badge)[1] == "none"
    until(browser, f"return !({pulled})", 30)


def test_without_sockets_the_same_news_comes_by_asking(host: Host, browser: Any) -> None:
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": "window.WebSocket = function () { const me = this; setTimeout(() => me.onclose({}), 5); this.close = () => {}; }"})
    try:
        browser.get(host.url + "/?lang=en&order=newest")
        until(browser, HEARD)
        until(browser, DRAWN)
        host.report("井盖缺失丁")
        until(browser, seen("井盖缺失丁"), 15)
        assert browser.execute_script("return window.govLive.over") == "poll"
        assert browser.execute_script("return document.querySelector('#unheard').hidden")
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script["identifier"]})


def test_a_sleep_is_noticed_and_everything_is_read_again(host: Host, browser: Any) -> None:
    browser.get(host.url + "/?lang=en&order=newest")
    until(browser, HEARD)
    until(browser, DRAWN)
    # The clock jumps by an hour, as it does for a page whose machine slept.
    draws, sockets = browser.execute_script(
        "const now = Date.now; Date.now = function () { return now() + 3600000; }; return [window.govLive.count.draws, window.govLive.count.sockets]")
    until(browser, f"return window.govLive.count.sockets > {sockets} && window.govLive.count.draws >= {draws} + document.querySelectorAll('[data-news]').length")
    until(browser, "return document.querySelector('#unheard').hidden && window.govLive.over === 'stream'")


def test_what_no_page_can_undo_is_not_kept(host: Host, browser: Any) -> None:
    browser.get(host.url + "/?lang=en&order=newest")
    until(browser, HEARD)
    until(browser, DRAWN)
    kept = "return window.dash_stores[0].getState().history.past.length"
    until(browser, kept + " === 0")
    # In a burst too: each change would be kept with all that is on the page.
    most = browser.execute_script("""let most = 0;
        for (let i = 0; i < 40; i++) {
          window.dash_clientside.set_props('pulse', { data: 'again ' + i });
          most = Math.max(most, window.dash_stores[0].getState().history.past.length);
        }
        return most""")
    assert 1 <= most <= 5
    assert browser.execute_script(kept) <= 5


def test_what_failed_is_not_kept_for_ever(host: Host, browser: Any) -> None:
    browser.get(host.url + "/?lang=en&order=newest")
    until(browser, HEARD)
    until(browser, DRAWN)
    browser.execute_script("""
        const real = window.fetch, held = () => { const e = window.dash_stores[0].getState().error; return e.frontEnd.length + e.backEnd.length; };
        window.most = 0;
        setInterval(function () { window.held = held(); window.most = Math.max(window.most, window.held); }, 20);
        window.fetch = (...given) => String(given[0].url || given[0]).includes('_dash-update') ? Promise.reject(new TypeError('cut')) : real.apply(window, given);
        window.dash_clientside.set_props('pulse', { data: 'cut' });
        setTimeout(function () { window.fetch = real; }, 1500);""")
    until(browser, "return window.most > 0")
    until(browser, "return window.held === 0", 20)


def test_the_sounds_self_test_measures_a_signal(host: Host, browser: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    browser.get(host.url + "/?lang=en")
    until(browser, HEARD)
    assert browser.execute_async_script("const done=arguments[0];window.govSound.test().then(done)") in ("ok", "blocked")
    ActionChains(browser).move_by_offset(5, 5).click().perform()
    assert browser.execute_async_script("const done=arguments[0];window.govSound.test().then(done)") == "ok"
