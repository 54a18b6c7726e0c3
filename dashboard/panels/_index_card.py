"""The index of one place in little: score with interval, change and grade, its dimensions, what moved it most; and the way to all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._index import (
    cents,
    change,
    dimensions,
    grade_word,
    interval,
    oldest,
    parts,
    score_text,
)
from dashboard.panels._parts import go
from dashboard.words import Words
from queries import governance

#: Reasons that are named; all of them are on the index page.
NAMED = 3


def aside(w: Words, view: View) -> Any:
    """Return the way to the whole index of the place."""
    return go(view.but(scene="index", case="", measure=View.measure), w("index.all"), "drill")


def card(context: Context, w: Words, view: View) -> html.Div:
    """Return score, dimensions and reasons, below each other."""
    ask = context.ask(view)
    answer = governance.index(context.store, ask)
    told = parts(governance.why(context.store, ask).rows, answer.rows[0])
    return html.Div([headline(w, view, answer.rows[0]), dimensions(w, answer.rows), reasons(w, view, told)], className="index-card")


def headline(w: Words, view: View, whole: governance.ScoreRow) -> Any:
    """Return the score in one line: a link to all of it. Without a score it says which kind of none it is."""
    if whole.score is None:
        line: list[Any] = [html.Strong("–", className="score missing"), html.Span(f"○ {interval(w, whole)}")]
    else:
        own = "" if whole.own is None or whole.own > 0.995 else w("index.own", own=w.share(whole.own, 0))
        what_if = [html.Strong(w("index.what_if_short"))] if view.weights and view.scene != "leader" else []
        line = [*what_if, html.Strong(score_text(whole.score), className="score"), html.Span(grade_word(w, whole.score)), html.Span(change(w, whole)),
                 html.Span(interval(w, whole), className="quiet"), html.Span(own, className="quiet"), html.Span(oldest(w, whole), className="quiet")]
    return go(view.but(scene="index", case="", measure=View.measure), line, "index-line")


def reasons(w: Words, view: View, told: Sequence[tuple[governance.WhyRow, int]], n: int = NAMED) -> Any:
    """Return what moved the score most, each a link to its records on the index page."""
    links = [go(view.but(scene="index", case="", measure=row.id), f"{'▼' if points < 0 else '▲'} {w.pick(row.title)} {cents(points)}", "chip")
             for row, points in told[:n] if points and row.id != "mix"]
    return html.Div([html.Span(w("index.why_short"), className="quiet"), *links], className="chips index-reasons") if links else ""
