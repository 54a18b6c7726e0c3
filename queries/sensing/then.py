"""Sensors as they stood at a moment of the past: each one's last value before it, silence judged against it.

A reading carries no moment of arrival, so values stand by the sensors' own time. They are read from the readings
of the hour up to the moment, then from the sums of the hours and days before it; where the readings of that time
have left, from the last whole minute or hour, and the answer says so. Sensors, their kinds and places are those
of today: their register keeps no history.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select

from queries.alarms import then as alarms
from queries.clock import day_bucket as bucket_of_day
from queries.clock import local_day, now, stamp
from queries.sensing import ledger
from queries.sensing import often as haste
from queries.sensing.board import Board
from queries.sensing.tables import DAY, HOUR, MINUTE, reading_sum
from queries.store import get_meta
from queries.tables import reading

#: Further back a sensor's last value is not looked for: it was silent, and since when does not matter.
HOURS, DAYS = ((1, 1), (2, 6), (7, 48)), 60
KEPT, SETTLED_S = 6, 120
#: What its answers say beside the moment.
WORDS = ({"zh": "传感器数值按其自报时间；名册与位置为当前", "en": "values by the sensors' own time; register and positions are today's"},)
COARSE = {"zh": "该时段原始读数已清理，数值取自分钟或小时汇总", "en": "the readings of that time have left; values are of the last whole minute or hour"}
_kept: OrderedDict[tuple[Any, ...], Board] = OrderedDict()
_lock = threading.Lock()


def board(connection: Connection, today: Board, at: int) -> Board:
    """Return the board of a moment (UTC seconds), made after the board of today."""
    settled = at < stamp(now()) - SETTLED_S
    key = (connection.engine.url, at, today.register.mark, get_meta(connection, "loaded"))
    with _lock:
        if settled and key in _kept:
            return _kept[key]
    made = _read(connection, today, at)
    if settled:
        with _lock:
            _kept[key] = made
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
    return made


def is_coarse(connection: Connection, at: int) -> bool:
    """Return whether the single readings of a moment have left."""
    return ledger.floor(connection) > at // 3600 * 3600


def _read(connection: Connection, today: Board, at: int) -> Board:
    n = len(today.ids)
    last_at, value, metric = np.zeros(n, np.int64), np.full(n, np.nan), np.full(n, "", object)
    spot = {int(id_): i for i, id_ in enumerate(today.ids)}

    def take(rows: Any) -> None:
        for sensor_id, name, seen, told in rows:
            i = spot.get(sensor_id)
            # Of several metrics of one moment the first by name is shown, as on the board of now.
            if i is not None and (seen > last_at[i] or (seen == last_at[i] and name < metric[i])):
                last_at[i], value[i], metric[i] = seen, told, name

    hour = at // 3600
    if not is_coarse(connection, at):
        newest = select(reading.c.sensor_id, reading.c.metric, func.max(reading.c.at).label("at")).where(
            reading.c.at.between(hour * 3600, at)).group_by(reading.c.sensor_id, reading.c.metric).subquery()
        take(connection.execute(select(reading.c.sensor_id, reading.c.metric, reading.c.at, reading.c.value).join(
            newest, (reading.c.at == newest.c.at) & (reading.c.sensor_id == newest.c.sensor_id) & (reading.c.metric == newest.c.metric))))
    else:
        take(_sums(connection, MINUTE, hour * 60, (at + 1) // 60 - 1))
    # Most have sent within the hour before; who has not is looked for further and further back.
    for first, last in HOURS:
        if last_at.all():
            break
        take(_sums(connection, HOUR, hour - last, hour - first))
    if not last_at.all():
        day = bucket_of_day(local_day(at, today.register.zone))
        take(_sums(connection, DAY, day - DAYS, day - 1))
    level = np.zeros(n, np.int8)
    for sensor_id, worst in alarms.levels(connection, at).items():
        if sensor_id in spot:
            level[spot[sensor_id]] = worst
    # The sum of the moment's own hour knows what came after: who hurried is told by the last whole hour.
    often = np.zeros(n, np.int64)
    for sensor_id, sent in haste.told(connection, today.register, [at // 3600 - 1]).items():
        if sensor_id in spot:
            often[spot[sensor_id]] = sent
    return replace(today, last_at=last_at, value=value, metric=metric, level=level, often=often, read_at=at)


def _sums(connection: Connection, grain: int, first: int, last: int) -> Any:
    s = reading_sum.c
    newest = select(s.sensor_id, s.metric, func.max(s.bucket).label("bucket")).where(
        s.grain == grain, s.bucket.between(first, last)).group_by(s.sensor_id, s.metric).subquery()
    return connection.execute(select(s.sensor_id, s.metric, s.last_at, s.last).join(
        newest, (s.bucket == newest.c.bucket) & (s.sensor_id == newest.c.sensor_id) & (s.metric == newest.c.metric)).where(s.grain == grain))
