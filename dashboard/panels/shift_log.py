"""The shift log: open lines first, each with the screen that it speaks of."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard import ids
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import act_button, button, heading, nothing, strip, words
from dashboard.words import Words
from queries.loop import shift
from queries.loop.shift import Line


def render(context: Context, view: View) -> Any:
    """Draw the lines, and the field for a new one for who acts."""
    w = words(context, view)
    answer, may = shift.lines(context.store, context.ask(view)), not view.past and context.actor.post in shift.WRITERS
    left = sum(1 for line in answer.rows if line.open)
    aside = html.Span(w("shift.open", n=left)) if left else ""
    rows = [_line(w, line, may) for line in answer.rows]
    writing = html.Div([dcc.Input(id=ids.SHIFT_TEXT, placeholder=w("shift.hint"), maxLength=shift.LONGEST, autoComplete="off"),
                        button(w("shift.write"), ids.SHIFT_SEND)], className="line shift-new", title=w("shift.here"))
    return [heading(w.pick(PANEL.title), aside), html.Ol(rows, className="lines scroll") if rows else nothing(w, "shift.none"),
            *([writing, html.P("", id=ids.SHIFT_WRONG, className="failed", role="alert")] if may else []), strip(w, answer) if view.past else ""]


def _line(w: Words, line: Line, may: bool) -> html.Li:
    text: Any = dcc.Link(line.text, href=line.address, className="drill") if line.address else line.text
    sign = html.Span("○" if line.open else "✓", **{"aria-label": w("shift.is_open" if line.open else "shift.is_done")}) if line.open is not None else html.Span("?", title=w("shift.is_unknown"))
    settle = act_button(w("shift.done" if line.open else "shift.again"), {"do": "settle", "line": line.id, "open": not line.open}) if may else ""
    return html.Li([html.Div([html.Span([sign, " ", text]), settle], className="line"),
                    html.Div([html.Span(w.short(line.at)), html.Span(line.actor)], className="facts")],
                   className="case" if line.open else "case settled")


PANEL = Panel(id="shift_log", title={"zh": "交接班记录", "en": "Shift log"}, order=70, slots={"street": "side"}, render=render, then=True)
