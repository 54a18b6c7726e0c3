"""What the API and its tables tell of cameras: the numbers of the screen, with their moment, to whom they are for."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from dashboard import create_app
from queries import camera_health, cameras
from queries.frame import EVERYTHING, Ask
from queries.settings import Settings
from queries.store import Store
from queries.tables import camera
from tests.conftest import MOMENT
from tests.visitors import people, signed_in

WHOLE = Ask(scope=EVERYTHING, since=MOMENT.date(), until=MOMENT.date())
API = "/api/v1/cameras/"


@pytest.fixture
def app(city: Store) -> Iterator[Any]:
    """The application with accounts."""
    with people(city):
        made = create_app(Settings(), city).server
        yield made
        made.state.context.close()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))


def test_api_screen_and_table_tell_the_same_numbers(app: Any, city: Store) -> None:
    boss = signed_in(app, "boss")
    told = boss.get(API + "health").json()
    own = cameras.health(city, WHOLE).rows
    assert {r["group"]: (r["total"], r["buckets"]) for r in told["rows"]} == {r.group: (r.total, r.buckets) for r in own}
    assert sum(a["total"] for a in told["areas"]) == sum(r.total for r in own)
    assert told["as_of"]
    bad = boss.get(API + "unwell", params={"limit": 1000}).json()
    assert bad["total"] == len(bad["rows"]) == len(rows(boss.get(API + "unwell.csv").text))
    assert bad["total"] == sum(r.total - r.buckets["online"] for r in own)
    for bucket in cameras.BUCKETS:
        assert boss.get(API + "unwell", params={"bucket": bucket}).json()["total"] == sum(r.buckets[bucket] for r in own)


def test_each_row_of_a_table_says_of_which_moment_it_is(app: Any) -> None:
    boss = signed_in(app, "boss")
    for name in ("unwell.csv", "views.csv"):
        told = boss.get(API + name)
        moments = {row["as_known_at"] for row in rows(told.text)} or {datetime.now().astimezone().isoformat()}
        assert all(datetime.fromisoformat(one).utcoffset() is not None for one in moments)
        assert f"{min(moments)[:10]}" in told.headers["content-disposition"] or not rows(told.text)
    then = boss.get(API + "unwell.csv", params={"at": "2026-11-22T14:30"})
    assert {row["as_known_at"][:16] for row in rows(then.text)} == {"2026-11-22T14:30"}
    assert "2026-11-22T1430" in then.headers["content-disposition"]
    drill = boss.get(API + "unwell.csv", params={"drill": "2026-11-22T14:00~1795500000x60"})
    assert all("DRILL" in row["drill"] for row in rows(drill.text))
    assert "DRILL" in drill.headers["content-disposition"]


def test_a_street_sees_its_own_cameras_and_nobody_elses(app: Any, city: Store) -> None:
    north, boss = signed_in(app, "north"), signed_in(app, "boss")
    everything = {r["code"]: r for r in boss.get(API + "unwell", params={"bucket": "online", "limit": 1000}).json()["rows"]}
    own = {r["code"] for r in north.get(API + "unwell", params={"bucket": "online", "limit": 1000}).json()["rows"]}
    assert own < set(everything)
    assert sum(r["total"] for r in north.get(API + "health").json()["rows"]) < sum(r["total"] for r in boss.get(API + "health").json()["rows"])
    assert north.get(API + "unwell", params={"place": "990101001"}).status_code in (400, 403)
    with city.read() as connection:
        assert len(own) < len(connection.execute(select(camera.c.code)).all())
    assert (north.get(API + "views").status_code, north.get(API + "views.csv").status_code) == (400, 400)
    assert "administrators" in north.get(API + "views").text


@pytest.mark.parametrize("asked", ["unwell?bucket=dead", "unwell?group=secret", "unwell?limit=0", "unwell?limit=100000", "unwell?place=nosuch", "unwell?state=offline", "unwell.csv?at=yesterday",
                                   "health?drill=x", "views?limit=x", "views?camera=a%00b", "views?by=zhang", "unwell?at=2099-01-01T00:00", f"unwell?text={'x' * 201}"])
def test_what_cannot_be_meant_is_refused_and_says_why(app: Any, asked: str) -> None:
    told = signed_in(app, "boss").get(API + asked)
    assert told.status_code in (400, 404, 422)
    assert told.json().get("message") or told.json().get("detail")


@pytest.mark.parametrize("text", ["'; DROP TABLE camera; --", "%", "_", "\\", "=1+1", "摄", "\u0000"])
def test_any_text_is_only_a_text_to_look_for(app: Any, city: Store, text: str) -> None:
    told = signed_in(app, "boss").get(API + "unwell", params={"bucket": "online", "text": text, "limit": 1000})
    assert told.status_code in (200, 400, 422)
    if told.status_code == 200:
        named = [r for r in camera_health.unwell(city, WHOLE, "online", limit=1000).rows if text in r.code or text in r.name]
        assert len(told.json()["rows"]) == len(named)
