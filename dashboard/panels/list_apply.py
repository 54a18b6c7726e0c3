"""Apply for an item: what, whose, for whom, by what right, until when."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard import ids
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _items
from dashboard.panels._panel import Panel
from dashboard.panels._parts import button, field, words
from queries.loop import task_list


def render(context: Context, view: View) -> Any:
    """Draw the closed form; nothing for who may not apply."""
    actor = context.actor
    # Nobody applies in the past.
    if view.past or actor.post not in task_list.POSTS["apply"]:
        return []
    w, city = words(context, view), context.city()

    def at(what: str) -> dict[str, Any]:
        return ids.fill(ids.APPLY, "", what)

    def typed(what: str, hint: str = "", **more: Any) -> html.Label:
        return field(w(f"list.apply_{what}"), dcc.Input(id=at(what), autoComplete="off", maxLength=300, **more), hint)

    # A department applies for its own items only.
    whose = [{"label": w.name(d), "value": d.code} for d in city.departments if actor.post != "department" or d.code == actor.department]
    kinds = [{"label": w("list.no_category"), "value": ""}, *({"label": w.name(c), "value": c.code} for c in city.categories)]
    to = [{"label": w.pick(both), "value": key} for key, both in _items.TO.items()]
    own = actor.department if actor.post == "department" else None
    return html.Details([
        html.Summary(w("list.apply"), className="button"),
        html.Div([
            typed("code"), typed("title"), typed("title_en"),
            field(w("case.department"), dcc.RadioItems(whose, own, id=at("department"), className="radios columns")),
            field(w("list.to"), dcc.RadioItems(to, "department", id=at("to"), className="radios row")),
            field(w("case.category"), dcc.RadioItems(kinds, "", id=at("category"), className="radios columns"), w("list.category_hint")),
            typed("content"), typed("basis", w("list.basis_hint")), typed("until", w("list.until_hint"), type="date"),
            html.P("", id=ids.APPLY_WRONG, className="failed", role="alert"), button(w("list.apply"), ids.APPLY_SEND, strong=True),
        ], className="report-form"),
    ], className="report")


PANEL = Panel(id="list_apply", title={"zh": "申请事项", "en": "Apply for an item"}, order=10, slots={"list": "main"}, render=render, then=True)
