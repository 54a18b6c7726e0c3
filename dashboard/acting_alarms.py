"""From a button of an alarm to what is done about it. Decides nothing."""

from __future__ import annotations

from typing import Any

from dash import ALL, MATCH, Dash, Input, Output, State, dcc, html, no_update, set_props

from dashboard import address, ids, past
from dashboard.acting import PLACE, Acts, again
from dashboard.address import View
from dashboard.aside import aside
from dashboard.context import Context
from dashboard.panels._parts import act_button, button, field, go, words
from dashboard.words import Words
from queries.alarms import acts, sound
from queries.errors import AskError, GovError

#: What each act asks for before it is done.
ASKS = {"shelve": ("reason", "minutes"), "false": ("reason",), "case": ("title",), "real": ("note",)}


def _alarm(context: Context, w: Words, view: View, told: dict[str, Any]) -> None:
    """Do it, or open the form where it needs words."""
    number, act = int(told["id"]), str(told["act"])
    if act in ASKS:
        set_props(ids.alarm_form(number), {"children": _form(w, number, act)})
        return
    ask = context.ask(view)
    if act == "ack":
        acts.acknowledge(context.store, context.actor, ask, number)
    elif act == "unshelve":
        acts.take_back(context.store, context.actor, ask, number)
    else:
        raise AskError(f"{act[:40]!r} is nothing that can be done about an alarm.", zh="无此操作。")
    _done(w, act, number, "")


def _form(w: Words, number: int, act: str) -> html.Div:
    fields = [field(w("alarm_ask." + what), dcc.Input(id=ids.alarm_fill(number, what), type="number" if what == "minutes" else "text", value=30 if what == "minutes" else None,
                                                      min=1, max=acts.LONGEST_MIN, autoComplete="off", maxLength=acts.REASON) if what == "minutes" else
                    dcc.Input(id=ids.alarm_fill(number, what), autoComplete="off", maxLength=acts.REASON)) for what in ASKS[act]]
    return html.Div([
        *fields, html.P("", id=ids.alarm_wrong(number), className="failed", role="alert"),
        html.Div([button(w("alarm_act." + act), ids.alarm_send(number, act), strong=True), act_button(w("act.cancel"), {"do": "drop", "spot": "alarm", "no": str(number)})], className="acts"),
    ], className="act-form", role="group", **{"aria-label": w("alarm_act." + act)})


def _done(w: Words, act: str, number: int, said: Any) -> None:
    set_props(ids.DONE, {"children": html.Div([html.Strong(f"✓ {w('alarm_act.' + act)}"), html.Span(f"#{number}"), said], className="done")})
    again("alarm")


def _sound(context: Context, w: Words, view: View, told: dict[str, Any]) -> None:
    sound.heard(context.store, context.actor)
    again("sound")


ACTS: Acts = {"alarm": _alarm, "alarm-sound": _sound}


def add_callbacks(app: Dash, context: Context) -> None:
    """Add what the forms of alarms do."""
    @app.callback(Output(ids.alarm_wrong(MATCH), "children"), Input(ids.alarm_send(MATCH, ALL), "n_clicks"), State(ids.alarm_fill(MATCH, ALL), "value"),
                  State(ids.alarm_fill(MATCH, ALL), "id"), State(ids.alarm_send(MATCH, ALL), "id"), *PLACE, prevent_initial_call=True)
    @aside
    def send(clicks: list[int | None], values: list[Any], fields: list[dict[str, Any]], sends: list[dict[str, Any]], pathname: str | None, search: str | None) -> Any:
        if not any(clicks):
            return no_update
        view = address.read(pathname, search, context.language())[0]
        w = words(context, view)
        told = {one["what"]: value for one, value in zip(fields, values, strict=True)}
        number, act = int(sends[0]["no"]), str(sends[0]["act"])
        try:
            past.live_only(view)
            said = _carried(context, view, number, act, told)
        except GovError as bad:
            return f"⚠ {bad.say(w.lang)}"
        _done(w, act, number, said)
        return ""


def _carried(context: Context, view: View, number: int, act: str, told: dict[str, Any]) -> Any:
    ask, store, actor = context.ask(view), context.store, context.actor
    text = {name: str(value or "").strip() for name, value in told.items()}
    if act == "shelve":
        acts.put_aside(store, actor, ask, number, int(told.get("minutes") or 0), text.get("reason", ""))
    elif act == "case":
        receipt = acts.make_case(context.loop.writer, store, actor, ask, number, text.get("title", ""))
        return go(view.but(case=receipt.no, thing=""), receipt.no, "drill")
    elif act in ("real", "false"):
        acts.settle(store, actor, ask, number, act, text.get("reason", "") or text.get("note", ""))
    return ""
