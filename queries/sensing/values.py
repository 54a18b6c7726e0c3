"""The answers about sensors: on the map, in lists, one with its series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from sqlalchemy import Connection, select

from queries import places
from queries import scope as rights
from queries.answers import known_then, stamped
from queries.case_rows import Point
from queries.clock import moment, stamp
from queries.errors import AskError, NoSuchError
from queries.frame import Answer, Ask
from queries.places import Place
from queries.sensing import then as past
from queries.sensing.board import STATES, Board, board, inside
from queries.sensing.ledger import bucket_begins, buckets_of
from queries.sensing.tables import DAY, HOUR, MINUTE, reading_sum
from queries.store import Store
from queries.tables import latest

Words = dict[str, str]
STATE_WORDS: dict[str, Words] = {
    "ok": {"zh": "正常", "en": "normal"}, "silent": {"zh": "失联", "en": "silent"}, "never": {"zh": "从未上报", "en": "never heard"},
    "red": {"zh": "红色报警", "en": "red alarm"}, "orange": {"zh": "橙色报警", "en": "orange alarm"},
    "yellow": {"zh": "黄色报警", "en": "yellow alarm"}, "blue": {"zh": "蓝色报警", "en": "blue alarm"},
}
#: What stands first where there are many: the worst.
_WORST = ("red", "orange", "yellow", "blue", "silent", "never", "ok")
GRAINS = {"minute": MINUTE, "hour": HOUR, "day": DAY}
#: So many points at most in one series, and sensors shown one by one on the map.
POINTS, SINGLE = 1500, 300


@dataclass(frozen=True, kw_only=True)
class SensorRow:
    """A sensor and its latest value; None = it never sent one."""

    code: str
    name: str
    kind: str
    kind_words: Words
    symbol: str
    state: str
    metric: str
    metric_words: Words
    unit: str
    digits: int
    value: float | None
    at: datetime | None
    every_s: int | None
    area_code: str
    area_name: Words
    lon: float | None
    lat: float | None


@dataclass(frozen=True, kw_only=True)
class SeriesPoint:
    """A stretch of a series. None = nothing was heard in it, which is not zero."""

    at: datetime
    n: int
    mean: float | None
    low: float | None
    high: float | None
    last: float | None


@dataclass(frozen=True, kw_only=True)
class Health:
    """How many sensors are how, of a kind."""

    kind: str
    words: Words
    total: int
    states: dict[str, int]
    #: Of those whose interval is known, the part that was heard within three intervals; None = none is known.
    online: float | None


def points(store: Store, ask: Ask, bbox: tuple[float, float, float, float], zoom: int) -> Answer[Point]:
    """Return the sensors of a view, gathered into cells where they are many; `by_status` = by what they are worth now."""
    held, mask = _view(store, ask)
    west, south, east, north = bbox
    mask &= (held.lon >= west) & (held.lon <= east) & (held.lat >= south) & (held.lat <= north)
    where = np.flatnonzero(mask)
    states = held.states(ask.present)[where]
    lon, lat = held.lon[where], held.lat[where]
    told: dict[str, Any] = {"as_of": moment(held.read_at), "source": ("sensors", "readings"), "total": len(where), "notes": _notes(store, ask)}
    if len(where) <= SINGLE:
        return Answer(rows=tuple(Point(lon=float(x), lat=float(y), n=1, by_status={STATES[s]: 1}, nos=(held.codes[i],))
                                 for i, x, y, s in zip(where, lon, lat, states, strict=True)), **told)
    step = 360 / 2**zoom / 256 * 48  # about 48 pixels a cell
    cell = np.floor(lon / step).astype(np.int64) * 4_000_000 + np.floor(lat / step).astype(np.int64)
    keys, home, n = np.unique(cell, return_inverse=True, return_counts=True)
    counts = np.bincount(home * len(STATES) + states, minlength=len(keys) * len(STATES)).reshape(len(keys), len(STATES))
    x, y = np.bincount(home, lon) / n, np.bincount(home, lat) / n
    order = [STATES.index(name) for name in _WORST]
    return Answer(rows=tuple(
        Point(lon=float(x[k]), lat=float(y[k]), n=int(n[k]), by_status={STATES[s]: int(counts[k, s]) for s in order if counts[k, s]})
        for k in range(len(keys))), **told)


def listed(store: Store, ask: Ask, state: str = "", kind: str = "", limit: int = 200) -> Answer[SensorRow]:
    """Return sensors of the place, what needs a look first."""
    held, mask = _view(store, ask)
    present = ask.present
    states = held.states(present)
    if state:
        if state not in STATES:
            raise AskError(f"{state!r} is no state of a sensor; known: {', '.join(STATES)}.", field="state")
        mask &= states == STATES.index(state)
    if kind:
        mask &= np.array([one.kind == kind for one in held.register.sensors.values()], bool)
    where = np.flatnonzero(mask)
    rank = np.array([_WORST.index(STATES[s]) for s in range(len(STATES))])[states[where]]
    order = where[np.lexsort((-held.last_at[where], rank))][:limit]
    with store.read() as connection:
        here = places.of_nodes(connection, held.node[order])
        return _stamp(connection, held, [_row(here, held, int(i), STATES[states[i]]) for i in order], ask, total=len(where))


def health(store: Store, ask: Ask) -> Answer[Health]:
    """Return how the sensors of the place are, kind by kind."""
    held, mask = _view(store, ask)
    states = held.states(ask.present)
    kinds = np.array([one.kind for one in held.register.sensors.values()], object)
    rows = []
    for kind in sorted(set(kinds[mask])):
        mine = np.flatnonzero(mask & (kinds == kind))
        told = {STATES[s]: int(n) for s, n in zip(*np.unique(states[mine], return_counts=True), strict=True)}
        promised = mine[held.every_s[mine] > 0]
        heard = held.last_at[promised] > 0
        fresh = heard & (ask.present - held.last_at[promised] <= 3 * held.every_s[promised])
        rows.append(Health(kind=kind, words=_kind_words(held, kind), total=len(mine), states=told, online=float(fresh.mean()) if len(promised) else None))
    with store.read() as connection:
        return _stamp(connection, held, rows, ask)


def one(store: Store, ask: Ask, code: str) -> Answer[SensorRow]:
    """Return one sensor with each of its metrics. Raises NoSuchError, also for one that may not be seen."""
    with store.read() as connection:
        held = _board(store, ask)
        where = _find(connection, ask, held, code)
        first = _row(places.of_nodes(connection, [held.node[where]]), held, where, STATES[held.states(ask.present)[where]])
        if ask.at is not None:
            return _stamp(connection, held, [first], ask)
        rows = connection.execute(select(latest).where(latest.c.sensor_id == int(held.ids[where])).order_by(latest.c.metric)).all()
        return _stamp(connection, held, [_of_metric(held, first, r.metric, r.value, r.at) for r in rows] or [first], ask)


def series(store: Store, ask: Ask, code: str, metric: str = "", grain: Literal["minute", "hour", "day"] = "hour",
           since: int | None = None, until: int | None = None) -> Answer[SeriesPoint]:
    """Return a sensor's sums by minute, hour or day, gaps included. Raises NoSuchError, AskError."""
    if grain not in GRAINS:
        raise AskError(f"{grain!r} is no grain; known: {', '.join(GRAINS)}.", field="grain")
    s, size = reading_sum.c, GRAINS[grain]
    # What came after the moment was not known at it.
    until = ask.present if until is None else until if ask.at is None else min(until, ask.present)
    since = until - {"minute": 3 * 3600, "hour": 48 * 3600, "day": 60 * 86_400}[grain] if since is None else since
    with store.read() as connection:
        held = board(store)
        where = _find(connection, ask, held, code)
        zone = held.register.zone
        if since > until or (until - since) // (60, 3600, 86_400)[size] > POINTS:
            raise AskError(f"A series holds {POINTS} points at most, from an earlier to a later moment. Choose a coarser grain or other ends.",
                           zh=f"一条序列最多 {POINTS} 个点，且起点须早于终点；请改用更粗的粒度。", field="from")
        buckets = buckets_of(zone, size, since, until)
        known = metric or str(held.metric[where])
        rows = {r.bucket: r for start in range(0, len(buckets), 500) for r in connection.execute(select(reading_sum).where(
            s.grain == size, s.bucket.in_(buckets[start:start + 500]), s.sensor_id == int(held.ids[where]), s.metric == known))}
        return _stamp(connection, held, [_point(zone, size, bucket, rows.get(bucket)) for bucket in buckets], ask)


