"""Ranks as bands: areas whose bands overlap are equal, and one that rests on borrowed data has no rank."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._index import score_text
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, strip, table, words
from queries import governance


def render(context: Context, view: View) -> Any:
    """Draw the areas with the band of their ranks."""
    w = words(context, view)
    answer = governance.peers(context.store, context.ask(view))
    n = len(answer.rows)
    rows: list[Any] = []
    for row in answer.rows:
        if row.low is None or row.high is None:
            band: Any = html.Span(w("index.unranked"), className="quiet")
        else:
            left, width = 100 * (row.low - 1) / n, 100 * (row.high - row.low + 1) / n
            text = str(row.low) if row.low == row.high else f"{row.low}–{row.high}"
            band = html.Span([html.Span(html.Span(className="track-band", style={"left": f"{left:.1f}%", "width": f"{width:.1f}%"}), className="track", **{"aria-hidden": "true"}),
                              html.Span(text)], className="rank-band")
        rows.append(html.Tr([html.Td(go(view.but(place=row.code), w.pick(row.title))), html.Td(band), html.Td("≈" if row.equal and row.low else "", className="num", title=w("index.equal")),
                             html.Td(score_text(row.score), className="num")]))
    head = [(w("children.place"), ""), (w("index.band"), ""), ("≈", "num"), (w("index.score"), "num")]
    return [heading(w.pick(PANEL.title), w("index.equal")), table(head, rows, "peers") if rows else nothing(w, "children.none"), strip(w, answer)]


PANEL = Panel(id="index_peers", title={"zh": "位次区间", "en": "Rank bands"}, order=40, slots={"index": "right"}, render=render)
