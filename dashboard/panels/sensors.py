"""The sensors kind by kind: how many are heard, and which need a look."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import bar, go, groups, heading, nothing, strip, words
from queries.sensing import values

SHOWN = 8


def render(context: Context, view: View) -> Any:
    """Draw health and the first of the list."""
    w = words(context, view)
    ask = context.ask(view)
    answer = values.health(context.store, ask)
    if not answer.rows:
        return [heading(w.pick(PANEL.title)), nothing(w, "sensor.none"), strip(w, answer)]
    kinds = [html.Tr([html.Td(w.pick(row.words)), html.Td(w.n(row.total), className="num"),
                      html.Td([bar(row.online), " ", w("unknown") if row.online is None else f"{row.online:.1%}"], className="num"),
                      html.Td(w.n(row.states.get("silent", 0)), className="num"), html.Td(w.n(row.states.get("often", 0)), className="num"),
                      html.Td(w.n(sum(row.states.get(s, 0) for s in ("red", "orange", "yellow", "blue"))), className="num")]) for row in answer.rows]
    head = html.Tr([html.Th(w(key), scope="col", className=css) for key, css in
                    (("sensor.kind", ""), ("sensor.total", "num"), ("sensor.online", "num"), ("sensor.silent", "num"), ("sensor.often", "num"), ("sensor.alarmed", "num"))])
    rows = [row for row in values.listed(context.store, ask, limit=SHOWN).rows if row.state != "ok"]
    first = [html.Li([go(view.but(thing=f"sensor:{row.code}", case=""), row.name, "drill"), html.Span(w.pick(values.STATE_WORDS[row.state])),
                      html.Span("" if row.at is None else w.age(row.at), className="quiet")]) for row in rows]
    return [heading(w.pick(PANEL.title), w("sensor.online_why")), html.Table(groups([head], kinds)),
            html.Ul(first, className="plain") if first else "", strip(w, answer)]


PANEL = Panel(id="sensors", title={"zh": "传感器", "en": "Sensors"}, order=30, slots={"alarms": "side"}, render=render, then=True)