def _point(zone: object, grain: int, bucket: int, r: object) -> SeriesPoint:
    at = moment(bucket_begins(zone, grain, bucket))  # type: ignore[arg-type]
    if r is None:
        return SeriesPoint(at=at, n=0, mean=None, low=None, high=None, last=None)
    return SeriesPoint(at=at, n=r.n, mean=r.total / r.n, low=r.low, high=r.high, last=r.last)  # type: ignore[attr-defined]


def _board(store: Store, ask: Ask) -> Board:
    held = board(store)
    if ask.at is None:
        return held
    with store.read() as connection:
        return past.board(connection, held, ask.present)


def _notes(store: Store, ask: Ask) -> tuple[Words, ...]:
    if ask.at is None:
        return ()
    with store.read() as connection:
        return (known_then(ask.at), *past.WORDS, *((past.COARSE,) if past.is_coarse(connection, ask.present) else ()))


def _view(store: Store, ask: Ask) -> tuple[Board, np.ndarray]:
    with store.read() as connection:
        place = places.find(connection, ask.place, ask.on, ask.scope)
        spans = rights.ranges_under(connection, rights.check(connection, ask.scope, place))
    held = _board(store, ask)
    return held, inside(held.node, spans)


def _find(connection: Connection, ask: Ask, held: Board, code: str) -> int:
    known = held.register.sensors.get(code)
    if known is None or not rights.sees(connection, ask.scope, known.node):
        raise NoSuchError(f"There is no sensor {code[:60]!r}.", zh=f"没有传感器 {code[:60]}。")
    return int(np.flatnonzero(held.codes == code)[0])


