"""The moment in the API and in exports: the same answers as on screen, marked, scoped, and never acted in."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from dashboard import create_app
from queries.clock import now, stamp
from queries.frame import EVERYTHING, Actor
from queries.loop import task_list
from queries.settings import Settings
from queries.store import Store
from tests.conftest import MOMENT
from tests.visitors import people, signed_in

THEN = (MOMENT + timedelta(hours=8) - timedelta(hours=26)).replace(tzinfo=None)
AT = f"at={THEN:%Y-%m-%dT%H:%M}"
BOX = "west=100&south=0&east=140&north=60&zoom=10"


@pytest.fixture(scope="module")
def app(demo_copy: Callable[[str], Store], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("past"))
    made = demo_copy(settings.database)
    with people(made):
        app = create_app(settings, made).server
        yield app
        app.state.context.close()
    made.close()


def get(app: Any, path: str, who: str = "boss") -> Any:
    return signed_in(app, who).get(f"/api/v1/{path}")


def test_list_marks_figures_and_table_of_a_moment_agree(app: Any) -> None:
    listed = get(app, f"cases?open=true&limit=1000&{AT}").json()
    figures = {r["id"]: r["value"] for r in get(app, f"kpi?{AT}").json()["rows"]}
    steps = {r["id"]: r["n"] for r in get(app, f"status?{AT}").json()["rows"]}
    ages = get(app, f"ages?{AT}").json()["rows"]
    children = get(app, f"children?measure=open&{AT}").json()["rows"]
    cells = get(app, f"cells?{BOX}&{AT}").json()["rows"]
    table = list(csv.DictReader(io.StringIO(get(app, f"cases.csv?open=true&{AT}").text.removeprefix("\ufeff"))))
    assert 0 < listed["total"] == figures["open"] == sum(n for id_, n in steps.items() if id_ != "closed") == sum(r["n"] for r in ages) == len(table)
    assert figures["overdue"] == sum(r["overdue"] for r in listed["rows"]) == sum(row["overdue"] == "True" for row in table)
    # What lies in no area, or has no point, is on no child and on no mark.
    assert sum(r["values"]["open"] for r in children) <= figures["open"]
    assert sum(r["n"] for r in cells) == sum(r["lon"] is not None for r in listed["rows"])
    assert listed["at"] == f"{THEN:%Y-%m-%dT%H:%M}:00+08:00"
    assert all(row["reported_at"] <= f"{THEN - timedelta(hours=8):%Y-%m-%dT%H:%M}:00+00:00" for row in listed["rows"])


def test_the_open_cases_of_a_moment_are_those_reported_before_and_not_closed_until_it(app: Any) -> None:
    everything = get(app, "cases?limit=1000&from=2026-11-20&to=2026-11-23&order=newest").json()["rows"]
    then_ = f"{THEN - timedelta(hours=8):%Y-%m-%dT%H:%M}:00+00:00"
    expected = {r["no"] for r in everything if r["reported_at"] <= then_ and (r["closed_at"] is None or r["closed_at"] > then_) and r["status"] != "cancelled"}
    found = {r["no"] for r in get(app, f"cases?open=true&limit=1000&{AT}").json()["rows"]}
    first = min(r["reported_at"] for r in everything)
    shown = {r["no"] for r in get(app, f"cases?open=true&limit=1000&{AT}").json()["rows"] if r["reported_at"] >= first}
    assert expected
    assert expected == shown & {r["no"] for r in everything}
    assert shown <= found


def test_the_past_is_scoped_as_the_present_is(app: Any) -> None:
    whole, mine = get(app, f"cases?open=true&{AT}").json()["total"], get(app, f"cases?open=true&limit=1000&{AT}", "north").json()
    assert 0 < mine["total"] < whole
    assert all(r["area_code"].startswith("990103001") for r in mine["rows"])
    assert get(app, f"cases?open=true&place=990101001&{AT}", "north").status_code == 403
    assert sum(r["n"] for r in get(app, f"cells?{BOX}&{AT}", "north").json()["rows"]) <= mine["total"]
    other = next(r["no"] for r in get(app, f"cases?open=true&limit=1000&{AT}").json()["rows"] if not r["area_code"].startswith("990103001"))
    assert get(app, f"cases/{other}?{AT}", "north").status_code == 403


def test_a_drill_is_marked_in_answers_and_exports(app: Any) -> None:
    drill = f"drill={THEN:%Y-%m-%dT%H:%M}~{stamp(now()) - 100}x60"
    told = get(app, f"cases?open=true&limit=1&{drill}").json()
    assert told["drill"] == "演练 DRILL"
    assert told["at"] > f"{THEN:%Y-%m-%dT%H:%M}"
    table = get(app, f"cases.csv?open=true&{drill}")
    assert 'filename="DRILL-cases-' in table.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert rows
    assert {row["drill"] for row in rows} == {"演练 DRILL"}
    assert len({row["as_known_at"] for row in rows}) == 1


@pytest.mark.parametrize(("asked", "word"), [
    ("at=2026-11-32T10:00", "is no moment"), ("at=2199-01-01T10:00", "has not come yet"), ("at=1901-01-01T10:00", "the records begin at"),
    ("drill=now", "is no drill"), ("at=0001-01-01T00:00", "the records begin at"),
])
def test_a_moment_that_cannot_be_used_is_refused_in_words(app: Any, asked: str, word: str) -> None:
    for path in ("cases", "kpi", "sensors", "alarms", f"cells?{BOX}"):
        answer = get(app, f"{path}{'&' if '?' in path else '?'}{asked}")
        assert answer.status_code == 400, path
        assert word in answer.json()["message"]


def test_the_matrix_of_a_moment_adds_up_to_the_figures_of_it(app: Any) -> None:
    figures = {r["id"]: r["value"] for r in get(app, f"kpi?{AT}").json()["rows"]}
    for measure in ("open", "overdue"):
        told = get(app, f"matrix?measure={measure}&{AT}").json()
        assert told["rows"][0]["corner"]["value"] == figures[measure] > 0
        assert told["at"] == f"{THEN:%Y-%m-%dT%H:%M}:00+08:00"
    assert get(app, f"matrix?measure=closure_rate&{AT}").json()["rows"][0]["corner"]["value"] is None
    north = get(app, f"matrix?measure=open&{AT}", "north").json()["rows"][0]["corner"]["value"]
    assert north == get(app, f"cases?open=true&limit=1&{AT}", "north").json()["total"]
    rates = get(app, f"evaluation?{AT}").json()
    assert {r["value"] for r in rates["rows"] if r["id"] == "arrival"} == {None}
    assert any("end of the day before" in note["en"] for note in rates["notes"])


def test_desk_gaps_and_burden_of_a_moment_are_told_with_it(app: Any) -> None:
    gaps = {row["id"]: row for row in get(app, f"nobody?{AT}").json()["rows"]}
    assert set(gaps) == {"no_grid", "left_lying"}
    everything = get(app, f"cases?open=true&limit=1000&{AT}").json()["rows"]
    late = [r for r in everything if r["status"] == "filed" and r["overdue"]]
    assert gaps["left_lying"]["n"] >= len(late)
    assert gaps["no_grid"]["n"] == sum(len(r["area_code"]) < 15 for r in everything)
    burden = get(app, f"burden?{AT}").json()
    assert any("end of the day before" in note["en"] for note in burden["notes"])
    assert get(app, f"desk?which=overnight&{AT}").json()["at"] == f"{THEN:%Y-%m-%dT%H:%M}:00+08:00"


def test_the_page_of_a_grid_shows_what_was_so_at_the_moment(app: Any) -> None:
    everything = get(app, f"cases?open=true&limit=1000&{AT}").json()["rows"]
    busy = Counter(r["area_code"] for r in everything if r["area_code"].startswith("990103001")).most_common(1)[0][0]
    told = get(app, f"grid?place={busy}&{AT}").json()
    page = told["rows"][0]
    mine = [r for r in everything if r["area_code"] == busy]
    assert page["n_open"] == len(mine) == sum(page["waiting"].values())
    assert page["n_overdue"] == sum(r["overdue"] for r in mine)
    assert {r["case"]["no"] for r in page["open"]} == {r["no"] for r in mine}
    figures = {row["figure"]["id"]: row["value"] for row in page["figures"]}
    assert (figures["open"], figures["overdue"]) == (page["n_open"], page["n_overdue"])
    assert all(row["closed_at"] <= f"{THEN - timedelta(hours=8):%Y-%m-%dT%H:%M}:00+00:00" for row in page["closed"])
    # Of before their record began it is not known who was on duty and what was on the list: that is not nobody and nothing.
    assert (page["duty"], page["items"], page["repeats"]) == (None, None, [])
    assert get(app, f"grid?place={busy}&{AT}", "north").status_code == 200
    assert get(app, f"grid?place=990101001001001&{AT}", "north").status_code in (403, 404)


def test_sensors_alarms_and_cameras_of_a_moment_are_told_with_it(app: Any) -> None:
    for path in ("sensors", "alarms", f"cells?mark=cameras&{BOX}", f"cells?mark=alarms&{BOX}", f"cells?mark=sensors&{BOX}"):
        told = get(app, f"{path}{'&' if '?' in path else '?'}{AT}")
        assert told.status_code == 200, path
        assert told.json()["at"] == f"{THEN:%Y-%m-%dT%H:%M}:00+08:00"
        assert any("known at" in note["en"] for note in told.json()["notes"])
    assert get(app, f"alarms?{AT}").json()["pace"]["day"] == 0
    code = get(app, "sensors?limit=1").json()["rows"][0]["code"]
    assert get(app, f"sensors/{code}?{AT}").json()["at"] == get(app, f"sensors/{code}/series?{AT}").json()["at"] == f"{THEN:%Y-%m-%dT%H:%M}:00+08:00"


def test_what_shows_only_the_present_takes_no_moment(app: Any) -> None:
    assert get(app, f"flow?{AT}").status_code == 400
    client = signed_in(app, "boss")
    done = client.post(f"/api/v1/cases?{AT}", json={"category": "appearance", "title": "x", "area_code": "990103001001001"})
    assert done.status_code == 400
    assert "knows no parameter 'at'" in done.json()["message"]


def test_the_task_list_of_a_moment_has_what_was_ended_since(app: Any) -> None:
    store = app.state.context.store
    early = get(app, f"items?{AT}")
    assert early.status_code == 400
    assert "reaches back" in early.json()["message"]
    with store.write() as connection:  # the list has been kept for a year longer
        connection.execute(task_list.list_event.update().values(at=task_list.list_event.c.at - 365 * 86_400))
    before = {row["code"] for row in get(app, "items").json()["rows"]}
    code = min(before)
    task_list.move(store, Actor(name="admin", post="admin", scope=EVERYTHING), code, "end", "不再需要")
    assert {row["code"] for row in get(app, "items").json()["rows"]} == before - {code}
    told = get(app, f"items?{AT}").json()
    assert {row["code"] for row in told["rows"]} >= {code}
    assert told["at"] == f"{THEN:%Y-%m-%dT%H:%M}:00+08:00"
