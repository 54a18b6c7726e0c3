"""The standards' figures: each with numerator, denominator, definition, and two comparisons."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, strip, words
from dashboard.words import Words
from queries import kpi
from queries.figures import Tile


def render(context: Context, view: View) -> Any:
    """Draw the tiles."""
    w = words(context, view)
    answer = kpi.tiles(context.store, context.ask(view))
    tiles = [_tile(w, view, tile) for tile in answer.rows] or [nothing(w)]
    return [heading(w.pick(PANEL.title)), html.Div(tiles, className="tiles"), strip(w, answer)]


def _tile(w: Words, view: View, tile: Tile) -> html.Div:
    bad = tile.id == "overdue" and bool(tile.value)
    value: Any = html.Span(
        ("▲ " if bad else "") + w.value(tile.value, tile.unit),
        className="tile-value" + (" missing" if tile.value is None else "") + (" act" if bad else ""),
    )
    if tile.opens is not None and tile.value is not None:
        value = go(view.but(filters=tile.opens), value, "tile-open", w("kpi.open_list"))
    if tile.unit == "n":
        made = ""
    elif tile.denominator is None:
        made = w("kpi.of_n", n=w.n(tile.numerator))
    else:
        made = f"{w.n(tile.numerator)} / {w.n(tile.denominator)}"
    return html.Div(
        [
            html.Details(
                [html.Summary([w.pick(tile.title), html.Span("ⓘ", className="info")]),
                 html.P(w.pick(tile.definition), className="definition")],
                className="tile-title",
            ),
            value,
            html.Span(w("kpi.no_value") if tile.value is None else made, className="tile-made"),
            html.Div(
                [_change(w, tile, tile.previous, "kpi.previous"), _change(w, tile, tile.last_year, "kpi.last_year")],
                className="tile-changes",
            ),
        ],
        className="tile", **{"data-kpi": tile.id},
    )


def _change(w: Words, tile: Tile, before: float | None, key: str) -> html.Span:
    label = w(key)
    if tile.value is None or before is None:
        return html.Span(f"{label} {w('kpi.no_compare')}", className="change none")
    step = tile.value - before
    if tile.unit == "%":
        size, text = abs(step) * 100, w("kpi.points", n=f"{abs(step) * 100:.1f}")
    elif before:
        size, text = abs(step / before) * 100, f"{abs(step / before) * 100:.1f}%"
    else:
        size, text = abs(step), w.value(abs(step), tile.unit)
    if size < 0.05:
        return html.Span(f"{label} ＝ {w('kpi.same')}", className="change", title=w.value(before, tile.unit))
    arrow = "▲" if step > 0 else "▼"
    worse = tile.good is not None and (tile.good == "up") != (step > 0)
    verdict = "" if tile.good is None else w("kpi.worse" if worse else "kpi.better")
    return html.Span(
        f"{label} {arrow} {text} {verdict}".strip(),
        className="change" + (" worse" if worse else ""),
        title=w("kpi.was", value=w.value(before, tile.unit)),
    )


PANEL = Panel(
    id="kpi", title={"zh": "核心指标", "en": "Key figures"}, order=10,
    slots={"leader": "top"}, render=render,
)
