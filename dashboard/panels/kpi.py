"""The standards' figures: each with numerator, denominator, definition, and two comparisons.

A tile opens what it is about: the areas ranked by it, the map coloured by it, its cases in the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

import layers
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import nothing, strip, tile, words
from dashboard.words import Words
from queries import kpi
from queries.figures import Tile
from queries.frame import Filters
from queries.periods import previous

#: A change for the worse is coloured from this share on (of the value before; rates: in points).
NOTABLE, NOTABLE_POINTS = 0.1, 0.01


def render(context: Context, view: View) -> Any:
    """Draw the tiles."""
    w = words(context, view)
    answer = kpi.tiles(context.store, context.ask(view))
    if not answer.rows:
        return [nothing(w), strip(w, answer)]
    # What no tile has is said once below them, not in each of them.
    has = {what: any(getattr(one, what) is not None for one in answer.rows) for what in ("value", "previous", "last_year")}
    tiles = [_tile(w, view, one, has) for one in answer.rows]
    before = previous(*context.days(view))
    against = w("kpi.against", since=w.day(before.since), until=w.day(before.until))
    said = [] if has["value"] else [html.Span(w("kpi.no_values"), className="warn")]
    said.append(html.Span(against if has["previous"] else w("kpi.no_previous")))
    if not has["last_year"]:
        said.append(html.Span(w("kpi.no_last_year")))
    foot = strip(w, answer)
    foot.children = [*said, *foot.children] if isinstance(foot.children, list) else [*said, html.Span(foot.children)]
    return [html.Div(tiles, className="tiles by-year" if has["last_year"] else "tiles"), foot]


def about(view: View, one: Tile) -> View:
    """Return the view of what a figure is about: its ranking, its map layer, its cases."""
    layer = next((n.id for n in layers.found().values() if n.figure == one.id), view.layer)
    kept = view.filters
    opens = one.opens or Filters()
    filters = Filters(categories=kept.categories, departments=kept.departments, text=kept.text,
                      overdue=opens.overdue, open_only=opens.open_only)
    return view.but(measure=one.id, layer=layer, filters=filters)


def _tile(w: Words, view: View, one: Tile, has: dict[str, bool]) -> Any:
    bad = one.id == "overdue" and bool(one.value)
    text, unit = _value(w, one)
    value = html.Span(
        [("▲ " if bad else "") + text, html.Small(unit) if unit else ""],
        className="tile-value" + (" missing" if one.value is None else "") + (" act" if bad else ""),
    )
    if one.value is None:
        made = w("kpi.no_value") if has["value"] else ""
    elif one.unit == "n":
        made = w("kpi.was", value=w.n(one.previous)) if one.previous is not None else ""
    else:
        made = w("kpi.of_n", n=w.n(one.numerator)) if one.denominator is None else f"{w.n(one.numerator)} / {w.n(one.denominator)}"
    changes = [change(w, one, getattr(one, what), f"kpi.{what}") for what in ("previous", "last_year") if has[what]]
    return tile(
        w.pick(one.title), value, made, html.Span(changes, className="changes"),
        f"{w.pick(one.definition)} {w('kpi.opens')}", about(view, one), view.measure == one.id, f"tile-{one.id}",
    )


def _value(w: Words, one: Tile) -> tuple[str, str]:
    text = w.value(one.value, one.unit)
    if one.unit == "h" and one.value is not None:
        number, _, unit = text.partition(" ")
        return number, unit
    return text, ""


def change(w: Words, one: Tile, before: float | None, key: str) -> html.Span:
    """Return a change in words: arrow, size, better or worse; quiet when there is nothing to compare."""
    label = w(key)
    if one.value is None or before is None:
        return html.Span(f"{label} —", className="tile-change none", title=w("kpi.no_compare"))
    step = one.value - before
    if one.unit == "%":
        size, text, much = abs(step) * 100, w("kpi.points", n=f"{abs(step) * 100:.1f}"), abs(step) >= NOTABLE_POINTS
    elif before:
        size, text, much = abs(step / before) * 100, _percent(step / before), abs(step / before) >= NOTABLE
    else:
        size, text, much = abs(step), w.value(abs(step), one.unit), True
    was = w("kpi.was", value=w.value(before, one.unit))
    if size < 0.05:
        return html.Span(f"{label} ＝ {w('kpi.same')}", className="tile-change", title=was)
    worse = one.good is not None and (one.good == "up") != (step > 0)
    verdict = "" if one.good is None else w("kpi.worse" if worse else "kpi.better")
    return html.Span(f"{label} {'▲' if step > 0 else '▼'} {text} {verdict}".strip(),
                     className="tile-change worse" if worse and much else "tile-change", title=was)


def _percent(share: float) -> str:
    # "534.6 %" is read slower than "6.3 times".
    return f"×{share + 1:.1f}" if share >= 1 else f"{abs(share) * 100:.1f}%"


def compared(w: Words, tiles: Sequence[Tile]) -> list[Any]:
    """Return short changes of some figures against the period before, for a panel's heading."""
    return [html.Span(f"{w.pick(t.title)} {change(w, t, t.previous, 'kpi.previous').children}", className="compared")
            for t in tiles if t.previous is not None]


PANEL = Panel(id="kpi", title={"zh": "核心指标", "en": "Key figures"}, order=10, slots={"leader": "top"}, render=render, then=True)
