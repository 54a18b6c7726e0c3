"""The index in a real browser: why it fell and where in three clicks, sliders that are the server's arithmetic, a card that can be recomputed."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from queries import governance, places, releases
from queries.frame import EVERYTHING, Actor, Ask
from queries.store import Store
from tests.test_leader_browser import press, screen
from tests.test_pages_browser import text, until

pytestmark = pytest.mark.browser
Open = Callable[[str], Any]
DAYS = "period=custom&from=2026-10-25&to=2026-11-21"
ASK = Ask(scope=EVERYTHING, since=date(2026, 10, 25), until=date(2026, 11, 21))
DRAWN = "return document.querySelector('.panel') && !document.querySelector('.panel .waiting') && !document.querySelector('#map-tip.waiting')"


@pytest.fixture
def show(server: str, browser: Any) -> Open:
    def go(path: str) -> Any:
        browser.get_log("browser")
        browser.get(server + path)
        until(browser, DRAWN)
        return browser
    return go


def click(browser: Any, selector: str) -> str:
    """Click on what a person sees; return its words."""
    from selenium.webdriver.common.by import By

    until(browser, f"return document.querySelector({selector!r})")
    found = browser.find_element(By.CSS_SELECTOR, selector)
    browser.execute_script("arguments[0].scrollIntoView({block:'center'})", found)
    said = found.text
    found.click()
    return said


def test_three_clicks_lead_from_a_fallen_index_to_the_cases_of_the_area_that_did_it(show: Open) -> None:
    browser, clicks = show(f"/?lang=en&{DAYS}"), 0
    click(browser, ".index-strip .index-line")
    clicks += 1
    # Why: what moved it opens its records, by area. (What departments report has figures behind it, and no cases.)
    click(browser, ".whys .why a.why-name[href*='measure=SAF06']")
    clicks += 1
    where = until(browser, "const a=document.querySelector('.why-records tbody.rows tr a.drill');return a&&[a.innerText,new URL(a.href).searchParams.get('place')]")
    assert "/" in text(browser, ".why-records tbody.rows tr td.num:nth-child(3)")
    click(browser, ".why-records tbody.rows tr a.chip")  # where: the area that moved it most opens its cases
    clicks += 1
    until(browser, f"return document.querySelector('.crumbs a:last-of-type').innerText=={where[0]!r}")
    assert clicks == 3
    rows = until(browser, "const r=document.querySelectorAll('.cases tbody.rows tr, .panel-against tbody.rows tr');return r.length")
    assert rows >= 1
    assert browser.execute_script("return new URLSearchParams(location.search).get('place')") == where[1]


@pytest.mark.parametrize("place", ["", "&place=990101", "&place=990106"])
def test_the_waterfall_adds_up_as_it_is_shown(show: Open, place: str) -> None:
    browser = show(f"/index?lang=en&{DAYS}{place}")
    until(browser, "return document.querySelector('.whys .why-end')")
    said = browser.execute_script("return [...document.querySelectorAll('.whys .why-points')].map(e=>e.innerText)")
    assert [line["message"] for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []
    first, *steps, last = [float(re.sub(r"[▲▼\s]", "", one).replace("−", "-")) for one in said]
    assert steps
    assert round(first + sum(steps), 2) == last
    total = text(browser, ".why-total").split()[0].replace("−", "-")
    assert float(total) == round(last - first, 2)
    # Each bar begins where the one before it ended.
    ends = browser.execute_script("return [...document.querySelectorAll('.whys .why-fill')].map(e=>{const s=e.style,l=parseFloat(s.left),w=parseFloat(s.width);return e.classList.contains('down')?[l+w,l]:[l,l+w]})")
    assert all(abs(a[1] - b[0]) < 0.5 for a, b in zip(ends, ends[1:], strict=False))


def test_the_sliders_rule_keeps_a_hundred_and_the_proportions(show: Open) -> None:
    browser = show(f"/index?lang=en&{DAYS}")
    wrong = browser.execute_script("""
      const sum = a => a.reduce((x, y) => x + y, 0), bad = [];
      for (let k = 0; k < 5000; k++) {
        const n = 2 + k % 6, held = govWeights.spread(Array.from({length: n}, () => k % 7 ? Math.random() : Math.floor(Math.random() * 2)), 100);
        const i = k % n, value = k % 11 ? Math.floor(Math.random() * 101) : 100 * (k % 2), out = govWeights.share(held, i, value);
        const rest = sum(held) - held[i];
        const fair = out.every((w, j) => j === i || Math.abs(w - (rest ? (100 - value) * held[j] / rest : (100 - value) / (n - 1))) < 1);
        if (sum(held) !== 100 || sum(out) !== 100 || out[i] !== value || !fair || out.some(w => w < 0 || w !== Math.floor(w))) bad.push([held, i, value, out]);
      }
      return bad.slice(0, 3)""")
    assert wrong == []
    assert browser.execute_script("return govWeights.share([20,20,20,20,20],0,60)") == [60, 10, 10, 10, 10]


def test_the_browsers_arithmetic_is_the_servers_for_every_grid(show: Open, sqlite_city: Store) -> None:
    browser = show(f"/?lang=en&{DAYS}&layer=governance_index&level=4")
    until(browser, "const s=document.querySelector('.sliders input');return s&&(s.focus(),true)")
    until(browser, "return window.govWeights.parts()")
    chance = np.random.default_rng(5)
    for weights in ((20, 20, 20, 20, 20), (100, 0, 0, 0, 0), (0, 0, 0, 100, 0), *(tuple(int(x) for x in chance.multinomial(100, chance.dirichlet(np.ones(5)))) for _ in range(8))):
        told = browser.execute_script(
            "const p=govWeights.parts(),m=govWeights.scores(p,arguments[0]);return [[...p.dense],[...m.score].map(v=>v===v?v:null),[...m.few]]", list(weights))
        there = governance.index_values(sqlite_city, ASK.but(weights=weights), "index", 4).rows
        assert told[0] == there.dense.tolist()  # type: ignore[attr-defined]
        mine = np.array([np.nan if v is None else v for v in told[1]])
        assert np.allclose(mine, there.value, rtol=0, atol=1e-9, equal_nan=True)  # type: ignore[attr-defined]
        assert [not few for few in told[2]] == there.ranked.tolist()  # type: ignore[attr-defined]


def test_a_slider_recolours_the_map_at_once_and_then_is_the_address(show: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    browser = show(f"/?lang=en&{DAYS}&layer=governance_index&level=4")
    until(browser, "const s=document.querySelector('.sliders input');return s&&(s.focus(),true)")
    until(browser, "return window.govWeights.parts()")
    asked = "return performance.getEntriesByType('resource').filter(e=>e.name.includes('/map/values')).length"
    before = browser.execute_script(asked)
    told = browser.execute_script(
        "const s=document.querySelector('.sliders input'),old=[...govMap.values.bytes];s.value=90;s.dispatchEvent(new Event('input',{bubbles:true}));"
        "return [govWeights.pending(),[...govMap.values.bytes].filter((c,i)=>c!==old[i]).length,document.querySelector('#map-panel .title').innerText]")
    assert told[0] == [90, 3, 3, 2, 2]
    assert told[1] > 0  # painted in the same task, and nobody was asked
    assert "what if" in told[2]
    assert browser.execute_script(asked) == before
    assert "weights" not in browser.current_url
    seen = until(browser, "const p=document.querySelector('.weights .what-if');return p&&p.checkVisibility()&&p.innerText")
    assert "not the index" in seen
    mine = browser.execute_script("return [...govMap.values.bytes]")

    browser.execute_script("document.querySelector('.sliders input').dispatchEvent(new Event('change',{bubbles:true}))")
    until(browser, "return new URLSearchParams(location.search).get('weights')=='90,3,3,2,2'")
    until(browser, f"{asked} > {before}")
    until(browser, "return govWeights.pending()===null")
    until(browser, "return govMap.state().query.includes('weights')")
    # What the server then paints is what the hand had painted.
    until(browser, f"return JSON.stringify([...govMap.values.bytes])==JSON.stringify({mine})")
    assert "what if" in text(browser, ".index-strip")

    # By keys: the slider keeps the focus while the page is drawn anew.
    press(browser, Keys.ARROW_LEFT)
    until(browser, "return (new URLSearchParams(location.search).get('weights')||'').startsWith('89,')")
    until(browser, "return govWeights.pending()===null")
    assert browser.execute_script("return document.activeElement.dataset.dimension") == "safety"
    values = browser.execute_script("return [...document.querySelectorAll('.sliders input')].map(e=>Number(e.value))")
    assert sum(values) == 100
    assert values[0] == 89

    click(browser, ".panel-index_weights a.chip")
    until(browser, "return !location.search.includes('weights')")
    until(browser, "return [...document.querySelectorAll('.sliders input')].every(e=>e.value=='20')")
    until(browser, "return !document.querySelector('.weights .what-if').checkVisibility()")


def test_weights_in_the_address_are_said_on_every_screen(show: Open, server: str) -> None:
    browser = show(f"/index?lang=en&{DAYS}&weights=60,10,10,10,10")
    assert "what if" in text(browser, ".tile-title, .index-tiles .tile")
    until(browser, "return [...document.querySelectorAll('.sliders input')].map(e=>e.value).join()=='60,10,10,10,10'")
    for path in ("/?", "/wall?", "/grid?", "/evaluation?"):
        browser.get(f"{server}{path}lang=en&{DAYS}&weights=60,10,10,10,10")
        assert "not the index" in until(browser, "const n=document.querySelector('#notice');return n&&n.innerText")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", [(1920, 1080), (3840, 2160)])
def test_the_page_fits_its_screen(show: Open, lang: str, size: tuple[int, int]) -> None:
    browser = show(f"/index?lang={lang}&{DAYS}")
    with screen(browser, *size):
        time.sleep(0.5)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0]
        assert browser.execute_script("return document.documentElement.scrollHeight") <= size[1]
        low = browser.execute_script("return [...document.querySelectorAll('.panel')].filter(p=>p.innerText&&p.getBoundingClientRect().bottom>innerHeight+1).map(p=>p.className)")
        assert low == []
        wide = browser.execute_script("return [...document.querySelectorAll('.panel, .panel .scroll')].filter(p=>p.scrollWidth>p.clientWidth+1).map(p=>p.className)")
        assert wide == []


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", ["/index", "/grid"])
def test_a_phone_sees_all_of_it_without_scrolling_sideways(show: Open, sqlite_city: Store, path: str, lang: str) -> None:
    browser = show(f"{path}?lang={lang}&{DAYS}&place={leaf(sqlite_city)}")
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True})
    try:
        time.sleep(0.5)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 391
        wide = browser.execute_script("return [...document.querySelectorAll('.panel-index_why, .panel-index_method, .panel-index_weights, .grid-index')].filter(p=>p.scrollWidth>p.clientWidth+1).map(p=>p.className)")
        assert wide == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_language_changes_in_place(show: Open) -> None:
    browser = show(f"/index?lang=zh&{DAYS}&weights=40,15,15,15,15&measure=SAF06")
    assert "治理指数" in text(browser, ".panel-index_score")
    browser.execute_script("[...document.querySelectorAll('.langs .chip')].find(c=>c.innerText=='English').click()")
    until(browser, "return document.querySelector('.panel-index_why').innerText.includes('Why did it move?')")
    until(browser, "return document.querySelector('.sliders').innerText.includes('Public safety')")
    assert "weights=40,15,15,15,15" in browser.current_url.replace("%2C", ",")
    assert not re.search(r"[\u4e00-\u9fff]", text(browser, ".panel-index_method"))


def leaf(store: Store) -> str:
    with store.read() as connection:
        place = places.root(connection, ASK.until)
        while place.has_children:
            place = places.children(connection, place)[0]
    return place.code


def number(said: str) -> float:
    return float(said.replace(",", "").replace("%", "").replace("∞", "inf"))


def test_a_sceptic_recomputes_a_grids_score_from_the_words_of_the_card(show: Open, sqlite_city: Store) -> None:
    browser = show(f"/index?lang=en&{DAYS}&place={leaf(sqlite_city)}")
    until(browser, "return document.querySelector('.panel-index_method .m-line')")
    lines = browser.execute_script("""return [...document.querySelectorAll('.panel-index_method .m-line[data-indicator]')].map(e => [e.dataset.indicator, e.dataset.of,
        ...['m-raw', 'm-borrowed', 'm-posts', 'm-stands', 'm-score'].map(c => (e.querySelector('.' + c) || {}).textContent || '')])""")
    scores: dict[str, dict[str, tuple[float, float]]] = {}
    for _, of, raw, borrowed, posts, stands, shown in lines:
        floor, target, weight = (number(x) for x in re.fullmatch(r"floor (\S+)% → target (\S+)%, weight (\S+)", posts).groups())  # type: ignore[union-attr]
        if stands:
            last, quartile = re.search(r"last score (\S+) and the peers' lower quartile (\S+)", stands).groups()  # type: ignore[union-attr]
            score = min([number(x) for x in (last, quartile) if x != "none"])
        else:
            top, under = (number(x) for x in re.match(r"([\d.,]+) / ([\d.,]+) = ", raw).groups())  # type: ignore[union-attr]
            above, below, strength = (number(x) for x in re.match(r"parent ([\d.,]+) / ([\d.,]+) = \S+, S = (\S+) cases", borrowed).groups())  # type: ignore[union-attr]
            own = 0.0 if math.isinf(strength) else under / (under + strength)
            value = 100 * (above / below + own * (top / under - above / below))
            score = 1 + 99 * min(max((value - floor) / (target - floor), 0), 1)
        assert float(shown) == pytest.approx(score, abs=0.06)
        scores.setdefault(of, {})[raw + posts] = (score, weight)
    means = {of: sum(s * w for s, w in held.values()) / sum(w for _, w in held.values()) for of, held in scores.items()}
    parts = browser.execute_script("return document.querySelector('.m-line[data-mean=index] .m-parts').textContent")
    titles = {row.title["en"]: row.id for row in governance.index(sqlite_city, ASK).rows if row.kind == "dimension"}
    index = 1.0
    for part in parts.split(" · "):
        name, _, share = part.rpartition(" ")
        index *= means[titles[name]] ** (number(share) / 100)
    shown = browser.execute_script("return document.querySelector('.m-line[data-mean=index] .m-score').textContent")
    assert float(shown) == pytest.approx(index, abs=0.06)
    assert text(browser, ".tile-value").startswith(shown)


def test_a_grids_page_has_its_score_with_what_it_rests_on_and_what_moved_it(show: Open, sqlite_city: Store) -> None:
    code = leaf(sqlite_city)
    browser = show(f"/grid?lang=en&{DAYS}&place={code}")
    card = until(browser, "const c=document.querySelector('.index-card');return c&&c.innerText")
    whole, *rows = governance.index(sqlite_city, ASK.but(place=code)).rows
    assert f"{whole.score:.1f}" in card
    assert f"90 % interval {whole.low:.1f}–{whole.high:.1f}" in card
    assert "own data" in card
    for row in rows:
        if row.kind == "dimension" and row.id != "burden":
            line = text(browser, f".index-card .dim-{row.id}")
            assert (f"{row.score:.1f}" in line) if row.score is not None else ("○" in line)
    reasons = [row for row in governance.why(sqlite_city, ASK.but(place=code)).rows if abs(row.points) >= 0.01 and row.id != "mix"]
    assert reasons
    until(browser, "const a=document.querySelector('.index-card .index-reasons a');return a&&(a.click(),true)")
    until(browser, f"return location.pathname=='/index' && location.search.includes('measure={reasons[0].id}')")
    assert until(browser, "return document.querySelector('.why-records tbody.rows tr')")


def test_a_grid_without_a_score_says_which_kind_of_none_it_is(show: Open, sqlite_city: Store) -> None:
    rows = governance.index_values(sqlite_city, ASK, "index", 4).rows
    code = next(row.code for row in rows if row.value is None)
    kind = governance.index(sqlite_city, ASK.but(place=code)).rows[0].no_score
    browser = show(f"/grid?lang=en&{DAYS}&place={code}")
    said = until(browser, "const c=document.querySelector('.index-line');return c&&c.innerText")
    assert said.startswith("–")
    assert f"○ {governance.NO_SCORE[kind]['en']}" in said


def test_the_overview_and_the_wall_say_how_the_index_stands_and_why(show: Open, server: str, sqlite_city: Store) -> None:
    whole = governance.index(sqlite_city, ASK).rows[0]
    browser = show(f"/?lang=en&{DAYS}")
    line = until(browser, "const c=document.querySelector('.index-strip');return c&&c.innerText")
    assert f"{whole.score:.1f}" in line
    assert "90 % interval" in line
    browser.get(f"{server}/wall?lang=en&{DAYS}&pause=1")
    assert f"{whole.score:.1f}" in until(browser, "const c=document.querySelector('.panel-index_score .tile');return c&&c.innerText")
    lines = until(browser, "const c=[...document.querySelectorAll('.wall-reason')];return c.length&&c.map(e=>e.innerText)")
    first = next(row for row in governance.why(sqlite_city, ASK).rows if row.id != "mix")
    assert first.title["en"] in lines[0]
    assert next(title["en"] for code, title, _ in first.areas if code) in lines[0]


def test_a_released_month_stands_out_from_drafts(lively: tuple[str, Store], browser: Any) -> None:
    address, store = lively
    releases.release(store, Actor(name="admin", post="admin", scope=EVERYTHING), date(2026, 10, 1), date(2026, 10, 31))
    browser.get(f"{address}/index?lang=en&{DAYS}")
    until(browser, "return document.querySelectorAll('.month').length>1")
    months = browser.execute_script("return [...document.querySelectorAll('.month')].map(m=>[m.innerText,!!m.querySelector('.month-mark'),!!m.querySelector('.draft'),m.title])")
    for said, marked, draft, title in months:
        assert marked == (not draft) == ("2026-10" in said)
        assert title.startswith("released: " if marked else "a draft")


def test_an_indicator_that_is_opened_shows_its_months_with_what_was_released_and_told(show: Open, sqlite_city: Store) -> None:
    browser = show(f"/index?lang=en&{DAYS}")
    click(browser, "[data-indicator='SAF06'] .m-name a.chip")
    until(browser, "return document.querySelector('.panel-index_trend .panel-head,.panel-index_trend h3')&&document.querySelector('.panel-index_trend').innerText.includes('On-time rate')")
    held = governance.months(sqlite_city, ASK, of="SAF06").rows
    shown = browser.execute_script("return [...document.querySelectorAll('.months .month-score')].map(e=>e.innerText)")
    assert shown == [f"{100 * row.value:.1f}%" for row in held if row.score is not None and row.value is not None]
    assert "/" in browser.execute_script("return document.querySelector('.months .month').title")
    # What departments told of a street, with who said it and since when it holds.
    with sqlite_city.read() as connection:
        place = places.root(connection, ASK.until)
        for _ in range(2):
            place = places.children(connection, place)[0]
    show(f"/index?lang=en&{DAYS}&place={place.code}&measure=RSK01")
    until(browser, "return document.querySelector('.month-figures tbody.rows tr')")
    told = governance.figures(sqlite_city, ASK.but(place=place.code, since=date(2025, 11, 1)), "RSK01").rows
    assert browser.execute_script("return document.querySelectorAll('.month-figures tbody.rows tr').length") == len(told)
    assert told[0].said in text(browser, ".month-figures tbody.rows")
    click(browser, ".panel-index_trend a.chip")
    until(browser, "return document.querySelector('.panel-index_trend').innerText.includes('Month by month')&&!document.querySelector('.month-figures')")


def test_a_dimension_beside_the_index_says_why(show: Open, sqlite_city: Store) -> None:
    code = leaf(sqlite_city)
    rows = {row.id: row for row in governance.index(sqlite_city, ASK.but(place=code)).rows if row.kind == "dimension"}
    # Of a grid nothing but the share of machine finds tells of support: no department brings its figures that far down.
    assert "support" in {id_ for id_, row in rows.items() if row.beside == "one"}
    assert not any(row.beside for row in rows.values() if row.parent)
    browser = show(f"/index?lang=en&{DAYS}&place={code}")
    until(browser, "return document.querySelector('.index-support .aside-word')")
    assert "a single indicator tells" in text(browser, ".index-support .aside-word")
    browser = show(f"/index?lang=en&{DAYS}")
    until(browser, "return document.querySelector('.index-burden .aside-word')")
    assert "single" not in text(browser, ".index-burden .aside-word")
    assert browser.execute_script("return document.querySelectorAll('.index-safety .aside-word').length") == 0
