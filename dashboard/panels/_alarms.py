"""Parts of everything that shows alarms: the level by word, shape and colour, its facts, its buttons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from dashboard import ids
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._parts import act_button, away, badge, go
from dashboard.words import Words
from queries.alarms import desk
from queries.alarms.acts import POSTS
from queries.alarms.rows import KIND_WORDS, LEVEL_WORDS, STATE_WORDS, AlarmRow
from queries.near import Near
from queries.things import CAMERA_WORDS


def level(w: Words, row: AlarmRow) -> html.Span:
    """Return the level of an alarm."""
    return html.Span([html.I(className=f"alarm-shape {row.level}", **{"aria-hidden": "true"}), w.pick(LEVEL_WORDS[row.level])], className=f"alarm-level {row.level}")


def value(w: Words, row: AlarmRow) -> str:
    """Return what was measured and the limit."""
    if row.value is None:
        return ""
    if row.kind == "silence":
        return w("alarm.missed", n=w.n(row.value))
    if row.kind == "statistics":
        return w("alarm.recurrence", days=w.n(row.value))
    said = f"{row.value:,.{row.digits}f} {row.unit}".strip()
    return said if row.bound is None else w("alarm.value", value=said, bound=f"{row.bound:,.{row.digits}f}")


def marks(w: Words, row: AlarmRow) -> list[Any]:
    """Return what else must be seen: repeats, chatter, neighbours, that it is over."""
    out: list[Any] = [badge(w.pick(STATE_WORDS[row.state]), "act" if row.state == "unacked" else "")]
    if not row.is_active:
        out.append(badge(w("alarm.over")))
    if row.times > 1:
        out.append(badge(w("alarm.times", n=row.times)))
    if row.chattering:
        out.append(badge(w("alarm.chatter"), "watch", w("alarm.chatter_why")))
    if row.group > 1:
        out.append(badge(w("alarm.group", n=row.group), "", w("alarm.group_why")))
    return out


def buttons(context: Context, w: Words, row: AlarmRow) -> html.Div:
    """Return what the post may do about it, and the place of its form."""
    # What stood open then cannot be acted on now.
    if w.at or context.actor.post not in POSTS or row.state == "closed":
        return html.Div()
    acts = [] if row.acked_at is not None else [("ack", True)]
    acts += [("case", False), ("real", False), ("false", False), ("unshelve" if row.state == "shelved" else "shelve", False)]
    return html.Div([
        html.Div([act_button(f"{w('alarm_act.' + act)}", {"do": "alarm", "act": act, "id": row.id}, strong=strong, title=w("alarm_key." + act)) for act, strong in acts], className="acts"),
        html.Div(id=ids.alarm_form(row.id)),
    ])


def title(view: View, w: Words, row: AlarmRow) -> Any:
    """Return its title as the link that opens it."""
    return go(view.but(thing=f"alarm:{row.id}", case=""), [html.Strong(w.pick(row.title)), " ", html.Span(w.pick(row.subject))], "drill")


def where(w: Words, row: AlarmRow) -> str:
    """Return its grid and the post that is nearest to it."""
    posts = " · ".join(dict.fromkeys(p.shown for p in (row.duty or ())[:2]))
    return " · ".join(part for part in (w.pick(row.area_name), posts) if part)


def kind(w: Words, row: AlarmRow) -> str:
    """Return what kind of rule raised it."""
    return w.pick(KIND_WORDS[row.kind])


def near(context: Context, view: View, w: Words, lon: float | None, lat: float | None, but: str = "") -> Any:
    """Return the nearest cameras and sensors as links; one key goes to them from any card."""
    if lon is None or lat is None:
        return ""
    found: Sequence[Near] = [one for one in desk.nearest(context.store, context.ask(view), lon, lat).rows if one.code != but]
    if not found:
        return ""
    about = view.case or (view.thing if view.thing.startswith("alarm:") else "")
    return html.Div([html.H4([w("near.title"), html.Kbd("N")]), html.Ul([html.Li([
        html.Span(w("near." + one.kind), className="quiet"), go(view.but(thing=f"{one.kind}:{one.code}", case="", about=about), one.name, "drill near"),
        html.Span(w.pick(CAMERA_WORDS[one.state])) if one.kind == "camera" and not w.at else "", away(w, one)]) for one in found], className="plain")], className="near-list")
