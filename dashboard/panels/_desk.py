"""How a case stands in a list that one acts from: one line, its buttons, the place for a step's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from dashboard import ids
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._parts import (
    act_button,
    badge,
    due_words,
    go,
    heading,
    nothing,
    status,
    strip,
    words,
)
from dashboard.words import Words
from queries.frame import Actor
from queries.loop import desk, offers
from queries.loop.desk import DeskRow
from queries.loop.steps import WAITING_WORDS, Step

#: The step that leads on is the strong button; some are at hand; the others are under "more".
FORWARD = ("filed", "dispatched", "accepted", "fed_back", "verified", "closed", "resumed", "unhung", "arrived")
#: So many lines are drawn; what comes after them moves up as the first are dealt with.
MINE, OTHERS = 20, 10
AT_HAND = ("returned", "rework", "whistled", "rejected")


def line(w: Words, view: View, row: DeskRow, actor: Actor, spot: str) -> html.Li:
    """Return a case's line: what, where, waiting on whom, since and until when; then what may be done."""
    case = row.case
    what = [go(view.but(case=case.no), w.pick(case.title_words) or w.pick(case.category_name), "drill", case.no)]
    if case.urgent:
        what.insert(0, html.Span(f"! {w('case.urgent')}", className="act"))
    return html.Li([
        html.Div([html.Div(what, className="what"), _until(w, row)], className="line"),
        html.Div([status(w, case.status), where(w, view, row), html.Span(f"{w.pick(case.category_name)} · {waiting(w, row)}"), *marks(w, row)],
                 className="facts"),
        buttons(w, row, actor, spot), html.Div(id=ids.form(spot, case.no)),
    ], className="case")


def where(w: Words, view: View, row: DeskRow) -> Any:
    """Return the place of a case, which opens the grid's page."""
    return go(view.but(scene="grid", place=row.case.area_code, case=""), w.pick(row.case.area_name), "drill")


def waiting(w: Words, row: DeskRow) -> str:
    """Return who is waited on, and since when; empty when nobody is."""
    if not row.waiting:
        return ""
    who = w.pick(WAITING_WORDS[row.waiting])
    if row.waiting == "department" and row.case.department_name:
        who = w.pick(row.case.department_name)
    since = w("desk.since", at=w.short(row.since)) if row.since else w("desk.since_unknown")
    return f"{w('desk.waiting', who=who)} · {since}"


def marks(w: Words, row: DeskRow) -> list[Any]:
    """Return what makes a case special: supervised, escalated, departments that were called and have not come."""
    out: list[Any] = []
    if row.supervised:
        out.append(badge(w("desk.supervised"), "watch"))
    if row.climbed:
        out.append(badge(w("desk.climbed", n=row.climbed), "watch"))
    if row.missing:
        out.append(badge(w("desk.missing", n=row.missing), "watch"))
    elif row.called:
        out.append(badge(w("desk.called", n=row.called), "good"))
    return out


def _until(w: Words, row: DeskRow) -> Any:
    text, kind = due_words(w, row.until, row.case.is_open)
    return badge(text, kind, w("desk.until", at=w.moment(row.until)) if row.until else "")


def buttons(w: Words, row: DeskRow, actor: Actor, spot: str) -> Any:
    """Return what the actor's post may do with a case now; nothing for who only looks."""
    # What stood open then cannot be acted on now.
    may = [] if w.at else offers.steps(actor, row.case.status, row.case.department, row.called, row.missing)
    if not may:
        return ""
    shown = [s for s in may if s.id in FORWARD] + [s for s in may if s.id in AT_HAND]
    more = [s for s in may if s not in shown]
    parts: list[Any] = [_button(w, row, s, spot, s.id in FORWARD) for s in shown]
    if more:
        # The rarer steps come when they are asked for: each button of each line costs the browser.
        what = {"do": "more", "spot": spot, "no": row.case.no}
        parts.append(act_button(f"{w('act.more')} ▾", what))
    return html.Div(parts, className="acts", role="group", **{"aria-label": w("act.group", no=row.case.no)})


def more(context: Context, w: Words, spot: str, row: DeskRow) -> html.Div:
    """Return the steps that are not on the line itself."""
    may = offers.steps(context.actor, row.case.status, row.case.department, row.called, row.missing)
    rest = [s for s in may if s.id not in (*FORWARD, *AT_HAND)]
    return html.Div([*(_button(w, row, s, spot) for s in rest), act_button(w("act.cancel"), {"do": "drop", "spot": spot, "no": row.case.no})],
                    className="acts act-form", role="group", **{"aria-label": w("act.group", no=row.case.no)})


def _button(w: Words, row: DeskRow, step: Step, spot: str, strong: bool = False) -> html.Button:
    return act_button(w.pick(step.title), {"do": "step", "spot": spot, "no": row.case.no, "step": step.id, "seq": row.seq}, strong)


def lines(context: Context, w: Words, view: View, rows: Sequence[DeskRow], spot: str) -> html.Ol:
    """Return the lines of a list."""
    return html.Ol([line(w, view, row, context.actor, spot) for row in rows], className="lines scroll")


def desk_list(context: Context, view: View, which: desk.Which, title: Mapping[str, str]) -> list[Any]:
    """Return a whole panel: the list's name, how many there are, its lines."""
    w = words(context, view)
    answer = desk.page(context.store, context.ask(view), context.actor, which, MINE if which == "mine" else OTHERS)
    n = w("desk.many") if answer.total is None else w.cases(answer.total)
    late = sum(1 for row in answer.rows if due_words(w, row.until)[1] == "act")
    aside: list[Any] = [html.Span(f"▲ {w('desk.late', n=late)}", className="act")] if late and which == "mine" else []
    shown = lines(context, w, view, answer.rows, which) if answer.rows else nothing(w, f"desk.none_{which}")
    if answer.rows and answer.total != len(answer.rows):
        aside.append(html.Span(w("desk.first", n=len(answer.rows))))
    return [heading(w.pick(title), [html.Span(n), *aside]), shown, strip(w, answer)]
