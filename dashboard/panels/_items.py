"""How an item of the task list stands in a list: what, whose, until when; its way; what may be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from dash import html

from dashboard import ids
from dashboard.context import Context
from dashboard.panels._parts import Kind, act_button, badge
from dashboard.words import Words
from queries.loop import task_list
from queries.loop.task_list import Item, ItemStep

TO = {"grid": {"zh": "可进网格", "en": "May reach grids"}, "department": {"zh": "部门办理", "en": "Department's own"}}
SPOT = "item"
#: An end within so many days is soon.
SOON_D = 14


def soon(w: Words, item: Item) -> Kind:
    """Return how pressing an item's end is, as the kind of a badge."""
    return "watch" if item.ends_at is not None and item.ends_at - w.present < timedelta(days=SOON_D) else ""


def day(w: Words, item: Item) -> str:
    """Return the last day on which an item holds."""
    # Its end is the first moment without it.
    return "" if item.ends_at is None else w.day((item.ends_at - timedelta(seconds=1)).astimezone(w.zone).date())


def line(context: Context, w: Words, item: Item, steps: Sequence[ItemStep]) -> html.Li:
    """Return an item with its way and its buttons."""
    kind = "watch" if item.state in ("applied", "reviewed", "approved") else "off" if item.state in ("ended", "refused") else ""
    facts = [html.Span(w.pick(item.department_name)), html.Span(w.pick(TO[item.to])), html.Span(item.code)]
    if item.ends_at:
        facts.append(html.Span(w("list.until", at=day(w, item))))
    return html.Li([
        html.Div([html.B(w.pick(item.title), className="what"), badge(w.pick(item.state_words), kind)], className="line"),
        html.Div(facts, className="facts"), _way(w, steps), buttons(context, w, item), html.Div(id=ids.form(SPOT, item.code)),
    ], className="case")


def _way(w: Words, steps: Sequence[ItemStep]) -> html.Div:
    told = [html.Span([w.pick(s.title), " ", w.short(s.at), *([f" · {s.actor}"] if s.actor else []), *([f" · {s.note}"] if s.note else [])]) for s in steps]
    return html.Div(told, className="facts item-way")


def buttons(context: Context, w: Words, item: Item) -> Any:
    """Return what the actor's post may do with an item now; nothing for who only looks."""
    may = task_list.may(context.actor, item)
    # How it stood then cannot be changed now.
    if w.at or not may:
        return ""
    return html.Div([act_button(w.pick(task_list.STEP_WORDS[step]), {"do": "item", "code": item.code, "step": step}, step not in ("refuse", "end"))
                     for step in may], className="acts", role="group", **{"aria-label": w("act.group", no=item.code)})
