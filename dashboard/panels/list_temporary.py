"""Temporary items and their end, the soonest first; then what has left the list lately."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _items
from dashboard.panels._panel import Panel
from dashboard.panels._parts import badge, heading, nothing, strip, words
from dashboard.words import Words
from queries.loop import task_list
from queries.loop.task_list import Item

#: What ended is shown for so many days.
BACK_D = 90


def render(context: Context, view: View) -> Any:
    """Draw both."""
    w = words(context, view)
    at = w.present
    answer = task_list.items(context.store, only_published=False, ask=context.ask(view))
    ending = sorted(((i.ends_at, i) for i in answer.rows if i.in_force and i.ends_at), key=lambda one: (one[0], one[1].code))
    ended = sorted(((i.ends_at, i) for i in answer.rows if i.state in ("ended", "published") and not i.in_force and i.ends_at
                    and at - timedelta(days=BACK_D) <= i.ends_at <= at), key=lambda one: one[0], reverse=True)
    rows = [_line(w, item, badge(w("list.left", length=w.length((end - at).total_seconds())), _items.soon(w, item)))
            for end, item in ending]
    rows += [_line(w, item, badge(w("list.ended"), "off")) for _, item in ended]
    return [heading(w.pick(PANEL.title), w("list.n", n=len(ending))), html.Ol(rows, className="lines scroll") if rows else nothing(w, "list.none_temporary"),
            strip(w, answer)]


def _line(w: Words, item: Item, mark: Any) -> html.Li:
    return html.Li([html.Div([html.Span(w.pick(item.title)), mark], className="line"),
                    html.Div([html.Span(w.pick(item.department_name)), html.Span(item.code), html.Span(w("list.until", at=_items.day(w, item)))], className="facts")],
                   className="case" if item.in_force else "case settled")


PANEL = Panel(id="list_temporary", title={"zh": "临时事项与退出", "en": "Temporary items, and what has left"}, order=20, slots={"list": "side"}, render=render, then=True)
