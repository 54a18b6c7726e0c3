"""Parts of the index panels: a score with its interval, a change, and the way from a number to its cases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dash import html

from dashboard.address import View
from dashboard.words import Words
from queries.answerable import Answerable
from queries.frame import Filters
from queries.governance import NO_SCORE, ReleasedRow, ScoreRow, WhyRow, grade
from queries.loop.rates import MEASURES


def score_text(score: float | None) -> str:
    """Return a score as it is read."""
    return "–" if score is None else f"{score:.1f}"


def named(w: Words, view: View, row: ScoreRow) -> str:
    """Return the name of a score; the index by other weights than the catalogue's says so in its name."""
    return f"{w.pick(row.title)} · {w('index.what_if_short')}" if view.weights and row.kind == "index" else w.pick(row.title)


def interval(w: Words, row: ScoreRow) -> str:
    """Return the 90 % interval in words, or why there is no score."""
    if row.score is None or row.low is None or row.high is None:
        return w.pick(NO_SCORE[row.no_score]) if row.no_score else ""
    return w("index.interval", low=f"{row.low:.1f}", high=f"{row.high:.1f}")


def moved(row: ScoreRow | ReleasedRow) -> str:
    """Return the change since the period before: of the scores as they are shown in hundredths, so that all places say the same."""
    return "" if row.score is None or row.before is None else cents(round(row.score * 100) - round(row.before * 100))


def change(w: Words, row: ScoreRow | ReleasedRow) -> str:
    """Return the change since the period before, in words."""
    points = moved(row)
    return w("index.change", points=points) if points else ""


def shared(points: Sequence[float], total: int) -> list[int]:
    """Return points as whole hundredths that add up to `total`: all rounded down, what is left goes to the largest remainders."""
    exact = [100 * p for p in points]
    out = [math.floor(x) for x in exact]
    order = sorted(range(len(out)), key=lambda i: out[i] - exact[i])
    for k in range(total - sum(out)):
        out[order[k % len(order)]] += 1
    return out


def parts(rows: Sequence[WhyRow], whole: ScoreRow) -> list[tuple[WhyRow, int]]:
    """Return reasons with their points in whole hundredths, which add up to the change as it is shown; none where nothing can be compared."""
    if not rows or whole.score is None or whole.before is None:
        return []
    return list(zip(rows, shared([row.points for row in rows], round(whole.score * 100) - round(whole.before * 100)), strict=True))


def signed(points: float) -> str:
    """Return points with their sign; what rounds to nothing has none."""
    text = f"{points:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text.replace("-", "−")


def cents(n: int) -> str:
    """Return hundredths of a point with their sign; nothing has none."""
    return "0.00" if not n else f"{n / 100:+.2f}".replace("-", "−")


def counts(w: Words, top: float | None, under: float | None) -> str:
    """Return a numerator over its denominator as they were counted, or that nothing was told."""
    return w("index.untold") if under is None or top is None else f"{plain(top)} / {plain(under)}"


def plain(value: float) -> str:
    """Return a count without rounding; tenths only where a count has them."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.10g}"


def dimensions(w: Words, rows: Sequence[ScoreRow]) -> html.Div:
    """Return the dimensions as lines: name, bar with its interval, score, change; one that is beside the index says so."""
    lines = []
    for row in rows:
        if row.kind != "dimension" or row.id == "burden":
            continue
        told = change(w, row) if row.score is not None else f"○ {interval(w, row)}"
        aside = [html.Small(w("index.beside"), className="quiet")] if not row.parent and row.score is not None else []
        lines.append(html.Div([html.Span([w.pick(row.title), *aside], className="dim-name"), band(row), html.Span(score_text(row.score), className="dim-score num"),
                               html.Span(told, className="dim-change quiet")], className=f"dim dim-{row.id}" if row.score is not None else f"dim dim-{row.id} none"))
    for why in ("one", "now"):
        if names := [w.pick(row.title) for row in rows if row.beside == why]:
            lines.append(html.Small(f"○ {w('index.beside_of', names=w('list.comma').join(names), why=w(f'index.beside_{why}'))}", className="quiet beside-why"))
    return html.Div(lines, className="dims")


def beside(w: Words, row: ScoreRow) -> str:
    """Return that a dimension is not in the index, and why where that depends on the level."""
    return w(f"index.beside_{row.beside}") if row.beside in ("one", "now") else w("index.beside")


def answers(w: Words, who: Answerable) -> str:
    """Return who answers for an indicator: the post, and the department where it is known which."""
    if who.department is None:
        return w("index.answers", post=w.pick(who.post))
    if not who.of:
        return w("index.answers_who", post=w.pick(who.post), name=w.pick(who.department))
    return w("index.answers_most", post=w.pick(who.post), name=w.pick(who.department), n=w.n(who.against), of=w.n(who.of))


def amount(w: Words, value: float | None, measure: str, digits: int = 1) -> str:
    """Return an indicator's value as it is read: a share in per cent, anything else as a number."""
    return w.share(value, digits) if measure == "share" else "–" if value is None else f"{value:,.{digits}f}"


def oldest(w: Words, row: ScoreRow) -> str:
    """Return how old the oldest input of a score is, and which; nothing where all speak of the last day."""
    return w("index.oldest", n=str(row.age_days), name=w.pick(row.oldest)) if row.age_days and row.oldest else ""


def band(row: ScoreRow) -> Any:
    """Return a score on its track from 1 to 100 with its interval."""
    if row.score is None or row.low is None or row.high is None:
        return html.Span(className="track none", **{"aria-hidden": "true"})
    return html.Span([html.Span(className="track-band", style={"left": f"{row.low:.1f}%", "width": f"{max(row.high - row.low, 0.4):.1f}%"}),
                      html.Span(className="track-mark", style={"left": f"{row.score:.1f}%"})], className="track", **{"aria-hidden": "true"})


def grade_word(w: Words, score: float | None) -> str:
    """Return the word of a grade."""
    word = grade(score)
    return w.pick(word) if word else ""


def cases_view(view: View, opens: str) -> View | None:
    """Return the view of the cases behind an indicator, if any are kept."""
    if opens in MEASURES:
        return view.but(scene="evaluation", measure=opens)
    if opens == "overdue":
        return view.but(scene="leader", measure="overdue", filters=Filters(open_only=True, overdue=True))
    return None
