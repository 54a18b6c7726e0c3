"""The card of a camera: its state at once, its picture only after the view was written down."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from dash import dcc, html

from dashboard import ids
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._parts import badge, button, field, go, strip
from dashboard.words import Words
from queries import cameras
from queries.cameras import BUCKET_WORDS, CLASS_WORDS, POSTS, CameraRow, ViewRow


def card(context: Context, view: View, w: Words, code: str) -> tuple[str, list[Any]]:
    """Return title and parts of the card."""
    ask = context.ask(view)
    answer = cameras.one(context.store, ask, code)
    row = answer.row
    seen = w("unknown") if row.seen_at is None else w.age(row.seen_at)
    parts: list[Any] = [html.Div([badge(w.pick(BUCKET_WORDS[row.bucket]), "" if row.bucket == "online" else "watch"), html.Span(f"{w.pick(CLASS_WORDS[row.group])} {row.kind}")], className="lead")]
    # No picture of then is kept, and one of now must not pass for it.
    held = None if w.at else cameras.current(context.store, context.actor, ask, code, context.session) if context.actor.post in POSTS else None
    parts.append(html.P(w("camera.only_now"), className="quiet") if w.at else _picture(context, w, row, held) if held else _ask(context, view, w, row))
    facts = [("case.place", go(view.but(scene="grid", place=row.area_code, thing=""), w.pick(row.area_name), "drill") if row.area_code else w("unknown")),
             ("camera.seen", seen), ("sensor.code", row.code)]
    parts.append(html.Dl([part for key, value in facts for part in (html.Dt(w(key)), html.Dd(value))]))
    return row.name, [*parts, strip(w, answer)]


def _ask(context: Context, view: View, w: Words, row: CameraRow) -> Any:
    if context.actor.post not in POSTS:
        return html.P(w("camera.no_right"), className="quiet")
    return html.Div([
        html.P(w("camera.logged"), className="quiet"),
        field(w("camera.reason"), dcc.Input(id=ids.CAMERA_REASON, autoComplete="off", maxLength=300, value=_why(w, view.about))),
        field(w("camera.minutes"), dcc.Input(id=ids.CAMERA_MINUTES, type="number", value=10, min=1, max=cameras.LONGEST_MIN)),
        html.P("", id=ids.CAMERA_WRONG, className="failed", role="alert"),
        html.Div([button(w("camera.look"), ids.CAMERA_LOOK, strong=True)], className="acts"),
    ], className="report-form")


def _why(w: Words, about: str) -> str:
    """Return the reason that stands there already when one comes from a case or an alarm."""
    kind, _, number = about.partition(":")
    return w("camera.for_alarm", no=number) if kind == "alarm" and number else w("camera.for_case", no=about) if about else ""


def _picture(context: Context, w: Words, row: CameraRow, held: ViewRow) -> Any:
    key = cameras.signed(context.store, context.settings.link_secret.get_secret_value(), held)
    at = quote(row.code, safe="")
    live: Any = ""
    if context.settings.camera_gateway:
        address = f"/camera/live/{at}?key={key}"
        live = (html.Iframe(src=address, className="live", title=row.name) if context.settings.camera_live == "page"
                else html.Video(src=address, className="live", autoPlay=True, muted=True, controls=True) if context.settings.camera_live == "hls" else html.Img(src=address, className="live", alt=row.name))
        live = html.Details([html.Summary(w("camera.live")), live], id=f"camera-live-{row.code}")
    return html.Div([
        html.Img(src=f"/camera/still/{at}?key={key}", alt=w("camera.still", name=row.name), className="still",
                 **{"data-again": "5", "data-from": f"/camera/still/{at}?key={key}", "data-age": w("camera.age", at="{at}", n="{n}"), "data-ended": w("camera.over")}),
        html.P("", className="quiet still-age", role="status"),
        html.P(w("camera.open", until=w.moment(held.until), reason=held.reason), className="quiet"), live], className="camera-picture")
