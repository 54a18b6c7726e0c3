"""One sensor, alarm or camera beside the page: what it says, its course, what is near. Nothing while none is asked for."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _alarms, _cameras
from dashboard.panels._evidence import evidence
from dashboard.panels._panel import Panel
from dashboard.panels._parts import badge, chip, failed, go, heading, strip, words
from dashboard.panels._series import plot
from dashboard.words import Words
from queries.alarms import desk
from queries.alarms.rows import EVENT_WORDS, LEVEL_WORDS, OUTCOME_WORDS
from queries.errors import GovError, NoSuchError
from queries.sensing import values


def render(context: Context, view: View) -> Any:
    """Draw the card of the thing in the address."""
    kind, _, code = view.thing.partition(":")
    if not code:
        return []
    w = words(context, view)
    close = chip(view.but(thing=""), w("case.close"))
    try:
        draw = {"sensor": _sensor, "alarm": _alarm, "camera": _cameras.card}.get(kind)
        if draw is None:
            raise NoSuchError(f"{kind[:40]!r} is no kind of thing.", zh="链接中的对象类型未知。")
        title, parts = draw(context, view, w, code)
    except GovError as bad:
        title, parts = code[:60], [failed(bad.say(view.lang))]
    return html.Aside([heading(title, close, large=True), *parts], className="card thing-card", role="dialog", tabIndex="-1", **{"aria-label": title})


def _sensor(context: Context, view: View, w: Words, code: str) -> tuple[str, list[Any]]:
    ask = context.ask(view)
    answer = values.one(context.store, ask, code)
    first = answer.rows[0]
    parts: list[Any] = [html.Div([badge(w.pick(values.STATE_WORDS[first.state]), "act" if first.state not in ("ok", "never") else ""), html.Span(w.pick(first.kind_words))], className="lead")]
    for row in answer.rows:
        if row.value is None or row.at is None:
            continue
        parts += [
            html.Div([html.Strong(f"{row.value:,.{row.digits}f}", className="value"), html.Span(row.unit), html.Span(w.pick(row.metric_words), className="quiet"),
                      html.Span(w.age(row.at), className="quiet")], className="reading"),
            plot(w, values.series(context.store, ask, code, row.metric, "hour").rows, row.unit, row.digits, w("sensor.hours")),
            plot(w, values.series(context.store, ask, code, row.metric, "minute").rows, row.unit, row.digits, w("sensor.minutes")),
            plot(w, values.series(context.store, ask, code, row.metric, "day").rows, row.unit, row.digits, w("sensor.days"))]
    facts = [("case.place", go(view.but(scene="grid", place=first.area_code, thing=""), w.pick(first.area_name), "drill") if first.area_code else w("unknown")),
             ("sensor.every", w("source.none_promised") if first.every_s is None else w.length(first.every_s)), ("sensor.code", first.code)]
    if first.often and first.every_s:
        facts.append(("sensor.often", w("sensor.often_why", n=w.n(first.often), promised=w.n(3600 / first.every_s))))
    parts.append(html.Dl([part for key, value in facts for part in (html.Dt(w(key)), html.Dd(value))]))
    parts += [_alarms.near(context, view, w, first.lon, first.lat, but=first.code), strip(w, answer)]
    return first.name, parts


def _alarm(context: Context, view: View, w: Words, code: str) -> tuple[str, list[Any]]:
    if not code.isascii() or not code.isdigit() or len(code) > 9:
        raise NoSuchError("An alarm's number has digits only.", zh="报警编号只含数字。")
    ask = context.ask(view)
    answer = desk.one(context.store, ask, int(code))
    row = answer.row
    facts: list[tuple[str, Any]] = [
        ("alarm.what", [_alarms.kind(w, row), " ", html.Strong(_alarms.value(w, row))]),
        ("alarm.peak", "" if row.peak is None or row.kind in ("silence", "statistics") else f"{row.peak:,.{row.digits}f} {row.unit}"),
        ("alarm.began", w.moment(row.began_at)),
        ("case.place", go(view.but(scene="grid", place=row.area_code, thing=""), w.pick(row.area_name), "drill") if row.area_code else w("unknown")),
        ("alarm.street", w.pick(row.street_name)),
        ("alarm.duty", html.Ul([html.Li(f"{p.shown} {p.phone}".strip()) for p in row.duty], className="plain") if row.duty else w("unknown") if row.duty is not None else w("when.no_roster")),
        ("alarm.item", f"{row.item} {row.item_title}".strip() or w("alarm.no_item")),
        ("alarm.do", w.pick(row.action) or w("unknown")),
    ]
    if row.acked_at:
        facts.append(("alarm.acked", f"{row.acked_by} · {w.moment(row.acked_at)}"))
    if row.outcome:
        facts.append(("alarm.outcome", [w.pick(OUTCOME_WORDS[row.outcome]), " ", go(view.but(case=row.case_no, thing=""), row.case_no, "drill") if row.case_no else row.reason]))
    parts: list[Any] = [html.Div([_alarms.level(w, row), *_alarms.marks(w, row)], className="lead"), _alarms.buttons(context, w, row),
                        html.Dl([part for key, value in facts if value for part in (html.Dt(w(key)), html.Dd(value))])]
    if row.sensor:
        parts.append(plot(w, values.series(context.store, ask, row.sensor, row.metric, "minute").rows, row.unit if row.kind == "threshold" else "", row.digits, w("sensor.minutes"),
                           row.bound if row.kind == "threshold" else None))
        parts.append(go(view.but(thing=f"sensor:{row.sensor}"), w("alarm.sensor", name=w.pick(row.subject)), "drill"))
    if "seen" in row.evidence:
        parts.append(evidence(w, view, row))
    parts += [html.H4(w("alarm.history")), html.Ol([html.Li([html.Time(w.moment(e.at)), html.Strong(w.pick(EVENT_WORDS[e.what])),
              html.Span(w.pick(LEVEL_WORDS[e.level])), html.Span(e.by), html.Span(e.note, className="quiet")]) for e in desk.history(context.store, ask, row.id).rows], className="timeline"),
              _alarms.near(context, view, w, row.lon, row.lat, but=row.sensor), strip(w, answer)]
    return f"{w.pick(row.title)} · {w.pick(row.subject)}", parts


PANEL = Panel(id="thing_card", title={"zh": "传感器、报警与摄像机", "en": "Sensor, alarm or camera"}, order=81,
              slots=dict.fromkeys(("leader", "street", "grid", "alarms", "cameras"), "drawer"), render=render, then=True)
