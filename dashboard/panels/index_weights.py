"""What if the dimensions weighed otherwise? Each step is an address: the map and every score follow at once, no release does."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import chip, go, words
from queries import index
from queries.governance import weighted

STEP, MOST = 5, 100


def render(context: Context, view: View) -> Any:
    """Draw a step down and up for each dimension; on the overview only where the map shows the index."""
    if view.scene == "leader" and view.layer != "governance_index":
        return []
    w = words(context, view)
    names = weighted()
    found = [index.found()[name] for name in names]
    held = [int(one.weight) for one in found]
    if len(view.weights) == len(names):
        held = list(view.weights)
    rows: list[Any] = [html.Span(w("index.weights"), className="quiet")]
    for i, one in enumerate(found):
        title = w.pick(one.title)
        less, more = list(held), list(held)
        less[i], more[i] = max(held[i] - STEP, 0), min(held[i] + STEP, MOST)
        down = go(view.but(weights=tuple(less)), "−", "chip", w("index.less", name=title)) if any(less) else html.Span("−", className="chip")
        rows.append(html.Span([html.Span(title), down, html.Strong(str(held[i])), go(view.but(weights=tuple(more)), "+", "chip", w("index.more", name=title))], className="weight"))
    if view.weights:
        rows.append(chip(view.but(weights=()), w("index.reset")))
    if view.scene != "leader":
        rows.append(chip(view.but(scene="leader", layer="governance_index"), w("index.on_map")))
    return html.Div(rows, className="weights")


PANEL = Panel(id="index_weights", title={"zh": "权重试算", "en": "What if it weighed otherwise?"}, order=12, slots={"index": "top", "leader": "left"}, render=render)
