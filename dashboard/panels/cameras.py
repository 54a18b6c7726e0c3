"""The cameras in buckets against their targets."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import badge, groups, heading, nothing, strip, words
from queries import cameras
from queries.cameras import BUCKET_WORDS, BUCKETS


def render(context: Context, view: View) -> Any:
    """Draw the table."""
    w = words(context, view)
    answer = cameras.health(context.store, context.ask(view))
    if not answer.rows:
        return [heading(w.pick(PANEL.title)), nothing(w, "camera.none"), strip(w, answer)]
    head = html.Tr([html.Th(w("camera.group"), scope="col"), html.Th(w("camera.intact"), scope="col", className="num"),
                    *[html.Th(w.pick(BUCKET_WORDS[one]), scope="col", className="num") for one in BUCKETS]])
    rows = [html.Tr([html.Td(w.pick(row.words)),
                     html.Td([f"{row.intact:.1%}" if row.intact is not None else w("unknown"), " ",
                              badge(w("camera.below", target=f"{row.target:.0%}"), "act") if row.meets is False else html.Span(w("camera.target", target=f"{row.target:.0%}"), className="quiet") if row.target else ""],
                             className="num"),
                     *[html.Td(w.n(row.buckets[one]), className="num") for one in BUCKETS]]) for row in answer.rows]
    return [heading(w.pick(PANEL.title), w("camera.intact_why")), html.Table(groups([head], rows)), strip(w, answer)]


PANEL = Panel(id="cameras", title={"zh": "摄像机", "en": "Cameras"}, order=40, slots={"alarms": "side"}, render=render, then=True)
