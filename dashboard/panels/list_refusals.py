"""How often each department tried to hand out what is on no list; never which person."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import heading, nothing, strip, table, words
from queries.clock import day_end, day_start, local_day, now, stamp
from queries.loop import task_list


def render(context: Context, view: View) -> Any:
    """Draw the counts of the period."""
    w, ask, zone = words(context, view), context.ask(view), context.city().zone
    # A period in words ends with the last day of the cases; what was refused since then counts too.
    until = ask.until if view.period == "custom" else max(ask.until, local_day(stamp(now()), zone))
    end = day_end(until, zone)
    if ask.at is not None:
        # The moment's own day is not over, and counts up to it.
        until, end = ask.on, ask.present + 1
    answer = task_list.refusals(context.store, day_start(ask.since, zone), end, ask)
    rows = [html.Tr([html.Td(w.pick(row.name)), html.Td(html.B(f"▲ {w.n(row.n)}"), className="num watch"), html.Td(w.short(row.last), className="num quiet")])
            for row in answer.rows]
    head = [(w("list.tried"), ""), (w("list.times"), "num"), (w("list.last"), "num")]
    return [heading(w.pick(PANEL.title), f"{w.day(ask.since)} – {w.day(until)}"), table(head, rows) if rows else nothing(w, "list.none_refused"), strip(w, answer)]


PANEL = Panel(id="list_refusals", title={"zh": "清单外派遣被拒", "en": "Unlisted work refused"}, order=30, slots={"list": "side"}, render=render, then=True)
