"""How many cases stand at each step of the standard's flow."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, strip, words
from queries import kpi


def render(context: Context, view: View) -> Any:
    """Draw the flow; a step opens its cases."""
    w = words(context, view)
    answer = kpi.status_mix(context.store, context.ask(view))
    steps: list[Any] = []
    for row in answer.rows:
        on = view.filters.statuses == (row.id,)
        steps.append(go(
            view.narrowed(statuses=() if on else (row.id,)),
            [html.Span(w.pick(row.title), className="step-name"), html.Span(w.n(row.n), className="step-n"),
             html.Span(w.share(row.share), className="step-share")],
            "step on" if on else "step",
        ))
    return [heading(w.pick(PANEL.title), w("status.aside")), html.Div(steps, className="steps") if steps else nothing(w),
            strip(w, answer)]


PANEL = Panel(
    id="status_mix", title={"zh": "办理环节", "en": "Steps"}, order=30, slots={"leader": "left"}, render=render,
)
