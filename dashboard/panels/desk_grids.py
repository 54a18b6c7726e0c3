"""Which grids need us this morning: one line for each grid where something waits, is late or came in."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, strip, table, words
from dashboard.words import Words
from queries.loop import needs
from queries.loop.needs import Need

#: A count that calls for an act, and one that is to be watched; the others are quiet.
SIGNS = {"late": "act", "missing": "watch", "overdue": "watch"}
#: How they stand in the table: own work first, as one reads it.
COLUMNS = ("mine", "late", "overdue", "missing", "today", "overnight")
LINES = 40


def render(context: Context, view: View) -> Any:
    """Draw the table; nothing for a place with so many grids that nobody could look through them."""
    w = words(context, view)
    answer = needs.grids(context.store, context.ask(view), context.actor)
    if answer.total is None or not answer.total:
        return []
    aside = html.Span(w("needs.n", n=len(answer.rows), of=w.n(answer.total)))
    if not answer.rows:
        return [heading(w.pick(PANEL.title), aside), nothing(w, "needs.none"), strip(w, answer)]
    head = [(w("needs.grid"), "name"), *((w(f"needs.{name}"), "num") for name in COLUMNS)]
    return [heading(w.pick(PANEL.title), aside), table(head, [_line(w, view, row) for row in answer.rows[:LINES]], "needs"), strip(w, answer)]


def _line(w: Words, view: View, row: Need) -> html.Tr:
    return html.Tr([html.Td(go(view.but(scene="grid", place=row.code, case=""), w.pick(row.name), "drill", row.code), className="name"),
                    *(html.Td(_count(w, name, getattr(row, name)), className="num") for name in COLUMNS)])


def _count(w: Words, name: str, n: int) -> Any:
    if not n:
        return html.Span("·", className="quiet", title=w.n(0))
    sign = SIGNS.get(name, "")
    return html.Strong(f"▲ {w.n(n)}", className=sign) if sign else w.n(n)


PANEL = Panel(id="desk_grids", title={"zh": "哪些网格要管", "en": "Grids that need us"}, order=8, slots={"street": "main"}, render=render, then=True)
