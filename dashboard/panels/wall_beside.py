"""Beside the map while the wall looks at one event: its case or alarm as it stands, and the cameras nearest to it."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _alarms
from dashboard.panels._grid import CAMERA_WORDS
from dashboard.panels._panel import Panel
from dashboard.panels._parts import away, badge, due_words, failed, heading, status, strip, words
from dashboard.panels._series import plot
from dashboard.words import Words
from queries import cases, places
from queries.alarms import desk
from queries.alarms.rows import AlarmRow
from queries.case_rows import CaseCard, Event
from queries.errors import GovError
from queries.people.roles import ROLES
from queries.sensing import values

CAMERAS = {"zh": "最近的摄像机", "en": "Nearest cameras"}
#: Steps and cameras that a wall can show; more are on the case's own card.
STEPS, SEEN = 4, 4


def render(context: Context, view: View) -> Any:
    """Draw the case or the alarm in the address and the cameras nearest to it; nothing while there is none."""
    kind, _, number = view.thing.partition(":")
    if not view.case and kind != "alarm":
        return []
    w = words(context, view)
    try:
        if view.case:
            told = cases.one(context.store, context.scope, view.case, context.ask(view))
            parts, at = _case(w, told.row), _position(context, view, told.row)
        else:
            told = desk.one(context.store, context.ask(view.but(place=None)), int(number) if number.isdecimal() and len(number) < 10 else 0)
            parts, at = _alarm(context, w, view, told.row), (told.row.lon, told.row.lat)
    except GovError as bad:
        return html.Div([heading(view.case or view.thing), failed(bad.say(view.lang))], className="beside")
    return html.Div([*parts, *([] if w.at else _cameras(context, w, view, *at)), strip(w, told)], className="beside")


def _alarm(context: Context, w: Words, view: View, row: AlarmRow) -> list[Any]:
    # A wall names posts and nobody.
    facts = [("alarm.began", w.moment(row.began_at)), ("case.place", w.pick(row.area_name)), ("alarm.street", w.pick(row.street_name)),
             ("alarm.do", w.pick(row.action) or w("unknown"))]
    course = []
    if row.sensor:
        points = values.series(context.store, context.ask(view.but(place=None)), row.sensor, row.metric, "minute").rows
        level = row.kind == "threshold"
        course = [plot(w, points, row.unit if level else "", row.digits, w("sensor.minutes"), row.bound if level else None)]
    return [heading(f"{w.pick(row.title)} · {w.pick(row.subject)}", large=True), html.P(_alarms.value(w, row), className="title"),
            html.Div([_alarms.level(w, row), *_alarms.marks(w, row)], className="lead"),
            html.Dl([part for key, said in facts for part in (html.Dt(w(key)), html.Dd(said))]), *course]


def _case(w: Words, card: CaseCard) -> list[Any]:
    case = card.case
    due, kind = due_words(w, case.due_at, case.is_open)
    lead: list[Any] = [status(w, case.status), badge(due, kind) if case.is_open else "", badge(w("case.urgent"), "act") if case.urgent and case.is_open else ""]
    whose = w.pick(case.department_name) if case.department_name else w("unknown")
    return [
        heading(case.no, whose, large=True), html.P(w.pick(case.title_words) or w.pick(case.category_name), className="title"),
        html.Div(lead, className="lead"), html.P(" › ".join(w.pick(name) for _, name in card.path), className="quiet"),
        html.Ol([html.Li([html.Time(w.short(step.at)), html.Strong(w.pick(step.title)), html.Span(_post(w, step), className="quiet")]) for step in card.events[-STEPS:]],
                className="steps"),
    ]


def _post(w: Words, step: Event) -> str:
    """Return in which post a step was taken: a wall names nobody."""
    if step.post in ROLES:
        return w.pick(ROLES[step.post].title)
    return w(f"post.{step.post}") if step.post in ("source", "clock") else ""


def _position(context: Context, view: View, card: CaseCard) -> tuple[float | None, float | None]:
    """Return where a case is; without a position of its own, the middle of its area."""
    if (card.case.lon is None or card.case.lat is None) and card.path:
        with context.store.read() as connection:
            place = places.find(connection, card.path[-1][0], context.ask(view).until, context.scope)
        return place.lon, place.lat
    return card.case.lon, card.case.lat


def _cameras(context: Context, w: Words, view: View, lon: float | None, lat: float | None) -> list[Any]:
    """Return the nearest cameras."""
    ask = context.ask(view)
    near = () if lon is None or lat is None else desk.nearest(context.store, ask, lon, lat, SEEN).rows
    found = [one for one in near if one.kind == "camera"]
    rows = [html.Li([html.Span(one.name or one.code), badge(w.pick(CAMERA_WORDS[one.state][0]), CAMERA_WORDS[one.state][1]),
                     # How long ago one was seen says something of one that is not online now.
                     away(w, one), "" if one.state == "online" else html.Span(w.age(one.seen_at), className="quiet")]) for one in found]
    return [html.H4(w.pick(CAMERAS)), html.Ul(rows, className="plain") if rows else html.P(f"○ {w('wall.no_camera')}", className="empty")]


PANEL = Panel(id="wall_beside", title={"zh": "事件", "en": "Event"}, order=55, slots={"wall": "beside"}, render=render, hears="n", pace_s=1.0, then=True)
