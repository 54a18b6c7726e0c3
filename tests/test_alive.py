"""The demo city lives through the doors that everybody uses, the same from the same seed, and on this machine only."""

from __future__ import annotations

import ast
import heapq
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from dashboard import demo_cli
from dashboard.cli import main
from queries.clock import now
from queries.demo.alive import Living
from queries.demo.caller import Caller, loopback
from queries.demo.fates import LATE, Running, arrival, next_act
from queries.errors import SettingError
from queries.people import tokens
from queries.settings import Settings
from queries.store import Store
from queries.tables import cases, event
from tests.test_loop import CITY, STREETS

HOME = Path(__file__).resolve().parent.parent
BEGUN = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", ["alive", "caller", "fates"])
def test_what_lives_knows_no_way_to_the_database(name: str) -> None:
    tree = ast.parse((HOME / f"queries/demo/{name}.py").read_text("utf-8"))
    found = {part.module or "" for part in ast.walk(tree) if isinstance(part, ast.ImportFrom)}
    found |= {alias.name for part in ast.walk(tree) if isinstance(part, ast.Import) for alias in part.names}
    ours = {one for one in found if one.startswith("queries")}
    assert ours <= {"queries.clock", "queries.errors", *(f"queries.demo.{one}" for one in ("alive", "caller", "fates", "life", "words"))}
    assert not {one.split(".")[0] for one in found} & {"sqlalchemy", "sqlite3", "psycopg"}


def test_fifty_events_come_in_through_the_doors_and_stand_in_the_history(lively: tuple[str, Store]) -> None:
    address, store = lively
    living = Living(Caller(address, token_of=lambda source: tokens.make(store, source)), seed=11)
    before = _own(store)
    for _ in range(10):
        assert living.find().taken
    for _ in range(40):
        living.act()
    living.caller.close()

    told = _own(store)
    assert living.found == 10
    assert living.acted + living.refused == 40
    assert living.acted >= 35
    assert sum(told.values()) - sum(before.values()) == 50 - living.refused
    assert told["reported"] == before["reported"] + 10
    with store.read() as connection:
        sources = set(connection.scalars(select(cases.c.source).where(cases.c.reported_at >= int(now().timestamp()) - 600)))
        posts = {(r.step, r.post) for r in connection.execute(select(event.c.step, event.c.post).where(event.c.derived.is_(False)))}
    assert sources & {"demo-terminal", "demo-hotline", "demo-sensing"}
    assert ("filed", "street") in posts
    assert ("dispatched", "dispatcher") in posts


def _own(store: Store) -> Counter[str]:
    with store.read() as connection:
        return Counter({r[0]: r[1] for r in connection.execute(
            select(event.c.step, func.count()).where(event.c.derived.is_(False), event.c.post != "clock").group_by(event.c.step))})


