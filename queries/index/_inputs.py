"""What the scores of a level are made of: numerator and denominator of every indicator and area, and whether they tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection

from queries.area_values import Standing
from queries.frame import Ask
from queries.index import catalogue
from queries.index._counts import counts, made, parents, plain
from queries.index._dimension import Indicator
from queries.index._figures import figures_of
from queries.index._mix import adjusted, mix_of
from queries.index._own import counted_here
from queries.kpi import covered
from queries.loop.evaluate import WATCHED


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """What a level's scores are made of. Arrays: areas × `computed()` indicators.

    `age`: days from the end of what an input speaks of to the end of the period (None = nothing is imported); `stale`: there is a
    figure, but it is too old to count.
    """

    num: np.ndarray
    group: np.ndarray  # number of the parent
    top: np.ndarray
    under: np.ndarray
    known: np.ndarray
    covered: bool
    age: np.ndarray | None = None
    stale: np.ndarray | None = None


def computed() -> list[Indicator]:
    """Return the indicators that can have a value here, of our own counts or imported, in order."""
    return list(catalogue().computed)


def read_inputs(connection: Connection, ask: Ask, where: Standing, group: np.ndarray | None = None, only: Sequence[Indicator] = ()) -> Inputs:
    """Return what a level, or some of its areas, tells of the days of an ask.

    `group`: the parents, where they are known already. `only`: columns for these indicators instead of all.
    """
    every, n = list(only) or computed(), len(where.num)
    seen = covered(connection, ask)
    mix = mix_of(connection, ask.since, computed())
    of = [adjusted(i, mix.weights.get(i.id, {}), mix.alike) for i in every]
    held = counts(connection, ask, where, [n for i in of for n in plain((*i[0], *i[1], *i[2]))] + [WATCHED])
    # Each indicator is scored by itself: column after column in memory, the cost per area is the same for any number of them.
    top = np.asfortranarray(np.column_stack([np.zeros(n) + made(held, i[0]) - made(held, i[2]) for i in of]))
    under = np.asfortranarray(np.column_stack([np.zeros(n) + made(held, i[1]) for i in of]))
    # More went wrong than there are cases as they are weighed: none of them was in order.
    mixed = np.array([i.mix for i in every])
    top[:, mixed] = np.maximum(top[:, mixed], 0.0)
    if not seen:
        under = np.full_like(under, np.nan)
    # Where no step was ever taken here, nobody recorded failed checks or repeats either: none told is not zero.
    watched = np.array([all("." in name for name in plain((*i.top, *i.minus))) for i in every]) | (held[WATCHED] > 0)[:, None]
    age, stale = np.zeros(top.shape), np.zeros(top.shape, bool)
    ours = counted_here(connection, ask, every)
    at = [j for j, one in enumerate(every) if one.imported and one.id not in ours]
    told = figures_of(connection, ask, where, [every[j].id for j in at])
    top[:, at], under[:, at], age[:, at], stale[:, at], watched[:, at] = told.top, told.under, told.age, told.stale, True
    share = np.array([i.kind == "share" for i in every])
    # More taken back than done: it is of the time before, and says nothing of this one.
    with np.errstate(invalid="ignore"):
        known = (under > 0) & (np.array([i.kind == "value" for i in every]) | (top >= 0)) & (~share | (top <= under + 1e-9)) & watched & ~stale
    return Inputs(num=where.num, group=parents(connection, where) if group is None else group, top=top, under=under, known=known, covered=seen,
                  age=np.where(known, age, 0.0).astype(np.float32), stale=stale)


def patched(held: Inputs, rows: np.ndarray, fresh: Inputs, columns: np.ndarray) -> tuple[Inputs, np.ndarray]:
    """Return inputs in which some columns of some rows are those of `fresh`, and which of the rows differ from before."""
    out, differ, at = {}, np.zeros(len(rows), bool), np.ix_(rows, columns)
    for name in ("top", "under", "known", "age", "stale"):
        old, new = getattr(held, name), getattr(fresh, name)
        same = (old[at] == new) | (np.isnan(old[at].astype(float)) & np.isnan(new.astype(float)))
        differ |= ~same.all(axis=1)
        out[name] = old.copy()
        out[name][at] = new
    return (replace(held, **out), rows[differ]) if differ.any() else (held, rows[differ])
