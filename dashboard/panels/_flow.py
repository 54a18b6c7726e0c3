"""The way of the cases, read in the background: shared by the panels that show parts of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import dcc, html

from dashboard import ids
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._parts import Words, heading
from queries.frame import Answer
from queries.loop import flow

BUSY = {"zh": "正在后台读取办理过程……", "en": "Reading the course of cases in the background …"}
#: How often a panel that waits asks again, in milliseconds.
ASK_AGAIN = 1500


def answer(context: Context, view: View) -> Answer[flow.Flow] | None:
    """Return the flow of what the view shows; None while it is being read."""
    asked = context.ask(view)
    return context.jobs.get(("flow", asked), lambda: flow.flow(context.store, asked))


def shown(context: Context, view: View, w: Words, panel: Any, draw: Callable[[Answer[flow.Flow]], list[Any]]) -> list[Any]:
    """Return a panel of the flow, or words and a clock that asks again while it is being read."""
    found = answer(context, view)
    if found is None:
        return [heading(w.pick(panel.title)), html.P(w.pick(BUSY), className="waiting"), again(panel.id)]
    return draw(found)


def again(name: str) -> dcc.Interval:
    """Return a clock by which a panel draws itself again."""
    return dcc.Interval(id=ids.poll(name), interval=ASK_AGAIN)
