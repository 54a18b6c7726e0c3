"""The API gives the screen's answers; what cannot be answered is a clear 4xx."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

Get = Callable[[str], dict]


@pytest.fixture(scope="module")
def get(server: str) -> Get:
    def read(path: str) -> dict:
        with urlopen(server + path, timeout=30) as answer:
            return json.load(answer)
    return read


def refused(server: str, path: str) -> tuple[int, dict]:
    with pytest.raises(HTTPError) as bad:
        urlopen(server + path, timeout=30)
    return bad.value.code, json.load(bad.value)


@pytest.mark.parametrize("path", ["kpi", "children", "trend", "status", "categories", "ages", "cases", "areas", "matrix"])
def test_every_answer_takes_place_and_period(get: Get, path: str) -> None:
    whole = get(f"/api/v1/{path}?from=2026-11-01&to=2026-11-20")
    part = get(f"/api/v1/{path}?place=990103&from=2026-11-01&to=2026-11-20")
    assert whole != part
    if path != "areas":
        assert (part["place"], part["from"], part["to"]) == ("990103", "2026-11-01", "2026-11-20")
        assert part["as_of"]
        assert part["source"] == ["grid-cases"]


def test_the_children_add_up_to_the_place(get: Get) -> None:
    period = "from=2026-11-01&to=2026-11-20"
    rows = {r["id"]: r for r in get(f"/api/v1/kpi?place=990103&{period}")["rows"]}
    below = get(f"/api/v1/children?place=990103&measure=on_time_rate&{period}")["rows"]
    assert sum(r["numerator"] for r in below) == rows["on_time_rate"]["numerator"]
    assert sum(r["denominator"] for r in below) == rows["on_time_rate"]["denominator"]


def test_the_matrix_and_the_ranking_say_the_same_of_each_area(get: Get) -> None:
    period = "place=990103&from=2026-11-01&to=2026-11-20&measure=on_time_rate"
    table = get(f"/api/v1/matrix?{period}")["rows"][0]
    below = {r["place"]["code"]: (r["numerator"], r["denominator"]) for r in get(f"/api/v1/children?{period}")["rows"]}
    cells = zip(table["columns"], table["totals"], strict=True)
    assert {column["code"]: (cell["numerator"] or 0, cell["denominator"] or 0) for column, cell in cells if column["code"]} == below


def test_a_grid_is_told_whole_and_a_street_is_no_grid(get: Get, server: str) -> None:
    street = get("/api/v1/areas?place=990103001")["children"][0]["code"]
    code = get(f"/api/v1/areas?place={street}")["children"][0]["code"]
    one = get(f"/api/v1/grid?place={code}")["rows"][0]
    assert one["place"]["code"] == code
    assert one["n_open"] == len(get(f"/api/v1/cases?place={code}&open=1&limit=1000")["rows"])
    assert refused(server, "/api/v1/grid?place=990103001")[0] == 400


def test_the_desk_the_task_list_and_what_is_nobodys_are_told(get: Get, server: str) -> None:
    assert get("/api/v1/items")["rows"]
    assert {r["case"]["status"] for r in get("/api/v1/desk?which=overdue&limit=5")["rows"]}
    assert get("/api/v1/nobody")["rows"]
    assert refused(server, "/api/v1/desk?which=yesterday")[0] == 404


def test_a_case_is_found_by_its_number(get: Get) -> None:
    row = get("/api/v1/cases?limit=1")["rows"][0]
    card = get(f"/api/v1/cases/{row['no']}")["case"]
    assert card["case"]["no"] == row["no"]
    assert card["events"][0]["step"] == "reported"


def test_pages_go_on_where_they_ended(get: Get) -> None:
    first = get("/api/v1/cases?limit=5&open=1")
    second = get(f"/api/v1/cases?limit=5&open=1&after={first['after']}")
    assert not {r["no"] for r in first["rows"]} & {r["no"] for r in second["rows"]}


@pytest.mark.parametrize(("path", "code"), [
    ("/api/v1/kpi?place=77", 404), ("/api/v1/cases/NOSUCH", 404), ("/api/v1/kpi?from=2026-02-01&to=2026-01-01", 400),
    ("/api/v1/children?measure=beauty", 404), ("/api/v1/nothing", 404), ("/api/v1/kpi?from=0146-02-25", 400), ("/api/v1/kpi?to=0001-01-05", 400), ("/api/v1/kpi?from=yesterday", 422), ("/api/v1/cases?limit=0", 422),
])
def test_what_cannot_be_answered_says_why(server: str, path: str, code: int) -> None:
    status, told = refused(server, path)
    assert status == code
    assert told.get("message") or told.get("detail")


def test_health_tells_boot_and_the_age_of_every_source(get: Get) -> None:
    told = get("/healthz")
    assert told["boot"] == get("/healthz")["boot"]
    assert {s["id"] for s in told["sources"]} == {"areas", "grid-cases", "sensors", "readings", "cameras", "items", "duty", "indicators"}
    assert all("age_s" in s for s in told["sources"])


def test_the_description_needs_no_outside_server(server: str, get: Get) -> None:
    with urlopen(server + "/api", timeout=30) as answer:
        page = answer.read().decode()
    assert "http://" not in page.replace(server, "")
    assert "https://" not in page
    assert {"/api/v1/areas", "/api/v1/kpi", "/api/v1/cases", "/api/v1/cases/{no}"} <= set(get("/openapi.json")["paths"])


def test_the_table_escapes_formulas(server: str) -> None:
    from dashboard.sheets import cell

    assert cell("=cmd|calc") == "'=cmd|calc"
    assert cell("@x")[0] == "'"
    assert cell(-3) == -3
    with urlopen(server + f"/api/v1/cases.csv?to={date(2026, 11, 23)}&overdue=1", timeout=30) as answer:
        lines = answer.read().decode("utf-8-sig").splitlines()
    assert lines[0].startswith("no,title")
    assert len(lines) > 1


def test_a_misspelt_parameter_is_refused_with_the_nearest_one(server: str) -> None:
    status, told = refused(server, "/api/v1/kpi?plcae=990103")
    assert status == 400
    assert "'plcae'" in told["message"]
    assert "'place'" in told["message"]
