"""From a button to the loop: hands orders to the writer and says what became of them. Decides nothing.

Every act is a callback, which browsers send as POST; no address does anything by being opened.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from dash import ALL, MATCH, Dash, Input, Output, State, ctx, html, no_update, set_props

from dashboard import address, ids
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _forms
from dashboard.panels._parts import button, go, words
from dashboard.words import Words
from queries.clock import day_end, moment, now
from queries.errors import ConflictError, GovError
from queries.loop import shift
from queries.loop.orders import Found, Order, Receipt
from queries.loop.steps import STATUS_WORDS, STEPS, WAITING_WORDS

PLACE = (State(ids.URL, "pathname"), State(ids.URL, "search"))


def add_callbacks(app: Dash, context: Context) -> None:
    """Add what buttons and forms do."""
    def seen(pathname: str | None, search: str | None) -> tuple[View, Words]:
        view = address.read(pathname, search, context.settings.language)[0]
        return view, words(context, view)

    @app.callback(Output(ids.form(MATCH, MATCH), "children"), Input(ids.act(MATCH, MATCH, ALL, ALL), "n_clicks"), *PLACE,
                  prevent_initial_call=True)
    def press(clicks: list[int | None], pathname: str | None, search: str | None) -> Any:
        pressed = ctx.triggered_id
        if not any(clicks) or not pressed or not ctx.triggered[0]["value"]:
            return no_update
        view, w = seen(pathname, search)
        step = STEPS[pressed["step"]]
        try:
            if _forms.needed(step, context.actor.post):
                return _forms.form(context, w, pressed["spot"], pressed["no"], step, pressed["seq"])
            _done(w, view, context.loop.writer.take(
                Order(actor=context.actor, no=pressed["no"], step=step.id, expected=pressed["seq"])), step.id)
        except GovError as bad:
            _refused(w, view, bad, pressed["no"])
        return []

    @app.callback(Output(ids.wrong(MATCH, MATCH), "children"), Input(ids.send(MATCH, MATCH, ALL, ALL), "n_clicks"),
                  State(ids.fill(MATCH, MATCH, ALL), "value"), State(ids.send(MATCH, MATCH, ALL, ALL), "id"), *PLACE, prevent_initial_call=True)
    def send(clicks: list[int | None], values: list[Any], sends: list[dict[str, Any]],
             pathname: str | None, search: str | None) -> Any:
        if not any(clicks):
            return no_update
        view, w = seen(pathname, search)
        sent = sends[0]
        told = {held["id"]["what"]: value for held, value in zip(ctx.states_list[0], values, strict=True)}
        try:
            _done(w, view, context.loop.writer.take(_order(context, sent, told)), sent["step"])
        except ConflictError as bad:
            # What was typed is not lost with the form that no longer fits.
            _refused(w, view, bad, sent["no"], str(told.get("reason") or ""))
        except GovError as bad:
            return f"⚠ {bad.say(w.lang)}"
        return ""

    @app.callback(Output(ids.form(MATCH, MATCH), "children", allow_duplicate=True), Input(ids.drop(MATCH, MATCH), "n_clicks"),
                  prevent_initial_call=True)
    def drop(clicks: int | None) -> Any:
        return [] if clicks else no_update

    @app.callback(Output(ids.DONE, "children"), Input(ids.undo(ALL, ALL), "n_clicks"), *PLACE, prevent_initial_call=True)
    def undo(clicks: list[int | None], pathname: str | None, search: str | None) -> Any:
        pressed = ctx.triggered_id
        if not any(clicks) or not pressed:
            return no_update
        view, w = seen(pathname, search)
        try:
            _done(w, view, context.loop.writer.take(
                Order(actor=context.actor, no=pressed["no"], step="undone", expected=pressed["seq"])), "undone")
        except GovError as bad:
            _refused(w, view, bad, pressed["no"])
        return no_update

    @app.callback(Output(ids.DONE, "children", allow_duplicate=True), Input(ids.merge(ALL, ALL, ALL), "n_clicks"), *PLACE,
                  prevent_initial_call=True)
    def merge(clicks: list[int | None], pathname: str | None, search: str | None) -> Any:
        pressed = ctx.triggered_id
        if not any(clicks) or not pressed:
            return no_update
        view, w = seen(pathname, search)
        try:
            _done(w, view, context.loop.writer.take(Order(
                actor=context.actor, no=pressed["no"], step="merged", into=pressed["into"], expected=pressed["seq"])), "merged")
        except GovError as bad:
            _refused(w, view, bad, pressed["no"])
        return no_update

    _add_report(app, context)
    _add_shift(app, context)


def _add_report(app: Dash, context: Context) -> None:
    @app.callback(Output(ids.REPORT_WRONG, "children"), Input(ids.REPORT_SEND, "n_clicks"),
                  State(ids.fill(ids.REPORT, "", ALL), "value"), *PLACE, prevent_initial_call=True)
    def report(clicks: int | None, values: list[Any], pathname: str | None, search: str | None) -> Any:
        if not clicks:
            return no_update
        view = address.read(pathname, search, context.settings.language)[0]
        w = words(context, view)
        told = {held["id"]["what"]: value for held, value in zip(ctx.states_list[0], values, strict=True)}
        try:
            receipt = context.loop.writer.report(Found(
                actor=context.actor, category=told.get("category") or "", title=_text(told, "title"), address=_text(told, "address"),
                area_code=_text(told, "area").split(" ")[0], urgent=bool(told.get("urgent")), channel=w("report.channel")))
        except GovError as bad:
            return f"⚠ {bad.say(view.lang)}"
        _done(w, view, receipt, "reported")
        return ""


def _add_shift(app: Dash, context: Context) -> None:
    @app.callback(Output(ids.SHIFT_WRONG, "children"), Output(ids.SHIFT_TEXT, "value"), Input(ids.SHIFT_SEND, "n_clicks"),
                  Input(ids.SHIFT_TEXT, "n_submit"), State(ids.SHIFT_TEXT, "value"), *PLACE, prevent_initial_call=True)
    def write(clicks: int | None, entered: int | None, text: str | None, pathname: str | None, search: str | None) -> Any:
        if not clicks and not entered:
            return no_update, no_update
        view = address.read(pathname, search, context.settings.language)[0]
        try:
            shift.write(context.store, context.actor, context.ask(view), text or "", address.write(view))
        except GovError as bad:
            return f"⚠ {bad.say(view.lang)}", no_update
        set_props(ids.PULSE, {"data": f"log {now().isoformat()}"})
        return "", ""

    @app.callback(Output(ids.SHIFT_WRONG, "children", allow_duplicate=True), Input(ids.shift(ALL, ALL), "n_clicks"), *PLACE,
                  prevent_initial_call=True)
    def settle(clicks: list[int | None], pathname: str | None, search: str | None) -> Any:
        pressed = ctx.triggered_id
        if not any(clicks) or not pressed:
            return no_update
        view = address.read(pathname, search, context.settings.language)[0]
        try:
            shift.settle(context.store, context.actor, context.ask(view), pressed["line"], bool(pressed["open"]))
        except GovError as bad:
            return f"⚠ {bad.say(view.lang)}"
        set_props(ids.PULSE, {"data": f"log {now().isoformat()}"})
        return ""


def _order(context: Context, sent: dict[str, Any], told: dict[str, Any]) -> Order:
    """Return what a form says, as an order."""
    called = told.get("departments") or []
    details: dict[str, Any] = {"departments": called} if called else {}
    if told.get("stars"):
        details["stars"] = told["stars"]
    if "answers" in told:
        details |= dict.fromkeys(told["answers"] or [], True)
    until = _text(told, "until")
    return Order(
        actor=context.actor, no=sent["no"], step=sent["step"], expected=sent["seq"], details=details,
        department=told.get("department") or (called[0] if called else ""), reason=_text(told, "reason"), note=_text(told, "note"),
        into=_text(told, "into"), until=moment(day_end(date.fromisoformat(until), context.city().zone)) if until else None)


def _text(told: dict[str, Any], key: str) -> str:
    return str(told.get(key) or "").strip()[:1000]


def _done(w: Words, view: View, receipt: Receipt, step: str) -> None:
    """Say what was done, offer to take it back where the rules allow, and let the page be drawn again."""
    said: list[Any] = [html.Strong(f"✓ {w.pick(STEPS[step].title)}"), go(view.but(case=receipt.no), receipt.no, "drill"),
                       html.Span(w.pick(STATUS_WORDS[receipt.status]))]
    if receipt.waiting:
        said.append(html.Span(w("done.waits", who=w.pick(WAITING_WORDS[receipt.waiting]))))
    said += [html.Span(f"▲ {w.pick(words_)}", className="warn") for words_ in receipt.proposals]
    if receipt.likely_repeats:
        said.append(html.Span([w("done.repeats"), *[go(view.but(case=no), no, "drill") for no in receipt.likely_repeats[:3]]], className="warn"))
    if STEPS[step].undo:
        said.append(button(w("act.undo"), ids.undo(receipt.no, receipt.seq), title=w("act.undo_why")))
    set_props(ids.DONE, {"children": html.Div(said, className="done")})
    set_props(ids.PULSE, {"data": f"event {receipt.event_id}"})


def _refused(w: Words, view: View, bad: GovError, no: str, typed: str = "") -> None:
    """Say why nothing was done; the page is drawn again, so that it shows what holds now."""
    kept = [html.Span(w("done.typed", text=typed))] if typed else []
    said = [html.Span(f"⚠ {bad.say(w.lang)}", className="warn"), go(view.but(case=no), w("done.look"), "drill"), *kept]
    set_props(ids.DONE, {"children": html.Div(said, className="done refused", role="alert")})
    set_props(ids.PULSE, {"data": f"refused {no} {id(bad)}"})
