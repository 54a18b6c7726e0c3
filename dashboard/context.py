"""What every page, panel and route shares: settings, store, boot id; and how a view becomes an ask."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta

from dashboard.address import View
from queries.frame import EVERYTHING, Ask, Scope
from queries.loop.service import LoopService
from queries.settings import Settings
from queries.store import Store, version
from queries.today import CityNow, city_now

_starting = threading.Lock()


@dataclass(eq=False)
class Context:
    """Shared by all callbacks and routes of one process."""

    settings: Settings
    store: Store
    boot_id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    #: Who asks. Roles are not built yet; whoever adds them has this one place to fill.
    scope: Scope = EVERYTHING
    _city: tuple[int, date, CityNow] | None = None
    _loop: LoopService | None = None

    @property
    def loop(self) -> LoopService:
        """Return the running loop (writer, projector, clock); it starts with the first who needs it."""
        with _starting:
            if self._loop is None:
                self._loop = LoopService(self.store)
            return self._loop

    def close(self) -> None:
        """Write what waits."""
        with _starting:
            if self._loop is not None:
                self._loop.close()
                self._loop = None

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
        since, until = span(view, self.city().last_day)
        return Ask(scope=self.scope, since=since, until=until, place=view.place, filters=view.filters)


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


