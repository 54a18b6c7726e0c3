"""The time cursor on screen: live, playback and drill, always said; what is real while a drill runs; no acting in the past."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import badge, go, heading, words
from dashboard.words import Words
from queries import cursor
from queries.clock import now, stamp
from queries.errors import AskError, GovError, StepError
from queries.serious import serious

#: Real serious events that the banner names; more are counted.
NAMED = 3
#: Steps of the control in minutes, with the keys that take them (assets/63-cursor.js).
STEPS = ((-60, "−1 h", "{"), (-15, "−15′", "["), (-1, "−1′", ","), (1, "+1′", "."), (15, "+15′", "]"), (60, "+1 h", "}"))
SPEEDS = (1, 60, 600)


def only_now(context: Context, view: View, panel: Panel) -> Any:
    """Return what a panel that knows nothing of the past shows there: that it does not, and never what holds now."""
    w = words(context, view)
    if set(panel.slots.values()) & {"drawer", "call", "beside", "eyes"}:
        return []
    return [heading(w.pick(panel.title)), html.P(f"○ {w('when.only_now')}", className="empty"), html.Footer(html.B(w.when, className="then"), className="strip")]


def live_only(view: View) -> None:
    """Refuse an act on a screen of the past. Raises StepError."""
    if view.drill:
        raise StepError("This is a drill: nothing is done to real cases from it. Go back to live to act.", zh="当前为演练画面，不能对真实案件进行操作；请返回实时。")
    if view.past:
        raise StepError("This screen shows a moment of the past. Go back to live to act.", zh="当前为回放画面，不能操作；请返回实时。")


def live(view: View) -> View:
    """Return the same screen, live."""
    return view.but(at="", drill="", after="")


def bar(context: Context, view: View) -> Any:
    """Return the control: which moment, step, play, drill, and the way back. assets/63-cursor.js moves it."""
    w, present = words(context, view), now()
    zone = context.city().zone
    told = {"data-now": str(stamp(present)), "data-local": f"{present.astimezone(zone):%Y-%m-%dT%H:%M:%S}", "data-drill-word": w("drill.watermark")}
    if not view.past:
        begin = html.Button(f"◷ {w('when.replay')}", type="button", className="button", title=w("when.replay_why"), **{"data-cursor": "begin"})
        # A screen that hears nothing is not live, and must not say so (assets/60-pulse.js).
        return html.Div([html.Strong(w.when, className="when", **{"data-deaf": f"○ {w('when.deaf')}"}), begin], className="cursor in-live", role="status", **told)
    at = context.cursor(view)
    assert at is not None
    parts: list[Any] = [html.Strong(w.when, className="when")]
    try:
        context.moment(view)
    except AskError as bad:
        parts.append(html.Span(f"⚠ {bad.say(w.lang)}", className="warn", role="alert"))
    if held := cursor.drill(view.drill):
        over = cursor.of_drill(held, zone)[1]
        parts.append(html.Span(w("drill.over") if over else w("drill.speed", n=held.speed), className="quiet"))
        parts.append(html.Span(w("drill.nothing_written"), className="quiet"))
    else:
        parts += _control(w, at.strftime("%Y-%m-%d"), 60 * at.hour + at.minute)
    parts.append(go(live(view), f"● {w('when.back')}", "button back", w("when.back_why")))
    return html.Div(parts, className=f"cursor {'in-drill' if view.drill else 'in-past'}", role="status", **told, **{"data-at": f"{at:%Y-%m-%dT%H:%M:%S}"})


def _control(w: Words, day: str, minute: int) -> list[Any]:
    steps = [html.Button(text, type="button", className="button", title=key, **{"data-cursor": "step", "data-by": str(by)}) for by, text, key in STEPS]
    play = [html.Button(f"▶ {n}×", type="button", className="button", title="p" if n == 60 else None, **{"data-cursor": "play", "data-speed": str(n)}) for n in SPEEDS]
    return [
        html.Span("", className="day", **{"data-day": day, "data-label": w("when.day")}), html.Span(steps[:3], className="steps"),
        html.Span("", className="minute", **{"data-minute": str(minute), "data-label": w("when.minute")}), html.Span(steps[3:], className="steps"),
        html.Span([*play, html.Button("‖", type="button", className="button", title=w("when.stop"), **{"data-cursor": "stop"})], className="plays"),
        html.Button(w("drill.begin"), type="button", className="button", title=w("drill.begin_why"), **{"data-cursor": "drill"}),
    ]


def real(context: Context, view: View) -> Any:
    """Return the banner of what is serious now, in truth, while a screen shows the past or a drill; nothing on a live one."""
    if not view.past:
        return []
    w, now_ = words(context, view), live(view)
    try:
        answer = serious(context.store, context.ask(now_.but(place=None)))
    except GovError as bad:
        return html.Div(f"⚠ {bad.say(w.lang)}", className="real", role="alert")
    if not answer.rows:
        return []
    shown: list[Any] = [html.Strong(f"▲ {w('when.real')}")]
    for one in answer.rows[:NAMED]:
        shown.append(go(now_.but(case=one.case, place=one.place or None), [badge(w.pick(one.what), "act"), w.pick(one.place_name), " ", html.B(w.pick(one.title)), " ", w.short(one.at)], "event"))
    more = (answer.total or 0) - len(shown) + 1
    if more > 0:
        shown.append(html.Span(w("wall.more", n=w.n(more))))
    return html.Div(shown, className="real", role="alert", **{"data-real": " ".join(one.id for one in answer.rows)})


