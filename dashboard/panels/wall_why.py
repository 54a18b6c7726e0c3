"""On the wall, below the index: what moved it most, and where most of that was."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._index import cents, parts
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, strip, words
from queries import governance

#: Lines: more are on the index page.
MOST = 3


def render(context: Context, view: View) -> Any:
    """Draw a line for each of the largest reasons; nothing where there is none."""
    w, ask = words(context, view), context.ask(view)
    answer = governance.why(context.store, ask)
    told = [(row, n) for row, n in parts(answer.rows, governance.index(context.store, ask).rows[0]) if n][:MOST]
    if not told:
        return []
    lines = []
    for row, n in told:
        where = next((w.pick(title) for code, title, _ in row.areas if code), "")
        lines.append(go(view.but(scene="index", measure=row.id), [html.Span([f"{where} " if where else "", w.pick(row.title)], className="what"),
                                                                  html.Span(f"{'▼' if n < 0 else '▲'} {cents(n)}", className="num")], "wall-reason"))
    return [heading(w.pick(PANEL.title), w("index.why_aside")), html.Div(lines, className="wall-reasons"), strip(w, answer)]


PANEL = Panel(id="wall_why", title={"zh": "为什么变了", "en": "Why did it move?"}, order=15, slots={"wall": "index"}, render=render)
