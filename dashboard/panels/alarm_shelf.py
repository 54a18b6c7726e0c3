"""What is shelved: by whom, why, until when. Nothing is hidden without being listed here."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import act_button, go, heading, strip, words
from queries.alarms import desk
from queries.alarms.acts import POSTS


def render(context: Context, view: View) -> Any:
    """Draw the list."""
    w = words(context, view)
    answer = desk.shelves(context.store, context.ask(view))
    rows = [html.Li([
        go(view.but(thing=f"alarm:{row.alarm_id}"), f"{w.pick(row.title)} {w.pick(row.subject)}", "drill"),
        html.Span(w("alarm.until", at=w.moment(row.until))), html.Span(f"{row.by}：{row.reason}", className="quiet"),
        act_button(w("alarm_act.unshelve"), {"do": "alarm", "act": "unshelve", "id": row.alarm_id}) if context.actor.post in POSTS and not w.at else "",
    ], className="shelf-item", tabIndex="0", **{"data-alarm": str(row.alarm_id)}) for row in answer.rows]
    return [heading(w.pick(PANEL.title), w.n(len(rows))), html.Ul(rows, className="plain") if rows else html.P(w("alarm.shelf_empty"), className="quiet"), strip(w, answer)]


PANEL = Panel(id="alarm_shelf", title={"zh": "搁置中", "en": "Shelved"}, order=20, slots={"alarms": "side"}, render=render, then=True)
