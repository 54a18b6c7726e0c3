"""The index on the overview: how the place stands, whether it fell, and what moved it most; a click leads to why and where."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _index_then
from dashboard.panels._index import named, parts
from dashboard.panels._index_card import headline, reasons
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, words
from queries import governance


def render(context: Context, view: View) -> Any:
    """Draw one line: the score and the largest reasons."""
    w, ask = words(context, view), context.ask(view)
    if ask.at is not None:
        title = html.Span(w.pick(PANEL.title), title=w("index.not_official"))
        return html.Div([title, *_index_then.line(context, w, ask), html.B(w.when, className="then")], className="index-strip")
    answer = governance.index(context.store, ask)
    name = go(view.but(layer="governance_index"), named(w, view, answer.rows[0]), "drill", w("index.not_official"))
    return html.Div([name, headline(w, view, answer.rows[0]), reasons(w, view, parts(governance.why(context.store, ask).rows, answer.rows[0]), 2)], className="index-strip")


PANEL = Panel(id="index_line", title={"zh": "治理指数", "en": "Governance index"}, order=12, slots={"leader": "below"}, render=render, then=True)
