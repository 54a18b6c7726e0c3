"""What to do next: the few places and indicators where reaching what better peers reach moves the index most, and who answers for them."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._index import amount, answers, cases_view, signed
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, strip, table, words
from dashboard.words import Words
from queries import governance
from queries.answerable import answerable
from queries.governance import StepRow


def render(context: Context, view: View) -> Any:
    """Draw the list; each row opens its place and its cases."""
    w = words(context, view)
    answer = governance.steps(context.store, context.ask(view))
    rows = [_row(context, w, view, row) for row in answer.rows]
    head = [(w("children.place"), ""), (w("index.indicator"), ""), (w("index.points"), "num")]
    return [heading(w.pick(PANEL.title), w("index.steps_aside")), table(head, rows, "steps") if rows else nothing(w, "index.no_steps"), strip(w, answer)]


def _row(context: Context, w: Words, view: View, row: StepRow) -> html.Tr:
    there = view.but(place=row.code)
    cases, who = cases_view(there, row.opens), answerable(context.store, context.ask(there), row.id)
    what = w("index.step", value=amount(w, row.value, row.measure), to=amount(w, row.to, row.measure), n=w.n(int(row.cases)))
    name = go(cases, w.pick(row.title), "drill") if cases else w.pick(row.title)
    return html.Tr([html.Td(go(there, w.pick(row.place), "drill")), html.Td([name, html.Small(what), html.Small(answers(w, who))], className="indicator"),
                    html.Td(signed(row.points), className="num")])


PANEL = Panel(id="index_steps", title={"zh": "先做什么", "en": "What to do next"}, order=50, slots={"index": "right"}, render=render)
