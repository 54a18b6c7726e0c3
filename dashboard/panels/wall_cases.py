"""Live cases on the wall: the newest ones, each by what, where, and how it stands. As many lines as the wall has room for."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import due_words, go, heading, nothing, status, strip, words
from dashboard.words import Words
from queries import cases
from queries.case_rows import CaseRow

#: What the panel is called in the past, where nothing is live.
THEN = {"zh": "案件", "en": "Cases"}
#: More than the highest wall shows.
LINES = 24


def render(context: Context, view: View) -> Any:
    """Draw the newest cases of the place."""
    w = words(context, view)
    answer = cases.page(context.store, context.ask(view), limit=LINES, order="newest")
    total = w("case.many") if answer.total is None else w("case.total", n=w.n(answer.total))
    shown: Any = html.Div([_line(w, view, row) for row in answer.rows], className="lines") if answer.rows else nothing(w, "case.none")
    return [heading(w.pick(THEN if w.at else PANEL.title), total), shown, strip(w, answer)]


def _line(w: Words, view: View, row: CaseRow) -> Any:
    due, kind = due_words(w, row.due_at, row.is_open)
    pressing = row.is_open and kind in ("act", "watch")
    stands = html.Span(f"▲ {due}" if kind == "act" else due, className=f"due {kind}") if pressing else status(w, row.status)
    return go(view.but(case=row.no, place=row.area_code or None), [
        html.Time(f"{row.reported_at.astimezone(w.zone):%H:%M:%S}"),
        html.Span([html.Span(f"! {w('case.urgent')} ", className="act") if row.urgent and row.is_open else "", w.pick(row.title_words) or w.pick(row.category_name)],
                  className="what"),
        stands, html.Span(w.pick(row.area_name), className="where"),
    ], "line")


PANEL = Panel(id="wall_cases", title={"zh": "实时案件", "en": "Live cases"}, order=50, slots={"wall": "cases"}, render=render, hears="cases", pace_s=0.25, then=True)
