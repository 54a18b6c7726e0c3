"""A table of areas or departments, like with like."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._parts import chip, chips, go, heading, nothing, strip, table, words
from dashboard.words import Words
from queries.loop import like
from queries.loop.like import By, LikeRow
from queries.loop.rates import LIKE

HEAD = ({"zh": "名称", "en": "name"}, {"zh": "与全市同类相比", "en": "against like cases"}, {"zh": "调整后", "en": "adjusted"},
        {"zh": "原值", "en": "own"}, {"zh": "n", "en": "n"})
ASIDE = {"zh": "按类别构成调整；1.00 = 与全市相同", "en": "adjusted for the mix of categories; 1.00 = as the city"}
FEW = {"zh": "样本少", "en": "few"}
#: From so far below (or above) the city on, a row asks for a look.
NOTABLE = 0.1


def draw(context: Context, view: View, title: dict[str, str], by: By) -> list[Any]:
    """Draw the table for the number that the address names, with a row of chips to choose another."""
    w = words(context, view)
    known = {name: rate for name, rate in LIKE.items() if not w.at or name not in like.SINCE}
    measure = view.measure if view.measure in known else "on_time"
    answer = like.like_with_like(context.store, context.ask(view), measure, by)
    links = chips([chip(view.but(measure=name), w.pick(rate.title), name == measure) for name, rate in known.items()])
    rows = [_row(w, view, row, measure, by) for row in answer.rows if row.n]
    css = ("", "num", "num", "num", "num")
    shown: Any = table([(w.pick(word), name) for word, name in zip(HEAD, css, strict=True)], rows, "like") if rows else nothing(w)
    return [heading(w.pick(title), w.pick(ASIDE)), links, shown, strip(w, answer)]


def _row(w: Words, view: View, row: LikeRow, measure: str, by: By) -> html.Tr:
    name = row.name_en if w.lang == "en" else row.name
    to = view.but(place=row.code) if by == "areas" else view.narrowed(departments=(row.code,))
    worse = row.ratio is not None and not row.few and (1 - row.ratio if LIKE[measure].good == "up" else row.ratio - 1) >= NOTABLE
    few = html.Span(f" {w.pick(FEW)}", className="few") if row.few else ""
    ratio = "—" if row.ratio is None else f"{row.ratio:.2f}"
    return html.Tr([html.Td([go(to, name, "drill"), few]), html.Td(f"▼ {ratio}" if worse else ratio, className="num watch" if worse else "num"),
                    html.Td(w.share(row.adjusted), className="num"), html.Td(w.share(row.rate), className="num quiet"),
                    html.Td(w.n(row.n), className="num quiet")])
