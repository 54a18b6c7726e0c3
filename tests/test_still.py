"""What only shows goes to the browser as markup: the same page, a tenth of the components, and nothing that a person did is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component
from hypothesis import given
from hypothesis import strategies as some
from selenium.webdriver.support.ui import WebDriverWait

from dashboard import draw, panels
from dashboard.address import View
from dashboard.context import Context, Visitor, visited
from dashboard.still import Still, markup, still
from queries.frame import EVERYTHING, Actor
from queries.settings import Settings
from queries.store import Store


class _Read(HTMLParser):
    """Texts and attributes of a piece of markup as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs


@given(some.text(some.characters(exclude_categories=("Cs", "Cc"))), some.text(some.characters(exclude_categories=("Cs", "Cc"))))
def test_no_text_can_become_markup(text: str, title: str) -> None:
    read = _Read()
    read.feed(markup(html.Span(text, title=title)))
    read.close()
    assert "".join(read.texts) == text
    assert read.attributes == [("title", title)]


def test_attributes_keep_their_html_names() -> None:
    told = markup(html.Td([html.Label("a", htmlFor="b"), html.I(style={"backgroundColor": "red", "--share": "3"})], className="num", colSpan=2,
                          tabIndex="0", hidden=True, title=None, **{"aria-hidden": "true", "data-act": json.dumps({"a": 1})}))
    assert told == ('<td aria-hidden="true" class="num" colspan="2" data-act="{&quot;a&quot;: 1}" hidden tabindex="0">'
                    '<label for="b">a</label><i style="background-color:red;--share:3"></i></td>')


def test_what_takes_input_or_has_a_name_stays_a_component() -> None:
    tree = still([html.H2("x"), html.Div([html.P("a"), dcc.Input(id="typed")]), html.Div(html.Button("b", id="pressed"))])
    assert [type(one).__name__ for one in tree] == ["Still", "Div", "Div"]
    assert [type(one).__name__ for one in tree[1].children] == ["Still", "Input"]
    assert tree[2].children.id == "pressed"


def _components(tree: Any) -> Iterator[Component]:
    if isinstance(tree, list | tuple):
        for one in tree:
            yield from _components(one)
    elif isinstance(tree, Component):
        yield tree
        yield from _components(getattr(tree, "children", None))


def test_a_leaders_page_is_few_components(sqlite_city: Store) -> None:
    view = View(period="custom", since=date(2026, 10, 25), until=date(2026, 11, 23))
    drawn = []
    with visited(Visitor(actor=Actor(name="leader", post="viewer", scope=EVERYTHING), by="session")):
        for panel in panels.found().values():
            if "leader" in panel.slots:
                drawn += list(_components(draw(Context(Settings(), sqlite_city), view, panel.id)))
    assert any(isinstance(one, Still) for one in drawn)
    assert len(drawn) < 80


def test_what_a_person_opened_scrolled_to_and_focused_stays_when_new_data_comes(lively: tuple[str, Store], browser: Any) -> None:
    browser.get(f"{lively[0]}/?lang=en")
    wait = WebDriverWait(browser, 20)
    wait.until(lambda b: b.execute_script("return document.querySelectorAll('.panel-case_list tbody.rows a').length>20"))
    told = browser.execute_script(
        "const box=document.querySelector('.panel-case_list .scroll'); box.scrollTop=120; window.kept=box; const link=box.querySelectorAll('a')[6];"
        "link.focus({preventScroll:true}); window.dash_clientside.set_props('pulse',{data:'anew'}); return [box.scrollTop, link.getAttribute('href')]")
    assert told[0] == 120
    wait.until(lambda b: b.execute_script("return !window.kept.isConnected && document.querySelector('.panel-case_list .scroll')"))
    assert browser.execute_script(
        "return [document.querySelector('.panel-case_list .scroll').scrollTop, document.activeElement.getAttribute('href')]") == told


def test_a_fold_that_somebody_opened_stays_open_when_new_data_comes(lively: tuple[str, Store], browser: Any) -> None:
    browser.get(f"{lively[0]}/street?lang=en")
    wait = WebDriverWait(browser, 20)
    wait.until(lambda b: b.execute_script("return document.querySelectorAll('.panel-nobody details').length"))
    browser.execute_script("window.kept=document.querySelector('.panel-nobody details');window.kept.querySelector('summary').click();"
                           "window.dash_clientside.set_props('pulse',{data:'anew'})")
    wait.until(lambda b: b.execute_script("return !window.kept.isConnected && document.querySelector('.panel-nobody details')"))
    assert browser.execute_script("return [...document.querySelectorAll('.panel-nobody details')].map(d=>d.open)")[0]


def test_a_link_in_markup_changes_the_address_and_loads_no_page(server: str, browser: Any) -> None:
    browser.get(f"{server}/?lang=en")
    wait = WebDriverWait(browser, 20)
    wait.until(lambda b: b.execute_script("return document.querySelector('.ranking a[data-go]')"))
    browser.execute_script("window.same=1;document.querySelector('.ranking a[data-go]').click()")
    wait.until(lambda b: "place=" in b.current_url)
    assert browser.execute_script("return window.same") == 1
