"""A sensor's series as one line with its low and high, and the limit of a rule."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from dashboard.words import Words
from queries.sensing.values import SeriesPoint


def plot(w: Words, points: Sequence[SeriesPoint], unit: str, digits: int, title: str, bound: float | None = None) -> html.Div:
    """Return a series as one line with its low and high; where nothing was heard there is no line."""
    known = [p for p in points if p.n]
    if not known:
        return html.Div([html.Span(title, className="quiet"), html.Span(w("sensor.no_series"), className="quiet")], className="series none")
    low, high = min(p.low for p in known), max(p.high for p in known)  # type: ignore[type-var]
    if bound is not None and low is not None and high is not None:
        low, high = min(low, bound), max(high, bound)
    room = (high - low) or 1.0  # type: ignore[operator]
    wide = 100 / max(1, len(points) - 1)

    def y(value: float) -> float:
        return 96 - (value - low) / room * 92  # type: ignore[operator]

    runs: list[list[tuple[float, float]]] = [[]]
    for i, p in enumerate(points):
        if p.mean is not None:
            runs[-1].append((i * wide, y(p.mean)))
        elif runs[-1]:
            runs.append([])
    # A single point between two gaps is drawn as a short line.
    strokes = [run if len(run) > 1 else [(max(0.0, run[0][0] - 0.4), run[0][1]), (run[0][0] + 0.4, run[0][1])] for run in runs if run]
    lines = "".join("M" + " L".join(f"{x:.2f},{at:.2f}" for x, at in one) for one in strokes)
    limit = f"M0,{y(bound):.2f} L100,{y(bound):.2f}" if bound is not None else ""
    svg = (f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 100 100' preserveAspectRatio='none'><path d='{limit}' fill='none' stroke='%23f4b12f' stroke-width='1.5' "
           f"stroke-dasharray='3 2' vector-effect='non-scaling-stroke'/><path d='{lines}' fill='none' stroke='%239fc5e8' stroke-width='2' vector-effect='non-scaling-stroke'/></svg>")
    said = w("sensor.span", low=f"{low:,.{digits}f}", high=f"{high:,.{digits}f}", unit=unit)
    return html.Div([html.Div([html.Span(title), html.Span(said, className="quiet")], className="series-head"),
                     html.Img(src="data:image/svg+xml;utf8," + svg.replace("<", "%3C").replace(">", "%3E").replace(" ", "%20"), alt=f"{title} {said}")], className="series")
