"""The card of a camera: its state at once, its picture only after the view was written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from dash import dcc, html

from dashboard import ids
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._parts import act_button, badge, button, field, go, strip
from dashboard.words import Words
from queries import camera_health, cameras, live_video
from queries.cameras import BUCKET_WORDS, CLASS_WORDS, POSTS, CameraRow, ViewRow
from queries.clock import stamp
from queries.stills import FOUND_WORDS
from queries.things import CAMERA_WORDS

#: What is offered first where one comes from a case or an alarm.
CAUSES = {"case": "case", "alarm": "alarm"}


def card(context: Context, view: View, w: Words, code: str) -> tuple[str, list[Any]]:
    """Return title and parts of the card."""
    ask = context.ask(view)
    answer = cameras.one(context.store, ask, code)
    row = answer.row
    seen = w("unknown") if row.seen_at is None else w.age(row.seen_at)
    parts: list[Any] = [html.Div([state(w, row.bucket), html.Span(f"{w.pick(CLASS_WORDS[row.group])} {row.kind}")], className="lead")]
    # No picture of then is kept, and one of now must not pass for it.
    held = None if w.at else cameras.current(context.store, context.actor, ask, code, context.session) if context.actor.post in POSTS else None
    if w.at:
        parts.append(html.P(w("camera.only_now"), className="quiet"))
    else:
        parts += [picture(context, w, row, held), ended(w, [row.code])] if held else [form(context, view, w, ids.ONE)]
    facts = [("case.place", go(view.but(scene="grid", place=row.area_code, thing=""), w.pick(row.area_name), "drill") if row.area_code else w("unknown")),
             ("camera.seen", seen), ("camera.looked", looked(w, row.looked_at, row.found)), ("sensor.code", row.code)]
    parts.append(html.Dl([part for key, value in facts for part in (html.Dt(w(key)), html.Dd(value))]))
    parts += [html.H4(w("camera.history")), html.Ol([html.Li([
        html.Time(w.moment(one.at)), html.Strong(w.pick(CAMERA_WORDS[one.state])), html.Span(w(f"camera.by_{one.by}"), className="quiet"),
        html.Span(w.pick(FOUND_WORDS[one.why]) if one.why in FOUND_WORDS else "", className="quiet")])
        for one in camera_health.changes(context.store, ask, code).rows], className="timeline")]
    return row.name, [*parts, strip(w, answer)]


def state(w: Words, bucket: str) -> html.Span:
    """Return a camera's bucket by word and sign."""
    return badge(w.pick(BUCKET_WORDS[bucket]), {"online": "good", "unknown": "off"}.get(bucket, "watch"))  # type: ignore[arg-type]


def looked(w: Words, at: Any, found: str) -> str:
    """Return when a camera was asked for a picture by itself, and what came; never asked is said too."""
    if at is None:
        return w("camera.never_looked")
    return f"{w.age(at)} · {w.pick(FOUND_WORDS[found]) if found in FOUND_WORDS else w('camera.gave')}"


def form(context: Context, view: View, w: Words, name: str) -> Any:
    """Return the form that writes a view down; others are told why there is none."""
    if context.actor.post not in POSTS:
        return html.P(f"○ {w('camera.no_right')}", className="quiet")
    kind, _, number = view.about.partition(":")
    cause = CAUSES.get(kind if number else "case" if view.about else "")
    listed = [{"label": w.pick(said), "value": code} for code, said in cameras.reasons(context.store).items()]
    # What was chosen stays when the panel is drawn anew, on this page only.
    kept: dict[str, Any] = {"persistence": f"{view.thing} {view.cams} {view.about}", "persistence_type": "memory"}
    return html.Div([
        html.P(w("camera.logged"), className="quiet"),
        field(w("camera.cause"), dcc.RadioItems(listed, cause, id=ids.camera_fill(name, "cause"), className="radios row", **kept)),
        field(w("camera.reason"), dcc.Input(id=ids.camera_fill(name, "reason"), autoComplete="off", maxLength=300, value=_why(w, view.about), **kept)),
        field(w("camera.minutes"), dcc.Input(id=ids.camera_fill(name, "minutes"), type="number", value=10, min=1, max=cameras.LONGEST_MIN, **kept)),
        html.P("", id=ids.camera_wrong(name), className="failed", role="alert"),
        html.Div([button(w("camera.look"), ids.camera_look(name), strong=True)], className="acts"),
    ], className="report-form")


def _why(w: Words, about: str) -> str:
    """Return the reason that stands there already when one comes from a case or an alarm."""
    kind, _, number = about.partition(":")
    return w("camera.for_alarm", no=number) if kind == "alarm" and number else w("camera.for_case", no=about) if about else ""


def ended(w: Words, codes: Sequence[str]) -> html.Div:
    """Return the button that ends views before their time."""
    return html.Div([act_button(w("camera.end"), {"do": "camera-close", "codes": list(codes)})], className="acts")


def picture(context: Context, w: Words, row: CameraRow, held: ViewRow, at_once: bool = False) -> Any:
    """Return the still and the live picture of a view; assets/64-eyes.js shows the live one on a click, or at once."""
    key = cameras.signed(context.store, context.settings.link_secret.get_secret_value(), held)
    at = quote(row.code, safe="")
    with context.store.read() as connection:
        live = live_video.source(cameras.eyes(connection), context.settings, row)
    told = html.P(w("camera.open", until=w.moment(held.until), reason=held.why(w.lang)), className="quiet")
    moving: Any = ""
    if live is not None:
        # The viewer's name, the time and the reason stand over the picture, whoever makes a photograph of it.
        mark = f"{context.actor.shown or context.actor.name} #{held.id} {held.why(w.lang)[:30]}"
        moving = html.Div([
            html.Div("", className="live-picture"), html.Div("", className="live-mark", **{"aria-hidden": "true"}),
            html.P("", className="quiet live-told", role="status"),
            html.Div(html.Button(w("camera.live"), type="button", className="button", **{"data-live-go": ""}), className="acts")],
            className="live-box", **{"data-live": f"/camera/live/{at}?key={key}", "data-kind": live.kind, "data-name": row.name, "data-mark": mark, "data-until": str(stamp(held.until)),
                                     "data-at-once": "1" if at_once else "0", "data-ended": w("camera.over"), "data-waits": w("camera.waits"), "data-none": w("camera.no_live")})
    still = [] if at_once and live is not None else [
        html.Img(src=f"/camera/still/{at}?key={key}", alt=w("camera.still", name=row.name), className="still",
                 **{"data-again": "5", "data-from": f"/camera/still/{at}?key={key}", "data-age": w("camera.age", at="{at}", n="{n}"), "data-ended": w("camera.over")}),
        html.P("", className="quiet still-age", role="status")]
    return html.Div([*still, moving, told], className="camera-picture")