class Listener(Caller):
    """Hears what would be reported and lets nothing through to the server."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.heard: list[tuple[str, dict[str, Any], str]] = []

    def tell(self, who: str, path: str, message: Any, key: str = "") -> Any:
        from queries.demo.caller import Reply

        self.heard.append((who, dict(message), key))
        return Reply(status=201, body={"no": f"N{len(self.heard)}", "status": "reported", "likely_repeats": []})


def test_the_same_seed_tells_the_same_story(lively: tuple[str, Store]) -> None:
    stories = []
    for seed in (5, 5, 6):
        living = Living(Listener(lively[0]), seed=seed, begun=BEGUN)
        for _ in range(12):
            living.find()
        plans = [(case.key, act.who, act.message, act.after_s) for _, _, case, act in sorted(living._due, key=lambda one: one[1])]
        stories.append((living.caller.heard, plans))
        living.caller.close()
    assert stories[0] == stories[1]
    assert stories[0] != stories[2]


def test_every_fate_ends_and_takes_legal_steps_only() -> None:
    from queries.loop.steps import STEPS

    for n in range(400):
        case = Running(no="C", key=f"{n}", category="emergencies" if n % 5 == 0 else "water", street="990103001", status="reported",
                       department="ecology", hotline=n % 2 == 0)
        for _ in range(60):
            act = next_act(case, 1)
            if act is None:
                break
            step = STEPS[act.message["step"]]
            assert case.status in step.frm
            assert act.who.partition(".")[0] in step.posts
            assert all(act.message.get(need) for need in step.needs)
            case.turns += 1
            case.done.add(step.id)
            case.status = {"resumed": "handling"}.get(step.id, step.to or case.status)
        else:
            pytest.fail(f"the case {n} never ends")


def test_one_department_is_notoriously_late() -> None:
    import random

    def late(department: str) -> int:
        come = [arrival(department, "emergency", random.Random(n)) for n in range(400)]
        return sum(1 for one in come if one is None or one.after_s > 1800)

    assert late(LATE) > 3 * late("urban")


def test_a_report_whose_answer_was_lost_is_one_case(lively: tuple[str, Store]) -> None:
    from queries.demo.caller import AwayError

    address, store = lively
    living = Living(Caller(address, token_of=lambda source: tokens.make(store, source)), seed=21)
    heard = living.caller.tell

    def lost(*what: Any, **more: Any) -> Any:
        heard(*what, **more)
        living.caller.tell = heard  # type: ignore[method-assign]
        raise AwayError("the answer was lost")

    living.caller.tell = lost  # type: ignore[method-assign]
    before = _own(store)["reported"]
    with pytest.raises(AwayError):
        living.find()
    assert living.find().status == 200
    assert _own(store)["reported"] == before + 1
    living.caller.close()


def test_it_goes_on_with_the_cases_that_it_finds_open_and_leaves_a_visitors_own(lively: tuple[str, Store]) -> None:
    address, _ = lively
    caller = Caller(address)
    mine = caller.tell("street.990103001", "/api/v1/cases", {"category": "order", "area_code": "990103001", "no": "VISITOR-1"})
    assert mine.taken
    living = Living(caller, seed=1)
    assert living.adopt() > 50
    assert "VISITOR-1" not in {case.no for _, _, case, _ in living._due}
    caller.close()


def test_a_server_that_is_away_is_waited_for() -> None:
    ended = threading.Event()
    living = Living(Caller("http://127.0.0.1:9"), seed=1)
    thread = threading.Thread(target=living.run, args=(ended,))
    thread.start()
    time.sleep(0.3)
    assert thread.is_alive()
    ended.set()
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize("url", [
    "http://10.0.0.1:8050", "http://192.168.1.4", "http://example.org", "https://127.0.0.1:8050", "http://127.0.0.1.example.org",
    "http://user:secret@127.0.0.1", "http://0.0.0.0:8050", "http://127.0.0.1:notaport", "ftp://localhost", "", "http://[::2]:80",
])
def test_any_address_but_this_machine_is_refused(url: str) -> None:
    with pytest.raises(SettingError, match="this machine"):
        Caller(url)


def test_this_machine_has_several_names() -> None:
    assert [loopback(url) for url in ("http://127.0.0.1:8050", "http://localhost", "http://[::1]:81")] == [
        ("127.0.0.1", 8050), ("localhost", 80), ("::1", 81)]


def test_a_real_city_is_never_made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    (folder / "city.toml").write_text(CITY, "utf-8")
    (folder / "streets.geojson").write_text(STREETS, "utf-8")
    monkeypatch.setenv("GOV_DATA_DIR", str(tmp_path))
    assert main(["load", str(folder)]) == 0
    assert main(["simulate", "--minutes", "0", "--burst", "1"]) == 2
    assert "no demo city" in capsys.readouterr().err

    store = Store(Settings(data_dir=tmp_path).database)
    with demo_cli.beside(Settings(data_dir=tmp_path), store, still=False):
        assert "demo" not in {thread.name for thread in threading.enumerate()}
    assert tokens.listed(store) == []
    store.close()


def test_it_rests_when_told_to_and_where_strangers_reach_the_server(lively: tuple[str, Store]) -> None:
    _, store = lively
    for settings, still in ((Settings(), True), (Settings(host="0.0.0.0"), False)):  # noqa: S104
        with demo_cli.beside(settings, store, still):
            assert "demo" not in {thread.name for thread in threading.enumerate()}


def test_what_is_due_first_is_done_first(lively: tuple[str, Store]) -> None:
    living = Living(Listener(lively[0]), seed=3, speed=60, begun=BEGUN)
    for _ in range(30):
        living.find()
    times = [heapq.heappop(living._due)[0] for _ in range(len(living._due))]
    assert times == sorted(times)
    living.caller.close()
