"""The method card: every indicator with its formula, counts, goalposts and score, or what it lacks. Enough to recompute it by hand."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._index import cases_view, score_text
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, strip, table, words
from dashboard.words import Words
from queries import governance
from queries.governance import NO_SCORE, ScoreRow


def render(context: Context, view: View) -> Any:
    """Draw the table of indicators under the rule in words."""
    w = words(context, view)
    answer = governance.index(context.store, context.ask(view))
    rows: list[Any] = []
    for row in answer.rows:
        if row.kind == "dimension":
            rows.append(html.Tr([html.Th(w.pick(row.title), colSpan=3, scope="rowgroup"), html.Td(score_text(row.score), className="num")], className="dimension"))
        elif row.kind == "indicator":
            rows.append(_row(w, view, row))
    head = [(w("index.indicator"), ""), (w("index.made_of"), "num"), (w("index.goalposts"), "num"), (w("index.score"), "num")]
    card = html.P(w("index.method"), className="method")
    return [heading(w.pick(PANEL.title)), card, table(head, rows, "indicators"), strip(w, answer)]


def _row(w: Words, view: View, row: ScoreRow) -> html.Tr:
    name = html.Span([html.Span(w.pick(row.title)), html.Small(f"{row.id} {w.pick(row.formula) if row.formula and row.formula['zh'] else ''}")], className="indicator")
    if row.score is None:
        why = w.pick(row.lacks or NO_SCORE[row.no_score or "no_data"])
        return html.Tr([html.Td(name), html.Td(f"○ {why}", colSpan=3, className="lacks")])
    if row.no_score:
        why = f"○ {w.pick(NO_SCORE[row.no_score])}，{w('index.careful')}" if w.lang == "zh" else f"○ {w.pick(NO_SCORE[row.no_score])}; {w('index.careful')}"
        return html.Tr([html.Td(name), html.Td(why, colSpan=2, className="lacks"), html.Td(score_text(row.score), className="num")])
    made = f"{row.numerator or 0:g} / {row.denominator or 0:g} = {w.share(None if not row.denominator else (row.numerator or 0) / row.denominator)}"
    cases = cases_view(view, row.opens)
    shrunk = "" if row.own is None or row.own > 0.995 else w("index.shrunk", value=w.share(row.value), own=w.share(1 - row.own, 0))
    return html.Tr([html.Td(go(cases, name) if cases else name), html.Td([made, html.Small(shrunk)], className="num"),
                    html.Td(f"{100 * (row.floor or 0):g}→{100 * (row.target or 0):g} %", className="num"), html.Td(score_text(row.score), className="num")])


PANEL = Panel(id="index_method", title={"zh": "方法卡", "en": "How it is made"}, order=30, slots={"index": "middle"}, render=render)
