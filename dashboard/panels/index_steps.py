"""What to do next: the few places and indicators where reaching what better peers reach moves the index most."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._index import cases_view, signed
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, strip, table, words
from queries import governance


def render(context: Context, view: View) -> Any:
    """Draw the list; each row opens its place and its cases."""
    w = words(context, view)
    answer = governance.steps(context.store, context.ask(view))
    rows: list[Any] = []
    for row in answer.rows:
        there = view.but(place=row.code)
        cases = cases_view(there, row.opens)
        what = w("index.step", value=w.share(row.value), to=w.share(row.to), n=w.n(int(row.cases)))
        rows.append(html.Tr([html.Td(go(there, w.pick(row.place))), html.Td([go(cases, w.pick(row.title)) if cases else w.pick(row.title), html.Small(what)], className="indicator"),
                             html.Td(signed(row.points), className="num")]))
    head = [(w("children.place"), ""), (w("index.indicator"), ""), (w("index.points"), "num")]
    return [heading(w.pick(PANEL.title), w("index.steps_aside")), table(head, rows, "steps") if rows else nothing(w, "index.no_steps"), strip(w, answer)]


PANEL = Panel(id="index_steps", title={"zh": "先做什么", "en": "What to do next"}, order=50, slots={"index": "right"}, render=render)
