"""From a button of the task list to its step: apply, review, approve, publish, end. Decides nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

from dash import ALL, MATCH, Dash, Input, Output, State, dcc, html, no_update, set_props

from dashboard import address, ids, past
from dashboard.acting import Acts, again
from dashboard.address import View
from dashboard.aside import aside
from dashboard.context import Context
from dashboard.panels._parts import act_button, button, field, words
from dashboard.words import Words
from queries.clock import day_end, moment
from queries.errors import GovError
from queries.loop import task_list

PLACE = (State(ids.URL, "pathname"), State(ids.URL, "search"))
#: Steps that must say why.
WHY = ("refuse", "end")
SPOT = "item"


def _item(context: Context, w: Words, view: View, told: dict[str, Any]) -> None:
    """Take an item one step on, or open the form that asks why."""
    code, step = str(told["code"]), str(told["step"])
    if step in WHY:
        set_props(ids.form(SPOT, code), {"children": _form(w, code, step)})
    else:
        _said(context, w, code, step, "")


def _form(w: Words, code: str, step: str) -> html.Div:
    title = w.pick(task_list.STEP_WORDS[step])
    return html.Div([
        field(w("list.why"), dcc.Input(id=ids.item_note(code, step), autoComplete="off", maxLength=500)),
        html.P("", id=ids.item_wrong(code, step), className="failed", role="alert"),
        html.Div([button(title, ids.item_send(code, step), strong=True), act_button(w("act.cancel"), {"do": "drop", "spot": SPOT, "no": code})], className="acts"),
    ], className="act-form", role="group", **{"aria-label": f"{title} {code}"})


def _said(context: Context, w: Words, code: str, step: str, note: str) -> None:
    to = task_list.move(context.store, context.actor, code, step, note)
    _done(w, code, step, to)


def _done(w: Words, code: str, step: str, to: str) -> None:
    said = [html.Strong(f"✓ {w.pick(task_list.STEP_WORDS[step])}"), html.Span(code), html.Span(w.pick(task_list.STATE_WORDS[to]))]
    set_props(ids.DONE, {"children": html.Div(said, className="done")})
    again("list")


ACTS: Acts = {"item": _item}


def add_callbacks(app: Dash, context: Context) -> None:
    """Add what the forms of the task list do."""
    @app.callback(Output(ids.item_wrong(MATCH, MATCH), "children"), Input(ids.item_send(MATCH, MATCH), "n_clicks"),
                  State(ids.item_note(MATCH, MATCH), "value"), State(ids.item_send(MATCH, MATCH), "id"), *PLACE, prevent_initial_call=True)
    @aside
    def send(clicks: int | None, why: str | None, sent: dict[str, Any], pathname: str | None, search: str | None) -> Any:
        if not clicks:
            return no_update
        view = address.read(pathname, search, context.language())[0]
        w = words(context, view)
        try:
            past.live_only(view)
            _said(context, w, sent["code"], sent["step"], (why or "").strip())
        except GovError as bad:
            return f"⚠ {bad.say(w.lang)}"
        return ""

    @app.callback(Output(ids.APPLY_WRONG, "children"), Input(ids.APPLY_SEND, "n_clicks"), State(ids.fill(ids.APPLY, "", ALL), "value"),
                  State(ids.fill(ids.APPLY, "", ALL), "id"), *PLACE, prevent_initial_call=True)
    @aside
    def apply(clicks: int | None, values: list[Any], fields: list[dict[str, Any]], pathname: str | None, search: str | None) -> Any:
        if not clicks:
            return no_update
        view = address.read(pathname, search, context.language())[0]
        w = words(context, view)
        told = {one["what"]: str(value or "").strip() for one, value in zip(fields, values, strict=True)}
        try:
            past.live_only(view)
            task_list.apply(
                context.store, context.actor, code=told["code"], title=told["title"], title_en=told["title_en"], department_code=told["department"],
                to=told["to"], category=told["category"], content=told["content"], basis=told["basis"], temporary=bool(told["until"]),
                ends_at=moment(day_end(date.fromisoformat(told["until"]), context.city().zone)) if told["until"] else None)
        except GovError as bad:
            return f"⚠ {bad.say(w.lang)}"
        _done(w, told["code"], "apply", "applied")
        return ""
