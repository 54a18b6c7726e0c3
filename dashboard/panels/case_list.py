"""The cases of the place: filters, two orders, page by page; each opens its card."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard import ids
from dashboard.address import STATUSES, View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import chips, go, heading, nothing, strip, words
from dashboard.words import Words
from queries import cases
from queries.case_rows import STATUS_WORDS, CaseRow
from queries.frame import Filters

PAGE = 30


def render(context: Context, view: View) -> Any:
    """Draw one page of the list."""
    w = words(context, view)
    order = "newest" if view.order == "newest" else None
    answer = cases.page(context.store, context.ask(view), after=view.after or None, limit=PAGE, order=order)
    used = order or ("overdue" if view.filters.open_only or view.filters.overdue else "newest")
    total = w("case.many") if answer.total is None else w("case.total", n=w.n(answer.total))
    shown: Any = nothing(w, "case.none")
    if answer.rows:
        head = html.Tr([html.Th(w(k)) for k in ("case.what", "case.status", "case.times")])
        shown = html.Div(html.Table([html.Thead(head), html.Tbody([_row(w, view, row) for row in answer.rows])],
                                    className="cases"), className="scroll")
    pager: list[Any] = []
    if view.after:
        pager.append(go(view.but(after=""), w("case.first"), "chip"))
    if len(answer.rows) == PAGE:
        pager.append(go(view.but(after=cases.cursor(answer.rows[-1], used)), w("case.next"), "chip"))
    export = html.A(w("case.export"), href=f"/api/v1/cases.csv?{_query(context, view)}", className="chip", download="cases.csv")
    return [heading(w.pick(PANEL.title), [html.Span(total), export]), _filters(context, w, view), shown,
            chips(pager), strip(w, answer)]


def _filters(context: Context, w: Words, view: View) -> html.Div:
    f = view.filters
    flags = [(f.open_only, "case.open", "open_only"), (f.overdue, "case.overdue", "overdue"), (f.unplaced, "case.unplaced", "unplaced")]
    links: list[Any] = [
        go(view.narrowed(**{name: not on}), w(key), "chip on" if on else "chip") for on, key, name in flags
    ]
    links += [
        go(view.narrowed(statuses=() if f.statuses == (code,) else (code,)), w.pick(STATUS_WORDS[code]),
           "chip on" if code in f.statuses else "chip")
        for code in STATUSES
    ]
    for code in f.categories:
        name = next((w.name(c) for c in context.city().categories if c.code == code), code)
        links.append(go(view.narrowed(categories=tuple(c for c in f.categories if c != code)), f"{name} ✕", "chip on"))
    for code in f.departments:
        name = next((w.name(d) for d in context.city().departments if d.code == code), code)
        links.append(go(view.narrowed(departments=tuple(d for d in f.departments if d != code)), f"{name} ✕", "chip on"))
    if f != Filters():
        links.append(go(view.but(filters=Filters()), w("case.clear"), "chip"))
    field = dcc.Input(id=ids.choice("text"), type="search", value=f.text, debounce=True, placeholder=w("case.text"))
    orders = [go(view.but(order=o), w(f"case.order_{o}"), "chip on" if view.order == o else "chip") for o in ("overdue", "newest")]
    return html.Div([chips(links), chips([field, *orders])], className="filters")


def _row(w: Words, view: View, row: CaseRow) -> html.Tr:
    late = html.Span(f"▲ {w('case.overdue')} ", className="act") if row.overdue else ""
    urgent = html.Span(f"! {w('case.urgent')} ", className="act") if row.urgent else ""
    return html.Tr([
        html.Td([
            html.Span([urgent, row.title or w.pick(row.category_name)], className="what"),
            go(view.but(case=row.no), row.no, "drill"),
            html.Span(f" {w.pick(row.category_name)} · ", className="quiet"),
            go(view.but(place=row.area_code), w.pick(row.area_name), "quiet"),
        ]),
        html.Td([late, w.pick(STATUS_WORDS[row.status])]),
        html.Td([w.short(row.reported_at), html.Div(w.short(row.due_at) if row.due_at else w("unknown"), className="quiet")], className="num"),
    ])


def _query(context: Context, view: View) -> str:
    from dashboard.address import query
    from dashboard.context import span

    since, until = span(view, context.city().last_day)
    return query(view.but(period="custom", since=since, until=until, case="", after=""))


PANEL = Panel(id="case_list", title={"zh": "案件", "en": "Cases"}, order=70, slots={"leader": "right"}, render=render)
