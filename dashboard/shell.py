"""The frame around the panels: header, breadcrumb, period, language, search, notices, the scene's slots."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard import ids, panels, scenes
from dashboard.address import LANGUAGES, PERIODS, Notice, View
from dashboard.context import Context
from dashboard.freshness import stamps
from dashboard.login_badge import badge
from dashboard.panels import index_weights
from dashboard.panels._parts import chip, chips, go, words
from dashboard.words import Words
from queries import outlines, places
from queries.errors import AskError

NAMES = {"zh": "中文", "en": "English"}


def layout() -> html.Div:
    """Return the frame; what is in it follows from the address."""
    return html.Div([
        dcc.Location(id=ids.URL, refresh=False),
        html.Header([
            html.Div(id=ids.HEADER, **{"data-news": "header", "data-hears": "n", "data-pace": "5", "data-calm": "5"}),
            dcc.Store(id=ids.news("header")),
            html.Div([dcc.Input(id=ids.SEARCH, type="search", debounce=0.25, autoComplete="off"),
                      html.Div(id=ids.FOUND, className="found", role="status")], className="search", role="search"),
            html.Div(html.Div(id=ids.CURSOR), className="cursor-row", **{"data-news": "cursor", "data-hears": "n", "data-pace": "60", "data-calm": "60"}),
            dcc.Store(id=ids.news("cursor")),
        ], className="header"),
        # What is real beside a drill stands over every screen, also where a wall shows nothing to click.
        html.Div(id=ids.WATERMARK, **{"aria-hidden": "true"}),
        html.Div(id=ids.REAL, **{"data-news": "real", "data-hears": "cases", "data-pace": "1", "data-calm": "5", "data-always": "1"}), dcc.Store(id=ids.news("real")),
        html.Div(id=ids.UNHEARD, role="alert", hidden=True),
        html.Div(id=ids.NOTICE, role="status"),
        html.Main(id=ids.BODY),
        html.Div(id=ids.DONE, role="status"),
        dcc.Store(id=ids.PULSE), dcc.Store(id=ids.GO), dcc.Store(id=ids.TYPED), dcc.Store(id=ids.DAYS), dcc.Store(id=ids.PRESSED),
    ], className="page")


def header(context: Context, view: View) -> list[Any]:
    """Return the two lines of the header: where and how fresh; which page, days and language."""
    w, city = words(context, view), context.city()
    since, until = context.days(view)
    periods = [chip(view.but(period=p), w(f"period.{p}"), p == view.period) for p in PERIODS if p != "custom"]
    return [
        html.Div([
            html.H1(w("app.name")),
            html.Strong(w("demo"), className="demo") if city.demo else "",
            html.Nav(_crumbs(context, view), className="crumbs", **{"aria-label": w("crumbs")}),
        ], className="identity"),
        html.Span(w.day(until) if since == until else f"{w.day(since)} – {w.day(until)}", className="days"),
        stamps(context, view),
        badge(context, view),
        html.Div([
            html.Nav(chips([chip(view.but(scene=s.id), w.pick(s.title), s.id == view.scene)
                            for s in scenes.found().values()]), className="scenes", **{"aria-label": w("pages")}),
            html.Div([
                html.Nav(chips(periods, "periods"), **{"aria-label": w("period")}),
                html.Div([
                    html.Label([w("period.since"), dcc.Input(id=ids.SINCE, type="date", value=since.isoformat(), name=since.isoformat(), debounce=True)]),
                    html.Label([w("period.until"), dcc.Input(id=ids.UNTIL, type="date", value=until.isoformat(), name=until.isoformat(), debounce=True)]),
                ], className="dates"),
            ], className="days-line"),
        ], className="tools"),
        html.Nav(chips([chip(view.but(lang=lang), NAMES[lang], lang == view.lang) for lang in LANGUAGES]),
                 className="langs", **{"aria-label": w("language")}),
    ]


def _crumbs(context: Context, view: View) -> list[Any]:
    w, city = words(context, view), context.city()
    if not city.loaded:
        return [html.Span(w("no_city"))]
    on = context.on(view)
    with context.store.read() as connection:
        try:
            steps = places.path(connection, places.find(connection, view.place, on, context.scope))
        except AskError as bad:
            steps = [places.root(connection, on)]
            return [go(view.but(place=None), w.name(steps[0])), html.Span(f" ⚠ {bad}", className="warn")]
        sizes = outlines.level_sizes(connection, steps[-1])
        known = outlines.levels(connection)
    out: list[Any] = []
    for i, step in enumerate(steps):
        out += [html.Span(" › ") if i else "", go(view.but(place=step.code if i else None), w.name(step))]
    below = [w("crumbs.below", n=w.n(sizes[one.level]), level=w.name(one))
             for one in known if one.level > steps[-1].level and sizes.get(one.level)]
    return [*out, html.Span("  " + " · ".join(below), className="below")] if below else out


def notices(context: Context, view: View, given: tuple[Notice, ...]) -> list[Any]:
    """Return words for what of the address could not be used."""
    w = words(context, view)
    said: list[Any] = [html.P(f"⚠ {w(n.key)} {n.value}".strip(), className="notice") for n in given]
    # Where the sliders are not shown, a score by other weights must still not pass for the index.
    if view.weights and not index_weights.shown(view):
        said.append(html.P([f"▲ {w('index.what_if')} ", chip(view.but(weights=()), w("index.reset"))], className="notice"))
    return said


def body(context: Context, view: View) -> html.Div:
    """Return the scene's slots with an empty box per panel."""
    scene = scenes.found()[view.scene]
    w = words(context, view)
    slots: list[Any] = []
    for slot in scene.slots:
        if slot == "map":
            slots.append(html.Div(_map(context, view), className="slot slot-map"))
            continue
        # Only the drawer's panels may be nothing at all; the others say that they are being read.
        waiting = "" if slot in ("drawer", "call", "beside", "eyes") else html.P(w("panel.waiting"), className="waiting")
        boxes = [part for p in panels.found().values() if p.slots.get(scene.id) == slot or p.id in scene.takes.get(slot, ())
                 for part in _box(w, p, waiting)]
        slots.append(html.Div(boxes, className=f"slot slot-{slot}"))
    wide, far = view.wide or context.settings.wall_width_m, view.far or context.settings.wall_distance_m
    return html.Div(slots, className=f"scene scene-{scene.id}", **{"data-wide": f"{wide:g}", "data-far": f"{far:g}"} if scene.id == "wall" else {})


def _box(w: Words, p: panels.Panel, waiting: Any) -> list[Any]:
    hears = {"data-news": p.id, "data-hears": p.hears, "data-pace": str(p.pace_s), "data-calm": str(p.calm_s)}
    return [html.Section(waiting, id=ids.panel(p.id), className=f"panel panel-{p.id}", **{"aria-label": w.pick(p.title)}, **hears),
            dcc.Store(id=ids.news(p.id))]


def _map(context: Context, view: View) -> Any:
    from dashboard.map import map_view

    return map_view(view, context.settings)


def found(context: Context, view: View, text: str) -> list[Any]:
    """Return links to the places that match a text, or words when none does."""
    w = words(context, view)
    until = context.on(view)
    with context.store.read() as connection:
        hits = places.search(connection, context.scope, text, until)
    links: list[Any] = [go(view.but(place=p.code), [w.name(p), html.Span(f" {p.code}", className="quiet")]) for p in hits]
    # A text with a digit may be a case number; the card itself says so when there is none.
    if any(c.isdigit() for c in text):
        links.append(go(view.but(case=text.strip()[:100]), f"{w('search.case')} {text.strip()[:100]}"))
    return links or [html.P(w("search.none"), className="empty")]
