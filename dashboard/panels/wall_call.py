"""What pulls the wall, and the wall's round: said at the top, and told to assets/70-wall.js, which sets addresses.

Serious events stand here as long as nobody acted on them, whether the wall is with them or elsewhere.
"""

from __future__ import annotations

import json
from typing import Any

from dash import html

from dashboard import address, rounds
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import badge, go, words
from dashboard.words import Words
from queries.serious import Serious, serious

#: Seconds for which an event holds the wall when nobody lets it go on by hand.
HOLD_S = 60


def render(context: Context, view: View) -> Any:
    """Draw the line of events, and carry what the browser needs to go round and to be pulled."""
    w = words(context, view)
    # The whole of what this wall may see can pull it, wherever its round is.
    # In the past nothing pulls it: the banner over every screen says what is real (dashboard/past.py).
    answer = None if w.at else serious(context.store, context.ask(view.but(place=None)))
    rows = answer.rows if answer else ()
    chosen = rounds.found().get(view.round)
    turns = rounds.turns(context, view, chosen) if chosen else []
    calls = [{"id": one.id, "search": "?" + address.query(_pulled(view, one))} for one in rows]
    told = {"data-round": json.dumps([{"search": turn.search, "dwell": turn.dwell_s} for turn in turns]), "data-calls": json.dumps(calls), "data-hold": str(HOLD_S)}
    shown = [_event(w, view, one) for one in rows]
    if not shown:
        shown = [html.Span(w.when if w.at else f"○ {w('wall.quiet')}", className="quiet")]
    more = (answer.total or 0) - len(rows) if answer else 0
    if more > 0:
        shown.append(html.Span(w("wall.more", n=w.n(more)), className="quiet"))
    way = [html.Span(f"⟳ {w.pick(chosen.title)} {view.stop + 1}/{len(turns)}", className="round"), html.Span(f"‖ {w('wall.paused')}" if view.pause else "", className="paused"),
           html.Span(w("wall.keys"), className="quiet keys")] if chosen and turns else []
    return html.Div([html.Div(shown, className="events"), html.Div([html.Span(className="sound"), *way], className="way")],
                    className="wall-call" + (" pulled" if view.pull else ""), role="status",
                    **told, **{f"data-{key}": w(f"wall.sound_{key}", at="#") for key in ("ok", "blocked", "silent", "untested")})


def _pulled(view: View, one: Serious) -> View:
    # Where the round was stays in the address: that is where it goes on.
    return View(scene=view.scene, lang=view.lang, kiosk=view.kiosk, pause=view.pause, wide=view.wide, far=view.far, round=view.round, stop=view.stop,
                period=view.period, since=view.since, until=view.until, place=one.place, case=one.case, thing=one.thing, pull=one.id)


def _event(w: Words, view: View, one: Serious) -> html.Span:
    inside = [badge(w.pick(one.what), "act"), html.Span(w.pick(one.place_name)), html.Strong(w.pick(one.title)), html.Span(w.short(one.at), className="quiet")]
    return go(_pulled(view, one), inside, "event on" if view.pull == one.id else "event")


PANEL = Panel(id="wall_call", title={"zh": "需要处置", "en": "Needs action"}, order=1, slots={"wall": "call"}, render=render, hears="n", pace_s=1.0, then=True)
