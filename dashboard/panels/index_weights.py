"""What if the dimensions weighed otherwise? Sliders that recolour the map at once; when the hand rests they are the address. No release follows them."""

from __future__ import annotations

import json
from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import chip, heading, words
from queries import governance, index
from queries.governance import weighted


def shown(view: View) -> bool:
    """Return whether a view has the sliders: on the overview only where the map shows the index."""
    return view.scene == "index" or view.scene == "leader" and view.layer == "governance_index"


def render(context: Context, view: View) -> Any:
    """Draw the box that assets/36-index-weights.js fills with a slider for each dimension, and what moves when one is moved."""
    if not shown(view):
        return []
    w = words(context, view)
    dimensions = [index.found()[name] for name in weighted()]
    held = list(view.weights) if len(view.weights) == len(dimensions) else [int(one.weight) for one in dimensions]
    inside = {row.id for row in governance.index(context.store, context.ask(view)).rows if row.kind == "dimension" and row.parent == "index"}
    rows = [{"id": one.id, "title": w.pick(one.title), "note": "" if one.id in inside else w("index.weightless")} for one in dimensions]
    spec = {"rows": rows, "held": held, "what_if": bool(view.weights)}
    links = []
    if view.weights:
        links.append(chip(view.but(weights=()), w("index.reset")))
    if view.scene != "leader":
        links.append(chip(view.but(scene="leader", layer="governance_index"), w("index.on_map")))
    said = html.P([html.Span(f"▲ {w('index.what_if')}", className="what-if", role="status"), html.Span(w("index.share_rule"), className="quiet share-rule")])
    sliders = html.Div([html.Span(f"{row['title']} {n}") for row, n in zip(rows, held, strict=True)], className="sliders", role="group",
                       **{"aria-label": w.pick(PANEL.title), "data-weights": json.dumps(spec, ensure_ascii=False)})
    return html.Div([heading(w.pick(PANEL.title), html.Span(links, className="chips")), sliders, said], className="weights")


PANEL = Panel(id="index_weights", title={"zh": "权重试算", "en": "What if it weighed otherwise?"}, order=12, slots={"index": "top", "leader": "left"}, render=render)
