"""What the loop costs the front line, from logs alone."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import heading, scroll, strip, table, tile, words
from dashboard.words import Words
from queries.loop import burden
from queries.loop.burden import BurdenRow, TaskRow

ASIDE = {"zh": "只取自日志，不另填表；不计个人", "en": "from logs, never from a form; of nobody in person"}
HEAD = ({"zh": "从催派到答复（工作时间）", "en": "From prompt to answer (working time)"}, {"zh": "中位", "en": "median"}, {"zh": "九成内", "en": "9 in 10"},
        {"zh": "n", "en": "n"}, {"zh": "未答复", "en": "waiting"})
CASE = {"zh": "{:.1f} 步", "en": "{:.1f}"}


def render(context: Context, view: View) -> Any:
    """Draw the strip and the table of tasks."""
    w = words(context, view)
    answer = burden.burden(context.store, context.ask(view))
    tiles = html.Div([_tile(w, row) for row in answer.rows], className="tiles burden-tiles")
    if view.scene == "wall":  # a strip: its tasks are read at a desk
        return [heading(w.pick(PANEL.title), w.pick(ASIDE)), tiles, strip(w, answer)]
    tasks = burden.minutes(context.store, context.ask(view))
    css = ("", "num", "num", "num", "num")
    rows = [_task(w, row) for row in tasks.rows]
    shown = [table([(w.pick(word), name) for word, name in zip(HEAD, css, strict=True)], rows)] if rows else []
    return [heading(w.pick(PANEL.title), w.pick(ASIDE)), scroll([tiles, *shown]), strip(w, answer)]


def _tile(w: Words, row: BurdenRow) -> Any:
    text = "—" if row.value is None else w.pick(CASE).format(row.value) if row.unit == "x" else w.value(row.value, row.unit)
    made = "" if row.denominator is None or row.value is None else f"{w.n(row.numerator)} / {w.n(row.denominator)}"
    acts = row.id == "refused" and bool(row.value)
    value = html.Span(f"▲ {text}" if acts else text, className="tile-value" + (" missing" if row.value is None else " watch" if acts else ""))
    return tile(w.pick(row.title), value, made, "", w.pick(row.definition))


def _task(w: Words, row: TaskRow) -> html.Tr:
    return html.Tr([html.Td(w.pick(row.title)), html.Td(w.length(row.median_min * 60), className="num"), html.Td(w.length(row.p90_min * 60), className="num"),
                    html.Td(w.n(row.n), className="num quiet"), html.Td(w.n(row.waiting), className="num quiet")])


PANEL = Panel(id="burden", title={"zh": "基层减负", "en": "Burden of the front line"}, order=20, slots={"evaluation": "right"}, render=render, then=True)
