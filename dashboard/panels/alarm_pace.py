"""How fast alarms come at one position, whether that is a flood, how many are real, and whether the sound works."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import act_button, badge, strip, tile, words
from queries.alarms import desk, sound


def render(context: Context, view: View) -> Any:
    """Draw the figures."""
    w = words(context, view)
    answer = desk.pace(context.store, context.ask(view), context.settings.operators)
    pace = answer.row
    open_ = desk.alarms(context.store, context.ask(view), "unacked", 1).total or 0
    tried = None if w.at else sound.tried(context.store)
    said = w("alarm.sound_tried", at=w.moment(tried.at), by=tried.by) if tried else w("alarm.sound_untried")
    return [
        html.Div([
            tile(w("alarm.waiting"), html.Strong(w.n(open_)), name="figure"),
            tile(w("alarm.rate"), html.Strong(f"{pace.rate:,.1f}"), w("alarm.positions", n=pace.positions), badge(w("alarm.flood"), "act", w("alarm.flood_why")) if pace.flood else "",
                 w("alarm.rate_why"), name="figure"),
            tile(w("alarm.hour"), html.Strong(w.n(pace.hour)), w("alarm.day", n=w.n(pace.day)), name="figure"),
            tile(w("alarm.precision"), html.Strong(w("unknown") if not pace.settled else f"{pace.real / pace.settled:.0%}"), w("alarm.settled", real=pace.real, n=pace.settled),
                 definition=w("alarm.precision_why"), name="figure"),
            # The sound is a thing of now.
            "" if w.at else html.Div([html.Span(w("alarm.sound"), className="tile-title"), act_button(w("alarm.sound_test"), {"do": "alarm-sound"}, strong=tried is None),
                      html.Span(said, className="tile-made" if tried else "warn")], className="tile figure sound"),
        ], className="alarm-pace"), strip(w, answer)]


PANEL = Panel(id="alarm_pace", title={"zh": "报警节奏", "en": "Pace of alarms"}, order=10, slots={"alarms": "top"}, render=render, then=True)
