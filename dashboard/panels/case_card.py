"""One case with its whole timeline; nothing while no case is asked for."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, strip, words
from queries import cases
from queries.case_rows import STATUS_WORDS


def render(context: Context, view: View) -> Any:
    """Draw the card of the case in the address."""
    if not view.case:
        return []
    w = words(context, view)
    answer = cases.one(context.store, context.scope, view.case)
    card = answer.row
    case = card.case
    close = go(view.but(case=""), w("case.close"), "chip")
    facts: list[tuple[str, Any]] = [
        ("case.status", [html.Span(f"▲ {w('case.overdue')} ", className="act") if case.overdue else "", w.pick(STATUS_WORDS[case.status])]),
        ("case.category", w.pick(case.category_name) + (f" · {case.kind}" if case.kind else "")),
        ("case.department", w.pick(case.department_name) if case.department_name else w("unknown")),
        ("case.place", [part for i, (code, name) in enumerate(card.path)
                        for part in ((" › " if i else ""), go(view.but(place=code if i else None), w.pick(name)))]),
        ("case.address", card.address or w("unknown")),
        ("case.channel", card.channel or w("unknown")),
        ("case.due", w.moment(case.due_at) if case.due_at else w("unknown")),
        ("case.source", case.source),
    ]
    if case.placed != "point":
        facts.append(("case.placed", w(f"placed.{case.placed}")))
    steps = [
        html.Li([html.Time(w.moment(step.at)), html.Strong(w.pick(step.title)),
                 html.Span(step.actor) if step.actor else "",
                 html.Span(w("case.derived") if step.derived else w.pick(step.note), className="quiet")])
        for step in card.events
    ]
    return html.Aside([
        heading(f"{case.no}", close), html.H3(case.title or w.pick(case.category_name)),
        html.Dl([part for key, value in facts for part in (html.Dt(w(key)), html.Dd(value))]),
        html.H4(w("case.timeline")), html.Ol(steps, className="timeline"), strip(w, answer),
    ], className="card", role="dialog", **{"aria-label": case.no})


PANEL = Panel(id="case_card", title={"zh": "案件详情", "en": "Case"}, order=80, slots={"leader": "drawer"}, render=render)
