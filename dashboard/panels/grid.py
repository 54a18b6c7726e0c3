"""One grid whole, drawn from one answer; a place that is no grid offers what is below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _grid, _index_card
from dashboard.panels._desk import lines
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, nothing, strip, table, words
from dashboard.words import Words
from queries.loop import grid, grid_then

TITLES: dict[str, dict[str, str]] = {
    "index": {"zh": "治理指数", "en": "Governance index"}, "open": {"zh": "未结案件", "en": "Open cases"}, "figures": {"zh": "指标对照", "en": "Figures, against peers"},
    "closed": {"zh": "最近结案", "en": "Closed lately"}, "things": {"zh": "传感器与视频", "en": "Sensors and cameras"},
    "items": {"zh": "可进网格的事项", "en": "Work that may reach a grid"}, "repeats": {"zh": "反复发生点", "en": "Repeat places"},
    "neighbours": {"zh": "相邻网格", "en": "Neighbouring grids"},
}
COLUMNS = (("open",), ("index", "figures", "closed"), ("things", "items", "repeats", "neighbours"))


def render(context: Context, view: View) -> Any:
    """Draw the grid's parts, or the choice of one."""
    w, ask = words(context, view), context.ask(view)
    if not grid.is_grid(context.store, ask):
        return _choice(context, view, w)
    if ask.at is not None:
        return _then(context, view, w)
    answer = grid.grid(context.store, ask)
    one = answer.row
    parts = {
        "open": _open(context, w, view, one),
        "index": (_index_card.aside(w, view), _index_card.card(context, w, view)),
        "figures": (w("grid.figures_aside"), _grid.figures(w, view, one)),
        "closed": (w("grid.closed_aside", n=grid.BACK_D), _grid.closed(w, view, one)),
        "things": (_grid.things_aside(w, one), _grid.things(w, one)),
        "items": (go(view.but(scene="list", place=None, case="", measure="grid"), w("grid.whole_list"), "drill"), _grid.items(w, one)),
        "repeats": (w("grid.repeats_aside", n=grid.BACK_D), _grid.repeats(w, view, one)),
        "neighbours": (w("grid.n", n=len(one.neighbours)), _grid.neighbours(w, view, one)),
    }
    columns = [html.Div([_box(w, id_, *parts[id_]) for id_ in column], className="grid-column") for column in COLUMNS]
    return html.Div([html.Section(_grid.head(w, view, one), className="panel grid-head"), *columns, strip(w, answer)], className="grid-page")


def _open(context: Context, w: Words, view: View, one: Any) -> tuple[list[Any], Any]:
    late = html.Span(f"▲ {w('grid.n_overdue', n=one.n_overdue)}", className="act") if one.n_overdue else ""
    first = html.Span(w("desk.first", n=len(one.open))) if one.n_open > len(one.open) else ""
    return ([late, html.Span(w("grid.n_today", n=one.n_today)), html.Span(w.cases(one.n_open)), first],
            lines(context, w, view, one.open, "grid") if one.open else nothing(w, "grid.none_open"))


def _then(context: Context, view: View, w: Words) -> Any:
    """Draw the grid as it stood at a moment of the past; what keeps no history is left out, and said."""
    answer = grid_then.grid(context.store, context.ask(view))
    one = answer.row
    parts = {
        "open": _open(context, w, view, one),
        "figures": (w("grid.figures_aside"), _grid.figures(w, view, one)), "closed": (w("grid.closed_aside", n=grid.BACK_D), _grid.closed(w, view, one)),
        "things": (_grid.things_aside(w, one), _grid.things(w, one)),
        "items": (go(view.but(scene="list", place=None, case="", measure="grid"), w("grid.whole_list"), "drill"), _grid.items(w, one)),
        "repeats": (w("grid.repeats_aside", n=grid.BACK_D), _grid.repeats(w, view, one)), "neighbours": (w("grid.n", n=len(one.neighbours)), _grid.neighbours(w, view, one)),
    }
    columns = [html.Div([_box(w, id_, *parts[id_]) for id_ in column if id_ in parts], className="grid-column") for column in COLUMNS]
    return html.Div([html.Section(_grid.head(w, view, one), className="panel grid-head"), *columns, strip(w, answer)], className="grid-page then")


def _box(w: Words, id_: str, aside: Any, shown: Any) -> html.Section:
    return html.Section([heading(w.pick(TITLES[id_]), aside), shown], className=f"panel grid-{id_}", **{"aria-label": w.pick(TITLES[id_])})


def _choice(context: Context, view: View, w: Words) -> Any:
    answer = grid.choose(context.store, context.ask(view))
    rows = [html.Tr([html.Td(go(view.but(place=one.place.code, case=""), w.name(one.place), "drill")), html.Td(one.place.code, className="quiet"),
                     html.Td(w.n(one.n), className="num")]) for one in answer.rows]
    head: Sequence[tuple[str, str]] = [(w("children.place"), ""), (w("grid.code"), ""), (w("grid.open_now"), "num")]
    return html.Div([heading(w.pick(CHOOSE)), html.P(w("grid.is_none"), className="lead"), table(head, rows) if rows else nothing(w), strip(w, answer)],
                    className="panel grid-choice")


CHOOSE: Mapping[str, str] = {"zh": "请选择网格", "en": "Choose a grid"}
PANEL = Panel(id="grid", title={"zh": "全科网格", "en": "The whole grid"}, order=20, slots={"grid": "main"}, render=render, then=True)
