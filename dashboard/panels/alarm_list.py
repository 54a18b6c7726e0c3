"""The alarm list: one line each, groups folded, the most urgent first; keys act on the line that is chosen."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _alarms
from dashboard.panels._panel import Panel
from dashboard.panels._parts import chip, chips, heading, nothing, strip, words
from queries.alarms import desk
from queries.alarms.rows import OUTCOME_WORDS, AlarmRow

STATES = ("open", "unacked", "closed")


def render(context: Context, view: View) -> Any:
    """Draw the list."""
    w = words(context, view)
    state = view.source if view.source in STATES else "open"
    answer = desk.alarms(context.store, context.ask(view), state)
    folded: dict[int, list[AlarmRow]] = {}
    for row in answer.rows:
        folded.setdefault(row.group_id if state != "closed" else row.id, []).append(row)
    items = [_line(context, w, view, rows) for rows in folded.values()]
    newest = max((f"{row.again_at:%Y%m%d%H%M%S}" for row in answer.rows if row.state == "unacked"), default="")
    worst = min((("red", "orange", "yellow", "blue").index(row.level) for row in answer.rows if row.state == "unacked"), default=9)
    return [
        heading(w.pick(PANEL.title), "" if w.at else w("alarm.keys")),
        chips([chip(view.but(source="" if one == "open" else one), w("alarm_state." + one), one == state) for one in STATES]),
        html.Ol(items, className="alarm-list scroll") if items else nothing(w, "alarm.none"),
        # An alarm of the past makes no sound.
        "" if w.at else html.Div(id="alarm-siren", hidden=True, **{"data-new": newest, "data-worst": str(worst)}), strip(w, answer)]


def _line(context: Context, w: Any, view: View, rows: list[AlarmRow]) -> html.Li:
    first, others = rows[0], rows[1:]
    facts = [html.Span(_alarms.kind(w, first), className="quiet"), html.Span(_alarms.value(w, first), className="num"), *_alarms.marks(w, first)]
    if first.outcome:
        facts.append(html.Span(f"{w.pick(OUTCOME_WORDS[first.outcome])} {first.case_no or first.reason}".strip()))
    more = [html.Details([html.Summary(w("alarm.neighbours", n=len(others))), html.Ul([html.Li([
        _alarms.level(w, one), _alarms.title(view, w, one), html.Span(_alarms.value(w, one), className="num"), *_alarms.marks(w, one), _alarms.buttons(context, w, one)])
        for one in others], className="plain")], id=f"alarm-group-{first.group_id}")] if others else []
    action = [html.Div([html.Strong(w("alarm.do")), " ", w.pick(first.action)], className="action")] if first.action["zh"] and first.state in ("unacked", "acked") else []
    return html.Li([
        html.Div([_alarms.level(w, first), _alarms.title(view, w, first), html.Time(w.moment(first.again_at))], className="head"),
        html.Div(facts, className="facts"), html.Div(_alarms.where(w, first), className="quiet"), *action, _alarms.buttons(context, w, first), *more,
    ], className=f"alarm-item {first.level} {first.state}", tabIndex="0", **{"data-alarm": str(first.id)})


PANEL = Panel(id="alarm_list", title={"zh": "报警列表", "en": "Alarm list"}, order=10, slots={"alarms": "main"}, render=render, then=True)
