"""Report a case from the desk: what, where, whether it is urgent."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard import ids
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import button, field, words
from queries import outlines, places, scope
from queries.loop.steps import STEPS

#: Up to so many grids are offered while one types; a street has them, a city has too many.
OFFERED = 40


def render(context: Context, view: View) -> Any:
    """Draw the closed form; nothing for who only looks."""
    if context.actor.post not in STEPS["reported"].posts:
        return []
    w, city, ask = words(context, view), context.city(), context.ask(view)
    with context.store.read() as connection:
        place = places.find(connection, ask.place, ask.until, ask.scope)
        deepest = max((one.level for one in outlines.levels(connection)), default=0)
        grids = scope.visible_under(connection, ask.scope, place, deepest)

    def at(what: str) -> dict[str, Any]:
        return ids.fill(ids.REPORT, "", what)

    kinds = [{"label": w.name(one), "value": one.code} for one in city.categories]
    return html.Details([
        html.Summary(w("report.open"), className="button"),
        html.Div([
            field(w("case.category"), dcc.RadioItems(kinds, id=at("category"), className="radios columns")),
            field(w("report.title"), dcc.Input(id=at("title"), autoComplete="off", maxLength=200)),
            field(w("report.where"), dcc.Input(id=at("area"), autoComplete="off", list="own-grids",
                                               value=place.code if place.level == deepest else ""), w("report.where_hint")),
            html.Datalist([html.Option(value=f"{one.code} {w.name(one)}") for one in (grids if len(grids) <= OFFERED else ())], id="own-grids"),
            field(w("case.address"), dcc.Input(id=at("address"), autoComplete="off", maxLength=200)),
            dcc.Checklist([{"label": w("case.urgent"), "value": "urgent"}], [], id=at("urgent"), className="radios"),
            html.P("", id=ids.REPORT_WRONG, className="failed", role="alert"),
            button(w("report.send"), ids.REPORT_SEND, strong=True),
        ], className="report-form"),
    ], className="report")


PANEL = Panel(id="report", title={"zh": "上报", "en": "Report"}, order=5, slots={"street": "main", "grid": "main"}, render=render)
