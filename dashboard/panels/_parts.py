"""What panels are built of: links into the address, headings, the honesty strip, bars, empty states."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from dash import dcc, html

from dashboard.address import View, write
from dashboard.context import Context
from dashboard.words import Words
from queries.frame import Dropped


class Stamped(Protocol):
    """Anything with an answer's honesty."""

    rows: tuple[Any, ...]
    as_of: datetime | None
    source: tuple[str, ...]
    due: datetime | None
    dropped: tuple[Dropped, ...]
    notes: tuple[dict[str, str], ...]


def words(context: Context, view: View) -> Words:
    """Return the words of a view's language in the city's zone."""
    return Words(view.lang, context.city().zone)


def go(view: View, children: Any, name: str = "", title: str = "") -> dcc.Link:
    """Return a link that opens a view; all navigation is such links, so every click is an address."""
    return dcc.Link(children, href=write(view), className=name, title=title or None)


def heading(text: str, aside: Any = "") -> html.Div:
    """Return a panel's heading with a quiet remark at its right."""
    return html.Div([html.H2(text), html.Div(aside, className="aside")], className="panel-head")


def chips(links: Sequence[Any], name: str = "") -> html.Div:
    """Return a row of small links."""
    return html.Div(list(links), className=f"chips {name}".strip())


def strip(w: Words, answer: Stamped) -> html.Footer:
    """Return as-of, source and dropped of an answer: every panel carries it."""
    if answer.as_of is None:
        return html.Footer(w("strip.never"), className="strip")
    parts: list[Any] = [
        html.Span(w("strip.as_of", at=w.moment(answer.as_of))),
        html.Span(w("strip.source", names=w("list.comma").join(answer.source) or w("strip.unknown"))),
    ]
    for dropped in answer.dropped:
        if dropped.n:
            parts.append(html.Span(f"△ {w('strip.dropped', n=w.n(dropped.n), why=w.pick(dropped.why))}", className="warn"))
    parts += [html.Span(w.pick(note), className="note") for note in answer.notes]
    return html.Footer(parts, className="strip")


def nothing(w: Words, key: str = "empty") -> html.P:
    """Return words for an answer without rows."""
    return html.P(w(key), className="empty")


def bar(share: float | None, name: str = "") -> html.Span:
    """Return a bar of a share of its track; an unknown share has no bar at all."""
    width = 0.0 if share is None else max(0.0, min(1.0, share)) * 100
    return html.Span(
        html.Span(className=f"bar-fill {name}".strip(), style={"width": f"{width:.1f}%"}),
        className="bar", **{"aria-hidden": "true"},
    )
