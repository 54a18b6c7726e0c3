"""The closed loop in one line: found, filed, whistled, arrived, dispatched, checked, closed."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _flow
from dashboard.panels._panel import Panel
from dashboard.panels._parts import strip, words
from dashboard.words import Words
from queries.loop import evaluate
from queries.loop.evaluate import LoopStage

MEDIAN = {"zh": "中位 {}", "en": "median {}"}
#: Which status's median time stands under a stage, once it has been read.
LASTS = {"filed": "reported", "dispatched": "filed", "checked": "verifying", "closed": "verified"}


def render(context: Context, view: View) -> Any:
    """Draw the line; medians come when they have been read."""
    w = words(context, view)
    answer = evaluate.loop_line(context.store, context.ask(view))
    # How long each step took is read of the present only.
    found = None if w.at else _flow.answer(context, view)
    medians = {} if found is None else {leg.frm: leg.median_s for leg in found.row.stages}
    parts: list[Any] = []
    for stage in answer.rows:
        if parts:
            parts.append(html.Span("›", className="loop-arrow", **{"aria-hidden": "true"}))
        parts.append(_stage(w, stage, medians.get(LASTS.get(stage.id, ""))))
    extra = [] if found is not None or w.at else [_flow.again(PANEL.id)]
    return [html.Div(parts, className="loop-line"), strip(w, answer), *extra]


def _stage(w: Words, stage: LoopStage, median_s: float | None) -> html.Div:
    said = [] if stage.share is None else [f"{w.pick(stage.share_title)} {w.share(stage.share)}"]
    if median_s is not None:
        said.append(w.pick(MEDIAN).format(w.length(median_s)))
    bad = html.Span(f"▲ {w.n(stage.bad)} {w.pick(stage.bad_title)}", className="act") if stage.bad else ""
    return html.Div([html.Span(w.pick(stage.title), className="quiet"), html.Strong(w.n(stage.n)),
                     html.Small([bad, " " if bad and said else "", " · ".join(said)])], className="loop-stage")


PANEL = Panel(id="loop_strip", title={"zh": "闭环流程", "en": "The closed loop"}, order=10, slots={"evaluation": "strip"}, render=render, then=True)
