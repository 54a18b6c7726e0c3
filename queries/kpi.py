"""The figures of places and periods: tiles, ranking, map values, trend and mixes. Reads sums only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select

from queries import places, summing
from queries import rollup as sums
from queries import scope as rights
from queries.answers import by_day, only_sums, remembered, stamped
from queries.case_rows import STATUS_WORDS
from queries.clock import day_bucket, local_day, now, stamp
from queries.errors import NoSuchError
from queries.figures import (
    FEW,
    FIGURES,
    AgeRow,
    ChildRow,
    Measure,
    MixRow,
    Tile,
    TrendRow,
)
from queries.frame import Answer, Ask
from queries.loop import past_cases
from queries.periods import DAY, MONTH, Piece, last_year, month_start, pieces, previous, upto
from queries.store import Store
from queries.tables import MEASURES, category, open_now, total
from queries.today import city_now

#: Of a day's sums these hold what has become of its cases since, not what was so at its end: a past moment does not know them.
SINCE = frozenset({"closure_rate"})
#: These are counted from the cases themselves as they stood at the moment.
COUNTED = ("open", "overdue")
#: No handling time at all.
NONE = np.zeros(0, np.int64)
QUANTILES = {"handling_median_h": 0.5, "handling_p90_h": 0.9}
#: Areas of other days that a note names.
NAMED = 4
#: Longest period that the trend shows day by day.
DAILY = 92
AGES = (("d1", 0, 1), ("d7", 2, 7), ("d30", 8, 30), ("d90", 31, 90), ("older", 91, None))


def tiles(store: Store, ask: Ask) -> Answer[Tile]:
    """Return every figure of the asked place and period, with the period before and the year before."""
    with store.read() as connection:
        return remembered(connection, ("tiles", ask), lambda: _tiles(connection, ask))


def _tiles(connection: Connection, ask: Ask) -> Answer[Tile]:
    areas = _areas(connection, ask)
    known = known_days(connection)
    rows: list[Tile] = []
    periods = {
        "now": (ask.since, ask.until),
        "previous": _pair(previous(ask.since, ask.until)),
        "last_year": _pair(last_year(ask.since, ask.until)),
    }
    wanted: dict[str, list[Piece]] = {}
    for name, (since, until) in periods.items():
        wanted[name] = pieces(since, until)
        wanted[f"{name}.upto"] = upto(until)
        wanted[f"{name}.owed"] = upto(owed_until(connection, until))
    only = summing.narrowing(ask)
    per = summing.windows(connection, areas, wanted, only)
    timed = {} if any(only) else {name: wanted[name] for name, span in periods.items() if _covers(known, *span)}
    bins = summing.bins(connection, areas, timed)
    told = _told(connection)
    stood = past_cases.counted(connection, ask, [inside_of(connection, ask)]) if ask.at is not None else {}
    for figure in FIGURES.values():
        value: dict[str, tuple[float | None, int | None, int | None]] = {}
        for name, span in periods.items():
            value[name] = (
                _value(figure, per[name], per[f"{name}.upto"], per[f"{name}.owed"], bins.get(name))
                if _covers(known, *span) and figure.numerator not in told else (None, None, None)
            )
        if ask.at is not None and figure.id in (*COUNTED, *SINCE):
            n = stood[figure.id][0] if figure.id in stood else None
            value = {"now": (n, n, None)} | dict.fromkeys(("previous", "last_year"), (None, None, None))
        rows.append(Tile(
            id=figure.id, title=figure.title, unit=figure.unit, definition=figure.definition,
            good=figure.good, opens=figure.opens, value=value["now"][0], numerator=value["now"][1],
            denominator=value["now"][2], previous=value["previous"][0], last_year=value["last_year"][0],
        ))
    return stamped(connection, rows, ask=ask, notes=(*by_day(ask), *only_sums(ask)))


def children(store: Store, ask: Ask, measure: str) -> Answer[ChildRow]:
    """Return the areas directly under the place with their figures, the worst by `measure` first.

    Handling times are among the figures only when they are what is ranked by.
    """
    figure = figure_named(measure)
    with store.read() as connection:
        return remembered(connection, ("children", ask, measure), lambda: _children(connection, ask, figure))


def _children(connection: Connection, ask: Ask, figure: Measure) -> Answer[ChildRow]:
    place = places.find(connection, ask.place, ask.on, ask.scope)
    visible = rights.check(connection, ask.scope, place)
    below = rights.parts(connection, visible, place)
    # Handling times are many bins; they are read only to be ranked by.
    shown = [f for f in FIGURES.values() if f.id not in QUANTILES or figure.id in QUANTILES]
    every = by_area(connection, [p.area_id for p in below], ask, shown, figure.id in QUANTILES)
    if ask.at is not None:
        _as_it_stood(connection, ask, below, every)
    rows = []
    for child in below:
        values = every[child.area_id]
        value, numerator, denominator = values[figure.id]
        n = denominator if denominator is not None else (numerator or 0)
        rows.append(ChildRow(
            place=child, values={k: v[0] for k, v in values.items()}, numerator=numerator,
            denominator=denominator, n=n, few=denominator is not None and n < FEW,
            rank=None if value is None else 0,
        ))
    rows.sort(key=lambda row: _worst(figure, row))
    ranked = [_with_rank(rows, i, figure) for i in range(len(rows))]
    changed = _boundaries_changed(connection, ask, place, figure, rows) if visible == [place] else ()
    return stamped(connection, ranked, ask=ask, notes=(*by_day(ask), *only_sums(ask), *changed))


def _boundaries_changed(connection: Connection, ask: Ask, place: places.Place, figure: Measure, rows: Sequence[ChildRow]) -> tuple[dict[str, str], ...]:
    """Return a note where the areas that are there now do not add up to the place, because others were there before."""
    if ask.at is not None or not (codes := places.former(connection, place)):
        return ()
    own = by_area(connection, [place.area_id], ask, [figure])[place.area_id][figure.id][1]
    told = [row.numerator for row in rows if row.numerator is not None]
    if own is None or own == sum(told):
        return ()
    here = {row.place.code for row in rows}
    gone = [code for code in codes if code not in here]
    more, first = len(gone) > NAMED, gone[:NAMED]
    zh = f"（{'、'.join(first)}{'……' if more else ''}）" if gone else ""
    en = f" ({', '.join(first)}{' …' if more else ''})" if gone else ""
    return ({"zh": f"边界有过调整：本区域共 {own:,}，所列区域合计 {sum(told):,}；此前的案件留在当时的区域{zh}",
             "en": f"boundaries changed: {own:,} in the place, {sum(told):,} in the areas listed; earlier cases stay in the areas of their day{en}"},)


def _as_it_stood(
    connection: Connection, ask: Ask, below: Sequence[places.Place], every: dict[int, dict[str, tuple[float | None, int | None, int | None]]]
) -> None:
    """Put what was so at the moment in the place of what the sums say since."""
    stood = past_cases.counted(connection, ask, [rights.ranges_under(connection, [child]) for child in below])
    for i, child in enumerate(below):
        values = every[child.area_id]
        for name in {*COUNTED, *SINCE} & set(values):
            n = stood[name][i] if name in stood else None
            values[name] = (n, n, None)


def inside_of(connection: Connection, ask: Ask) -> list[tuple[int, int]]:
    """Return the node intervals of what an ask may see of its place."""
    place = places.find(connection, ask.place, ask.on, ask.scope)
    return rights.ranges_under(connection, rights.check(connection, ask.scope, place))


def trend(store: Store, ask: Ask) -> Answer[TrendRow]:
    """Return the period day by day, or month by month when it is longer than 92 days."""
    with store.read() as connection:
        return remembered(connection, ("trend", ask), lambda: _trend(connection, ask))


def _trend(connection: Connection, ask: Ask) -> Answer[TrendRow]:
    areas, known = _areas(connection, ask), known_days(connection)
    grain = DAY if ask.days <= DAILY else MONTH
    if grain == DAY:
        days = [ask.since + timedelta(days=i) for i in range(ask.days)]
        span = Piece(grain=DAY, lo=day_bucket(days[0]), hi=day_bucket(days[-1]))
    else:
        lo, hi = ask.since.year * 12 + ask.since.month - 1, ask.until.year * 12 + ask.until.month - 1
        days = [month_start(b) for b in range(lo, hi + 1)]
        span = Piece(grain=MONTH, lo=lo, hi=hi)
    before = upto(days[0] - timedelta(days=1))
    found = summing.by_bucket(connection, areas, [span, *before], summing.narrowing(ask))
    stock = sum(m["reported"] - m["closed"] for key, m in found.items() if summing.inside_of(key, before))
    rows = []
    for i, day in enumerate(days):
        one = found.get((grain, span.lo + i))
        if known is None or not (known[0] <= (day if grain == DAY else max(day, known[0])) <= known[1]):
            rows.append(TrendRow(day=day, reported=None, closed=None, due=None, due_closed=None,
                                 due_on_time=None, open=None))
            continue
        one = one or dict.fromkeys(MEASURES, 0)
        stock += one["reported"] - one["closed"]
        rows.append(TrendRow(day=day, reported=one["reported"], closed=one["closed"], due=one["due"],
                             due_closed=one["due_closed"], due_on_time=one["due_on_time"], open=stock))
    return stamped(connection, rows, ask=ask, notes=(*by_day(ask), *only_sums(ask)))


def status_mix(store: Store, ask: Ask) -> Answer[MixRow]:
    """Return the cases that are open now by status, then those closed in the period."""
    with store.read() as connection:
        areas = _areas(connection, ask)
        statement = (
            select(open_now.c.status, func.sum(open_now.c.n).label("n"))
            .where(open_now.c.area_id.in_(areas)).group_by(open_now.c.status)
        )
        statement = statement.where(*summing.conditions(open_now, ask))
        found = {r.status: int(r.n) for r in connection.execute(statement)} if ask.at is None else past_cases.by_status(connection, ask)
        per = summing.windows(connection, areas, {"now": pieces(ask.since, ask.until)}, summing.narrowing(ask))
        found["closed"] = per["now"]["closed"]
        whole = sum(found.values())
        rows = [
            MixRow(id=code, title=words, n=found.get(code, 0), share=found.get(code, 0) / whole if whole else None)
            for code, words in STATUS_WORDS.items() if code != "cancelled"
        ]
        return stamped(connection, rows, ask=ask, notes=(*by_day(ask), *only_sums(ask)))


def category_mix(store: Store, ask: Ask) -> Answer[MixRow]:
    """Return the cases reported in the period by category, the most first."""
    with store.read() as connection:
        areas = _areas(connection, ask)
        told: Counter[int] = Counter()
        for category_id, reported in summing.sums_of(connection, ("category_id",), ("reported",), areas, pieces(ask.since, ask.until), summing.narrowing(ask)):
            told[category_id] += int(reported)
        words = {r.id: r for r in connection.execute(select(category.c.id, category.c.code, category.c.name, category.c.name_en))}
        whole = sum(told.values())
        rows = [
            MixRow(id=words[key].code, title={"zh": words[key].name, "en": words[key].name_en or words[key].name}, n=n, share=n / whole)
            for key, n in sorted(told.items(), key=lambda one: (-one[1], words[one[0]].code)) if n
        ]
        return stamped(connection, rows, ask=ask, notes=(*by_day(ask), *only_sums(ask)))


def open_by_age(store: Store, ask: Ask) -> Answer[AgeRow]:
    """Return the cases that are open now by the days since they were reported, up to the period's end."""
    with store.read() as connection:
        if ask.at is not None:
            days = past_cases.ages(connection, ask)
            n = {id_: int(((days >= young) & (days <= (old if old is not None else days))).sum()) for id_, young, old in AGES}
            return stamped(connection, [_age(id_, young, old, n[id_]) for id_, young, old in AGES], ask=ask, notes=only_sums(ask))
        areas = _areas(connection, ask)
        wanted = {}
        for id_, young, old in AGES:
            end = ask.until - timedelta(days=young)
            wanted[id_] = upto(end) if old is None else pieces(ask.until - timedelta(days=old), end)
        per = summing.windows(connection, areas, wanted, summing.narrowing(ask))
        rows = [_age(id_, young, old, per[id_]["still_open"]) for id_, young, old in AGES]
        return stamped(connection, rows, ask=ask, notes=(*by_day(ask), *only_sums(ask)))


