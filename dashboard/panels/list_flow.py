"""The way of an item through the list, and how many stand where."""

from __future__ import annotations

from collections import Counter
from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import heading, strip, words
from queries.loop import task_list

WAY = ("applied", "reviewed", "approved", "published", "ended")
ASIDE = {"zh": "不在清单内的事项不得派到网格；退出的不再派遣", "en": "what is not on the list cannot be handed out; what has left it is handed out no more"}


def render(context: Context, view: View) -> Any:
    """Draw the stages."""
    w = words(context, view)
    answer = task_list.items(context.store, only_published=False, ask=context.ask(view))
    n = Counter(item.state for item in answer.rows)
    parts: list[Any] = []
    for state in WAY:
        if parts:
            parts.append(html.Span("→", className="loop-arrow", **{"aria-hidden": "true"}))
        parts.append(html.Div([html.Span(w.pick(task_list.STATE_WORDS[state])), html.Strong(w.n(n[state]))], className="loop-stage"))
    parts.append(html.Div([html.Span(w.pick(task_list.STATE_WORDS["refused"])), html.Strong(w.n(n["refused"]))], className="loop-stage aside"))
    return [heading(w.pick(PANEL.title), w.pick(ASIDE)), html.Div(parts, className="loop-line"), strip(w, answer)]


PANEL = Panel(id="list_flow", title={"zh": "事项清单 · 申请到退出", "en": "The task list, from application to exit"}, order=10, slots={"list": "top"}, render=render, then=True)
