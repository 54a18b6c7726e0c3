"""The method card: how the place's score comes out of its counts, number by number, so that a sceptic can recompute it by hand; and what it does not resist."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._index import amount, cases_view, plain, score_text
from dashboard.panels._panel import Panel
from dashboard.panels._parts import go, heading, scroll, strip, words
from dashboard.words import Words
from queries import governance, index_method
from queries.governance import NO_SCORE, ScoreRow
from queries.index_method import MeanRow, MethodRow, MixRow
from queries.scoring.shrink import LEAST_OWN

#: How many ways to game it are named as not resisted (words index.limit_1 and on).
LIMITS = 7
RULES = {"arithmetic": "index.rule_arithmetic", "geometric": "index.rule_geometric"}


def render(context: Context, view: View) -> Any:
    """Draw the rule in words, then the index, then each dimension with its indicators as lines of arithmetic."""
    w, ask = words(context, view), context.ask(view)
    answer = governance.index(context.store, ask)
    made = index_method.method(context.store, ask).rows
    by_hand = {row.id: row for row in made if isinstance(row, MethodRow)}
    means = {row.id: row for row in made if isinstance(row, MeanRow)}
    lines: list[Any] = [html.P(w("index.method"), className="method")]
    lines.append(html.P(w("index.method_borrow") if any(row.strength is not None for row in by_hand.values()) else w("index.method_own"), className="method"))
    titles = {row.id: w.pick(row.title) for row in answer.rows}
    if "index" in means:
        lines.append(_mean(w, means["index"], answer.rows[0], titles))
    for one in (row for row in answer.rows if row.kind == "dimension"):
        below = [row for row in answer.rows if row.kind == "indicator" and row.parent == one.id]
        lines.append(html.Div([html.H4(w.pick(one.title)), _mean(w, means[one.id], one, titles)] if one.id in means else
                              [html.H4(w.pick(one.title)), html.Span(f"○ {w.pick(NO_SCORE[one.no_score])}" if one.no_score else "", className="lacks")], className="method-dimension"))
        lines += [_indicator(w, view, row, by_hand[row.id]) for row in below if row.id in by_hand]
        if rest := [row for row in below if row.id not in by_hand]:
            lines.append(html.Details([html.Summary(w("index.not_counted", n=str(len(rest))), className="lacks"), *(_indicator(w, view, row, None) for row in rest)]))
    lines.append(html.H4(w("index.limits_title")))
    lines.append(html.Ul([html.Li(w(f"index.limit_{n}")) for n in range(1, LIMITS + 1)], className="method limits"))
    return [heading(w.pick(PANEL.title), w("index.by_hand")), scroll(lines, "indicators"), strip(w, answer)]


def _mean(w: Words, row: MeanRow, score: ScoreRow, titles: dict[str, str]) -> html.Div:
    """Return a mean with its parts: shares of the weights, and the interval that its spread makes."""
    total = sum(row.weights) or 1.0
    parts = " · ".join(f"{titles.get(name, name)} {100 * weight / total:.5g}%" for name, weight in zip(row.parts, row.weights, strict=True))
    told = [html.B(score_text(row.score), className="m-score")]
    if row.score is not None:
        told += [" ", html.Span(w("index.sd_interval", sd=f"{row.sd:.2f}", low=f"{score.low:.1f}", high=f"{score.high:.1f}"), className="m-interval")]
    else:
        told += [" ", html.Span(f"○ {w.pick(NO_SCORE[score.no_score])}", className="lacks")]
        if row.mean is not None and row.id != "index":
            # What is withheld stands for itself: else a part could be got rid of by withholding half of it.
            told += [" ", html.Span(w("index.counts_as", mean=f"{row.mean:.1f}", sd=f"{row.sd or 0:.2f}"), className="m-counts")]
    cover = "" if score.coverage is None else w("index.cover", n=w.share(score.coverage, 0))
    if row.id == "index" and score.own is not None and score.own <= 0.995:
        cover += " · " + w("index.own_rests", own=w.share(score.own, 0), least=w.share(LEAST_OWN, 0))
    return html.Div([html.Div([html.Span(w(RULES[row.rule])), html.Small(parts, className="m-parts"), html.Small(cover)], className="m-what"), html.Div(told, className="num")],
                    className="m-line m-mean", **{"data-mean": row.id, "data-rule": row.rule})


def _indicator(w: Words, view: View, row: ScoreRow, one: MethodRow | None) -> html.Div:
    formula = w.pick(row.formula) if row.formula and row.formula["zh"] else ""
    name: list[Any] = [html.Span(w.pick(row.title)), html.Small(f"{row.id} {formula}{' · ' + w('index.brought') if one and one.brought else ''}")]
    cases = cases_view(view, row.opens)
    months = [go(view.but(measure=row.id), w("index.months"), "chip", w("index.months_of", name=w.pick(row.title)))] if one else []
    what = html.Div([html.Div([go(cases, name[:1], "drill") if cases and one else name[0], *months], className="m-name"), name[1], *(_arithmetic(w, one) if one else [])], className="m-what")
    if one is None:
        said: Sequence[Any] = [html.Span(f"○ {w.pick(row.lacks or NO_SCORE[row.no_score or 'no_data'])}", className="lacks")]
        return html.Div([what, html.Div(said, className="num")], className="m-line m-none")
    said = [html.B(score_text(row.score), className="m-score"), html.Small(w("index.sd", sd=f"{one.sd or 0:.2f}"))]
    return html.Div([what, html.Div(said, className="num")], className="m-line", **{"data-indicator": one.id, "data-of": one.dimension})


def _arithmetic(w: Words, one: MethodRow) -> list[html.Small]:
    """Return the lines of arithmetic: the raw value, what is borrowed, the goalposts; or what stands for a value that is not told."""
    part = one.kind == "share"
    times = 100 if part else 1
    posts = html.Small(w("index.posts" if part else "index.posts_plain", floor=f"{times * one.floor:g}", target=f"{times * one.target:g}", weight=f"{one.weight:g}"), className="m-posts")
    return [*(_counts(w, one) if one.known else _stands(w, one)), posts]


def _stands(w: Words, one: MethodRow) -> list[html.Small]:
    """Return what stands for a value that is not told: where its last score comes from, and how unsure it is."""
    last = w("index.no_last") if one.last is None else f"{one.last:.2f}"
    lines = [html.Small(f"○ {w('index.stands', last=last, quartile='–' if one.quartile is None else f'{one.quartile:.2f}')}", className="m-stands")]
    if one.was is not None:
        lines += [html.Small(w("index.stands_was"), className="m-was"), *_counts(w, one.was)]
    if one.strength is not None and one.parent_numerator is not None and one.parent_denominator:
        lines.append(html.Small(w("index.stands_parent", **_parent(w, one)), className="m-alone"))
    return lines


def _counts(w: Words, one: MethodRow) -> list[html.Small]:
    """Return the counts that were told, and what is borrowed beside them."""
    assert one.numerator is not None
    assert one.denominator is not None
    raw = html.Small(f"{plain(one.numerator)} / {plain(one.denominator)} = {amount(w, one.numerator / one.denominator, one.kind, 2)}", className="m-raw")
    first = [raw] if one.mix is None else [_mix(w, one.mix, one.denominator), raw]
    if one.strength is None or one.parent_numerator is None or not one.parent_denominator:
        return first
    return [*first, html.Small(w("index.borrowed", **_parent(w, one), own=w.share(one.own, 1), value=amount(w, one.value, one.kind, 2)), className="m-borrowed")]


def _parent(w: Words, one: MethodRow) -> dict[str, str]:
    """Return the words for the counts of all areas of the same parent, and as how many cases their share counts."""
    assert one.strength is not None
    assert one.parent_numerator is not None
    assert one.parent_denominator
    return {"top": plain(one.parent_numerator), "under": plain(one.parent_denominator), "strength": "∞" if math.isinf(one.strength) else f"{one.strength:.2f}",
            "share": amount(w, one.parent_numerator / one.parent_denominator, one.kind, 2)}


def _mix(w: Words, mix: MixRow, weighed: float) -> html.Small:
    """Return the line that turns cases as they are into cases as they are weighed."""
    parts = " · ".join(f"{w.pick(part.title)} {part.cases} × {part.weight:g}" for part in mix.parts) or w("index.mix_none")
    return html.Small(w("index.mix", cases=f"{mix.cases:,}", parts=parts, weighed=plain(weighed), wrong=f"{mix.wrong:,}", since=str(mix.since), until=str(mix.until)), className="m-mix")


PANEL = Panel(id="index_method", title={"zh": "方法卡", "en": "How it is made"}, order=30, slots={"index": "middle"}, render=render)
