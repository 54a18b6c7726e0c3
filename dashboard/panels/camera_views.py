"""Who looked through which camera, when, why and until when: for administrators, nothing for others."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import badge, heading, nothing, strip, table, words
from queries import cameras
from queries.clock import now
from queries.people.roles import ROLES

#: So many are shown; the table to take away has all that the log keeps, up to its own limit.
SHOWN = 100


def render(context: Context, view: View) -> Any:
    """Draw the list, the newest view first."""
    if context.actor.post != "admin":
        return []
    w = words(context, view)
    answer = cameras.views(context.store, context.actor, SHOWN)
    aside = html.A(w("camera.views_csv"), href="/api/v1/cameras/views.csv", className="drill", download="camera-views.csv")
    if not answer.rows:
        return [heading(w.pick(PANEL.title), aside), nothing(w, "camera.views_none"), strip(w, answer)]
    present = now()
    rows = [html.Tr([
        html.Td(w.moment(r.at), className="num"), html.Td([w.moment(r.until), " ", badge(w("camera.views_on"), "watch") if r.until > present else ""], className="num"),
        html.Td([r.name, html.Div(r.code, className="quiet")]), html.Td([r.by, html.Div(w.pick(ROLES[r.post].title) if r.post in ROLES else r.post, className="quiet")]), html.Td(r.reason), html.Td(r.about)]) for r in answer.rows]
    head = [(w("camera.views_at"), "num"), (w("camera.views_until"), "num"), (w("camera.views_camera"), ""), (w("camera.views_by"), ""), (w("camera.reason"), ""), (w("camera.views_about"), "")]
    return [heading(w.pick(PANEL.title), aside), table(head, rows), strip(w, answer)]


PANEL = Panel(id="camera_views", title={"zh": "摄像机调看记录", "en": "Views through cameras"}, order=40, slots={"data": "main"}, render=render)
