"""Several cameras on one screen, side by side or one after the other: each view written down before its first picture."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard import ids
from dashboard.address import TURNS, View
from dashboard.context import Context
from dashboard.panels import _cameras
from dashboard.panels._panel import Panel
from dashboard.panels._parts import chip, chips, failed, heading, words
from dashboard.words import Words
from queries import cameras
from queries.cameras import POSTS, CameraRow, ViewRow
from queries.errors import GovError

#: Seconds for each where they come one after the other.
DWELL_S = 10


def render(context: Context, view: View) -> Any:
    """Draw the pictures of the cameras in the address, or the form that opens them; nothing while none is named."""
    codes = view.cameras
    if not codes:
        return []
    w = words(context, view)
    close = chip(view.but(cams="", turn="side"), w("case.close"))
    head = heading(w.pick(PANEL.title), close)
    if context.actor.post not in POSTS:
        return [head, html.P(f"○ {w('camera.no_right')}", className="empty")]
    if len(codes) > cameras.TOGETHER:
        return [head, failed(w("camera.round_most", n=cameras.TOGETHER))]
    ask = context.ask(view.but(place=None))
    found: list[tuple[CameraRow, ViewRow | None]] = []
    bad: list[Any] = []
    for code in codes:
        try:
            found.append((cameras.one(context.store, ask, code).row, cameras.current(context.store, context.actor, ask, code, context.session)))
        except GovError as told:
            bad.append(failed(told.say(w.lang)))
    named = chips([chip(view.but(cams=",".join(c for c in codes if c != row.code)), f"{row.name} ×", title=w("camera.round_less")) for row, _ in found])
    # One who closed one of them is asked again for all: a picture without a view is none.
    if bad or not all(held for _, held in found):
        return [head, *bad, named, _cameras.form(context, view, w, ids.ROUND) if found and not bad else ""]
    turns = chips([chip(view.but(turn=one), w(f"camera.turn_{one}", n=DWELL_S), view.turn == one) for one in TURNS])
    eyes = [_eye(context, w, view, row, held) for row, held in found if held]
    return [head, html.Div([turns, named, _cameras.ended(w, [row.code for row, _ in found])], className="eyes-tools"),
            html.Div(eyes, className=f"eyes n{min(len(eyes), 5)} {view.turn}", **{"data-turn": view.turn, "data-dwell": str(DWELL_S)})]


def _eye(context: Context, w: Words, view: View, row: CameraRow, held: ViewRow) -> html.Div:
    return html.Div([html.Div([html.Strong(row.name), " ", _cameras.state(w, row.bucket), " ", html.Span(w.pick(row.area_name), className="quiet")], className="eye-head"),
                     _cameras.picture(context, w, row, held, at_once=True)], className="eye")


PANEL = Panel(id="camera_round", title={"zh": "多路调看", "en": "Several cameras"}, order=15, slots={"cameras": "eyes"}, render=render)
