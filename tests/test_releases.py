"""A release is frozen: it comes out of what it keeps bit for bit, and later data do not change it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, text, update

from queries import governance, index, loading, releases
from queries.clock import stamp
from queries.errors import AskError
from queries.frame import EVERYTHING, Actor, Ask
from queries.index._tables import index_release
from queries.store import Store, get_meta, put_meta
from tests import test_index_own as own
from tests.test_index_figures import folder_of

ADMIN = Actor(name="admin", post="admin", scope=EVERYTHING)
SINCE, UNTIL = date(2026, 10, 1), date(2026, 10, 31)


def test_a_release_is_recomputed_bit_for_bit_and_a_changed_one_is_found_out(city: Store) -> None:
    made = releases.release(city, ADMIN, SINCE, UNTIL)
    assert made.index == governance.index(city, Ask(scope=EVERYTHING, since=SINCE, until=UNTIL)).rows[0].score
    assert releases.recomputed(city, made.id)
    assert releases.releases(city).rows[0].hash == made.hash
    with city.engine.begin() as connection:
        connection.execute(text("UPDATE index_release SET hash = :h WHERE id = :i"), {"h": "0" * 64, "i": made.id})
    assert not releases.recomputed(city, made.id)
    with city.engine.begin() as connection:
        connection.execute(text("DELETE FROM index_release"))


def test_a_period_that_is_not_over_stays_a_draft(city: Store) -> None:
    with pytest.raises(AskError, match="draft"):
        releases.release(city, ADMIN, date.today(), date.today() + timedelta(days=30))
    with pytest.raises(AskError, match="administrator"):
        releases.release(city, Actor(name="x", post="viewer", scope=EVERYTHING), SINCE, UNTIL)


@pytest.mark.parametrize(("scores", "reds"), [
    ([60, 60], 0), ([60, 60, 60], 3), ([60, 60, 80, 60], 0), ([60, None, 60, 60], 3), ([60, 60, 60, 60], 4), ([60, 60, 60, 75], 0), ([69.9, 69.9, 70.0], 0)])
def test_reds_in_a_row_suggest_and_a_better_colour_resets(scores: list[float | None], reds: int) -> None:
    found = releases.suggested([{"a": s} for s in scores])
    assert [one.reds for one in found] == ([reds] if reds else [])
    if reds:
        assert ("talk" if reds >= 4 else "notice") in found[0].words["en"]


def test_an_indicators_months_are_its_values_and_a_release_marks_its_own_with_the_counts_of_then(city: Store) -> None:
    made = releases.release(city, ADMIN, SINCE, UNTIL)
    with city.engine.begin() as connection:
        place = connection.execute(text("SELECT code FROM area WHERE level = 1 ORDER BY code")).scalar()
    for code in (None, place):
        asked = Ask(scope=EVERYTHING, since=date(2026, 11, 1), until=date(2026, 11, 20), place=code)
        rows = {row.since: row for row in governance.months(city, asked, 3, "SAF06").rows}
        assert list(rows) == [date(2026, 9, 1), SINCE, date(2026, 11, 1)]
        for since, row in rows.items():
            there = next(r for r in governance.index(city, asked.but(since=since, until=row.until)).rows if r.id == "SAF06")
            assert (row.score, row.value, row.numerator, row.denominator) == (there.score, there.value, there.numerator, there.denominator)
            # A release publishes scores of the index and its dimensions; of an indicator it keeps the counts.
            assert row.released is None
            assert row.draft == (since != SINCE)
        assert (rows[SINCE].frozen_numerator, rows[SINCE].frozen_denominator) == (rows[SINCE].numerator, rows[SINCE].denominator)
        assert rows[date(2026, 11, 1)].frozen_denominator is None
        safety = governance.months(city, asked, 2, "safety").rows[0]
        assert safety.released == pytest.approx(safety.score)
    with city.engine.begin() as connection:
        connection.execute(text("DELETE FROM index_release"))
    assert made.index is not None


def test_a_day_is_over_by_the_citys_own_clock(store: Store, tmp_path: Path) -> None:
    # Half past eight in the evening in New York: in Greenwich the day is over, in the city it is not.
    loading.load(folder_of(tmp_path / "city", []), store, quiet=True)
    evening = datetime(2026, 10, 31, 20, 30, tzinfo=ZoneInfo("America/New_York"))
    with store.write() as connection:
        put_meta(connection, "city", {**get_meta(connection, "city"), "timezone": "America/New_York"})
        connection.execute(text("UPDATE source SET as_of = :at WHERE kind = 'cases'"), {"at": stamp(evening)})
    with pytest.raises(AskError, match="draft"):
        releases.release(store, ADMIN, SINCE, UNTIL)
    with store.write() as connection:
        connection.execute(text("UPDATE source SET as_of = :at WHERE kind = 'cases'"), {"at": stamp(evening) + 4 * 3600})
    assert releases.release(store, ADMIN, SINCE, UNTIL).until == UNTIL


def test_a_release_is_recomputed_by_the_catalogue_of_its_own_day(store: Store, tmp_path: Path) -> None:
    loading.load(own.folder_of(tmp_path / "city", own.many(300, 7)), store, quiet=True)
    made = releases.release(store, ADMIN, own.SINCE, own.UNTIL)
    assert releases.recomputed(store, made.id)
    # One that an earlier version made: another weight, an indicator fewer.
    now_ = index.catalogue()
    first = now_.dimensions[0]
    then = replace(now_, version="2025.1", dimensions=(replace(first, weight=35, indicators=tuple(i for i in first.indicators if i.id != "SAF07")), *now_.dimensions[1:]))
    keep = [i for i, one in enumerate(now_.computed) if one.id != "SAF07"]
    with store.write() as connection:
        arrays, _ = releases._frozen(connection, own.ASK, now_)
        old = {name: part[:, keep] if name.rsplit(".", 1)[1] in ("top", "under", "known") else part for name, part in arrays.items()}
        told = releases._scored(old, then)
        row = connection.execute(select(index_release).where(index_release.c.id == made.id)).one()._asdict()
        row |= {"id": made.id + 1, "version": then.version, "catalogue": then.packed(), "scores": told, "inputs": releases._packed(old), "hash": releases._hash(then, old, told)}
        connection.execute(insert(index_release).values(**row))
    assert releases.recomputed(store, made.id + 1)
    with store.write() as connection:
        connection.execute(update(index_release).where(index_release.c.id == made.id + 1).values(catalogue=now_.packed()))
    with pytest.raises(AskError, match="columns"):
        releases.recomputed(store, made.id + 1)
    with store.write() as connection:
        connection.execute(update(index_release).where(index_release.c.id == made.id + 1).values(catalogue=""))
    with pytest.raises(AskError, match="keeps no copy"):
        releases.recomputed(store, made.id + 1)
