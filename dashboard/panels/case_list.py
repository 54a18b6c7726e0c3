"""The cases of the place: the pressing open ones, or all of the period; filters, page by page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dash import dcc, html

from dashboard import ids
from dashboard.address import STATUSES, View, question
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import (
    ASIDE,
    chip,
    chips,
    due_words,
    go,
    heading,
    nothing,
    status,
    strip,
    table,
    words,
)
from dashboard.past_names import export_name
from dashboard.words import Words
from queries import cases
from queries.case_rows import OVER, STATUS_WORDS, CaseRow
from queries.frame import Filters
from queries.summing import UNNAMED

PAGE = 40


def render(context: Context, view: View) -> Any:
    """Draw one page of the list."""
    w = words(context, view)
    asked = view.but(filters=_narrowed(view), after=view.after)
    order = view.order
    answer = cases.page(context.store, context.ask(asked), after=view.after or None, limit=PAGE, order=order)
    total = w("case.many") if answer.total is None else w.cases(answer.total)
    head = [(w("case.what"), ""), (w("case.status"), ""), (w("case.due_column"), "num")]
    shown: Any = table(head, [_row(w, view, row) for row in answer.rows], "cases") if answer.rows else nothing(w, "case.none")
    pager: list[Any] = []
    if view.after:
        pager.append(chip(view.but(after=""), w("case.first")))
    if len(answer.rows) == PAGE:
        pager.append(chip(view.but(after=cases.cursor(answer.rows[-1], order)), w("case.next")))
    export = html.A(w("case.export"), href=f"/api/v1/cases.csv?{_query(context, asked)}", className="chip", download=export_name(context.cursor(view), bool(view.drill)))
    tabs = [chip(view.but(order=o), w(f"case.order_{o}"), view.order == o, w(f"case.order_{o}_why")) for o in ("overdue", "newest")]
    return [heading(w.pick(PANEL.title), [html.Span(total), chips([*pager, export])]),
            _filters(context, w, view, tabs), shown, strip(w, answer)]


def _narrowed(view: View) -> Filters:
    """Return the filters of the list: the pressing order is of open cases, whatever was reported when."""
    f = view.filters
    return replace(f, open_only=True) if view.order == "overdue" and not set(f.statuses) & set(OVER) else f


def _filters(context: Context, w: Words, view: View, tabs: list[Any]) -> html.Div:
    f = view.filters
    flags = [(f.overdue, "case.overdue", "overdue"), (f.unplaced, "case.unplaced", "unplaced")]
    if view.order == "newest":
        flags.insert(0, (f.open_only, "case.open", "open_only"))
    links: list[Any] = [chip(view.narrowed(**{name: not on}), w(key), on) for on, key, name in flags]
    links += [
        chip(view.narrowed(statuses=() if f.statuses == (code,) else (code,)), w.pick(STATUS_WORDS[code]), code in f.statuses)
        for code in STATUSES
        if code in f.statuses or code not in ASIDE and (view.order == "newest" or code not in OVER)
    ]
    for chosen, known, name in ((f.categories, context.city().categories, "categories"),
                                (f.departments, context.city().departments, "departments")):
        for code in chosen:
            title = w("case.no_department") if code == UNNAMED else next((w.name(one) for one in known if one.code == code), code)
            links.append(chip(view.narrowed(**{name: tuple(c for c in chosen if c != code)}), f"{title} ✕", True))
    if f != Filters():
        links.append(chip(view.but(filters=Filters()), f"✕ {w('case.clear')}"))
    field = dcc.Input(id=ids.choice("text"), type="search", value=f.text, name=f.text, debounce=True, placeholder=w("case.text"))
    return html.Div([html.Div([chips(tabs), field], className="line"), chips(links)], className="filters")


def _row(w: Words, view: View, row: CaseRow) -> html.Tr:
    due, kind = due_words(w, row.due_at, row.is_open)
    when = w("case.reported_at", at=w.short(row.reported_at))
    urgent = html.Span(f"! {w('case.urgent')}", className="act") if row.urgent else ""
    return html.Tr([
        html.Td([
            html.Div([urgent, go(view.but(case=row.no), w.pick(row.title_words) or w.pick(row.category_name), "drill", row.no)], className="what"),
            html.Div([w.pick(row.category_name), " · ", go(view.but(place=row.area_code), w.pick(row.area_name))], className="where"),
        ]),
        html.Td(status(w, row.status)),
        html.Td([f"▲ {due}" if kind == "act" else due, html.Small(when)], className=f"due {kind}"),
    ], className="row on" if row.no == view.case else "row")


def _query(context: Context, view: View) -> str:
    since, until = context.days(view)
    return question(view.but(period="custom", since=since, until=until))


PANEL = Panel(id="case_list", title={"zh": "案件", "en": "Cases"}, order=50, slots={"leader": "right"}, render=render, then=True)
