"""Of indicators that are counted here and may be brought by a department: which are of our own counts in some days.

One indicator has one source in a period, everywhere: our own counts where the whole city's rest on enough, else the
department's figures. A mixture, area by area, would compare what two offices counted in two ways.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from queries.answers import remembered
from queries.area_values import standing
from queries.frame import EVERYTHING, Ask
from queries.index._counts import counts, made, plain
from queries.index._dimension import Indicator


def counted_here(connection: Connection, ask: Ask, every: Sequence[Indicator]) -> frozenset[str]:
    """Return the ids of those that may be brought and are counted here in the days of an ask, whoever asks."""
    either = tuple(one for one in every if one.top and one.imported)
    if not either:
        return frozenset()
    whole = Ask(scope=EVERYTHING, since=ask.since, until=ask.until)

    def told() -> frozenset[str]:
        city = standing(connection, whole, 0)
        held = counts(connection, whole, city, [name for one in either for name in plain(one.under)])
        return frozenset(one.id for one in either if len(city.num) and float(made(held, one.under)[0]) >= one.least)
    return remembered(connection, ("index_own", ask.since, ask.until, tuple(one.id for one in either)), told)
