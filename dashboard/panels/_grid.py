"""The parts of the grid page, each from a part of the one answer."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.panels import _items
from dashboard.panels._parts import badge, go, groups, nothing, scroll, status, table
from dashboard.words import Words
from queries.clock import moment
from queries.loop.grid import Against, Grid
from queries.loop.steps import WAITING_WORDS

#: A camera's state in words, and the kind of its badge.
CAMERA_WORDS = {"online": ({"zh": "在线", "en": "online"}, "good"), "offline": ({"zh": "离线", "en": "offline"}, "watch"),
                "no_picture": ({"zh": "无图像", "en": "no picture"}, "watch"), "unknown": ({"zh": "状态不明", "en": "unknown"}, "off")}
DUTY_WORDS = {"grid_worker": {"zh": "网格员", "en": "Grid worker"}, "street_lead": {"zh": "街道带班", "en": "Street lead"}}


def head(w: Words, view: View, one: Grid) -> list[Any]:
    """Return who and where: name, way up, people, size, posts on duty, what waits on whom."""
    place = one.place
    way: list[Any] = []
    for i, step in enumerate(one.path[:-1]):
        way += [html.Span(" › ") if i else "", go(view.but(place=step.code if i else None, case=""), w.name(step), "drill")]
    size = w("grid.unknown") if place.area_m2 is None else w("grid.km2", n=f"{place.area_m2 / 1e6:.2f}")
    facts = [(w("grid.code"), place.code), (w("grid.residents"), w("grid.unknown") if place.residents is None else w.n(place.residents)), (w("grid.area"), size)]
    duty = [html.Span([html.B(w.pick(DUTY_WORDS.get(d.post, {"zh": d.post, "en": d.post}))), f" {d.shown}",
                       *([" ", html.A(d.phone, href=f"tel:{d.phone}", className="drill")] if d.phone else [])]) for d in one.duty or ()]
    if one.duty is None:
        duty = [html.Span(f"○ {w('when.no_roster')}", className="quiet")]
    elif not any(d.post == "grid_worker" for d in one.duty):
        duty.insert(0, badge(w("grid.nobody"), "watch"))
    waits = [html.Span([w("desk.waiting", who=w.pick(WAITING_WORDS[post])), " ", html.B(w.n(n))]) for post, n in one.waiting.items()]
    return [
        html.Div([html.H2(w.name(place)), html.Span(w.name(one.level), className="quiet"), html.Span(way, className="way"),
                  go(view.but(scene="leader", case=""), w("grid.on_map"), "chip"), go(view.but(scene="street", case=""), w("grid.on_street"), "chip")],
                 className="grid-name"),
        html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts]),
        html.Div(duty, className="facts"),
        html.Div(waits or html.Span(w("grid.none_open")), className="facts"),
    ]


def figures(w: Words, view: View, one: Grid) -> Any:
    """Return the figures of the period: own, before, the median of the other grids, the parent's."""
    top = [(w("grid.figure"), ""), (w("grid.own"), "num"), (w("grid.before"), "num"), (w("grid.peers", n=max(f.n_peers for f in one.figures)), "num"),
           (w.name(one.path[-2]) if len(one.path) > 1 else w("grid.parent"), "num")]
    return table(top, [_figure(w, view, row) for row in one.figures])


def _figure(w: Words, view: View, row: Against) -> html.Tr:
    figure = row.figure
    made = f" {w.n(row.numerator)}/{w.n(row.denominator)}" if row.denominator else ""
    own: Any = [w.value(row.value, figure.unit), html.Small(made, className="quiet")]
    return html.Tr([
        html.Td(go(view.but(scene="leader", measure=figure.id, case=""), w.pick(figure.title), "drill", w.pick(figure.definition))),
        html.Td(own, className="num value"), html.Td(w.value(row.previous, figure.unit), className="num quiet"),
        html.Td(w.value(row.peers, figure.unit), className="num quiet"), html.Td(w.value(row.parent, figure.unit), className="num quiet")])


def closed(w: Words, view: View, one: Grid) -> Any:
    """Return the cases that were closed last."""
    rows = [html.Tr([
        html.Td([html.Div(go(view.but(case=c.no), w.pick(c.title_words) or w.pick(c.category_name), "drill", c.no), className="what"),
                 html.Small(w.pick(c.category_name), className="quiet")]),
        html.Td(status(w, c.status)), html.Td(w.short(c.closed_at), className="num quiet")]) for c in one.closed]
    return table([(w("case.what"), ""), (w("case.status"), ""), (w("grid.closed_at"), "num")], rows) if rows else nothing(w, "grid.none_closed")


def things_aside(w: Words, one: Grid) -> Any:
    """Return how many sensors are silent and cameras are not online."""
    silent, dark = {s.code for s in one.sensors if s.silent}, [c for c in one.cameras if c.state in ("offline", "no_picture")]
    n = w("grid.things", sensors=len({s.code for s in one.sensors}), cameras=len(one.cameras))
    return [html.Span(f"▲ {w('grid.trouble', n=len(silent) + len(dark))}", className="watch") if silent or dark else "", html.Span(n)]


def things(w: Words, one: Grid) -> Any:
    """Return sensors with their latest value and cameras with their state."""
    rows = [html.Tr([html.Td(s.name or s.code, title=s.code), html.Td("—" if s.value is None else f"{s.metric} {s.value:,.4g}", className="num"),
                     html.Td(badge(w("grid.silent"), "watch") if s.silent else "", className="num"),
                     html.Td(w.short(s.at) if s.at else w("never"), className="num quiet")]) for s in one.sensors]
    for c in one.cameras:
        state, kind = CAMERA_WORDS.get(c.state, CAMERA_WORDS["unknown"])
        rows.append(html.Tr([html.Td(c.name or c.code, title=c.code), html.Td(""), html.Td(badge(w.pick(state), kind), className="num"),  # type: ignore[arg-type]
                             html.Td(w.short(c.seen_at) if c.seen_at else "" if w.at else w("never"), className="num quiet")]))
    return scroll(html.Table(groups([], rows))) if rows else nothing(w, "grid.no_things")


def items(w: Words, one: Grid) -> Any:
    """Return what of the task list may be given to a grid at all."""
    if one.items is None:
        return nothing(w, "when.no_list")
    rows = [html.Li([html.Span([html.B(w.pick(i.title)), badge(w("list.until", at=_items.day(w, i)), "") if i.ends_at else ""], className="line"),
                     html.Small(f"{w.pick(i.department_name)} · {i.code}" + (f" · {w.pick(i.category_name)}" if i.category_name else ""), className="quiet")])
            for i in one.items]
    return html.Ul(rows, className="listed scroll") if rows else nothing(w, "grid.no_items")


def repeats(w: Words, view: View, one: Grid) -> Any:
    """Return the places where one kind of case comes again and again, with their cases."""
    rows = [html.Li([html.Span([html.B(w.pick(p.category_name)), html.Span(w("grid.repeat", n=p.n, open=p.open), className="watch" if p.open else "quiet")], className="line"),
                     html.Small([*(part for no in p.nos for part in (go(view.but(case=no), no, "drill"), " ")), w.short(moment(p.last_at))], className="quiet")])
            for p in one.repeats]
    return html.Ul(rows, className="listed scroll") if rows else nothing(w, "grid.no_repeats")


def neighbours(w: Words, view: View, one: Grid) -> Any:
    """Return links to the grids that border on this one."""
    links = [go(view.but(place=p.code, case=""), w.name(p), "chip", p.code) for p in one.neighbours]
    return html.Div(links, className="chips scroll") if links else nothing(w, "grid.no_neighbours")
