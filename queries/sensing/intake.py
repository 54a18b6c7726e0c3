"""Takes readings in: what one sender's batch becomes inside a transaction, with counts and quarantine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from queries.clock import now, stamp
from queries.loop.hearing import Hearing, announce
from queries.sensing import ledger, register
from queries.sensing.judge import REASONS, Fault, Judged, Read, judge
from queries.sensing.often import Haste
from queries.sensing.register import Register
from queries.sources._quarantine import Bad, keep
from queries.store import bump

#: Grows with each batch: what shows latest values looks at it, while the version of all other answers stays.
SENSED = "sensed"
_GROW = text("UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'sensed'")
_BEGIN = text("INSERT INTO meta (key, value) VALUES ('sensed', '1')")


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """Readings of one sender that came together. `file` = where they came by (a path, a topic)."""

    source: str
    rows: Sequence[Read]
    file: str = ""
    #: What was refused before it became a reading: (field, why, value).
    unread: Sequence[tuple[str, str, str]] = ()
    #: The sensors for which the sender may speak; None = all.
    only: Callable[[str], bool] | None = None


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of a parcel: new, corrected and repeated readings, and what was refused."""

    new: int = 0
    changed: int = 0
    again: int = 0
    faults: tuple[Fault, ...] = ()


@dataclass
class Ledger:
    """One transaction in which readings are written."""

    connection: Connection
    register: Register
    seen: int = field(default_factory=lambda: stamp(now()))
    hearing: Hearing = field(default_factory=Hearing)
    haste: Haste = field(default_factory=Haste)

    @classmethod
    def open(cls, connection: Connection, before: Register | None = None, haste: Haste | None = None) -> Ledger:
        """Begin with a statement that writes, so that on SQLite the one writer waits here and not half-way."""
        if not connection.execute(_GROW).rowcount:
            connection.execute(_BEGIN)
        return cls(connection, register.read(connection, before), haste=haste or Haste())

    def take(self, parcel: Parcel) -> Taken:
        """Write one parcel."""
        rows, barred = _barred(parcel)
        done: Judged = judge(self.register, rows, self.seen, ledger.floor(self.connection))
        done.faults += barred
        written = ledger.write(self.connection, self.register.zone, done.good)
        self._count(parcel, done, written)
        if written.fresh or written.changed:
            from queries.alarms.watch import look

            if look(self.connection, self.register, written.fresh, self.seen):
                bump(self.connection)
        return Taken(new=len(written.fresh), changed=len(written.changed), again=written.same + done.counts["again"], faults=tuple(done.faults))

    def finish(self) -> None:
        """Write what was heard."""
        self.hearing.write(self.connection, self.seen)

    def _count(self, parcel: Parcel, done: Judged, written: ledger.Written) -> None:
        name, hearing = parcel.source, self.hearing
        announce(self.connection, name, {"zh": name, "en": name}, kind="readings")
        hearing.count(name, "taken", len(written.fresh) + len(written.changed))
        hearing.count(name, "again", written.same + done.counts["again"])
        if often := self.haste.beyond(self.register, written.fresh):
            hearing.count(name, "often", often)
        for what in ("late", "ahead"):
            if done.counts[what]:
                hearing.count(name, what, done.counts[what])
        if done.good:
            hearing.at(name, max(at for at, _, _ in done.good))
        bad = [Bad(source=name, file=parcel.file[:200], row=f.row, field=f.field, value=f.value, reason=f.zh, reason_en=f.en, raw=f.value)
               for f in done.faults]
        bad += [Bad(source=name, file=parcel.file[:200], row=i, field=field_, value=value, reason=REASONS[why][0], reason_en=REASONS[why][1], raw=value)
                for i, (field_, why, value) in enumerate(parcel.unread, 1)]
        if bad:
            keep(self, bad)


def _barred(parcel: Parcel) -> tuple[Sequence[Read], list[Fault]]:
    """Return the rows of sensors for which the sender may speak, and the faults of the others."""
    if parcel.only is None:
        return parcel.rows, []
    may: dict[str, bool] = {}
    for row in parcel.rows:
        if row.sensor not in may:
            may[row.sensor] = parcel.only(row.sensor)
    if all(may.values()):
        return parcel.rows, []
    faults = [Fault(i, "sensor", "from", row.sensor) for i, row in enumerate(parcel.rows, 1) if not may[row.sensor]]
    return [row for row in parcel.rows if may[row.sensor]], faults


def sensed(connection: Connection) -> int:
    """Return the number that grows with each batch of readings."""
    value: Any = connection.scalar(text("SELECT value FROM meta WHERE key = 'sensed'"))
    return int(value or 0)
