"""The index of the place and its dimensions: score, interval, change, coverage. Grades are words, never alarm colours."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _index_then
from dashboard.panels._index import (
    band,
    beside,
    grade_word,
    interval,
    moved,
    named,
    oldest,
    score_text,
)
from dashboard.panels._panel import Panel
from dashboard.panels._parts import heading, strip, tile, words
from dashboard.words import Words
from queries import governance
from queries.governance import ScoreRow


def render(context: Context, view: View) -> Any:
    """Draw one tile for the index and one for each dimension."""
    w, ask = words(context, view), context.ask(view)
    if ask.at is not None:
        return [heading(w.pick(PANEL.title), w("index.not_official")), *_index_then.tiles(context, w, ask)]
    answer = governance.index(context.store, ask)
    rows = [row for row in answer.rows if row.kind != "indicator"]
    return [heading(w.pick(PANEL.title), w("index.not_official")), html.Div([_tile(w, view, row) for row in rows], className="tiles index-tiles"), strip(w, answer)]


def _tile(w: Words, view: View, row: ScoreRow) -> Any:
    value = html.Span([score_text(row.score), html.Small(grade_word(w, row.score))], className="tile-value missing" if row.score is None else "tile-value")
    told = w("index.known", known=str(row.known), of=str(row.of), own="–" if row.own is None else w.share(row.own, 0))
    told = " · ".join(part for part in (told, oldest(w, row)) if part)
    layer = "governance_index" if row.kind == "index" else f"index_{row.id}"
    to = view.but(scene="leader", layer=layer) if row.id != "burden" else None
    said: list[Any] = []
    # The wall shows the number and the first word; the rest has no room there.
    if points := moved(row):
        said.append(html.Span([points, html.Span(f" {w('index.since')}", className="long")]))
    if row.kind == "dimension" and not row.parent:
        said.append(html.Span([" · " if said else "", w("index.beside_short"), html.Span(w(f"index.beside_rest_{row.beside}" if row.beside in ("one", "now") else "index.beside_rest"), className="long")],
                              className="aside-word", title=beside(w, row)))
        if row.beside in ("one", "now"):
            told = f"{beside(w, row)} · {told}"
    made = " · ".join(part for part in (interval(w, row), oldest(w, row) if row.kind == "index" and row.score is not None else "") if part)
    return tile(named(w, view, row), html.Span([value, band(row)], className="index-value"), made, html.Span(said, className="tile-change"), told, to,
                name=f"index-{row.id}")


PANEL = Panel(id="index_score", title={"zh": "治理指数", "en": "Governance index"}, order=10, slots={"index": "top"}, render=render, then=True)