def _age(id_: str, young: int, old: int | None, n: int) -> AgeRow:
    return AgeRow(id=id_, days_from=young, days_to=old, n=n, title={
        "zh": f"{young} 天以上" if old is None else f"{young}–{old} 天",
        "en": f"{young} days and more" if old is None else f"{young}–{old} days"})


def figure_named(measure: str) -> Measure:
    """Return a figure by its id. Raises AskError."""
    if measure not in FIGURES:
        raise NoSuchError(f"No figure is called {measure!r}. Known: {', '.join(FIGURES)}.")
    return FIGURES[measure]


def _areas(connection: Connection, ask: Ask) -> list[int]:
    place = places.find(connection, ask.place, ask.on, ask.scope)
    return [part.area_id for part in rights.check(connection, ask.scope, place)]


def known_days(connection: Connection) -> tuple[date, date] | None:
    """Return the days of which the case sources speak; None = of none."""
    return remembered(connection, ("known",), lambda: _known_now(connection))


def _known_now(connection: Connection) -> tuple[date, date] | None:
    days = sums.reported_days(connection)
    return None if days is None else (days[0], max(days[1], city_now(connection).last_day))


def _told(connection: Connection) -> set[str]:
    """Return the measures that no source ever told: nothing was said, which is not zero."""
    return remembered(connection, ("told",), lambda: _told_now(connection))


