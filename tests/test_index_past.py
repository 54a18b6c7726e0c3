"""The index at a moment of the past is what had been released by then; a draft keeps no past."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import update

from queries import governance, loading, releases
from queries.clock import stamp
from queries.frame import EVERYTHING, Actor
from queries.index._tables import index_release
from queries.store import Store
from tests.test_index_own import ASK, SINCE, UNTIL, folder_of, many, score


def test_at_a_moment_of_the_past_the_index_is_what_had_been_released_by_then(store: Store, tmp_path: Path) -> None:
    loading.load(folder_of(tmp_path / "city", many(300, 8)), store, quiet=True)
    admin = Actor(name="admin", post="admin", scope=EVERYTHING)
    earlier = releases.release(store, admin, SINCE - timedelta(days=30), SINCE - timedelta(days=1))
    # A week of its own is no period before a month.
    releases.release(store, admin, SINCE - timedelta(days=7), SINCE - timedelta(days=1))
    made = releases.release(store, admin, SINCE, UNTIL)
    at = made.made_at - timedelta(hours=1)
    with store.write() as connection:
        connection.execute(update(index_release).where(index_release.c.id == earlier.id).values(made_at=stamp(at - timedelta(days=2))))
    assert [r.release for r in governance.released(store, ASK.but(at=at - timedelta(days=3))).rows] == []
    assert {r.release for r in governance.released(store, ASK.but(at=at)).rows} == {earlier.id}
    rows = {r.id: r for r in governance.released(store, ASK).rows}
    assert rows["index"].release == made.id
    assert rows["index"].score == made.index
    assert rows["index"].before == earlier.index
    assert {r.hash for r in rows.values()} == {made.hash}
    assert governance.released(store, ASK.but(place="9201")).rows[0].score == score(store, "index", "9201").score
