"""Ranks as bands: areas whose bands overlap are equal, and one that rests on borrowed data has no rank."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard import address
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
        rows.append(html.Tr([html.Td(go(view.but(place=row.code), w.pick(row.title), "drill")), html.Td(band), html.Td(f"≈ {w('index.same')}" if row.equal and row.low else "", className="quiet"),
                             html.Td(score_text(row.score), className="num")]))
    head = [(w("children.place"), ""), (w("index.band"), ""), ("", ""), (w("index.score"), "num")]
    asked = address.question(_days(context, view))
    files = html.Span([w("index.export"), " ", *(part for kind in ("csv", "xlsx") for part in (html.A(kind.upper(), href=f"/api/v1/index.{kind}?{asked}", className="drill", download=""), " "))])
    return [heading(w.pick(PANEL.title), [html.Span(w("index.equal")), files]), table(head, rows, "peers") if rows else nothing(w, "children.none"), strip(w, answer)]


def _days(context: Context, view: View) -> View:
    """Return the place and the days that are shown, in so many words: a file says the same days when it is asked for tomorrow."""
    since, until = context.days(view)
    return View(place=view.place, period="custom", since=since, until=until)


PANEL = Panel(id="index_peers", title={"zh": "位次区间", "en": "Rank bands"}, order=40, slots={"index": "right"}, render=render)