def _told_now(connection: Connection) -> set[str]:
    root = [total.c.area_id == sums._root(), total.c.grain == MONTH]
    # One row that tells is enough; only what was never told is looked for through all months.
    return {m for m in ("filed", "rework") if connection.scalar(select(total.c.bucket).where(*root, total.c[m] > 0).limit(1)) is None}


def _covers(known: tuple[date, date] | None, since: date, until: date) -> bool:
    # A period that begins before the first record, or ends before it, was not watched as a whole.
    return known is not None and known[0] <= since and since <= known[1] or (
        known is not None and since <= known[0] <= until and until >= known[1])


def covered(connection: Connection, ask: Ask) -> bool:
    """Return whether the case sources speak of an ask's period."""
    return _covers(known_days(connection), ask.since, ask.until)


def is_told(connection: Connection, figure: Measure) -> bool:
    """Return whether any source ever told what a figure is made of."""
    return figure.numerator not in _told(connection)


def owed_until(connection: Connection, until: date) -> date:
    """Return the last day whose deadlines have passed."""
    today = local_day(stamp(now()), city_now(connection).zone)
    return min(until, today - timedelta(days=1))


def _pair(period: Any) -> tuple[date, date]:
    return period.since, period.until


def by_area(
    connection: Connection, areas: Sequence[int], ask: Ask, figures: Iterable[Measure] | None = None, with_bins: bool = False
) -> dict[int, dict[str, tuple[float | None, int | None, int | None]]]:
    """Return {area id: {figure id: (value, numerator, denominator)}}."""
    chosen = list(FIGURES.values() if figures is None else figures)
    now_pieces, only = pieces(ask.since, ask.until), summing.narrowing(ask)
    empty = dict.fromkeys(MEASURES, 0)

    def of(wanted: Sequence[Piece], measures: tuple[str, ...] = MEASURES) -> dict[int, summing.Sums]:
        found: dict[int, summing.Sums] = {}
        for area_id, *values in summing.sums_of(connection, ("area_id",), measures, areas, wanted, only):
            held = found.setdefault(area_id, dict(empty))
            for m, n in zip(measures, values, strict=True):
                held[m] += int(n)
        return found

    ids = {figure.id for figure in chosen}
    period = of(now_pieces)
    stock = of(upto(ask.until), ("reported", "closed")) if "open" in ids else {}
    owed = of(upto(owed_until(connection, ask.until)), ("due", "due_closed")) if "overdue" in ids else {}
    bins = summing.bins_by_area(connection, areas, now_pieces) if with_bins and not any(only) else {}
    seen, told = _covers(known_days(connection), ask.since, ask.until), _told(connection)
    nothing = (None, None, None)
    return {
        area: {
            figure.id: _value(figure, period.get(area, empty), stock.get(area, empty), owed.get(area, empty),
                              None if any(only) else bins.get(area, NONE)) if seen and figure.numerator not in told else nothing
            for figure in chosen
        }
        for area in areas
    }


