"""The cases that count against the chosen number; without one, the whistles that nobody answered in time."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, status, strip, table, words
from queries.clock import moment
from queries.loop import evaluate, whistles
from queries.loop.rates import MEASURES
from queries.loop.steps import STEP_WORDS

LATE = {"zh": "报到迟到或未到", "en": "Late or missing arrivals"}
HEAD = ({"zh": "案件", "en": "case"}, {"zh": "何时", "en": "when"}, {"zh": "状态", "en": "status"})
CALLED = ({"zh": "案件", "en": "case"}, {"zh": "部门", "en": "department"}, {"zh": "应到", "en": "due"}, {"zh": "报到", "en": "came"})
NOT_YET = {"zh": "▲ 未到", "en": "▲ not yet"}
NO_LATE = {"zh": "没有迟到的报到", "en": "no late arrival"}


def render(context: Context, view: View) -> Any:
    """Draw the list."""
    rate = MEASURES.get(view.measure)
    return _late(context, view) if rate is None or rate.opens is None or rate.id == "arrival" else _cases(context, view)


def _cases(context: Context, view: View) -> list[Any]:
    w = words(context, view)
    answer = evaluate.cases_of(context.store, context.ask(view), view.measure)
    rows = [html.Tr([
        html.Td([go(view.but(scene="leader", case=r.no), r.title or r.no, "drill", r.no), html.Div([w.pick(STEP_WORDS[r.step]), " · ", r.reason] if r.reason else
                                                                                                 w.pick(STEP_WORDS[r.step]), className="quiet")]),
        html.Td(w.short(moment(r.at)), className="num"), html.Td(status(w, r.status))]) for r in answer.rows]
    head = [(w.pick(HEAD[0]), ""), (w.pick(HEAD[1]), "num"), (w.pick(HEAD[2]), "")]
    return [heading(w.pick(PANEL.title), w.pick(MEASURES[view.measure].title)), table(head, rows) if rows else nothing(w), strip(w, answer)]


def _late(context: Context, view: View) -> list[Any]:
    w = words(context, view)
    answer = whistles.out(context.store, context.ask(view))
    rows = [html.Tr([
        html.Td([go(view.but(scene="leader", case=r.case_no), r.title or r.case_no, "drill", r.case_no),
                 html.Div([w.pick(r.area_name), " · ", w.pick(r.reason_words)], className="quiet")]),
        html.Td(w.pick(r.department_name)), html.Td(w.short(r.due_at), className="num"),
        html.Td(w.pick(NOT_YET) if r.arrived_at is None else w.short(r.arrived_at), className="num act" if r.arrived_at is None else "num"),
    ]) for r in answer.rows if r.late]
    head = [(w.pick(word), css) for word, css in zip(CALLED, ("", "", "num", "num"), strict=True)]
    return [heading(w.pick(LATE), w.n(len(rows))), table(head, rows) if rows else html.P(f"○ {w.pick(NO_LATE)}", className="empty"), strip(w, answer)]


PANEL = Panel(id="against", title={"zh": "要看的案件", "en": "Cases to look at"}, order=10, slots={"evaluation": "right"}, render=render, then=True)
