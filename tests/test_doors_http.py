"""HTTP intake: each message wholly or not at all, and each refusal with its reason in both languages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from dashboard import create_app
from queries.loop.tables import heard
from queries.people import accounts, sessions, tokens
from queries.settings import Settings
from queries.store import Store
from queries.tables import cases, event, quarantine
from tests.test_loop import HERE, little  # noqa: F401  (a fixture)

CASE = {"category": "litter", "title": "垃圾", **HERE}
Post = Callable[..., Any]


@pytest.fixture
def app(little: Store, tmp_path: Path) -> Iterator[Any]:  # noqa: F811
    made = create_app(Settings(data_dir=tmp_path), little)
    yield made.server
    made.server.state.context.close()


def client(app: Any, secret: str = "", token: str = "") -> TestClient:
    """A client with an account's session or with a source's token."""
    told = {"Authorization": f"Bearer {token}"} if token else {}
    return TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 5), cookies={"gov_session": secret} if secret else {}, headers=told)


def sender(one: TestClient) -> Post:
    def send(path: str, told: Any, key: str = "", raw: bytes | None = None) -> Any:
        body = json.dumps(told).encode() if raw is None else raw
        return one.post(path, content=body, headers={"Idempotency-Key": key} if key else {})

    return send


def signed_in(app: Any, store: Store, name: str, role: str, areas: list[str] | None = None) -> Post:
    """Send messages by an account of its own."""
    rules = Settings()
    made = accounts.choose_password(store, name, accounts.make(store, name, role, areas or []), "Lotus-Pond-88", rules)
    return sender(client(app, secret=sessions.begin(store, made.id, rules)))


@pytest.fixture
def post(app: Any, little: Store) -> Post:  # noqa: F811
    """Send a message as the administrator."""
    return signed_in(app, little, "root", "admin")


@pytest.fixture
def machine(app: Any, little: Store) -> Post:  # noqa: F811
    """Send a message as a source with its token."""
    return sender(client(app, token=tokens.make(little, "hotline")))


def count(store: Store, table: Any) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_a_case_comes_in_and_goes_its_way_over_http(post: Post) -> None:
    made = post("/api/v1/cases", CASE)
    assert made.status_code == 201
    no = made.json()["no"]
    assert (made.json()["status"], made.json()["waiting"]) == ("reported", "street")
    filed = post(f"/api/v1/cases/{no}/steps", {"step": "filed", "expected": 1})
    assert (filed.status_code, filed.json()["seq"]) == (201, 2)
    late = post(f"/api/v1/cases/{no}/steps", {"step": "filed", "expected": 1})
    assert late.status_code == 409
    assert late.json()["zh"]


def test_the_same_key_again_is_the_same_case_and_another_message_under_it_is_refused(post: Post, little: Store) -> None:  # noqa: F811
    first, again = post("/api/v1/cases", CASE, "k1"), post("/api/v1/cases", CASE, "k1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["no"] == again.json()["no"]
    assert post("/api/v1/cases", CASE | {"title": "别的"}, "k1").status_code == 409
    assert count(little, cases) == 1


def test_an_empty_key_protects_nobody_and_is_refused(app: Any, little: Store) -> None:  # noqa: F811
    one = client(app, token=tokens.make(little, "hotline"))
    assert one.post("/api/v1/cases", json=CASE, headers={"Idempotency-Key": ""}).json()["fields"][0]["field"] == "Idempotency-Key"
    assert count(little, cases) == 0


@pytest.mark.parametrize(("told", "field"), [
    ({"category": "litter", "colour": "red"}, "colour"), ({}, "category"), ({"category": "nothing"}, "category"),
    ({"category": "litter", "lon": 181}, "lon"), ({"category": "litter", "at": "2026-11-23T08:00:00"}, "at"),
    ({"category": "litter", "title": "a\x00b"}, "title"), ({"category": "litter", "title": "x" * 301}, "title"),
    ({"category": "litter", "at": "1066-10-14T08:00:00Z"}, "at"), ([], "body"), ("x", "body"), (None, "body"),
])
def test_what_cannot_be_used_is_refused_with_its_field_in_both_languages(post: Post, little: Store, told: Any, field: str) -> None:  # noqa: F811
    bad = post("/api/v1/cases", told)
    assert bad.status_code == 422
    assert bad.json()["message"]
    assert bad.json()["zh"] != bad.json()["message"]
    assert bad.json()["fields"][0]["field"] == field
    assert count(little, cases) == 0


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"category":"litter","lon":NaN}', b'{"category":"litter","lon":1e999}',
                                 b'{"category":"litter","title":"\\ud800"}', b"[" * 5000, b'{"category":' + b'{"a":' * 3000])
def test_what_is_no_json_is_refused(post: Post, little: Store, raw: bytes) -> None:  # noqa: F811
    bad = post("/api/v1/cases", None, raw=raw)
    assert bad.status_code == 422
    assert count(little, cases) == 0


def test_a_message_over_five_megabytes_is_turned_away(post: Post) -> None:
    assert post("/api/v1/cases", None, raw=b" " * 5_000_001).status_code == 413


def test_a_step_on_no_case_or_with_bad_details_is_refused(post: Post) -> None:
    assert post("/api/v1/cases/nowhere/steps", {"step": "filed"}).status_code == 404
    no = post("/api/v1/cases", CASE).json()["no"]
    assert post(f"/api/v1/cases/{no}/steps", {"step": "noted", "reason": "x", "details": {"a": "b" * 17_000}}).status_code == 422
    assert post(f"/api/v1/cases/{no}/steps", {"step": "noted", "reason": "x", "details": {"a": "set"}}).status_code == 201
    illegal = post(f"/api/v1/cases/{no}/steps", {"step": "closed"})
    assert illegal.status_code == 422
    assert "You may" in illegal.json()["message"]
    into = post(f"/api/v1/cases/{no}/steps", {"step": "merged", "into": "nowhere"})
    assert (into.status_code, into.json()["fields"][0]["field"]) == (422, "into")


def test_of_a_batch_good_rows_come_in_and_bad_ones_are_told_and_kept(post: Post, little: Store) -> None:  # noqa: F811
    rows = [CASE | {"key": "a"}, {"category": "?"}, CASE | {"key": "a"}, "no row", CASE | {"key": "a", "title": "别的"}]
    done = post("/api/v1/cases/batch", {"rows": rows})
    assert done.status_code == 200
    told = done.json()
    assert [row["status"] for row in told["rows"]] == [201, 422, 200, 422, 409]
    assert (told["new"], told["again"], told["refused"]) == (1, 1, 3)
    assert count(little, cases) == 1
    assert count(little, quarantine) == 2
    no = told["rows"][0]["receipt"]["no"]
    steps = post("/api/v1/steps/batch", {"rows": [{"no": no, "step": "filed", "key": "s"}, {"no": no, "step": "closed"}]}).json()
    assert [row["status"] for row in steps["rows"]] == [201, 422]
    assert count(little, event) == 2


def test_a_batch_of_a_wrong_shape_is_refused_as_a_whole(post: Post) -> None:
    for told in ([], {"rows": []}, {"rows": [CASE] * 5001}, {"rows": [CASE], "more": 1}, {"rows": "x"}):
        assert post("/api/v1/cases/batch", told).status_code == 422


def test_a_source_reports_and_takes_no_steps_and_its_rubbish_is_kept(machine: Post, little: Store) -> None:  # noqa: F811
    made = machine("/api/v1/cases", CASE, "m1")
    assert made.status_code == 201
    no = made.json()["no"]
    assert machine(f"/api/v1/cases/{no}/steps", {"step": "filed"}).status_code == 403
    assert machine("/api/v1/cases", None, raw=b"{rubbish").status_code == 422
    assert machine("/api/v1/cases", {"category": "?", "contact": "13800001111"}).status_code == 422
    assert machine(f"/api/v1/cases/{no}/steps", {"step": "noted", "reason": "再次来电"}, "m2").status_code == 201
    with little.read() as connection:
        kept = connection.execute(select(quarantine).order_by(quarantine.c.id)).all()
    assert [(k.source, k.field) for k in kept] == [("hotline", "step"), ("hotline", "body"), ("hotline", "category")]
    assert all(k.reason and k.reason_en and k.raw for k in kept)


def test_nobody_comes_in_without_a_name(app: Any) -> None:
    assert sender(client(app))("/api/v1/cases", CASE).status_code == 401
    assert sender(client(app, token="gov_forged"))("/api/v1/cases", CASE).status_code == 401


def test_late_and_skewed_messages_are_taken_and_counted(post: Post, little: Store) -> None:  # noqa: F811
    post("/api/v1/cases", CASE | {"at": "2026-01-05T08:00:00+08:00"})
    post("/api/v1/cases", CASE | {"at": "2099-01-05T08:00:00+08:00"})
    post("/api/v1/cases", CASE, "k")
    post("/api/v1/cases", CASE, "k")
    import time

    # Where several writers share the counts, they are written once a second.
    time.sleep(0 if little.dialect == "sqlite" else 2.5)
    with little.read() as connection:
        told = {r.what: r.n for r in connection.execute(select(heard))}
    assert told == {"taken": 3, "late": 1, "ahead": 1, "again": 1}


def test_who_may_not_act_on_a_case_is_told_403_and_who_may_stands_on_the_event(app: Any, little: Store) -> None:  # noqa: F811
    north, south = (signed_in(app, little, name, "street", [area]) for name, area in (("north", "91"), ("south", "92")))
    viewer = signed_in(app, little, "guest", "viewer", ["all"])
    made = north("/api/v1/cases", CASE)
    assert made.status_code == 201
    no = made.json()["no"]
    for one in (south, viewer):
        for bad in (one(f"/api/v1/cases/{no}/steps", {"step": "filed"}), one("/api/v1/cases", CASE)):
            assert (bad.status_code, bool(bad.json()["message"]), bool(bad.json()["zh"])) == (403, True, True)
        batch = one("/api/v1/steps/batch", {"rows": [{"no": no, "step": "filed"}]}).json()
        assert [row["status"] for row in batch["rows"]] == [403]
    assert north(f"/api/v1/cases/{no}/steps", {"step": "filed"}).status_code == 201
    with little.read() as connection:
        told = [tuple(r) for r in connection.execute(select(event.c.step, event.c.actor, event.c.post).order_by(event.c.id))]
    assert told == [("reported", "north", "street"), ("filed", "north", "street")]


def test_of_many_who_act_on_one_case_at_once_one_wins_and_the_others_are_told(app: Any, post: Post, little: Store) -> None:  # noqa: F811
    no = post("/api/v1/cases", CASE).json()["no"]
    posts = [post, *(signed_in(app, little, f"desk{i}", "dispatcher") for i in range(3))]
    start = Barrier(len(posts))

    def act(one: Post) -> Any:
        start.wait()
        return one(f"/api/v1/cases/{no}/steps", {"step": "filed", "expected": 1})

    with ThreadPoolExecutor(len(posts)) as pool:
        answers = list(pool.map(act, posts))
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409]
    assert all("was faster" in a.json()["message"] and a.json()["zh"] for a in answers if a.status_code == 409)
    assert count(little, event) == 2