def _value(
    figure: Measure, period: summing.Sums, stock: summing.Sums, owed: summing.Sums, bins: np.ndarray | None
) -> tuple[float | None, int | None, int | None]:
    """Return a figure's value with its numerator and denominator."""
    if figure.id in QUANTILES:
        if bins is None:  # handling times are kept for all categories and departments together
            return None, None, None
        return quantile(bins, QUANTILES[figure.id]), int(bins.sum()), None
    if figure.id == "open":
        n = stock["reported"] - stock["closed"]
        return n, n, None
    if figure.id == "overdue":
        n = owed["due"] - owed["due_closed"]
        return n, n, None
    top = period[figure.numerator]
    if figure.denominator is None:
        return top, top, None
    under = period[figure.denominator]
    return (top / under if under else None), top, under


def quantile(bins: np.ndarray, share: float) -> float | None:
    """Return the hours below which a share of the durations lies; None without any. `bins`: how many in each, by its number."""
    below = bins.cumsum()
    if not len(below) or not below[-1]:
        return None
    return round(sums.bin_hours(int(below.searchsorted(share * below[-1]))), 2)


def _worst(figure: Measure, row: ChildRow) -> tuple[bool, float, int]:
    value = row.values[figure.id]
    if value is None:
        return True, 0.0, row.place.num
    return False, value if figure.good == "up" else -value, row.place.num


def _with_rank(rows: list[ChildRow], i: int, figure: Measure) -> ChildRow:
    from dataclasses import replace

    value = rows[i].values[figure.id]
    if value is None:
        return rows[i]
    first = next(j for j, row in enumerate(rows) if row.values[figure.id] == value)
    return replace(rows[i], rank=first + 1)


__all__ = [
    "category_mix", "children", "open_by_age", "quantile", "status_mix", "tiles", "trend",
]
