"""What a warning of unusual counts rests on: the days as they were counted, what is usual, and the cases themselves."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from dash import html

from dashboard.address import View
from dashboard.panels._parts import go
from dashboard.words import Words
from queries.alarms.rows import AlarmRow
from queries.frame import Filters


def evidence(w: Words, view: View, row: AlarmRow) -> html.Div:
    """Return the evidence. One that an older version wrote lacks the last day and the usual range, and says nothing of them."""
    e = row.evidence
    said = [w("warning.seen", n=e["seen"], days=e["days"], expected=f"{e['expected']:.1f}", p=f"{e['p']:.2g}")]
    if "usual" in e:
        said.append(w("warning.usual", low=e["usual"][0], high=e["usual"][1]))
    said += [w("warning.recurs", days=w.n(e["recurrence_days"])), w("warning.base", days=e["base_days"], ratio=f"{e['dispersion']:.2f}")]
    last = date.fromisoformat(e["last"]) if "last" in e else None
    parts: list[Any] = [html.H4(w("warning.evidence")), html.Ul([html.Li(one) for one in said]), _course(w, e["course"], e["days"], last)]
    if last is not None:
        parts.append(go(_cases(view, row, last), w("warning.cases", n=e["seen"]), "drill to-cases"))
    return html.Div([*parts, html.P(w("warning.places"), className="quiet")], className="evidence")


def _course(w: Words, course: list[int], days: int, last: date | None) -> html.Ol:
    """Return the last days as columns; those that were summed stand out by weight and mark, not by colour alone."""
    top = max(course) or 1
    items = []
    for i, n in enumerate(course):
        back = len(course) - 1 - i
        day = f"{last - timedelta(days=back):%m-%d}" if last else f"−{back}"
        items.append(html.Li([html.Strong(w.n(n)) if back < days else html.Span(w.n(n)), html.Span(className="column", style={"height": f"{100 * n / top:.0f}%"}), html.Small(day)],
                             className="summed" if back < days else None))
    return html.Ol(items, className="course", **{"aria-label": w("warning.course", n=len(course))})


def _cases(view: View, row: AlarmRow, last: date) -> View:
    """Return the list of the cases that were counted."""
    since = last - timedelta(days=row.evidence["days"] - 1)
    return view.but(scene="leader", thing="", case="", place=row.area_code, period="custom", since=since, until=last, order="newest",
                    filters=Filters(categories=(row.evidence["category"],)))
