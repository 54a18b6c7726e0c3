"""The report on the boundaries: overlaps, gaps, areas outside their parents, and how records found their area."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import badge, go, heading, nothing, strip, table, words
from dashboard.words import Words
from queries import boundary_report
from queries.boundary_report import BoundaryReport, Flaw, LevelRow
from queries.loading.report import FINDINGS, PLACED


def render(context: Context, view: View) -> Any:
    """Draw one line per level, and one per source with places."""
    w = words(context, view)
    answer = boundary_report.report(context.store, context.scope)
    if not answer.rows:
        return [heading(w.pick(PANEL.title)), nothing(w), strip(w, answer)]
    told = answer.rows[0]
    head = [(w("boundary.level"), ""), (w("boundary.areas"), "num"), (w("boundary.size"), "num"), *((w.pair(both), "") for both in FINDINGS.values())]
    levels = [html.Tr([
        html.Td(w.pick(row.name)), html.Td(w.n(row.areas), className="num"), html.Td(_size(w, row.m2), className="num"),
        *(html.Td(_found(w, view, row, kind)) for kind in FINDINGS),
    ]) for row in told.levels]
    placed = [html.Tr([html.Td(w.pick(row.title)), *(html.Td(w.n(row.counts[way]), className="num") for way in PLACED)]) for row in told.placed]
    return [
        heading(w.pick(PANEL.title), w("boundary.loaded", at=w.moment(told.at))), *_days(w, told), table(head, levels),
        html.H2(w("boundary.placed"), className="next"),
        table([(w("source.title"), ""), *((w.pair(both), "num") for both in PLACED.values())], placed) if placed else nothing(w),
        html.P(w("boundary.rule"), className="quiet"), strip(w, answer),
    ]


def _days(w: Words, told: BoundaryReport) -> list[Any]:
    """Say of which days' boundaries the report speaks, where there are others."""
    if told.since is None and told.to is None:
        return []
    key = "boundary.between" if told.since and told.to else "boundary.since" if told.since else "boundary.until"
    line = w(key, **{name: w.day(day) for name, day in (("since", told.since), ("to", told.to)) if day})
    return [html.P(f"{line} {w('boundary.versions', n=w.n(told.versions))}" if told.versions > 1 else line, className="quiet")]


def _found(w: Words, view: View, row: LevelRow, kind: str) -> Any:
    n, m2, named = row.found[kind]
    if not n:
        return html.Span(w("boundary.clean"), className="quiet")
    lines = [html.Li(_flaw(w, view, one)) for one in named]
    if n > len(named):
        lines.append(html.Li(w("boundary.more", n=w.n(n - len(named))), className="quiet"))
    return html.Details([html.Summary(badge(w("boundary.found", n=w.n(n), size=_size(w, m2)), "watch")), html.Ul(lines, className="plain")])


def _flaw(w: Words, view: View, one: Flaw) -> list[Any]:
    parts: list[Any] = []
    for code, name in zip(one.codes, one.names, strict=True):
        parts += [go(view.but(scene="leader", place=code), w.pick(name), "drill", title=code), " / "]
    return [*parts[:-1], html.Span(f" {_size(w, one.m2)}", className="quiet")]


def _size(w: Words, m2: float) -> str:
    return w("unit.km2", n=f"{m2 / 1e6:,.2f}") if m2 >= 10_000 else w("unit.m2", n=f"{m2:,.0f}")


PANEL = Panel(id="boundaries", title={"zh": "边界检查", "en": "Boundaries checked"}, order=20, slots={"data": "main"}, render=render)
