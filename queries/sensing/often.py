"""Who sends far more often than promised: seen, counted, and nothing of it is thrown away.

One reading a second and metric is the most that is kept of any device: a later one of the same second corrects it.
Each is summed once, so a talkative device costs room and no truth. What is told here is read from the sums of the
hour, by the device's own clock, so that a backlog that comes at once is no haste.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, case, func, select

from queries.sensing.register import Register
from queries.sensing.tables import HOUR, reading_sum
from queries.tables import sensor

#: So many times as often as promised is too often: an interval is kept loosely by many honest devices.
TIMES = 3
HOUR_S = 3600


def most(register: Register, sensor_id: int) -> float | None:
    """Return how many readings of one metric in an hour are still no haste; None = the sensor promised nothing."""
    known = register.by_id.get(sensor_id)
    every = register.every_s(known) if known else None
    return TIMES * HOUR_S / every if every else None


def told(connection: Connection, register: Register, hours: Sequence[int]) -> dict[int, int]:
    """Return the sensors that sent too often in one of some hours (since 1970): {sensor id: readings of its busiest}."""
    s = reading_sum.c
    kinds = [(sensor.c.kind == name, kind.every_s) for name, kind in register.kinds.items() if kind.every_s]
    # As the register says it: the sensor's own promise, else its kind's.
    every = func.coalesce(func.nullif(sensor.c.every_s, 0), case(*kinds, else_=None) if kinds else None)
    rows = select(s.sensor_id, func.max(s.n)).join(sensor, sensor.c.id == s.sensor_id).where(
        s.grain == HOUR, s.bucket.in_(hours), s.n * every > TIMES * HOUR_S).group_by(s.sensor_id)
    return {sensor_id: int(n) for sensor_id, n in connection.execute(rows)}


class Haste:
    """Counts readings beyond what is promised, in the process that takes them in; it begins anew with it."""

    def __init__(self) -> None:
        """Nothing was heard yet."""
        self._hour: dict[tuple[int, str], int] = {}
        self._n: Counter[tuple[int, str]] = Counter()

    def beyond(self, register: Register, fresh: Sequence[tuple[int, int, str, float]]) -> int:
        """Return how many of new readings (at, sensor id, metric, value) are beyond the promise of their hour."""
        out = 0
        for at, sensor_id, metric, _ in fresh:
            key, hour = (sensor_id, metric), at // HOUR_S
            if self._hour.get(key) != hour:
                if self._hour.get(key, 0) > hour:  # of an hour that is over: a backlog
                    continue
                self._hour[key], self._n[key] = hour, 0
            self._n[key] += 1
            limit = register.limits.get(sensor_id, 0.0)
            if limit == 0.0:
                limit = register.limits[sensor_id] = most(register, sensor_id)
            out += limit is not None and self._n[key] > limit
        return out
