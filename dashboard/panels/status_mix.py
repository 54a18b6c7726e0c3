"""How many cases stand at each step of the standard's flow. The shapes are those of the map's marks."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import ASIDE, bar, go, heading, nothing, status, strip, words
from queries import kpi
from queries.case_rows import OVER


def render(context: Context, view: View) -> Any:
    """Draw the flow; a step opens its cases."""
    w = words(context, view)
    answer = kpi.status_mix(context.store, context.ask(view))
    # What is closed is many times what is open; the bars compare the open steps.
    most = max((row.n for row in answer.rows if row.id not in OVER), default=0)
    steps: list[Any] = []
    for row in answer.rows:
        on = view.filters.statuses == (row.id,)
        if row.id in ASIDE and not row.n and not on:
            continue
        closed = row.id in OVER
        steps.append(go(
            view.narrowed(statuses=() if on else (row.id,)),
            [html.Span(status(w, row.id), className="mix-name"),
             html.Span(w("status.in_period"), className="quiet") if closed else bar(row.n / most if most else None),
             html.Span(w.n(row.n), className="mix-n"), html.Span(w.share(row.share), className="mix-share")],
            "mix on" if on else "mix",
        ))
    return [heading(w.pick(PANEL.title), w("status.aside")), html.Div(steps, className="mixes") if steps else nothing(w),
            strip(w, answer)]


PANEL = Panel(
    id="status_mix", title={"zh": "办理环节", "en": "Steps"}, order=30, slots={"leader": "left"}, render=render, then=True,
)
