"""Every source with its age and state, and why rows of it went to quarantine."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import Kind, badge, heading, nothing, strip, table, words
from dashboard.words import Words
from queries import sources_state
from queries.loop import hearing

#: How a source's state is shown: normal things are quiet.
KINDS: dict[str, Kind] = {"ok": "", "late": "watch", "slow": "watch", "failed": "act", "never": "off"}


def render(context: Context, view: View) -> Any:
    """Draw both tables."""
    w = words(context, view)
    answer, why = sources_state.sources(context.store), sources_state.reasons(context.store, context.scope)
    if not answer.rows:
        return [heading(w.pick(PANEL.title)), nothing(w, "no_city")]
    rows = [
        html.Tr([
            html.Td([badge(w("source." + r.state), KINDS[r.state]), html.Div(_why(w, r), className="quiet") if r.message else ""]),
            html.Td([w.pick(r.title), html.Div(f"{r.id} · {w('kind.' + r.kind)}" + (f" · {r.licence}" if r.licence else ""), className="quiet"),
                     html.Div(_manners(w, r), className="quiet") if r.counts else ""]),
            html.Td(w("unknown") if r.as_of is None else w.moment(r.as_of), className="num"),
            html.Td(w("unknown") if r.age_s is None else w.length(r.age_s), className="num"),
            html.Td(w("source.none_promised") if r.every_s is None else w.length(r.every_s), className="num"),
            html.Td(w.n(r.rows), className="num"), html.Td(w.n(r.refused), className="num"), html.Td(w.n(r.doubted), className="num"),
        ]) for r in answer.rows
    ]
    numbers = ("source.as_of", "source.age", "source.every", "source.rows", "source.refused", "source.doubted")
    head = [(w("source.state"), ""), (w("source.title"), ""), *((w(k), "num") for k in numbers)]
    reasons: Any = nothing(w, "source.clean")
    if why.rows:
        reasons = table(
            [(w(k), "num" if k == "source.n" else "") for k in ("source.title", "source.grade", "source.reason", "source.n", "source.first")],
            [html.Tr([
                html.Td(r.source), html.Td(w("grade." + r.grade)), html.Td(w.pick(r.reason)), html.Td(w.n(r.n), className="num"),
                html.Td(w("source.where", file=r.file, row=r.row, field=r.field, value=r.value[:60])),
            ]) for r in why.rows])
    return [heading(w.pick(PANEL.title)), table(head, rows), html.H2(w("source.quarantine"), className="next"), reasons, strip(w, answer)]


def _why(w: Words, r: sources_state.SourceRow) -> str:
    """Return what is wrong with a source, and since when."""
    return w.pick(r.message) if r.since is None else w("source.since", what=w.pick(r.message), at=w.moment(r.since))


def _manners(w: Words, r: sources_state.SourceRow) -> str:
    """Return how many of a source's messages came twice, late, out of order or from the future."""
    return " · ".join(f"{w.pick(hearing.WHAT[name])} {w.n(r.counts[name])}" for name in sources_state.MANNERS if r.counts.get(name))


PANEL = Panel(id="sources", title={"zh": "数据来源", "en": "Sources"}, order=10, slots={"data": "main"}, render=render)
