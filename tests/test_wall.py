"""The wall: type by distance, nothing cut or overlapping at four sizes, a round that sets addresses, what pulls it and lets it go."""

from __future__ import annotations

import json
import math
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from dashboard import rounds
from dashboard.address import View
from dashboard.context import Context, Visitor, visited
from queries import near
from queries.alarms import acts, desk
from queries.clock import now, stamp
from queries.frame import EVERYTHING, Actor, Ask, Scope
from queries.sensing.intake import Parcel
from queries.sensing.judge import Read
from queries.sensing.scribe import Scribe
from queries.serious import serious
from queries.settings import Settings
from queries.store import Store
from queries.tables import cases, sensor
from tests.conftest import MOMENT
from tests.waiting import shown as until

#: Pixels and metres of four walls, and how far away they are read.
WALLS = {"one screen": (1920, 1080, 1.43, 1.6), "one large screen": (3840, 2160, 2.17, 2.4), "three screens": (5760, 1080, 3.63, 3.0),
         "eighteen screens": (11520, 3240, 7.26, 5.0), "one screen from further away": (1920, 1080, 1.43, 2.4)}
ASK = Ask(scope=EVERYTHING, since=MOMENT.date(), until=MOMENT.date())
DRAWN = ("const w = document.querySelector('.scene-wall'); return w && w.dataset.rem && window.govMap.painted > 0 && document.querySelector('.wall-call')"
         " && document.querySelector('.lines .line') && document.querySelector('.loop-stage') && !document.querySelector('.waiting:not(#map-tip)')")
#: Every piece of text that can be seen, with the size of its type, and whether its box or one around it cuts it.
TEXTS = """
const out = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; (node = walk.nextNode());) {
  const box = node.parentElement, text = node.data.trim();
  if (!text || !box.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
  const range = document.createRange(); range.selectNodeContents(node);
  const whole = range.getBoundingClientRect();
  if (!whole.width || !whole.height) continue;
  // A font's box is higher than its letters, which lie in its em square.
  const ink = Math.max(0, (whole.height - [...range.getClientRects()].filter((a, i, all) => !i || a.top > all[i - 1].top + 2).length * parseFloat(getComputedStyle(box).fontSize)) / 2);
  const r = { left: whole.left, right: whole.right, top: whole.top + Math.min(ink, whole.height / 4), bottom: whole.bottom - Math.min(ink, whole.height / 4) };
  let scale = 1, hidden = false, cut = false;
  if (box.closest('svg')) { const m = box.getScreenCTM(); scale = m ? m.a : 1; }
  for (let at = box; at && at !== document.documentElement; at = at.parentElement) {
    const s = getComputedStyle(at), b = at.getBoundingClientRect();
    if (s.clipPath.startsWith('inset(50%')) hidden = true;
    if (s.overflow === 'visible') continue;
    if (r.left >= b.right - 1 || r.top >= b.bottom - 1 || r.right <= b.left + 1 || r.bottom <= b.top + 1) { hidden = true; break; }
    if (r.top < b.top - 2 || r.bottom > b.bottom + 2 || (s.textOverflow !== 'ellipsis' && (r.right > b.right + 2 || r.left < b.left - 2))) cut = at.className || at.tagName;
    if (s.textOverflow === 'ellipsis') r.right = Math.min(r.right, b.right);
  }
  if (hidden) continue;
  if (r.right > innerWidth + 1 || r.bottom > innerHeight + 1 || r.left < -1 || r.top < -1) cut = 'screen';
  out.push([text, parseFloat(getComputedStyle(box).fontSize) * scale, cut, box.closest('.gov-map') ? 'map' : box.className]);
}
return out"""
#: Slots and header that lie over one another.
OVERLAPS = """
const boxes = [...document.querySelectorAll('.scene-wall > .slot, .header')].filter(b => b.checkVisibility() && b.getBoundingClientRect().height);
const out = [];
boxes.forEach((a, i) => boxes.slice(i + 1).forEach(b => { const x = a.getBoundingClientRect(), y = b.getBoundingClientRect();
  if (x.left < y.right - 1 && y.left < x.right - 1 && x.top < y.bottom - 1 && y.top < x.bottom - 1) out.push([a.className, b.className]); }));
return out"""


