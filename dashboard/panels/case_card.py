"""One case with its whole timeline; nothing while no case is asked for."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard import ids
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _alarms
from dashboard.panels._desk import buttons, marks, waiting
from dashboard.panels._panel import Panel
from dashboard.panels._parts import (
    act_button,
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
from dashboard.panels._whistles import came
from dashboard.words import Words
from queries import cases
from queries.case_rows import CaseCard, Event
from queries.errors import GovError
from queries.loop import desk, offers
from queries.people.roles import ROLES

#: A step that was entered so many seconds after it is said to have happened says so.
LATER_S = 600


def render(context: Context, view: View) -> Any:
    """Draw the card of the case in the address."""
    if not view.case:
        return []
    w = words(context, view)
    close = chip(view.but(case=""), w("case.close"))
    try:
        answer = cases.one(context.store, context.scope, view.case, context.ask(view))
    except GovError as bad:
        return html.Aside([heading(view.case, close, large=True), failed(bad.say(view.lang))], className="card", role="dialog", tabIndex="-1",
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
        _standing(context, w, view),
        html.Dl([part for key, value in _facts(w, view, card) for part in (html.Dt(w(key)), html.Dd(value))]),
        html.H4(w("case.timeline")), html.Ol([_step(w, step) for step in card.events], className="timeline"),
        _alarms.near(context, view.but(case=""), w, case.lon, case.lat), strip(w, answer),
    ], className="card", role="dialog", tabIndex="-1", **{"aria-label": case.no})


def _facts(w: Words, view: View, card: CaseCard) -> list[tuple[str, Any]]:
    case = card.case
    last = len(card.path) - 1
    path = [part for i, (code, name) in enumerate(card.path)
            for part in ((" › " if i else ""), go(view.but(place=code if i else None, scene="grid" if i == last and i else view.scene), w.pick(name), "drill"))]
    facts: list[tuple[str, Any]] = [
        ("case.category", w.pick(case.category_name) + (f" · {w.pick(case.kind_words)}" if case.kind else "")),
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


def _standing(context: Context, w: Words, view: View) -> html.Div:
    """Return who is waited on, what may be done, likely repeats and whistles."""
    if w.at:
        row = desk.standing_then(context.store, context.ask(view), view.case).row
        return html.Div([*_waits(w, row), html.P(f"○ {w('when.no_acting')}", className="quiet")], className="standing")
    answer = desk.standing(context.store, context.actor, view.case).row
    row, parts = answer.row, _waits(w, answer.row)
    if answer.undo:
        parts.append(html.Div([html.Span(w("act.undo_last", step=w.pick(answer.undo.title))),
                               act_button(w("act.undo"), {"do": "step", "no": view.case, "step": "undone", "seq": row.seq}, title=w("act.undo_why"))], className="line"))
    parts += [buttons(w, row, context.actor, "card"), html.Div(id=ids.form("card", view.case))]
    may_merge = any(s.id == "merged" for s in offers.steps(context.actor, row.case.status, row.case.department))
    if answer.repeats:
        parts.append(html.H4(w("case.repeats")))
        parts.append(html.Ul([html.Li([
            go(view.but(case=one.no), one.no, "drill"), html.Span(one.title), html.Span(w.short(one.reported_at), className="quiet"),
            act_button(w("act.merge_into"), {"do": "step", "no": view.case, "step": "merged", "into": one.no, "seq": row.seq}) if may_merge else "",
        ]) for one in answer.repeats], className="plain"))
    if answer.whistles:
        parts.append(html.H4(w("case.whistles")))
        parts.append(html.Ul([html.Li([html.Strong(w.pick(one.department_name)), came(w, one),
                                       html.Span(w.pick(one.reason_words), className="quiet"),
                                       html.Span(w("whistle.blown", at=w.short(one.blown_at)), className="quiet")])
                              for one in answer.whistles], className="plain"))
    return html.Div(parts, className="standing")


def _waits(w: Words, row: desk.DeskRow) -> list[Any]:
    if not row.waiting:
        return []
    until = [html.Span(w("desk.until", at=w.moment(row.until)))] if row.until else []
    return [html.Div([html.Span(waiting(w, row)), *until, *marks(w, row)], className="facts")]


def _told_later(step: Event) -> bool:
    """Return whether a step was entered so long after it is said to have happened that one should know."""
    return not step.derived and step.seen_at is not None and (step.seen_at - step.at).total_seconds() > LATER_S


def _step(w: Words, step: Event) -> html.Li:
    post = w.pick(ROLES[step.post].title) if step.post in ROLES else w("post." + step.post) if step.post in ("source", "clock") else ""
    more = [
        html.Span(f"{post} · {step.actor}" if post and step.actor else post or step.actor),
        html.Span(w("case.told_later", at=w.short(step.seen_at)), className="watch") if _told_later(step) else "",
        html.Span(f"→ {w.pick(step.department)}") if step.department else "",
        html.Span(f"→ {w('list.comma').join(w.pick(one) for one in step.called)}") if step.called else "",
        html.Span(w("case.reason", text=w.pick(step.why) if step.why else step.reason)) if step.reason else "",
        badge(w("whistle.came_late", length=w.length(step.late_s)), "watch") if step.late_s else "",
        html.Span(w("case.due_set", at=w.short(step.due_at))) if step.due_at else "",
        html.Span(w("case.derived") if step.derived else w.pick(step.note) if step.note["zh"] else "", className="quiet"),
    ]
    return html.Li([html.Time(w.moment(step.at)), html.Strong(w.pick(step.title)), *more], className="derived" if step.derived else "")


PANEL = Panel(id="case_card", title={"zh": "案件详情", "en": "Case"}, order=80, slots=dict.fromkeys(("leader", "street", "grid", "alarms"), "drawer"), render=render, then=True)
