"""Counts of all areas of one level, from which the indicators are made. Reads sums, and the state of cameras and sensors."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, func, select

from queries.area_values import Standing, _grouped
from queries.clock import day_end, day_start, local_day, now, stamp
from queries.frame import Ask
from queries.intervals import chunks
from queries.loop.tables import tally
from queries.periods import pieces
from queries.sensing.tables import OFTEN, OFTEN_DAYS, alarm
from queries.summing import sums_of, tables_of, when
from queries.tables import UPPER, camera, category, latest, node, sensor, source
from queries.today import city_now

Counts = dict[str, np.ndarray]
#: Of no more areas than this each is asked for by its id; of more the whole level is read.
FEW = 400
#: What people find an alarm to be: whether it was one.
REVIEWED, CONFIRMED = ("real", "case", "false"), ("real", "case")


def counts(connection: Connection, ask: Ask, where: Standing, names: Iterable[str]) -> Counts:
    """Return {count: number by area}; NaN where nothing here can tell (a category that the city does not have, a past day of devices)."""
    wanted, out = sorted(set(names)), {}
    of_all = [name for name in wanted if name.startswith("cases.") and "@" not in name]
    if of_all:
        out |= dict(zip(of_all, _rollups(connection, ask, where, tuple(name.removeprefix("cases.") for name in of_all)), strict=True))
    some = [name for name in wanted if name.startswith("cases.") and "@" in name]
    if some:
        out |= _of_categories(connection, ask, where, some)
    steps = [name for name in wanted if "." not in name]
    if steps:
        out |= _tallies(connection, ask, where, steps)
    if any(name.startswith("alarms.") for name in wanted):
        out |= _alarms(connection, ask, where)
    lately = _lately(connection, ask)
    if any(name.startswith("sources.") for name in wanted):
        fresh, promised = _sources(connection) if lately and where.level == 0 else (np.nan, np.nan)
        out |= {"sources.fresh": np.full(len(where.num), fresh, float), "sources.known": np.full(len(where.num), promised, float)}
    for kind in ("cameras", "sensors"):
        if any(name.startswith(f"{kind}.") for name in wanted):
            online, there = _devices(connection, where, kind) if lately else (np.nan, np.nan)
            out |= {f"{kind}.online": np.zeros(len(where.num)) + online, f"{kind}.known": np.zeros(len(where.num)) + there}
    return out


def _lately(connection: Connection, ask: Ask) -> bool:
    """Return whether the days of an ask reach to now, as far as anything is known: what is known of the present only speaks of them."""
    city = city_now(connection)
    return ask.until >= min(local_day(stamp(now()), city.zone) - timedelta(days=1), city.last_day)


def _rollups(connection: Connection, ask: Ask, where: Standing, columns: tuple[str, ...]) -> list[np.ndarray]:
    out = [np.zeros(len(where.num)) for _ in columns]
    wanted, only = pieces(ask.since, ask.until), ((), ())
    if len(where.num) <= FEW:
        row = {int(area_id): i for i, area_id in enumerate(where.area_id)}
        for area_id, *sums in sums_of(connection, ("area_id",), columns, list(row), wanted, only):
            for held, n in zip(out, sums, strict=True):
                held[row[area_id]] += int(n)
        return out
    for table, some in tables_of(where.level < UPPER, False, wanted):
        for num, *values in _grouped(connection, where, table, (), columns, some, only):
            at = np.searchsorted(where.num, num)
            for held, more in zip(out, values, strict=True):
                held[at] += more
    return out


def _of_categories(connection: Connection, ask: Ask, where: Standing, names: list[str]) -> Counts:
    """Return counts of some categories each (`cases.due@fire,buildings`): however many there are, the sums are read once."""
    n, known = len(where.num), dict(connection.execute(select(category.c.code, category.c.id)).all())
    parts = [name.removeprefix("cases.").partition("@") for name in names]
    columns = tuple(sorted({column for column, *_ in parts}))
    ids = {name: [known[c] for c in codes.split(",") if c in known] for name, (*_, codes) in zip(names, parts, strict=True)}
    out = {name: np.zeros(n) if ids[name] else np.full(n, np.nan) for name in names}
    wanted = pieces(ask.since, ask.until)
    blocks: list[list[np.ndarray]] = []
    if n <= FEW:
        row = {int(area_id): i for i, area_id in enumerate(where.area_id)}
        rows = [(row[area_id], *rest) for area_id, *rest in sums_of(connection, ("area_id", "category_id"), columns, list(row), wanted)]
        blocks = [list(np.array(rows, np.int64).T)] if rows else []
    else:
        for table, some in tables_of(where.level < UPPER, True, wanted):
            blocks += [[np.searchsorted(where.num, num), *rest] for num, *rest in _grouped(connection, where, table, ("category_id",), columns, some, ((), ()))]
    for at, code, *values in blocks:
        for name, (column, *_) in zip(names, parts, strict=True):
            if ids[name]:
                mine = np.isin(code, ids[name])
                out[name] += np.bincount(at[mine], values[columns.index(column)][mine], minlength=n)
    return out


def _tallies(connection: Connection, ask: Ask, where: Standing, names: list[str]) -> Counts:
    out = {name: np.zeros(len(where.num)) for name in names}
    if len(where.num) <= FEW:
        row = {int(area_id): i for i, area_id in enumerate(where.area_id)}
        for part in chunks(list(row)):
            for piece in pieces(ask.since, ask.until):  # one at a time: under an OR SQLite reads all of an area
                few = select(tally.c.area_id, tally.c.measure, func.sum(tally.c.n)).where(
                    tally.c.area_id.in_(part), tally.c.measure.in_(names), when(tally, (piece,))).group_by(tally.c.area_id, tally.c.measure)
                for area_id, name, n in connection.execute(few):
                    out[name][row[area_id]] += int(n)
        return out
    statement = (
        select(node.c.num, tally.c.measure, func.sum(tally.c.n)).join(tally, tally.c.area_id == node.c.area_id)
        .where(node.c.tree_id == where.tree_id, node.c.level == where.level, node.c.main.is_(True), tally.c.measure.in_(names),
               tally.c.grain == bindparam("grain"), tally.c.bucket.between(bindparam("lo"), bindparam("hi")))
        .group_by(node.c.num, tally.c.measure))
    for piece in pieces(ask.since, ask.until):
        for num, name, n in connection.execute(statement, {"grain": piece.grain, "lo": piece.lo, "hi": piece.hi}):
            at = int(np.searchsorted(where.num, num))
            if at < len(where.num) and where.num[at] == num:
                out[name][at] += int(n)
    return out


def _devices(connection: Connection, where: Standing, kind: str) -> tuple[np.ndarray, np.ndarray]:
    rows: list[tuple[int, bool]] = []
    if kind == "cameras":
        rows = [(r.node, r.state == "online") for r in connection.execute(select(camera.c.node, camera.c.state).where(camera.c.state != "unknown"))]
    else:
        seen = select(latest.c.sensor_id, func.max(latest.c.at).label("at")).group_by(latest.c.sensor_id).subquery()
        moment = int(now().timestamp())
        found: Any = connection.execute(select(sensor.c.node, sensor.c.every_s, seen.c.at).outerjoin(seen, seen.c.sensor_id == sensor.c.id).where(sensor.c.every_s.is_not(None)))
        rows = [(r.node, r.at is not None and moment - r.at <= 3 * r.every_s) for r in found]
    nodes = [r[0] for r in rows]
    return _spread(where, nodes, [float(r[1]) for r in rows]), _spread(where, nodes, [1.0] * len(rows))


def _alarms(connection: Connection, ask: Ask, where: Standing) -> Counts:
    """Return what became of the alarms of some days, and the points (sensors) that raised any, or often, in the weeks before their end."""
    a, zone = alarm.c, city_now(connection).zone
    end = day_end(ask.until, zone)
    settled = connection.execute(select(a.node, a.outcome, func.count()).where(a.closed_at >= day_start(ask.since, zone), a.closed_at < end, a.outcome.in_(REVIEWED))
                                 .group_by(a.node, a.outcome)).all()
    # A device that is silent is no risk of its place.
    points = connection.execute(select(func.max(a.node), func.count()).where(
        a.began_at >= end - OFTEN_DAYS * 86_400, a.began_at < end, a.sensor_id.is_not(None), a.kind != "silence").group_by(a.sensor_id)).all()
    return {
        "alarms.reviewed": _spread(where, [r[0] for r in settled], [float(r[2]) for r in settled]),
        "alarms.confirmed": _spread(where, [r[0] for r in settled], [float(r[2]) if r[1] in CONFIRMED else 0.0 for r in settled]),
        "alarms.points": _spread(where, [r[0] for r in points], [1.0] * len(points)),
        "alarms.often": _spread(where, [r[0] for r in points], [float(r[1] >= OFTEN) for r in points]),
    }


def _sources(connection: Connection) -> tuple[float, float]:
    """Return how many sources with a promised interval keep to it, within twice of it as on the data page, and how many promise one."""
    present = stamp(now())
    rows = connection.execute(select(source.c.as_of, source.c.every_s, source.c.state).where(source.c.every_s > 0)).all()
    return float(sum(r.state != "failed" and r.as_of is not None and present - r.as_of <= 2 * r.every_s for r in rows)), float(len(rows))


def _spread(where: Standing, nodes: list[int], values: list[float]) -> np.ndarray:
    """Return the sum of some values, each at a node, for each area."""
    out = np.zeros(len(where.num))
    if nodes and len(where.num):
        at_nodes = np.array(nodes)
        at = np.searchsorted(where.num, at_nodes, "right") - 1
        inside = (at >= 0) & (at_nodes <= where.last[np.maximum(at, 0)])
        np.add.at(out, at[inside], np.array(values)[inside])
    return out


def parents(connection: Connection, where: Standing) -> np.ndarray:
    """Return the number of each area's parent; the root's is its own."""
    held = dict(connection.execute(select(node.c.num, node.c.parent).where(node.c.tree_id == where.tree_id, node.c.level == where.level)).all())
    return np.array([held[int(n)] if held[int(n)] is not None else n for n in where.num], np.int64)


def made(counts_: Counts, names: tuple[str, ...]) -> np.ndarray:
    """Return the sum of some counts; `0.9*basic` counts nine tenths."""
    whole: Any = 0.0
    for name in names:
        factor, star, one = name.partition("*")
        whole = whole + (float(factor) * counts_[one] if star else counts_[name])
    return whole


def plain(names: Iterable[str]) -> list[str]:
    """Return the counts that are named, without factors."""
    return [name.partition("*")[2] or name for name in names]
