"""What every page, panel and route shares: settings, store, boot id; who asks; how a view becomes an ask."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from dashboard.address import View
from dashboard.jobs import Jobs
from layers._idtiles import Tiles
from queries import cursor
from queries.frame import FIRST, NOTHING, Actor, Ask, Scope
from queries.index._keeper import IndexKeeper
from queries.loop.service import LoopService
from queries.sensing.keeping import Keeper
from queries.sensing.scribe import Scribe
from queries.settings import Settings
from queries.sources._coordinator import Coordinator
from queries.store import Store, version
from queries.today import CityNow, city_now
from queries.warning.job import Warner

_starting = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Who asks now, and by what right: nobody, an account's session, a demo post or a source's token."""

    actor: Actor
    by: Literal["nobody", "session", "demo", "token"]
    #: An account whose one-time password must be replaced before anything else.
    must_change: bool = False
    #: This server lets visitors choose a demo post.
    demo: bool = False
    #: Which of the account's sessions it is; empty for demo posts and tokens.
    session: str = ""


NOBODY = Visitor(actor=Actor(name="", post="viewer", scope=NOTHING), by="nobody")
#: Set for each request by dashboard/login.py. What runs outside of a request sees nothing.
_visitor: ContextVar[Visitor] = ContextVar("visitor", default=NOBODY)


@contextmanager
def visited(visitor: Visitor) -> Iterator[None]:
    """Let everything inside be asked by a visitor."""
    token = _visitor.set(visitor)
    try:
        yield
    finally:
        _visitor.reset(token)


@dataclass(eq=False)
class Context:
    """Shared by all callbacks and routes of one process."""

    settings: Settings
    store: Store
    jobs: Jobs = field(default_factory=Jobs)
    boot_id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    #: What else ends with this process, such as the hub of dashboard/live.py.
    at_end: list[Callable[[], None]] = field(default_factory=list)
    #: The map's tiles; made with the first who asks for one.
    tiles: Tiles = field(init=False)
    _city: tuple[int, date, CityNow] | None = None
    _loop: LoopService | None = None
    _doors: Coordinator | None = None
    _scribe: Scribe | None = None
    _warner: Warner | None = None
    _index: IndexKeeper | None = None

    def __post_init__(self) -> None:
        self.tiles = Tiles(self.store, self.settings)

    @property
    def loop(self) -> LoopService:
        """Return the running loop (writer, projector, clock); it starts with the first who needs it."""
        with _starting:
            if self._loop is None:
                self._loop = LoopService(self.store, writers=self.settings.writers, more=(Keeper(self.settings),))
            return self._loop

    @property
    def scribe(self) -> Scribe:
        """Return who writes readings; it starts with the first who brings some."""
        with _starting:
            if self._scribe is None:
                self._scribe = Scribe(self.store)
            return self._scribe

    def start(self) -> None:
        """Let the clock run, and the doors that ask or tell by themselves."""
        loop = self.loop
        with _starting:
            if self._doors is None:
                self._doors = Coordinator(loop.writer, self.settings)
                self._warner = Warner(self.store, loop.writer)
                self._index = IndexKeeper(self.store)

    def close(self) -> None:
        """Write what waits."""
        for end in self.at_end:
            end()
        self.jobs.close()
        with _starting:
            if self._index is not None:
                self._index.close()
                self._index = None
            if self._warner is not None:
                self._warner.close()
                self._warner = None
            if self._doors is not None:
                self._doors.close()
                self._doors = None
            if self._scribe is not None:
                self._scribe.close()
                self._scribe = None
            if self._loop is not None:
                self._loop.close()
                self._loop = None

    @property
    def visitor(self) -> Visitor:
        """Return who asks now, and by what right."""
        return _visitor.get()

    @property
    def actor(self) -> Actor:
        """Return the one who asks now and whose name stands on what is done."""
        return _visitor.get().actor

    @property
    def session(self) -> str:
        """Return which session asks now; empty where there is none."""
        return _visitor.get().session

    @property
    def scope(self) -> Scope:
        """Return what the one who asks now may see."""
        return _visitor.get().actor.scope

    def city(self) -> CityNow:
        """Return the loaded city; read again when data or the day changed."""
        with self.store.read() as connection:
            held = version(connection)
            today = date.today()
            if self._city is None or self._city[:2] != (held, today):
                self._city = (held, today, city_now(connection))
        return self._city[2]

    def language(self) -> str:
        """Return the language of a link that names none."""
        return self.settings.language or self.city().language

    def ask(self, view: View) -> Ask:
        """Return the question that a view puts. Period words end at the last day that data speaks of."""
        since, until = self.days(view)
        return Ask(scope=self.scope, since=since, until=until, place=view.place, filters=view.filters, at=self.moment(view), drill=bool(view.drill), weights=view.weights)

    def days(self, view: View) -> tuple[date, date]:
        """Return the first and last day of a view's period. At a moment of the past the last one is the day before it."""
        at, last = self.cursor(view), self.city().last_day
        return span(view, last) if at is None else ended(*span(view, min(last, at.date() - timedelta(days=1))), at)

    def cursor(self, view: View) -> datetime | None:
        """Return the moment that a view names, whether or not anything is known of it; None = live."""
        zone = self.city().zone
        if held := cursor.drill(view.drill):
            return cursor.of_drill(held, zone)[0]
        told = cursor.local(view.at)
        return None if told is None else cursor.in_zone(told, zone)

    def on(self, view: View) -> date:
        """Return the day whose boundaries a view shows."""
        at = self.cursor(view)
        return self.days(view)[1] if at is None else at.date()

    def moment(self, view: View) -> datetime | None:
        """Return the moment of the past at which a view looks; None = live. Raises AskError for one that is not known."""
        at = self.cursor(view)
        if at is None:
            return None
        with self.store.read() as connection:
            return cursor.checked(connection, at)


def ended(since: date, until: date, at: datetime) -> tuple[date, date]:
    """Return a period that ends with the day before a moment: the moment's own day is not over."""
    last = max(at.date() - timedelta(days=1), FIRST)
    return min(since, last), min(until, last)


def span(view: View, last: date) -> tuple[date, date]:
    """Return the first and last day of a view's period, both inside it."""
    if view.period == "custom" and view.since and view.until:
        return view.since, view.until
    if view.period == "month":
        return last.replace(day=1), last
    if view.period == "lastmonth":
        end = last.replace(day=1) - timedelta(days=1)
        return end.replace(day=1), end
    if view.period == "year":
        return last.replace(month=1, day=1), last
    days = {"1d": 1, "7d": 7, "30d": 30, "90d": 90}.get(view.period, 30)
    return last - timedelta(days=days - 1), last
