"""The look at cameras: what each does is a state and is counted, and none holds another host, a round or a page up."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from queries import camera_health, cameras, loading, prober
from queries.clock import now, stamp
from queries.frame import Ask
from queries.prober import Finding, Prober
from queries.sensing.tables import camera_state
from queries.settings import Settings
from queries.sources import _kept
from queries.store import Store
from queries.tables import camera
from tests.gateway import jpeg
from tests.test_cameras import ASK, city, held  # noqa: F401
from tests.test_live_pictures import eyes_city, fragments, gateway  # noqa: F401


def rules(**more: Any) -> Settings:
    return Settings(camera_hosts="127.0.0.1", camera_probe_s=0, **more)


def told(store: Store, by: str = "probe") -> dict[str, list[tuple[str, str]]]:
    out: dict[str, list[tuple[str, str]]] = {}
    with store.read() as connection:
        for r in connection.execute(select(camera.c.code, camera_state.c.state, camera_state.c.why).join(camera, camera.c.id == camera_state.c.camera_id).where(camera_state.c.by == by).order_by(camera_state.c.id)):
            out.setdefault(r.code, []).append((r.state, r.why))
    return out


def test_what_each_camera_does_is_a_state_once_it_was_seen_twice(city: Store) -> None:  # noqa: F811
    with city.aside() as connection:
        connection.execute(camera.update().where(camera.c.code == "C3").values(state="online"))
    one = Prober(city, rules())
    first = one.once()
    # C4 and C10 are pictures of the demo, C9 names no host.
    assert (first.asked, first.changed) == (first.can, 0)
    assert held(city, "C2").state == "online"
    assert (held(city, "C2").found, held(city, "C1").found) == ("page", "")
    second = one.once()
    assert {code: held(city, code).state for code in ("C1", "C2", "C3", "C5", "C6", "C7")} == {
        "C1": "online", "C2": "no_picture", "C3": "offline", "C5": "offline", "C6": "no_picture", "C7": "no_picture"}
    assert told(city) == {"C2": [("no_picture", "page")], "C3": [("offline", "silent")], "C5": [("offline", "refused")], "C6": [("no_picture", "status")], "C7": [("no_picture", "endless")],
                          "C8": [("no_picture", "address")]}
    assert second.found["page"] == 1
    assert held(city, "C10").looked_at is None
    kept = prober.last(city)
    assert kept
    assert (kept.asked, kept.found) == (second.asked, second.found)
    # A round in which nothing changed writes no row.
    before = told(city)
    one.once()
    assert told(city) == before


def test_where_no_host_is_named_or_the_setting_says_so_nothing_is_asked(city: Store) -> None:  # noqa: F811
    for settings in (Settings(camera_hosts="", camera_probe_s=1), Settings(camera_hosts=" , ", camera_probe_s=1), rules()):
        one = Prober(city, settings)
        assert one._thread is None
        one.close()
    assert prober.aims(city, "") == []
    assert prober.aims(city, "127.0.0.1:1") == []


@pytest.fixture
def counting(city: Store) -> Iterator[tuple[Store, list[int], int]]:  # noqa: F811
    """A city whose twelve cameras stand at one host that counts how many ask it at once."""
    asking, most, lock = [0], [0], threading.Lock()

    class One(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with lock:
                asking[0] += 1
                most[0] = max(most[0], asking[0])
            time.sleep(0.05)
            with lock:
                asking[0] -= 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(jpeg())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), One)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with city.aside() as connection:
        connection.execute(camera.update().values(still=f"http://127.0.0.1:{server.server_port}/x"))
    yield city, most, server.server_port
    server.shutdown()


def test_one_host_is_asked_by_one_at_a_time(counting: tuple[Store, list[int], int]) -> None:
    store, most, _ = counting
    done = Prober(store, rules()).once()
    assert (done.asked, most[0]) == (10, 1)


def test_a_round_ends_in_its_time_and_the_next_begins_with_the_rest(counting: tuple[Store, list[int], int], monkeypatch: pytest.MonkeyPatch) -> None:
    store, _, _ = counting
    one = Prober(store, rules())
    monkeypatch.setattr(prober, "ROUND_S", 0.12)
    first = one.once()
    assert 0 < first.asked < first.can
    waiting = [aim.id for aim in prober.aims(store, "127.0.0.1") if not aim.looked_at]
    assert [aim.id for aim in prober.aims(store, "127.0.0.1")][:len(waiting)] == waiting
    monkeypatch.setattr(prober, "ROUND_S", 60.0)
    assert one.once().asked == first.can


def test_a_camera_comes_back_at_once_and_a_single_lost_picture_is_not_believed(city: Store) -> None:  # noqa: F811
    with city.read() as connection:
        number = connection.scalar(select(camera.c.id).where(camera.c.code == "C1"))
    one = Prober(city, rules())

    def found(what: str) -> str:
        one._write([Finding(id=number, at=stamp(now()), found=what)])
        return held(city, "C1").state

    assert [found(what) for what in ("refused", "", "silent", "page", "page", "refused", "silent", "")] == [
        "online", "online", "online", "online", "no_picture", "no_picture", "offline", "online"]
    assert [state for state, _ in told(city)["C1"]] == ["no_picture", "offline", "online"]


def test_a_file_that_speaks_of_an_earlier_moment_does_not_undo_what_was_found(city: Store, tmp_path: Path) -> None:  # noqa: F811
    one = Prober(city, rules())
    one.once()
    one.once()
    assert held(city, "C2").state == "no_picture"
    table = tmp_path / "sensed" / "cameras.csv"
    table.write_text(table.read_text("utf-8").replace("C2,路口", "C2,大路口"), "utf-8")
    loading.load(tmp_path / "sensed", city, quiet=True)
    assert (held(city, "C2").name, held(city, "C2").state) == ("大路口", "no_picture")
    with city.aside() as connection:
        connection.execute(camera.update().where(camera.c.code == "C2").values(looked_at=stamp(now()) - 2 * 86_400))
    table.write_text(table.read_text("utf-8").replace("C2,大路口", "C2,路口"), "utf-8")
    loading.load(tmp_path / "sensed", city, quiet=True)
    assert held(city, "C2").state == "online"


def test_cameras_that_have_only_a_live_picture_are_asked_for_that(store: Store, tmp_path: Path, gateway: tuple[str, list[str]]) -> None:  # noqa: F811
    eyes_city(store, tmp_path, gateway[0])
    one = Prober(store, Settings(camera_hosts=gateway[0], camera_probe_s=0))
    one.once()
    found = {code: cameras.one(store, ASK, code).row.found for code in ("C1", "J1", "J2", "S1", "H1", "H2", "H4", "M1", "M5")}
    assert found == {"C1": "", "J1": "", "J2": "", "S1": "", "H1": "page", "H2": "silent", "H4": "status", "M1": "page", "M5": "page"}
    # Those behind a gateway of the city are not invited just to look, and no other host is asked.
    assert cameras.one(store, ASK, "G1").row.looked_at is None
    assert cameras.one(store, ASK, "X1").row.looked_at is None


def test_only_one_process_looks(city: Store) -> None:  # noqa: F811
    assert _kept.hold(city, "one", 60, prober.LEASE)
    assert not _kept.hold(city, "two", 60, prober.LEASE)
    # The doors have a lease of their own.
    assert _kept.hold(city, "two", 60)
    _kept.release(city, "one", prober.LEASE)
    assert _kept.hold(city, "two", 60, prober.LEASE)


def test_health_at_a_moment_is_what_was_written_down_then(city: Store) -> None:  # noqa: F811
    def at(ago: int) -> Ask:
        from datetime import timedelta

        return ASK.but(at=now() - timedelta(seconds=ago))

    with city.aside() as connection:
        number = connection.scalar(select(camera.c.id).where(camera.c.code == "C1"))
        connection.execute(camera_state.delete().where(camera_state.c.camera_id == number))
        connection.execute(camera_state.insert(), [{"camera_id": number, "at": stamp(now()) - ago, "state": state, "by": "probe", "why": ""}
                                                   for ago, state in ((10 * 86_400, "offline"), (4 * 86_400, "online"), (600, "no_picture"))])
        connection.execute(camera.update().where(camera.c.code == "C1").values(state="no_picture", since_at=stamp(now()) - 600))

    def bucket_of(ask: Ask) -> str:
        return next((one.bucket for one in camera_health.unwell(city, ask).rows if one.code == "C1"), "online")

    assert [bucket_of(ask) for ask in (ASK, at(3600), at(5 * 86_400), at(9 * 86_400), at(20 * 86_400))] == ["no_picture", "online", "long_offline", "new_offline", "unknown"]
    assert {row.group: row.buckets["online"] for row in cameras.health(city, at(3600)).rows}["key_area"] >= 1
    assert [one.state for one in camera_health.changes(city, ASK, "C1").rows] == ["no_picture", "online", "offline"]


def test_what_is_not_well_is_listed_and_summed_by_area_with_the_same_numbers(city: Store) -> None:  # noqa: F811
    with city.aside() as connection:
        connection.execute(camera.update().where(camera.c.code == "C3").values(since_at=stamp(now()) - 4 * 86_400))
    whole = camera_health.unwell(city, ASK)
    assert [one.code for one in whole.rows] == ["C3", "C4"]
    assert [one.code for one in camera_health.unwell(city, ASK, "long_offline").rows] == ["C3"]
    assert [one.code for one in camera_health.unwell(city, ASK, "new_offline").rows] == []
    assert [one.code for one in camera_health.unwell(city, ASK, "", "none").rows] == ["C4"]
    assert [one.code for one in camera_health.unwell(city, ASK, "online", "", "桥").rows] == ["C1"]
    assert camera_health.unwell(city, ASK, "online", "", "%").rows == ()
    areas = camera_health.by_area(city, ASK).rows
    assert sum(one.total for one in areas) == sum(row.total for row in cameras.health(city, ASK).rows) == 10
    assert sum(one.bad for one in areas) == 2
    assert (len(camera_health.unwell(city, ASK, limit=1).rows), camera_health.unwell(city, ASK, limit=1).total) == (1, 2)
