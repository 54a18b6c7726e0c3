"""Map, table, page, export and API give the same index; a file says its catalogue, its release and its moment."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import date, datetime
from typing import Any
from urllib.request import urlopen

import openpyxl
import pytest

import layers
from queries import (
    governance,
    index,
    index_method,
    index_records,
    index_table,
    places,
    releases,
    whatif,
)
from queries.errors import AskError
from queries.frame import EVERYTHING, Actor, Ask, Scope
from queries.index_method import MeanRow, MethodRow
from queries.scoring.shrink import LEAST_OWN
from queries.store import Store

ASK = Ask(scope=EVERYTHING, since=date(2026, 10, 25), until=date(2026, 11, 21))
DAYS = "from=2026-10-25&to=2026-11-21"
ADMIN = Actor(name="admin", post="admin", scope=EVERYTHING)


def read(server: str, path: str) -> Any:
    with urlopen(server + path, timeout=60) as answer:
        return answer.read(), answer.headers


def test_map_table_page_and_peers_say_the_same_of_every_area(city: Store) -> None:
    rows = index_table.table(city, ASK).rows
    assert len(rows) == 9
    on_map = {row.code: row.value for row in governance.index_values(city, ASK, "index", 1).rows}
    painted = {mark.code: mark for mark in layers.found()["governance_index"].values(city, ASK, 1).rows}  # type: ignore[misc]
    ranks = {row.code: row for row in governance.peers(city, ASK).rows}
    for row in rows:
        page = {one.id: one for one in governance.index(city, ASK.but(place=row.code)).rows}
        assert row.index == on_map[row.code] == painted[row.code].value == page["index"].score == ranks[row.code].score
        assert (row.low, row.high, row.coverage) == (page["index"].low, page["index"].high, page["index"].coverage)
        assert (row.rank_low, row.rank_high) == (ranks[row.code].low, ranks[row.code].high)
        assert (row.own, row.known, row.of) == (page["index"].own, page["index"].known, page["index"].of)
        assert (row.age_days, row.oldest) == (page["index"].age_days, page["index"].oldest)
        assert row.dimensions == {k: page[k].score for k in row.dimensions}
        assert painted[row.code].few == (row.index is not None and row.own < LEAST_OWN)


def test_export_and_api_say_the_same(server: str) -> None:
    api = json.loads(read(server, f"/api/v1/index/table?{DAYS}")[0])
    body, headers = read(server, f"/api/v1/index.csv?{DAYS}")
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    book = openpyxl.load_workbook(io.BytesIO(read(server, f"/api/v1/index.xlsx?{DAYS}")[0]))
    head, *cells = [[cell.value for cell in line] for line in book["index"].iter_rows()]
    sheet = [dict(zip(head, line, strict=True)) for line in cells]
    whole = json.loads(read(server, f"/api/v1/index?{DAYS}")[0])
    assert len(api["rows"]) == len(rows) == len(sheet) == len(whole["peers"]) == 9
    peers = {one["code"]: one["score"] for one in whole["peers"]}
    for told, line, cell in zip(api["rows"], rows, sheet, strict=True):
        assert told["code"] == line["code"] == cell["code"]
        assert told["index"] == pytest.approx(float(line["score"]), abs=1e-12)
        assert told["index"] == pytest.approx(cell["score"], abs=1e-12)
        assert told["index"] == peers[told["code"]]
        for name, score in told["dimensions"].items():
            assert (cell[name] is None) == (score is None)
            assert score is None or cell[name] == pytest.approx(score, abs=1e-12)
        for where in (line, cell):
            assert (where["catalogue"], where["from"], where["to"], where["state"]) == (index.VERSION, "2026-10-25", "2026-11-21", "draft")
            assert datetime.fromisoformat(where["made_at"]).tzinfo
            assert where["as_of"]
        assert (int(line["oldest_days"]), line["oldest_en"]) == (told["age_days"], told["oldest"]["en"])
        assert float(line["low_90"]) <= float(line["score"]) <= float(line["high_90"])
    assert "index-20261025-20261121.csv" in headers["Content-Disposition"]
    about = {line[0].value: line[1].value for line in book["about"].iter_rows()}
    assert about["catalogue"] == index.VERSION
    assert "not an official score" in about["index"]
    assert len(list(book["catalogue"].iter_rows())) == 1 + len(governance.catalogue())


def test_a_file_of_a_released_period_says_its_release_and_what_was_published(city: Store) -> None:
    asked = Ask(scope=EVERYTHING, since=date(2026, 10, 1), until=date(2026, 10, 31))
    assert {row.release for row in index_table.table(city, asked).rows} == {""}
    made = releases.release(city, ADMIN, asked.since, asked.until)
    try:
        rows = index_table.table(city, asked).rows
        assert {row.release for row in rows} == {f"{made.id} {made.hash}"}
        assert all(row.released == row.index for row in rows)
        # What if is for looking: the file and the release stay by the catalogue.
        assert [row.index for row in index_table.table(city, asked.but(weights=(100, 0, 0, 0, 0))).rows] == [row.index for row in rows]
        assert releases.recomputed(city, made.id)
    finally:
        from sqlalchemy import text

        with city.engine.begin() as connection:
            connection.execute(text("DELETE FROM index_release"))


def test_the_table_of_all_grids_holds_those_that_one_may_see(city: Store) -> None:
    rows = index_table.table(city, ASK, 4).rows
    assert len(rows) > 300
    assert all(row.rank_low is None for row in rows)
    mine = Scope(areas=frozenset({"990103"}))
    seen = index_table.table(city, ASK.but(scope=mine), 4).rows
    assert {row.code for row in seen} == {row.code for row in rows if row.code.startswith("990103")}
    own = {row.code: row.index for row in rows}
    assert all(row.index == own[row.code] for row in seen)


def test_the_records_of_a_reason_add_up_to_the_place(city: Store) -> None:
    moved = next(row for row in governance.why(city, ASK).rows if row.areas and row.id != "mix")
    rows = index_records.records(city, ASK, moved.id).rows
    whole = next(row for row in governance.index(city, ASK).rows if row.id == moved.id)
    assert sum(row.numerator or 0 for row in rows) == pytest.approx(whole.numerator)
    assert sum(row.denominator or 0 for row in rows) == pytest.approx(whole.denominator)
    assert sum(row.points or 0 for row in rows) == pytest.approx(moved.points, abs=1e-9)
    assert all(row.code for row in rows[:-1])
    with pytest.raises(AskError, match="no indicator"):
        index_records.records(city, ASK, "XXX99")


def leaf(store: Store, n: int = 0) -> str:
    with store.read() as connection:
        place = places.root(connection, ASK.until)
        while place.has_children:
            place = places.children(connection, place)[n]
    return place.code


@pytest.mark.parametrize("n", [0, -1])
def test_a_grids_score_follows_from_the_numbers_of_its_card(city: Store, n: int) -> None:
    asked = ASK.but(place=leaf(city, n))
    rows = index_method.method(city, asked).rows
    scores: dict[str, float] = {}
    sds: dict[str, float] = {}
    for one in rows:
        if isinstance(one, MethodRow):
            if one.mix is not None:
                weighed = one.mix.cases + sum((part.weight - 1) * part.cases for part in one.mix.parts)
                assert one.denominator == pytest.approx(weighed)
                assert one.numerator == pytest.approx(max(weighed - one.mix.wrong, 0))
            assert one.parent_numerator is not None
            assert one.parent_denominator
            assert one.strength is not None
            parent, told = one.parent_numerator / one.parent_denominator, one.denominator or 0.0
            own = told / (told + one.strength) if math.isfinite(one.strength) else 0.0
            value = parent + own * ((one.numerator or 0.0) / told - parent) if told else parent
            score = 1 + 99 * min(max((value - one.floor) / (one.target - one.floor), 0), 1)
            if not one.known:
                assert one.quartile is not None
                score = min(one.quartile, one.quartile if one.last is None else one.last)
            assert one.score == pytest.approx(score, abs=1e-6)
            scores[one.id], sds[one.id] = score, one.sd or 0.0
            if one.known and math.isfinite(one.strength):
                soft = (value * (told + one.strength) + 0.5) / (told + one.strength + 1)
                above = (one.parent_numerator + 0.5) / (one.parent_denominator + 1)
                lent = (1 - own) ** 2 * above * (1 - above) / (one.parent_denominator + 2)
                sd = math.sqrt(soft * (1 - soft) / (told + one.strength + 2) + lent) * 99 / abs(one.target - one.floor)
                assert one.sd == pytest.approx(sd, abs=1e-6)
        else:
            assert isinstance(one, MeanRow)
            w = [x / sum(one.weights) for x in one.weights]
            mean = math.prod(scores[p] ** x for p, x in zip(one.parts, w, strict=True)) if one.rule == "geometric" else sum(scores[p] * x for p, x in zip(one.parts, w, strict=True))
            slope = [x * (mean / scores[p] if one.rule == "geometric" else 1) for p, x in zip(one.parts, w, strict=True)]
            scores[one.id], sds[one.id] = mean, math.sqrt(sum((k * sds[p]) ** 2 for k, p in zip(slope, one.parts, strict=True)))
            assert one.mean == pytest.approx(mean, abs=1e-6)
            assert one.score in (None, one.mean)
            assert one.sd == pytest.approx(sds[one.id], abs=1e-6)
    assert governance.index(city, asked).rows[0].score == pytest.approx(scores["index"], abs=1e-6)


def test_the_parts_that_the_map_weighs_make_the_same_index_by_any_weights(city: Store) -> None:
    import numpy as np

    held = whatif.parts(city, ASK, 4).row
    for weights in ((), (100, 0, 0, 0, 0), (37, 13, 20, 5, 25), (0, 0, 0, 100, 0)):
        w = np.array([weights[k] for k in held.at], float) if weights else np.array(held.weights)
        w = w if w.sum() else np.array(held.weights)
        known = ~np.isnan(held.scores)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.exp(np.where(known, np.log(np.where(known, held.scores, 1)) * w, 0).sum(axis=1) / (known * w).sum(axis=1))
        mean[held.coverage @ w / w.sum() + 1e-9 < held.least] = np.nan
        there = governance.index_values(city, ASK.but(weights=weights), "index", 4).rows
        assert np.allclose(there.value, mean, rtol=0, atol=1e-9, equal_nan=True)  # type: ignore[attr-defined]
        assert ((held.own @ w / w.sum() >= held.least_own) == there.ranked).all()  # type: ignore[attr-defined]


def test_what_a_place_withholds_stands_on_its_card_with_the_counts_of_the_period_before(city: Store) -> None:
    """Its last score is by this period's S: what the page of then showed may be another (issue 5: 74.06 on the card, 1.0 in the index)."""
    week = ASK.but(since=date(2026, 11, 15))
    with city.read() as connection:
        names = [p.code for p in places.below(connection, places.find(connection, "990103", ASK.until), 4)]
    rows = [row for code in names for row in index_method.method(city, week.but(place=code)).rows if isinstance(row, MethodRow) and not row.known]
    for row in rows:
        assert row.score == min(x for x in (row.quartile, row.last) if x is not None)
    told = [row for row in rows if row.was is not None]
    assert len(rows) > len(told) > 0
    for row in told:
        was = row.was
        assert was is not None
        assert row.last == was.score
        assert None not in (was.numerator, was.denominator, was.parent_numerator, was.parent_denominator, was.strength)
        parent, n, strength = was.parent_numerator / was.parent_denominator, was.denominator, was.strength  # type: ignore[operator]
        value = parent + n / (n + strength) * (was.numerator / n - parent)  # type: ignore[operator]
        assert was.score == pytest.approx(1 + 99 * min(max((value - was.floor) / (was.target - was.floor), 0), 1), abs=1e-6)
