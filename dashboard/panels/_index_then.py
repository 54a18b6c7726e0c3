"""The index at a moment of the past: what had been released by then, with its days and hash; never what is computed now."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.context import Context
from dashboard.panels._index import change, grade_word, moved, score_text
from dashboard.panels._parts import nothing, strip, tile
from dashboard.words import Words
from queries.frame import Ask
from queries.governance import ReleasedRow, released


def which(w: Words, row: ReleasedRow) -> str:
    """Return which release it is: its days, when it was made, its hash."""
    return w("index.then_release", n=str(row.release), since=w.day(row.since), until=w.day(row.until), made=w.moment(row.made_at), hash=row.hash[:12])


def tiles(context: Context, w: Words, ask: Ask) -> list[Any]:
    """Return a tile for the index and for each dimension, and which release they are of."""
    answer = released(context.store, ask)
    if not answer.rows:
        return [nothing(w, "index.then_none"), strip(w, answer)]
    every = [tile(w.pick(row.title), _value(w, row), "", html.Span(moved(row), className="tile-change"), which(w, row), name=f"index-{row.id}") for row in answer.rows]
    return [html.Div(every, className="tiles index-tiles"), html.P(f"◆ {which(w, answer.rows[0])}", className="quiet then-release"), strip(w, answer)]


def _value(w: Words, row: ReleasedRow) -> html.Span:
    shown = html.Span([score_text(row.score), html.Small(grade_word(w, row.score))], className="tile-value missing" if row.score is None else "tile-value")
    return html.Span([shown], className="index-value")


def line(context: Context, w: Words, ask: Ask) -> list[Any]:
    """Return the index in one line, and which release it is of."""
    answer = released(context.store, ask)
    whole = next(iter(answer.rows), None)
    if whole is None:
        return [html.Span(f"○ {w('index.then_none')}", className="quiet")]
    return [html.Strong(score_text(whole.score), className="score"), html.Span(grade_word(w, whole.score)), html.Span(change(w, whole)),
            html.Span(f"◆ {w('index.then_short', n=str(whole.release), since=w.day(whole.since), until=w.day(whole.until))}", className="quiet", title=which(w, whole))]
