"""Items on their way: applied for, reviewed, approved; those with the right take them on."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _items
from dashboard.panels._panel import Panel
from dashboard.panels._parts import heading, nothing, strip, words
from queries.loop import task_list

PENDING = ("applied", "reviewed", "approved")


def render(context: Context, view: View) -> Any:
    """Draw them; nothing for who has not signed in: what is not published is not public."""
    if context.visitor.by == "nobody":
        return []
    w = words(context, view)
    answer = task_list.items(context.store, only_published=False, ask=context.ask(view))
    rows = sorted((i for i in answer.rows if i.state in PENDING), key=lambda i: (PENDING.index(i.state), i.code))
    told = task_list.steps_of(context.store, context.actor, [i.code for i in rows], context.ask(view)).rows
    shown = [_items.line(context, w, item, [s for s in told if s.code == item.code]) for item in rows]
    return [heading(w.pick(PANEL.title), w("list.n", n=len(rows))), html.Ol(shown, className="lines scroll") if shown else nothing(w, "list.none_pending"), strip(w, answer)]


PANEL = Panel(id="list_pending", title={"zh": "办理中的申请", "en": "Applications under way"}, order=10, slots={"list": "side"}, render=render, then=True)
