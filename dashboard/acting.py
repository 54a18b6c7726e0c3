"""From a button to the loop: hands orders to the writer and says what became of them. Decides nothing.

Every act is a callback, which browsers send as POST; no address does anything by being opened. What a browser
says it pressed is only a wish: post, place, step and case are checked where it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from dash import ALL, MATCH, Dash, Input, Output, State, ctx, html, no_update, set_props

from dashboard import address, ids, past
from dashboard.address import View
from dashboard.aside import aside
from dashboard.context import Context
from dashboard.panels import _desk, _forms
from dashboard.panels._parts import act_button, go, words
from dashboard.words import Words
from queries import places
from queries.clock import day_end, moment, now
from queries.errors import AskError, ConflictError, GovError
from queries.loop import desk, shift
from queries.loop.orders import Found, Order, Receipt
from queries.loop.steps import STATUS_WORDS, STEPS, WAITING_WORDS

PLACE = (State(ids.URL, "pathname"), State(ids.URL, "search"))


Acts = Mapping[str, Callable[[Context, Words, View, dict[str, Any]], None]]


def add_callbacks(app: Dash, context: Context, more: Acts) -> None:
    """Add what buttons and forms do; `more` = acts of other modules, by the name that a button tells."""
    acts = {**_ACTS, **more}

    @app.callback(Input(ids.PRESSED, "data"), *PLACE, prevent_initial_call=True)
    @aside
    def press(told: dict[str, Any] | None, pathname: str | None, search: str | None) -> None:
        view = address.read(pathname, search, context.settings.language)[0]
        if isinstance(told, dict) and told.get("do") in acts:
            w = words(context, view)
            try:
                past.live_only(view)
                acts[told["do"]](context, w, view, told)
            except GovError as bad:
                _refused(w, view, bad, str(told.get("no") or ""))

    @app.callback(Output(ids.wrong(MATCH, MATCH), "children"), Input(ids.send(MATCH, MATCH, ALL, ALL), "n_clicks"),
                  State(ids.fill(MATCH, MATCH, ALL), "value"), State(ids.send(MATCH, MATCH, ALL, ALL), "id"), *PLACE, prevent_initial_call=True)
    @aside
    def send(clicks: list[int | None], values: list[Any], sends: list[dict[str, Any]], pathname: str | None, search: str | None) -> Any:
        if not any(clicks):
            return no_update
        view, sent = address.read(pathname, search, context.settings.language)[0], sends[0]
        w, filled = words(context, view), _filled(values)
        try:
            past.live_only(view)
            _done(w, view, context.loop.writer.take(_order(context, sent, filled)), sent["step"])
        except ConflictError as bad:
            # What was typed is not lost with the form that no longer fits.
            _refused(w, view, bad, sent["no"], _text(filled, "reason"))
        except GovError as bad:
            return f"⚠ {bad.say(w.lang)}"
        set_props(ids.form(sent["spot"], sent["no"]), {"children": []})
        return ""

    _add_report(app, context)
    _add_shift(app, context)


def _step(context: Context, w: Words, view: View, told: dict[str, Any]) -> None:
    """Take a step, or open its form where it needs words."""
    no, name, seq = str(told["no"]), str(told["step"]), int(told["seq"])
    into = str(told.get("into") or "")
    if name in STEPS and not into and _forms.needed(STEPS[name], context.actor.post):
        spot = str(told["spot"])
        set_props(ids.form(spot, no), {"children": _forms.form(context, w, spot, no, STEPS[name], seq)})
        return
    _done(w, view, context.loop.writer.take(Order(actor=context.actor, no=no, step=name, into=into, expected=seq)), name)


def _more(context: Context, w: Words, view: View, told: dict[str, Any]) -> None:
    """Open the steps that are not on the line itself."""
    spot, no = str(told["spot"]), str(told["no"])
    row = desk.standing(context.store, context.actor, no).row.row
    set_props(ids.form(spot, no), {"children": _desk.more(context, w, spot, row)})


def _drop(context: Context, w: Words, view: View, told: dict[str, Any]) -> None:
    set_props(ids.form(str(told["spot"]), str(told["no"])), {"children": []})


def _settle(context: Context, w: Words, view: View, told: dict[str, Any]) -> None:
    shift.settle(context.store, context.actor, context.ask(view), int(told["line"]), bool(told["open"]))
    again("log")


_ACTS: Acts = {
    "step": _step, "more": _more, "drop": _drop, "settle": _settle}


def again(why: str) -> None:
    """Let the page be drawn again."""
    set_props(ids.PULSE, {"data": f"{why} {now().isoformat()}"})


def _filled(values: list[Any]) -> dict[str, Any]:
    return {held["id"]["what"]: value for held, value in zip(ctx.states_list[0], values, strict=True)}


def _add_report(app: Dash, context: Context) -> None:
    @app.callback(Output(ids.REPORT_WRONG, "children"), Input(ids.REPORT_SEND, "n_clicks"),
                  State(ids.fill(ids.REPORT, "", ALL), "value"), *PLACE, prevent_initial_call=True)
    @aside
    def report(clicks: int | None, values: list[Any], pathname: str | None, search: str | None) -> Any:
        if not clicks:
            return no_update
        view = address.read(pathname, search, context.settings.language)[0]
        w = words(context, view)
        told = _filled(values)
        try:
            past.live_only(view)
            receipt = context.loop.writer.report(Found(
                actor=context.actor, category=told.get("category") or "", title=_text(told, "title"), address=_text(told, "address"),
                area_code=_grid(context, view, _text(told, "area")), urgent=bool(told.get("urgent")), channel=w("report.channel")))
        except GovError as bad:
            return f"⚠ {bad.say(view.lang)}"
        _done(w, view, receipt, "reported")
        return ""


def _grid(context: Context, view: View, text: str) -> str:
    """Return the code of the grid that a code or a name means. Raises AskError."""
    code = text.split(" ")[0]
    with context.store.read() as connection:
        hits = places.search(connection, context.scope, code, context.ask(view).until, limit=6) if code else []
    exact = [one for one in hits if code in (one.code, one.name, one.name_en)] or hits
    if len(exact) != 1:
        names = "、".join(f"{one.name}（{one.code}）" for one in exact)
        raise AskError(f"{text!r} is no single place. {'Did you mean: ' + names if names else 'Type a code or a name'}.",
                       zh=f"“{text}”不是唯一的地点。{'您是指：' + names if names else '请输入编码或名称'}。")
    return exact[0].code


def _add_shift(app: Dash, context: Context) -> None:
    @app.callback(Output(ids.SHIFT_WRONG, "children"), Output(ids.SHIFT_TEXT, "value"), Input(ids.SHIFT_SEND, "n_clicks"),
                  Input(ids.SHIFT_TEXT, "n_submit"), State(ids.SHIFT_TEXT, "value"), *PLACE, prevent_initial_call=True)
    @aside
    def write(clicks: int | None, entered: int | None, text: str | None, pathname: str | None, search: str | None) -> Any:
        if not clicks and not entered:
            return no_update, no_update
        view = address.read(pathname, search, context.settings.language)[0]
        try:
            past.live_only(view)
            shift.write(context.store, context.actor, context.ask(view), text or "", address.write(view))
        except GovError as bad:
            return f"⚠ {bad.say(view.lang)}", no_update
        again("log")
        return "", ""


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
        said.append(act_button(w("act.undo"), {"do": "step", "no": receipt.no, "step": "undone", "seq": receipt.seq}, title=w("act.undo_why")))
    set_props(ids.DONE, {"children": html.Div(said, className="done")})
    again("done")


def _refused(w: Words, view: View, bad: GovError, no: str, typed: str = "") -> None:
    """Say why nothing was done; the page is drawn again, so that it shows what holds now."""
    kept = [html.Span(w("done.typed", text=typed))] if typed else []
    said = [html.Span(f"⚠ {bad.say(w.lang)}", className="warn"), go(view.but(case=no), w("done.look"), "drill") if no else "", *kept]
    set_props(ids.DONE, {"children": html.Div(said, className="done refused", role="alert")})
    again("refused")
