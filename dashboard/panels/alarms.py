"""The most urgent alarms in few lines, for a wall or a leader: nothing but what somebody must see."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _alarms
from dashboard.panels._panel import Panel
from dashboard.panels._parts import badge, go, heading, strip, words
from queries.alarms import desk

SHOWN = 4


def render(context: Context, view: View) -> Any:
    """Draw the list."""
    w = words(context, view)
    ask = context.ask(view)
    answer, pace = desk.alarms(context.store, ask, "open", 50), desk.pace(context.store, ask, context.settings.operators).row
    seen: set[int] = set()
    rows = []
    for row in answer.rows:
        if row.group_id not in seen and len(rows) < SHOWN:
            seen.add(row.group_id)
            rows.append(html.Li([_alarms.level(w, row), _alarms.title(view, w, row), html.Span(_alarms.value(w, row), className="num"), *_alarms.marks(w, row),
                                 html.Span([html.Span(_alarms.where(w, row)), " ", html.Time(w.short(row.again_at))], className="quiet where-when")], className=f"alarm-line {row.state}"))
    aside: list[Any] = [badge(w("alarm.flood"), "act")] if pace.flood and ask.at is None else []
    aside.append(go(view.but(scene="alarms"), w("alarm.all", n=w.n(answer.total or 0)), "chip"))
    if not rows:
        return [heading(w.pick(PANEL.title), [html.Span(f"○ {w('alarm.none')}"), *aside]), strip(w, answer)]
    return [heading(w.pick(PANEL.title), aside), html.Ul(rows, className="plain alarm-lines"), strip(w, answer)]


PANEL = Panel(id="alarms", title={"zh": "报警", "en": "Alarms"}, order=5, slots={"leader": "right"}, render=render, then=True)
