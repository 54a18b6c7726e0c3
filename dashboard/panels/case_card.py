"""One case with its whole timeline; nothing while no case is asked for."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import (
    badge,
    chip,
    due_words,
    failed,
    go,
    heading,
    status,
    strip,
    words,
)
from dashboard.words import Words
from queries import cases
from queries.case_rows import CaseCard, Event
from queries.errors import GovError


def render(context: Context, view: View) -> Any:
    """Draw the card of the case in the address."""
    if not view.case:
        return []
    w = words(context, view)
    close = chip(view.but(case=""), w("case.close"))
    try:
        answer = cases.one(context.store, context.scope, view.case)
    except GovError as bad:
        return html.Aside([heading(view.case, close, large=True), failed(str(bad))], className="card", role="dialog", tabIndex="-1",
                          **{"aria-label": view.case})
    card = answer.row
    case = card.case
    due, kind = due_words(w, case.due_at, case.is_open)
    lead: list[Any] = [status(w, case.status)]
    if case.is_open:
        lead.append(badge(due, kind))
    if case.urgent:
        lead.append(badge(w("case.urgent"), "act"))
    return html.Aside([
        heading(case.no, close, large=True), html.H3(w.pick(case.title_words) or w.pick(case.category_name)),
        html.Div(lead, className="lead"),
        html.Dl([part for key, value in _facts(w, view, card) for part in (html.Dt(w(key)), html.Dd(value))]),
        html.H4(w("case.timeline")), html.Ol([_step(w, step) for step in card.events], className="timeline"), strip(w, answer),
    ], className="card", role="dialog", tabIndex="-1", **{"aria-label": case.no})


def _facts(w: Words, view: View, card: CaseCard) -> list[tuple[str, Any]]:
    case = card.case
    path = [part for i, (code, name) in enumerate(card.path)
            for part in ((" › " if i else ""), go(view.but(place=code if i else None), w.pick(name), "drill"))]
    facts: list[tuple[str, Any]] = [
        ("case.category", w.pick(case.category_name) + (f" · {case.kind}" if case.kind else "")),
        ("case.department", w.pick(case.department_name) if case.department_name else w("unknown")),
        ("case.place", path),
        ("case.address", card.address or w("unknown")),
        ("case.channel", card.channel or w("unknown")),
        ("case.due", w.moment(case.due_at) if case.due_at else w("unknown")),
        ("case.source", case.source),
    ]
    if case.placed != "point":
        facts.append(("case.placed", w(f"placed.{case.placed}")))
    return facts


def _step(w: Words, step: Event) -> html.Li:
    return html.Li([
        html.Time(w.moment(step.at)), html.Strong(w.pick(step.title)), html.Span(step.actor) if step.actor else "",
        html.Span(w("case.derived") if step.derived else w.pick(step.note), className="quiet"),
    ], className="derived" if step.derived else "")


PANEL = Panel(id="case_card", title={"zh": "案件详情", "en": "Case"}, order=80, slots={"leader": "drawer"}, render=render)
