"""The contract of every door, tried the moment its file exists, and the coordinator that lets them have their turns."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from dashboard import create_app
from queries import sources_state
from queries.clock import now, stamp
from queries.errors import BusyError, DoorError, GovError
from queries.frame import EVERYTHING
from queries.index._tables import index_figure
from queries.loop.tables import heard
from queries.loop.word import Said
from queries.loop.writer import Writer
from queries.sensing.intake import Parcel
from queries.sensing.scribe import Scribe
from queries.settings import Settings
from queries.sources import Source, _kept, found
from queries.sources._coordinator import Coordinator
from queries.sources._figures import read_rows, taking, texts
from queries.sources._pen import Pen
from queries.sources._source import Told, Turn, admit
from queries.store import Store
from queries.tables import cases, event, quarantine, reading
from queries.tables import source as source_table
from tests.conftest import HOME
from tests.test_loop import HERE, little, new, writer  # noqa: F401  (fixtures)
from tests.test_sensing import sensing_city
from tests.waiting import until

DOORS = found()
each = pytest.mark.parametrize("door", DOORS.values(), ids=lambda one: one.id)
entry = pytest.mark.parametrize("door", [one for one in DOORS.values() if one.kind != "out" and one.into == "cases"], ids=lambda one: one.id)
figuring = pytest.mark.parametrize("door", [one for one in DOORS.values() if one.into == "figures"], ids=lambda one: one.id)
#: The whole city of the fixture.
CODE = "9"
sensing = pytest.mark.parametrize("door", [one for one in DOORS.values() if one.into == "readings"], ids=lambda one: one.id)


def count(store: Store, table: Any, *where: Any) -> int:
    with store.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(table).where(*where)) or 0)


@each
def test_a_door_says_what_it_is_in_both_languages_and_what_it_needs(door: Source) -> None:
    assert door.title["zh"] != door.title["en"]
    assert (door.run is None) == (door.kind == "listen")
    assert all(name in Settings.model_fields for name in door.needs)
    assert not door.needs or not door.is_on(Settings())
    assert door.every_s(Settings()) >= 0
    assert door.timeout_s > 0


@each
def test_a_door_reads_its_sample_as_it_is_meant(door: Source) -> None:
    assert door.sample is not None
    assert door.read
    got = door.read(door.sample)
    if door.into == "readings":
        (got,) = got
    assert {name: getattr(got, name) for name in door.means} == door.means
    assert door.means or door.kind == "out"


@each
def test_a_door_refuses_rubbish_with_a_reason_in_both_languages(door: Source) -> None:
    assert door.read
    for rubbish in (door.rubbish, None, [], 7, "x", {}):
        with pytest.raises(Exception) as bad:  # noqa: PT011
            door.read(rubbish)
        if rubbish is door.rubbish:
            assert isinstance(bad.value, GovError)
            assert bad.value.zh
            assert str(bad.value) != bad.value.zh


@entry
def test_the_same_sample_twice_writes_once(door: Source, writer: Writer) -> None:  # noqa: F811
    for _ in range(2):
        assert writer.run(lambda page: admit(page, door, door.sample, "k1")) is not None
    assert count(writer.store, cases) == 1
    assert count(writer.store, event) >= 1
    before = count(writer.store, event)
    writer.run(lambda page: admit(page, door, door.sample, "k1"))
    assert count(writer.store, event) == before


@entry
def test_what_a_door_refuses_is_kept_in_quarantine(door: Source, writer: Writer) -> None:  # noqa: F811
    assert writer.run(lambda page: admit(page, door, door.rubbish, "k")) is None
    writer.close()
    assert count(writer.store, cases) == 0
    with writer.store.read() as connection:
        kept = connection.execute(select(quarantine).where(quarantine.c.source == door.id)).one()
        assert kept.reason
        assert kept.reason_en
        assert connection.scalar(select(heard.c.n).where(heard.c.source == door.id, heard.c.what == "refused")) == 1


@sensing
def test_the_same_readings_twice_are_written_once(door: Source, store: Store, tmp_path: Path) -> None:
    scribe = Scribe(sensing_city(store, tmp_path))
    assert door.read
    told = [scribe.take(Parcel(source=door.id, rows=door.read(door.sample))) for _ in range(2)]
    scribe.close()
    assert [(one.new, one.again) for one in told] == [(1, 0), (0, 1)]
    assert count(store, reading) == 1


@figuring
def test_the_same_figure_twice_is_written_once_and_a_bad_one_is_kept_in_quarantine(door: Source, writer: Writer) -> None:  # noqa: F811
    assert door.read
    code, rows = CODE, [texts(door.sample | {"area_code": CODE}), texts(door.rubbish | {"area_code": CODE})]
    told = [writer.run(taking(door.id, read_rows(door.id, rows), "file", door.title))[0] for _ in range(2)]
    assert [(one.new, one.again, len(one.faults)) for one in told] == [(1, 0, 1), (0, 1, 1)]
    writer.close()
    assert count(writer.store, index_figure) == 1
    assert count(writer.store, index_figure, index_figure.c.area_code == code) == 1
    with writer.store.read() as connection:
        kept = connection.execute(select(quarantine).where(quarantine.c.source == door.id)).all()
        assert len(kept) == 2
        assert all(row.reason and row.reason_en and row.row == 2 for row in kept)
        assert connection.scalar(select(source_table.c.kind).where(source_table.c.id == door.id)) == "indicators"


@pytest.mark.parametrize("door", [one for one in DOORS.values() if one.run], ids=lambda one: one.id)
def test_a_door_whose_turn_is_over_ends_soon(door: Source, writer: Writer, tmp_path: Path) -> None:  # noqa: F811
    # Nobody listens on this port: whatever it tries, it must notice that its time is over.
    rules = Settings(drop_dir=str(tmp_path), open311_url="http://127.0.0.1:9", webhooks={"a": {"url": "http://127.0.0.1:9"}}, webhook_secrets={"a": "s"}, mqtt_url="mqtt://127.0.0.1:9")
    began = time.monotonic()
    over = threading.Event()
    threading.Timer(0.3, over.set).start()
    assert door.run
    try:
        told = door.run(Turn(writer=Pen(writer, over.is_set), settings=rules, ended=over.is_set))
    except DoorError:
        told = Told()
    assert isinstance(told, Told)
    assert time.monotonic() - began < 8


def test_a_word_that_comes_late_early_or_in_the_wrong_order_is_counted(writer: Writer) -> None:  # noqa: F811
    present = stamp(now())

    def said(**more: Any) -> str:
        return writer.run(lambda page: page.hear(Said(**{
            "source": "s", "no": "1", "category": "litter", "reported_at": present - 90_000, "two_words": True, **HERE, **more})))

    assert said(hash="a") == "new"
    assert said(hash="b", at=present - 5000, title="x") == "changed"
    assert said(hash="c", at=present - 9000, title="old") == "older"
    assert said(hash="d", at=present + 5000, title="y") == "changed"
    assert said(hash="d", at=present + 5000, title="y") == "same"
    writer.close()
    with writer.store.read() as connection:
        counts = {r.what: r.n for r in connection.execute(select(heard).where(heard.c.source == "s"))}
        assert connection.scalar(select(cases.c.title)) == "y"
    assert counts == {"taken": 3, "late": 2, "disordered": 1, "ahead": 1, "again": 1}
    row = next(r for r in sources_state.sources(writer.store).rows if r.id == "s")
    assert row.counts == {"late": 2, "disordered": 1, "ahead": 1, "again": 1}


def test_a_number_of_another_source_is_refused(writer: Writer) -> None:  # noqa: F811
    no = new(writer, source="hotline")
    with pytest.raises(GovError, match="belongs to source"):
        writer.run(lambda page: page.hear(Said(source="s", no=no, hash="a", category="litter", reported_at=1_760_000_000)))


def door(name: str, run: Callable[[Turn], Any], **more: Any) -> Source:
    return Source(id=name, title={"zh": f"门{name}", "en": name}, kind="poll", run=run, **{"every_s": lambda rules: 0.05, "timeout_s": 0.5, **more})


@contextmanager
def running(writer: Writer, *doors: Source) -> Iterator[Coordinator]:  # noqa: F811
    made = Coordinator(writer, Settings(), {one.id: one for one in doors}, tick_s=0.02)
    try:
        yield made
    finally:
        made.close()


def state(store: Store, name: str) -> Any:
    return next((r for r in sources_state.sources(store).rows if r.id == name), None)


def test_a_door_that_hangs_raises_or_says_rubbish_is_a_state_and_slows_nobody(writer: Writer) -> None:  # noqa: F811
    free = threading.Event()
    turns: list[float] = []

    def good(turn: Turn) -> Told:
        turns.append(time.monotonic())
        return Told(taken=1, as_of=stamp(now()))

    def hangs(turn: Turn) -> Told:
        free.wait(30)
        return Told()

    def raises(turn: Turn) -> Told:
        raise RuntimeError("https://user:password@host/ is not to be seen")

    def refuses(turn: Turn) -> Told:
        raise DoorError("nobody is there", zh="没有人")

    with running(writer, door("good", good), door("hangs", hangs), door("raises", raises), door("refuses", refuses), door("rubbish", lambda turn: "x")):
        until(lambda: (s := state(writer.store, "hangs")) and s.state == "failed")
        until(lambda: all((s := state(writer.store, name)) and s.state == "failed" for name in ("raises", "refuses", "rubbish")))
        n = len(turns)
        until(lambda: len(turns) >= n + 5)
        held = {r.id: r for r in sources_state.sources(writer.store).rows}
        free.set()
    assert held["good"].state == "ok"
    assert held["refuses"].message == {"zh": "没有人", "en": "nobody is there"}
    assert "password" not in str(held["raises"].message)
    assert "hangs" in held
    assert all(held[name].since is not None for name in ("hangs", "raises", "refuses", "rubbish"))


def test_a_door_that_failed_is_tried_ever_less_often_and_comes_back(writer: Writer) -> None:  # noqa: F811
    tries: list[float] = []
    well = threading.Event()

    def run(turn: Turn) -> Told:
        tries.append(time.monotonic())
        if not well.is_set():
            raise DoorError("away", zh="不在")
        return Told()

    with running(writer, door("d", run)):
        until(lambda: len(tries) >= 5)
        gaps = [b - a for a, b in zip(tries, tries[1:], strict=False)]
        assert gaps[3] > gaps[0]
        well.set()
        until(lambda: state(writer.store, "d").state == "ok")


def test_a_turn_that_was_ended_writes_no_more_and_a_flood_leaves_room_for_others(writer: Writer) -> None:  # noqa: F811
    over = threading.Event()
    pen = Pen(writer, over.is_set)
    for _ in range(500):
        pen.submit(lambda page: time.sleep(0.001))
        assert writer._queue.qsize() <= 200
    over.set()
    with pytest.raises(BusyError):
        pen.run(lambda page: None)


def test_a_hanging_turn_is_not_begun_a_second_time_beside_itself(writer: Writer) -> None:  # noqa: F811
    inside, most = [0], [0]
    free = threading.Event()

    def hangs(turn: Turn) -> Told:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        free.wait(20)
        inside[0] -= 1
        return Told()

    with running(writer, door("h", hangs, timeout_s=0.1)):
        until(lambda: (s := state(writer.store, "h")) and s.state == "failed")
        time.sleep(0.5)
        free.set()
        assert most[0] == 1


def test_one_process_at_a_time_runs_the_doors_and_another_takes_over(writer: Writer) -> None:  # noqa: F811
    seen: set[str] = set()

    def run(name: str) -> Callable[[Turn], Told]:
        def turn(_: Turn) -> Told:
            seen.add(name)
            return Told()
        return turn

    first = Coordinator(writer, Settings(), {"d": door("d", run("first"))}, tick_s=0.02)
    until(lambda: first.leads and "first" in seen)
    second = Coordinator(writer, Settings(), {"d": door("d", run("second"))}, tick_s=0.02)
    time.sleep(0.5)
    assert not second.leads
    first.close()
    second._renew_at = 0.0
    until(lambda: second.leads and "second" in seen)
    second.close()


def test_a_killed_process_on_this_machine_has_its_doors_taken_over_at_once(store: Store) -> None:
    other = subprocess.Popen([sys.executable, "-c", "from queries.sources._kept import name_of_process as n; print(n(), flush=True); input()"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HOME)
    assert other.stdout
    theirs, mine = other.stdout.readline().strip(), _kept.name_of_process()
    try:
        assert _kept.hold(store, theirs, 45)
        assert not _kept.hold(store, mine, 45)
    finally:
        other.kill()
        other.wait()
    assert _kept.hold(store, mine, 45)
    # Of one on another machine nobody here knows whether it lives: its lease runs out by itself.
    _kept.release(store, mine)
    assert _kept.hold(store, f"elsewhere/{theirs.partition('/')[2]}", 45)
    assert not _kept.hold(store, mine, 45)


def test_a_server_without_such_settings_runs_no_door(little: Store, tmp_path: Path) -> None:  # noqa: F811
    app = create_app(Settings(data_dir=tmp_path), little).server
    app.state.context.start()
    ids = {r.id for r in sources_state.sources(little).rows}
    app.state.context.close()
    assert not ids & {one.id for one in DOORS.values() if one.run}


def test_the_health_page_and_the_data_page_tell_of_a_failing_door(little: Store, tmp_path: Path) -> None:  # noqa: F811
    from dashboard.address import View
    from dashboard.context import Visitor, visited
    from dashboard.panels import sources as panel
    from queries.frame import Actor

    app = create_app(Settings(data_dir=tmp_path, drop_dir=str(tmp_path / "nowhere")), little).server
    context = app.state.context
    context.start()
    until(lambda: (s := state(little, "drop_folder")) and s.state == "failed")
    told = TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 5)).get("/healthz").json()
    with visited(Visitor(actor=Actor(name="a", post="admin", scope=EVERYTHING), by="session")):
        shown = str(panel.render(context, View(lang="en")))
    context.close()
    assert "failed" in {s["state"] for s in told["sources"]}
    assert "nowhere" not in str(told), "who has not signed in learns only that something is wrong"
    assert "Correct GOV_DROP_DIR" in shown
