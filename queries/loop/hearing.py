"""What each source said and when: counts of its messages, and the newest moment that it spoke of."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, bindparam, func, select, update

from queries.loop.tables import heard
from queries.store import bulk
from queries.tables import source

#: What came of a message. "late" and the others of its kind are told beside "taken".
WHAT = {
    "taken": {"zh": "已收", "en": "taken"}, "again": {"zh": "重复", "en": "repeats"}, "late": {"zh": "迟到", "en": "late"},
    "ahead": {"zh": "时钟超前", "en": "clock ahead"}, "disordered": {"zh": "乱序", "en": "out of order"},
    "often": {"zh": "过频", "en": "beyond the promised rate"},
    "refused": {"zh": "拒收", "en": "refused"}, "conflict": {"zh": "冲突", "en": "conflicts"},
}
_SPOKE = update(source).where(source.c.id == bindparam("of")).values(
    as_of=bindparam("at"), loaded_at=bindparam("seen"), rows=source.c.rows + bindparam("taken"), refused=source.c.refused + bindparam("bad"))
_KNOWN = select(source.c.id, source.c.as_of)


class Hearing:
    """Gathers; `write` brings it to the database. One row per source is shared by all writers, so it is touched seldom."""

    def __init__(self) -> None:
        """Nothing was heard yet."""
        self.counts: Counter[tuple[str, str]] = Counter()
        self.spoke: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Return whether there is something to write."""
        return bool(self.counts)

    def count(self, name: str, what: str, n: int = 1) -> None:
        """Count messages of a source."""
        self.counts[name, what] += n

    def at(self, name: str, at: int) -> None:
        """Remember that a source spoke of a moment."""
        self.spoke[name] = max(self.spoke.get(name, at), at)

    def clear(self) -> None:
        """Forget all of it."""
        self.counts.clear()
        self.spoke.clear()

    def join(self, other: Hearing) -> None:
        """Take over what another gathered."""
        self.counts.update(other.counts)
        for name, at in other.spoke.items():
            self.at(name, at)

    def write(self, connection: Connection, seen: int) -> None:
        """Write and forget. A source that nobody announced gets its row."""
        names = sorted({name for name, _ in self.counts})
        if not names:
            return
        known = {r.id: r.as_of for r in connection.execute(_KNOWN.where(source.c.id.in_(names)))}
        for name in names:
            taken, bad = self.counts[name, "taken"], self.counts[name, "refused"]
            at = self.spoke.get(name)
            if name not in known:
                announce(connection, name, {"zh": name, "en": name})
            newest = max((m for m in (at, known.get(name)) if m is not None), default=None)
            connection.execute(_SPOKE, {"of": name, "at": newest, "seen": seen, "taken": taken, "bad": bad})
        bulk(connection, heard, ("source", "what", "n"), ((*key, n) for key, n in sorted(self.counts.items()) if n),
             "ON CONFLICT (source, what) DO UPDATE SET n = heard.n + excluded.n")
        self.__init__()  # type: ignore[misc]


def announce(connection: Connection, name: str, title: dict[str, str], kind: str = "cases", every_s: int | None = None) -> None:
    """Give a source its row in the list of sources if it has none."""
    if connection.scalar(select(func.count()).select_from(source).where(source.c.id == name)):
        return
    # Two writers may announce it at once.
    bulk(connection, source, ("id", "kind", "title", "title_en", "licence", "state", "message", "every_s", "rows", "refused", "doubted"),
         [(name, kind, title["zh"], title["en"], "", "ok", "", every_s, 0, 0, 0)], "ON CONFLICT (id) DO NOTHING")
