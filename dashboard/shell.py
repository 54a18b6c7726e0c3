"""The frame around the panels: header, breadcrumb, period, language, search, notices, the scene's slots."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard import ids, panels, scenes
from dashboard.address import LANGUAGES, PERIODS, Notice, View
from dashboard.context import Context, span
from dashboard.panels._parts import chips, go, words
from queries import places
from queries.clock import moment
from queries.errors import AskError

NAMES = {"zh": "中文", "en": "English"}


def layout() -> html.Div:
    """Return the frame; what is in it follows from the address."""
    return html.Div([
        dcc.Location(id=ids.URL, refresh=False),
        html.Header([
            html.Div(id=ids.HEADER),
            html.Div([dcc.Input(id=ids.SEARCH, type="search", debounce=0.25, autoComplete="off"),
                      html.Div(id=ids.FOUND, className="found")], className="search"),
        ], className="header"),
        html.Div(id=ids.NOTICE, role="status"),
        html.Main(id=ids.BODY),
    ], className="page")


def header(context: Context, view: View) -> list[Any]:
    """Return city, demo mark, breadcrumb, scenes, period, language and freshness."""
    w, city = words(context, view), context.city()
    since, until = span(view, city.last_day)
    age = w.age(None if city.as_of is None else moment(city.as_of))
    return [
        html.H1(w("app.name")),
        html.Strong(w("demo"), className="demo") if city.demo else "",
        html.Nav(_crumbs(context, view), className="crumbs"),
        chips([go(view.but(scene=s.id), w.pick(s.title), "chip on" if s.id == view.scene else "chip")
               for s in scenes.found().values()]),
        chips([go(view.but(period=p), w(f"period.{p}"), "chip on" if p == view.period else "chip")
               for p in PERIODS if p != "custom"], "periods"),
        html.Div([
            html.Label([w("period.since"), dcc.Input(id=ids.SINCE, type="date", value=since.isoformat(), debounce=True)]),
            html.Label([w("period.until"), dcc.Input(id=ids.UNTIL, type="date", value=until.isoformat(), debounce=True)]),
        ], className="dates"),
        chips([go(view.but(lang=lang), NAMES[lang], "chip on" if lang == view.lang else "chip") for lang in LANGUAGES]),
        html.Span(w("fresh", age=age), className="fresh"),
    ]


def _crumbs(context: Context, view: View) -> list[Any]:
    w, city = words(context, view), context.city()
    if not city.loaded:
        return [html.Span(w("no_city"))]
    on = span(view, city.last_day)[1]
    with context.store.read() as connection:
        try:
            steps = places.path(connection, places.find(connection, view.place, on, context.scope))
        except AskError as bad:
            steps = [places.root(connection, on)]
            return [go(view.but(place=None), w.name(steps[0])), html.Span(f" ⚠ {bad}", className="warn")]
    out: list[Any] = []
    for i, step in enumerate(steps):
        out += [html.Span(" › ") if i else "", go(view.but(place=step.code if i else None), w.name(step))]
    return out


def notices(context: Context, view: View, given: tuple[Notice, ...]) -> list[Any]:
    """Return words for what of the address could not be used."""
    w = words(context, view)
    return [html.P(f"⚠ {w(n.key)} {n.value}".strip(), className="notice") for n in given]


def body(context: Context, view: View) -> html.Div:
    """Return the scene's slots with an empty box per panel."""
    scene = scenes.found()[view.scene]
    w = words(context, view)
    slots: list[Any] = []
    for slot in scene.slots:
        if slot == "map":
            slots.append(html.Div(_map(context, view), className="slot slot-map"))
            continue
        boxes = [html.Section(html.P(w("panel.waiting"), className="empty"), id=ids.panel(p.id), className=f"panel panel-{p.id}")
                 for p in panels.found().values() if p.slots.get(scene.id) == slot]
        slots.append(html.Div(boxes, className=f"slot slot-{slot}"))
    return html.Div(slots, className=f"scene scene-{scene.id}")


def _map(context: Context, view: View) -> Any:
    from dashboard.map import map_view

    return map_view(view, context.settings)


def found(context: Context, view: View, text: str) -> list[Any]:
    """Return links to the places that match a text, or words when none does."""
    w = words(context, view)
    until = span(view, context.city().last_day)[1]
    with context.store.read() as connection:
        hits = places.search(connection, context.scope, text, until)
    links: list[Any] = [go(view.but(place=p.code), [w.name(p), html.Span(f" {p.code}", className="quiet")]) for p in hits]
    # A text with a digit may be a case number; the card itself says so when there is none.
    if any(c.isdigit() for c in text):
        links.append(go(view.but(case=text.strip()[:100]), f"{w('search.case')} {text.strip()[:100]}"))
    return links or [html.P(w("search.none"), className="empty")]
