"""The index of one place in little: score with interval, change and grade, its dimensions, what moved it most; and the way to all of it."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._index import change, dimensions, grade_word, interval, score_text, signed
from dashboard.panels._parts import go
from dashboard.words import Words
from queries import governance

#: Reasons that are named; all of them are on the index page.
NAMED = 3


def aside(w: Words, view: View) -> Any:
    """Return the way to the whole index of the place."""
    return go(view.but(scene="index", case="", measure=""), w("index.all"), "drill")


def card(context: Context, w: Words, view: View) -> html.Div:
    """Return score, dimensions and reasons, below each other."""
    ask = context.ask(view)
    answer, moved = governance.index(context.store, ask), governance.why(context.store, ask)
    return html.Div([headline(w, view, answer.rows[0]), dimensions(w, answer.rows), reasons(w, view, moved.rows)], className="index-card")


def headline(w: Words, view: View, whole: governance.ScoreRow) -> Any:
    """Return the score in one line: a link to all of it. Without a score it says which kind of none it is."""
    if whole.score is None:
        parts: list[Any] = [html.Strong("–", className="score missing"), html.Span(f"○ {interval(w, whole)}")]
    else:
        own = "" if whole.own is None else w("index.own", own=w.share(whole.own, 0))
        parts = [html.Strong(score_text(whole.score), className="score"), html.Span(grade_word(w, whole.score)), html.Span(change(w, whole)),
                 html.Span(interval(w, whole), className="quiet"), html.Span(own, className="quiet")]
    return go(view.but(scene="index", case="", measure=""), parts, "index-line")


def reasons(w: Words, view: View, rows: tuple[governance.WhyRow, ...], n: int = NAMED) -> Any:
    """Return what moved the score most, each a link to its records on the index page."""
    links = [go(view.but(scene="index", case="", measure=row.id), f"{'▼' if row.points < 0 else '▲'} {w.pick(row.title)} {signed(row.points)}", "chip")
             for row in rows[:n] if abs(row.points) >= 0.005 and row.id != "mix"]
    return html.Div([html.Span(w("index.why_short"), className="quiet"), *links], className="chips index-reasons") if links else ""
