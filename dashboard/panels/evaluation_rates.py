"""The three rates and what else says whether the loop works; a tile opens the cases that count against it."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import heading, nothing, strip, tile, words
from dashboard.words import Words
from queries.loop import evaluate
from queries.loop.evaluate import EvaluationRow

MONTH = {"zh": "本考核月 {}", "en": "this month {}"}
AGAINST = {"zh": "{} 件待看", "en": "{} to look at"}
FEW = {"zh": "样本少", "en": "few"}
UNTOLD = {"zh": "期内没有这类操作的记录；没有记录不等于零", "en": "no such steps were recorded in the period; that is not zero"}


def render(context: Context, view: View) -> Any:
    """Draw the tiles."""
    w = words(context, view)
    ask = context.ask(view)
    answer, month = evaluate.evaluation(context.store, ask), evaluate.month(context.store, ask)
    if not answer.rows:
        return [heading(w.pick(PANEL.title)), nothing(w)]
    by_month = {row.id: row for row in month.rows}
    tiles = [_tile(w, view, row, by_month.get(row.id)) for row in answer.rows]
    aside = w.pick(month.notes[0]) if all(r.value is not None for r in answer.rows[:4]) else w.pick(UNTOLD)
    return [heading(w.pick(PANEL.title), aside), html.Div(tiles, className="tiles evaluation-tiles"), strip(w, answer)]


def _tile(w: Words, view: View, row: EvaluationRow, month: EvaluationRow | None) -> Any:
    rate = row.denominator is not None
    text = w.value(row.value, "%" if rate else "n")
    value = html.Span(text, className="tile-value missing" if row.value is None else "tile-value")
    made = "" if row.value is None or not rate else f"{_number(w, row.numerator)} / {w.n(row.denominator)}" if row.numerator is not None else f"n = {w.n(row.n)}"
    if row.few and row.value is not None:
        made += f" · {w.pick(FEW)}"
    said = []
    if month is not None and month.value is not None:
        said.append(w.pick(MONTH).format(w.share(month.value)))
    if row.against:
        said.append(w.pick(AGAINST).format(w.n(row.against)))
    return tile(w.pick(row.title), value, made, html.Span(" · ".join(said), className="tile-change"), w.pick(row.definition),
                view.but(measure=row.id), view.measure == row.id, f"rate-{row.id}")


def _number(w: Words, value: float | None) -> str:
    return w.n(value) if value is None or float(value).is_integer() else f"{value:,.1f}"


PANEL = Panel(id="evaluation_rates", title={"zh": "三率与办理质量", "en": "Three rates and quality of handling"}, order=20,
              slots={"evaluation": "top"}, render=render, then=True)
