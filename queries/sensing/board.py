"""The latest value of every sensor, held in columns so that any view of the map costs arithmetic and no query.

Readings come every second, so the board is read anew at most every few seconds, beside those who look at it;
`as_of` says how old it is. What a sensor is worth now (silent, alarmed) follows from the moment of the look.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import Connection, Engine, func, select

from queries.clock import now, stamp
from queries.sensing import often as haste
from queries.sensing import register as sensors
from queries.sensing.intake import sensed
from queries.sensing.register import Register
from queries.sensing.tables import alarm
from queries.store import Store, version
from queries.tables import latest

#: Seconds for which a board is good enough, after which whoever looks waits for a new one, and for how many missed intervals a sensor counts as heard.
FRESH_S, STALE_S, MISSED = 2.0, 6.0, 3
#: Seconds after which all of it is read again, seconds by which readings overtake each other, and rows of one part.
WHOLE_S, LATE_S, PART = 60.0, 5, 4000
#: What a sensor is worth: index into STATES; 1 to 4 are the levels of its worst alarm.
STATES = ("ok", "red", "orange", "yellow", "blue", "silent", "never", "often")
OK, SILENT, NEVER, OFTEN = 0, 5, 6, 7


@dataclass(frozen=True, kw_only=True, eq=False)
class Board:
    """Columns over all sensors, in the order of `codes`. NaN and 0 where nothing was ever sent."""

    register: Register
    codes: np.ndarray
    ids: np.ndarray
    node: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    every_s: np.ndarray  # 0 = not promised
    last_at: np.ndarray  # 0 = never
    value: np.ndarray
    metric: np.ndarray  # of that value
    level: np.ndarray  # 0 = no open alarm
    often: np.ndarray  # readings of its busiest hour, of this and the last one, where that is far more than promised; 0 = it keeps its promise
    read_at: int
    mark: tuple[int, int]
    whole_at: float  # monotonic: when all of it was read last

    def states(self, present: int) -> np.ndarray:
        """Return for each sensor an index into STATES."""
        silent = (self.every_s > 0) & (present - self.last_at > MISSED * self.every_s)
        quiet = np.where(self.last_at == 0, NEVER, np.where(silent, SILENT, np.where(self.often > 0, OFTEN, OK)))
        return np.where(self.level > 0, self.level, quiet)


class _Slot:
    def __init__(self) -> None:
        self.lock, self.board, self.at, self.reading = threading.Lock(), None, 0.0, False  # type: ignore[var-annotated]
        self.board: Board | None


_slots: WeakKeyDictionary[Engine, _Slot] = WeakKeyDictionary()
_making = threading.Lock()


def board(store: Store) -> Board:
    """Return the board. Only the first look, and one after a pause, waits for it to be read."""
    with _making:
        slot = _slots.setdefault(store.engine, _Slot())
    with slot.lock:
        age = time.monotonic() - slot.at
        if slot.board is None or age > STALE_S:
            # Nobody has looked for a while: what is new is few rows, and an old board must not be shown as a new one.
            with store.read() as connection:
                slot.board, slot.at = _read(connection, slot.board, hurried=True), time.monotonic()
        elif age > FRESH_S and not slot.reading:
            slot.reading = True
            threading.Thread(target=_renew, args=(store, slot), name="board", daemon=True).start()
        return slot.board


def renewed(store: Store) -> Board:
    """Return the board as it is this moment: for whoever has just written."""
    with _making:
        slot = _slots.setdefault(store.engine, _Slot())
    with slot.lock, store.read() as connection:
        slot.board, slot.at = _read(connection, None), time.monotonic()
        return slot.board


def _renew(store: Store, slot: _Slot) -> None:
    made = None
    try:
        with store.read() as connection:
            made = _read(connection, slot.board)
    except Exception:  # noqa: BLE001, S110  (the database is away: the old board stays, and its age is told)
        pass
    finally:
        with slot.lock:
            slot.board, slot.at, slot.reading = made or slot.board, time.monotonic(), False


def _read(connection: Connection, before: Board | None, hurried: bool = False) -> Board:
    mark = sensed(connection), version(connection)
    if before is not None and before.mark == mark:
        return before
    held = sensors.read(connection, before.register if before else None)
    same = before is not None and before.register is held
    known = list(held.sensors.values())
    ids = before.ids if same and before else np.array([one.id for one in known], np.int64)
    order = np.argsort(ids)
    whole = not same or before is None or (not hurried and time.monotonic() - before.whole_at > WHOLE_S)
    last_at, value, metric = ((np.zeros(len(ids), np.int64), np.full(len(ids), np.nan), np.full(len(ids), "", object)) if whole or before is None
                              else (before.last_at.copy(), before.value.copy(), before.metric.copy()))
    # What is newer than the newest is asked for every time; what came late to one sensor, now and then with all the rest.
    since = 0 if whole else max(int(last_at.max(initial=0)) - LATE_S, 1)
    sorted_ids = ids[order]
    told = connection.execute(select(latest.c.sensor_id, latest.c.at, latest.c.value, latest.c.metric).where(latest.c.at >= since)
                              .order_by(latest.c.at, latest.c.metric.desc()) if not whole else
                              select(latest.c.sensor_id, latest.c.at, latest.c.value, latest.c.metric))
    # In parts, so that whoever looks meanwhile is not held up by a hundred thousand rows.
    while len(ids) and (rows := told.fetchmany(PART)):
        said, at, values, metrics = (list(column) for column in zip(*rows, strict=True))
        spots = np.minimum(np.searchsorted(sorted_ids, said), len(ids) - 1)
        where, at_ = order[spots], np.array(at, np.int64)
        fits = (sorted_ids[spots] == np.array(said)) & (at_ >= last_at[where])
        where = where[fits]
        last_at[where], value[where], metric[where] = at_[fits], np.array(values, float)[fits], np.array(metrics, object)[fits]
    level = np.zeros(len(ids), np.int8)
    spot = {int(i): k for k, i in enumerate(ids)} if len(ids) else {}
    for r in connection.execute(select(alarm.c.sensor_id, func.min(alarm.c.level)).where(alarm.c.is_open, alarm.c.is_active, alarm.c.sensor_id.is_not(None)).group_by(alarm.c.sensor_id)):
        if r[0] in spot:
            level[spot[r[0]]] = r[1]
    often = np.zeros(len(ids), np.int64)
    # Who hurries is told by sums of hours: they are looked at with all the rest only.
    hour = stamp(now()) // 3600
    hurried_before = {} if before is None else {int(i): int(n) for i, n in zip(before.ids, before.often, strict=True) if n}
    for id_, n in (haste.told(connection, held, [hour - 1, hour]) if whole else hurried_before).items():
        if id_ in spot:
            often[spot[id_]] = n
    if same and before:
        fixed = {name: getattr(before, name) for name in ("codes", "node", "lon", "lat", "every_s")}
    else:
        fixed = {"codes": np.array([one.code for one in known], object), "node": np.array([one.node for one in known], np.int64),
                 "lon": np.array([np.nan if one.lon is None else one.lon for one in known], float),
                 "lat": np.array([np.nan if one.lat is None else one.lat for one in known], float),
                 "every_s": np.array([held.every_s(one) or 0 for one in known], np.int64)}
    return Board(register=held, ids=ids, last_at=last_at, value=value, metric=metric, level=level, often=often, read_at=stamp(now()), mark=mark,
                 whole_at=time.monotonic() if whole or before is None else before.whole_at, **fixed)


def inside(node: np.ndarray, spans: list[tuple[int, int]]) -> np.ndarray:
    """Return which nodes lie in some intervals (ends included)."""
    if not spans:
        return np.zeros(len(node), bool)
    ends = np.array(sorted(spans), np.int64)
    at = np.searchsorted(ends[:, 0], node, side="right") - 1
    return (at >= 0) & (node <= ends[np.maximum(at, 0), 1])