def _row(places_of: Mapping[int, Place], held: Board, i: int, state: str) -> SensorRow:
    known = held.register.sensors[held.codes[i]]
    kind = held.register.kinds.get(known.kind)
    here = places_of.get(known.node)
    first = SensorRow(
        code=known.code, name=known.name, kind=known.kind, kind_words=_kind_words(held, known.kind), symbol=kind.symbol if kind else "dot", state=state,
        metric="", metric_words={"zh": "", "en": ""}, unit="", digits=2, value=None, at=None, every_s=held.register.every_s(known),
        area_code=here.code if here else "", area_name={"zh": here.name, "en": here.name_en or here.name} if here else {"zh": "", "en": ""},
        lon=known.lon, lat=known.lat)
    return first if held.last_at[i] == 0 else _of_metric(held, first, str(held.metric[i]), float(held.value[i]), int(held.last_at[i]))


def _of_metric(held: Board, row: SensorRow, metric: str, value: float, at: int) -> SensorRow:
    known = held.register.metric(row.kind, metric)
    words = {"zh": known.name, "en": known.name_en or known.name} if known else {"zh": metric, "en": metric}
    return SensorRow(**{**row.__dict__, "metric": metric, "metric_words": words, "unit": known.unit if known else "", "digits": known.digits if known else 2,
                        "value": value, "at": moment(at)})


def _kind_words(held: Board, kind: str) -> Words:
    known = held.register.kinds.get(kind)
    return {"zh": known.name, "en": known.name_en or known.name} if known else {"zh": kind or "未分类", "en": kind or "unsorted"}


def _stamp(connection: Connection, held: Board, rows: object, ask: Ask, total: int | None = None) -> Answer:  # type: ignore[type-arg]
    past_ask = None if ask.at is None else ask
    notes = () if ask.at is None else (*past.WORDS, *((past.COARSE,) if past.is_coarse(connection, ask.present) else ()))
    made = stamped(connection, rows, kinds=("sensors", "readings"), ask=past_ask, notes=notes, total=total)
    if ask.at is not None:
        return made
    newest = int(held.last_at.max(initial=0))
    as_of = moment(max(newest, stamp(made.as_of) if made.as_of else 0)) if newest or made.as_of else None
    return Answer(rows=made.rows, as_of=as_of, source=made.source, due=made.due, dropped=made.dropped, notes=made.notes, total=total)


