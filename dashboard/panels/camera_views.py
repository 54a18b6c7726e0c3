"""Who looked through which camera, when, why and until when: for administrators, nothing for others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import badge, heading, nothing, strip, table, words
from dashboard.words import Words
from queries import cameras
from queries.cameras import ViewRow
from queries.clock import now
from queries.people.roles import ROLES

#: So many are shown; the table to take away has all that the log keeps, up to its own limit.
SHOWN = 100


def render(context: Context, view: View) -> Any:
    """Draw the list, the newest view first."""
    w = words(context, view)
    if context.actor.post != "admin":
        # On the page of cameras everybody learns that looking is written down, and who may read it.
        return [heading(w.pick(PANEL.title)), html.P(f"○ {w('camera.views_why')}", className="empty")] if view.scene == "cameras" else []
    answer = cameras.views(context.store, context.actor, SHOWN)
    aside = html.A(w("camera.views_csv"), href="/api/v1/cameras/views.csv", className="drill", download="")
    if not answer.rows:
        return [heading(w.pick(PANEL.title), aside), nothing(w, "camera.views_none"), strip(w, answer)]
    present = now()
    rows = [html.Tr([
        html.Td(w.moment(r.at), className="num"), html.Td(_end(w, r, present), className="num"),
        html.Td([r.name, html.Div(r.code, className="quiet")]), html.Td([r.by, html.Div(w.pick(ROLES[r.post].title) if r.post in ROLES else r.post, className="quiet")]), html.Td(r.why(w.lang)), html.Td(r.about)]) for r in answer.rows]
    head = [(w("camera.views_at"), "num"), (w("camera.views_until"), "num"), (w("camera.views_camera"), ""), (w("camera.views_by"), ""), (w("camera.cause"), ""), (w("camera.views_about"), "")]
    return [heading(w.pick(PANEL.title), aside), table(head, rows), strip(w, answer)]


def _end(w: Words, row: ViewRow, present: datetime) -> list[Any]:
    if row.ended_at:
        return [w.moment(row.ended_at), html.Div(w("camera.views_ended", until=w.moment(row.until)), className="quiet")]
    return [w.moment(row.until), " ", badge(w("camera.views_on"), "watch") if row.until > present else ""]


PANEL = Panel(id="camera_views", title={"zh": "摄像机调看记录", "en": "Views through cameras"}, order=40, slots={"data": "main", "cameras": "side"}, render=render)
