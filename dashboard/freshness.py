"""How old each kind of data is, as stamps in the header, and the city's clock.

The page is not asked again for a stamp to get old: each carries the moment of its data and the moment
from which it is late, and assets/60-pulse.js turns it to "late" when that moment comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from dashboard import ids
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._parts import words
from dashboard.words import Words
from queries import sources_state, things
from queries.clock import now, stamp
from queries.errors import GovError
from queries.sources_state import SourceRow

#: Without a promise of the source, data older than this many seconds is said to be old.
UNPROMISED = 86_400
KINDS = ("cases", "readings", "cameras")


def stamps(context: Context, view: View) -> html.Div:
    """Return a stamp for each kind of data that the city has, and the clock of the city's zone."""
    w = words(context, view)
    # How fresh things are now says nothing about a moment of the past; what the browser is told stays.
    rows = () if view.past else sources_state.sources(context.store).rows
    parts: list[Any] = [] if view.past else [html.Span(w("fresh.title"))]
    for kind in () if view.past else KINDS:
        told = [r for r in rows if r.kind == kind]
        if told or kind == "cases":
            parts.append(_stamp(w, kind, told, _online(context, view, w) if kind == "cameras" else ""))
    if not view.past:
        parts.append(html.Span([html.Span("--:--:--", className="time"), html.Small(w.zone.key)], className="clock", role="timer"))
    told_to_browser = {f"data-{key}": w(f"unit.{word}", n="#") for key, word in
                       (("s", "seconds"), ("min", "minutes"), ("h", "hours"), ("d", "days"))}
    return html.Div(parts, className="fresh", id=ids.FRESH, **told_to_browser, **{
        "data-zone": w.zone.key, "data-lang": w.lang, "data-ago": w("ago", length="#"), "data-unheard": w("unheard", at="#"),
        "data-away": w("unheard.database", at="#")})


def _stamp(w: Words, kind: str, told: Sequence[SourceRow], more: str) -> html.Span:
    known = [r for r in told if r.as_of is not None]
    newest = max((r.as_of for r in known if r.as_of), default=None)
    late = html.Span(f" ⚠ {w('source.late')}", className="late")
    if newest is None:
        return html.Span([w(f"fresh.{kind}"), " ", html.B(f"○ {w('never')}")], className="stamp never")
    at = stamp(newest)
    promised = [r.every_s for r in known if r.every_s]
    after = at + (2 * min(promised) if promised else UNPROMISED)
    why = w("fresh.promised", every=w.length(min(promised))) if promised else w("fresh.unpromised", every=w.length(UNPROMISED))
    return html.Span(
        [w(f"fresh.{kind}"), " ", more, html.B(w.age(newest), className="since"), late], title=f"{w('strip.as_of', at=w.moment(newest))} · {why}",
        className="stamp stale" if stamp(now()) > after else "stamp", **{"data-at": str(at), "data-late": str(after)},
    )


def _online(context: Context, view: View, w: Words) -> str:
    try:
        states = things.camera_states(context.store, context.ask(view))
    except GovError:  # the place is not one; the breadcrumb says so
        return ""
    return f"{w.n(states.get('online', 0))}/{w.n(sum(states.values()))} · " if states else ""