@pytest.fixture
def sized(browser: Any) -> Iterator[Callable[[int, int], None]]:
    def size(wide: int, high: int) -> None:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": wide, "height": high, "deviceScaleFactor": 1, "mobile": False})
    yield size
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get("about:blank")


def settled(browser: Any) -> list[Any]:
    """Return the texts of a screen on which nothing moves any more; panels that come late move the map beside them."""
    last = None
    for _ in range(40):
        time.sleep(0.5)
        now = browser.execute_script(TEXTS)
        if now == last:
            return now
        last = now
    raise AssertionError("the screen does not come to rest")


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", WALLS)
def test_a_wall_is_read_from_its_distance_and_nothing_is_cut(name: str, lang: str, server: str, browser: Any, sized: Callable[[int, int], None]) -> None:
    across, down, wide, far = WALLS[name]
    sized(across, down)
    browser.get(f"{server}/wall?lang={lang}&kiosk=1&round=city&pause=1&wide={wide}&far={far}")
    until(browser, DRAWN)
    texts = settled(browser)
    assert len(texts) > 40
    # The height of a capital, in pixels, that is seen at 20 arc minutes from there.
    least = 2 * far * math.tan(math.radians(20 / 60 / 2)) * across / wide / 0.733
    small = [(text, round(size, 1), box) for text, size, _, box in texts if size < least * 0.995]
    assert not small, f"at least {least:.1f} px: {small[:10]}"
    assert not [(text, cut, box) for text, _, cut, box in texts if cut][:10]
    assert not browser.execute_script(OVERLAPS)
    assert browser.execute_script("return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [across, down]


def open_late(address: str, no: str) -> None:
    """Report and file an urgent case whose four hours ended two minutes ago."""
    def say(path: str, told: dict[str, Any]) -> None:
        asked = urllib.request.Request(f"{address}/api/v1/cases{path}", json.dumps(told).encode(), {"Content-Type": "application/json", "Cookie": "gov_demo_post=street"})
        urllib.request.urlopen(asked, timeout=20).close()

    def ago(minutes: float) -> str:
        return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()

    say("", {"no": no, "category": "emergencies", "kind": "道路积水", "title": "桥下积水", "area_code": "990103001001001", "urgent": True, "at": ago(250)})
    say(f"/{no}/steps", {"step": "filed", "at": ago(242)})


def close(store: Store, no: str) -> None:
    with store.write() as connection:
        connection.execute(update(cases).where(cases.c.no == no).values(is_open=False, status="closed"))


@pytest.mark.browser
def test_what_is_serious_pulls_the_wall_and_the_round_goes_on_where_it_was(lively: tuple[str, Store], browser: Any, sized: Callable[[int, int], None]) -> None:
    address, store = lively
    sized(1920, 1080)
    browser.get(f"{address}/wall?lang=en&kiosk=1&round=city")
    until(browser, DRAWN)
    before = until(browser, "return window.govRound.stops.length && window.govRound.stops[2].search")
    browser.get(f"{address}/wall{before}")
    until(browser, DRAWN)
    until(browser, "return window.govRound.left > 0")
    open_late(address, "PULLED-1")
    until(browser, "return new URLSearchParams(location.search).get('pull') === 'late:PULLED-1'", 30)
    left = browser.execute_script("return window.govRound.left")
    until(browser, "return document.querySelector('.beside') && document.querySelector('.beside').innerText.includes('PULLED-1')")
    shown = browser.execute_script("return document.querySelector('.beside').innerText")
    assert "Nearest cameras" in shown
    assert "min over" in shown
    until(browser, "return window.govMap.state().place === '990103001001001'")
    # A wall names posts and nobody; and it is whole, however low it is.
    assert "demo:" not in browser.find_element("tag name", "body").text
    for across, down, _, _ in WALLS.values():
        sized(across, down)
        until(browser, f"return innerWidth === {across}", 5)
        time.sleep(0.5)
        assert not [(text, cut, box) for text, _, cut, box in browser.execute_script(TEXTS) if cut]
        assert not browser.execute_script(OVERLAPS)
    sized(1920, 1080)
    # Pulled, the round stands still.
    assert browser.execute_script("return window.govRound.left") == left
    # A wall that is loaded anew is where it was.
    browser.refresh()
    until(browser, "return document.querySelector('.beside') && document.querySelector('.beside').innerText.includes('PULLED-1')")
    close(store, "PULLED-1")
    until(browser, "return !new URLSearchParams(location.search).get('pull')", 30)
    assert parse_qs(browser.execute_script("return location.search")[1:]) == parse_qs(before[1:])
    assert browser.execute_script("return window.govRound.left") <= left


@pytest.mark.browser
def test_a_serious_alarm_pulls_the_wall_to_its_grid_until_somebody_acknowledges_it(lively: tuple[str, Store], browser: Any, sized: Callable[[int, int], None]) -> None:
    address, store = lively
    sized(1920, 1080)
    browser.get(f"{address}/wall?lang=en&kiosk=1&round=city&pause=1")
    until(browser, DRAWN)
    with store.read() as connection:
        code = connection.scalars(select(sensor.c.code).where(sensor.c.kind == "water_level").order_by(sensor.c.code)).first()
    scribe, present = Scribe(store), stamp(now())
    scribe.take(Parcel(source="test", rows=[Read(str(code), present - 600 + i * 60, 0.4 if i < 3 else 9.0) for i in range(11)]))
    scribe.close()
    ask = Ask(scope=EVERYTHING, since=date.today(), until=date.today())
    alarm = next(one.alarm for one in desk.serious(store, ask).rows)
    until(browser, f"return new URLSearchParams(location.search).get('pull') === 'alarm:{alarm.id}'", 30)
    until(browser, "return document.querySelector('.beside .series') && document.querySelector('.wall-call .event.on')", 30)
    shown = browser.execute_script("return document.querySelector('.beside').innerText")
    assert "Nearest cameras" in shown
    assert "9.0" in shown
    until(browser, f"return window.govMap.state().place === '{alarm.area_code}'")
    # Where it is stands on the map, in its grid and among its neighbours.
    until(browser, "const f = window.govMap.state().focus; return f && document.querySelectorAll('.gov-focus').length === 1 && f.near.length")
    focus = browser.execute_script("return window.govMap.state().focus")
    assert (round(focus["lon"], 6), round(focus["lat"], 6), focus["status"]) == (round(alarm.lon, 6), round(alarm.lat, 6), alarm.level)
    until(browser, "return document.querySelectorAll('.leaflet-gov-areas-pane path').length > 1")
    for across, down, _, _ in WALLS.values():
        sized(across, down)
        until(browser, f"return innerWidth === {across}", 5)
        time.sleep(0.5)
        assert not [(text, cut, box) for text, _, cut, box in browser.execute_script(TEXTS) if cut]
        assert not browser.execute_script(OVERLAPS)
    acts.acknowledge(store, Actor(name="zhang", post="street", scope=EVERYTHING, shown="街道值班"), ask, alarm.id)
    until(browser, "const q = new URLSearchParams(location.search); return !q.get('pull') && !q.get('thing') && q.get('pause') === '1'", 30)


@pytest.mark.browser
def test_the_round_pauses_steps_and_lets_go_by_keys(lively: tuple[str, Store], browser: Any, sized: Callable[[int, int], None]) -> None:
    address, store = lively
    sized(1920, 1080)
    browser.get(f"{address}/wall?lang=en&kiosk=1&round=city")
    until(browser, DRAWN)

    def press(key: str) -> None:
        browser.execute_script("document.body.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0], bubbles: true, cancelable: true }))", key)

    until(browser, "return window.govRound.stops.length > 9")
    press("ArrowRight")
    until(browser, "return new URLSearchParams(location.search).get('stop') === '1' && window.govMap.state().layer === 'overdue'")
    press("ArrowLeft")
    press("ArrowLeft")
    last = browser.execute_script("return String(window.govRound.stops.length - 1)")
    until(browser, f"return new URLSearchParams(location.search).get('stop') === '{last}'")
    press(" ")
    until(browser, "return document.querySelector('.wall-call .paused').innerText.includes('paused')")
    rest = browser.execute_script("return window.govRound.left")
    time.sleep(1)
    assert browser.execute_script("return window.govRound.left") == rest
    open_late(address, "PULLED-2")
    # Serious is serious, also for a wall that rests.
    until(browser, "return new URLSearchParams(location.search).get('pull') === 'late:PULLED-2'", 30)
    press("Escape")
    until(browser, f"const q = new URLSearchParams(location.search); return !q.get('pull') && q.get('pause') === '1' && q.get('stop') === '{last}'")
    # Seen and let go: it does not pull again, and stays said.
    time.sleep(1)
    assert not browser.execute_script("return new URLSearchParams(location.search).get('pull')")
    until(browser, "return document.querySelector('.wall-call .event')")
    close(store, "PULLED-2")


def test_a_round_stops_only_where_its_visitor_may_look(city: Store) -> None:
    context = Context(Settings(), city)
    every = rounds.found()["city"]

    def districts(scope: Scope) -> set[str]:
        with visited(Visitor(actor=Actor(name="x", post="viewer", scope=scope), by="session")):
            turns = rounds.turns(context, View(scene="wall", kiosk=True, lang="en"), every)
        asked = [parse_qs(urlsplit(turn.search).query) for turn in turns]
        assert [int(q.get("stop", ["0"])[0]) for q in asked] == list(range(len(turns)))
        assert all(q["kiosk"] == ["1"] and q["round"] == ["city"] for q in asked)
        return {q["place"][0] for q in asked if "place" in q}

    assert len(districts(EVERYTHING)) == 9
    assert all(code.startswith("990102") for code in districts(Scope(areas=frozenset({"990102"}))))


def test_what_is_serious_keeps_to_the_scope(lively: tuple[str, Store]) -> None:
    address, store = lively
    open_late(address, "PULLED-3")
    here, there = Scope(areas=frozenset({"990103"})), Scope(areas=frozenset({"990101"}))
    today = Ask(scope=EVERYTHING, since=datetime.now(UTC).date(), until=datetime.now(UTC).date())
    assert [one.case for one in serious(store, today).rows] == ["PULLED-3"]
    assert [one.case for one in serious(store, today.but(scope=here)).rows] == ["PULLED-3"]
    assert not serious(store, today.but(scope=there)).rows
    assert not serious(store, today.but(place="990101")).rows
    close(store, "PULLED-3")
    assert not serious(store, today).rows


@pytest.mark.parametrize("kind", ["camera", "sensor"])
def test_the_nearest_things_are_nearest(city: Store, kind: near.Kind) -> None:
    table = near.TABLES[kind]
    with city.read() as connection:
        every = connection.execute(select(table.c.code, table.c.lon, table.c.lat).where(table.c.lon.is_not(None))).all()
    for start in every[:40]:
        lon, lat = start.lon + 0.003, start.lat - 0.002

        def metres(one: Any, lon: float = lon, lat: float = lat) -> float:
            # Along the great circle.
            a, b = math.radians(lat), math.radians(one.lat)
            h = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(one.lon - lon) / 2) ** 2
            return 2 * 6_371_000 * math.asin(math.sqrt(h))

        told = [one for one in desk.nearest(city, ASK, lon, lat, 4).rows if one.kind == kind]
        assert [one.code for one in told] == [one.code for one in sorted(every, key=metres)[:4]]
        assert all(abs(one.metres - metres(next(e for e in every if e.code == one.code))) < 1 + 0.002 * one.metres for one in told)
    assert not desk.nearest(city, ASK.but(scope=Scope(areas=frozenset())), lon, lat, 4).rows
