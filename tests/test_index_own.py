"""Who found a case, how urgent it was, what became of alarms: counted here, a department's figures only where nothing was."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from queries import governance, index, index_method, loading
from queries.alarms import acts
from queries.answerable import REPORTS, answerable
from queries.area_values import standing
from queries.city import read_city
from queries.city.origins import ORIGINS, Origins
from queries.clock import stamp
from queries.errors import CityFileError
from queries.frame import EVERYTHING, Actor, Ask
from queries.index._counts import counts as counts_of
from queries.index._kept import held, whole
from queries.loop.orders import Found
from queries.loop.rebuild import compare
from queries.loop.writer import Writer
from queries.sensing.tables import alarm
from queries.store import Store
from queries.tables import cases, sensor
from tests.test_index_figures import CITY, LAST_MONTH, STREETS, TABLE, TODAY, YESTERDAY, square

CHANNELS = {"grid": "网格员上报", "sensor": "视频发现", "hotline": "12345 热线", "public": "随手拍", "": "未注明"}
SINCE, UNTIL = YESTERDAY - timedelta(days=29), YESTERDAY
ASK = Ask(scope=EVERYTHING, since=SINCE, until=UNTIL)
DESK = Actor(name="desk", post="dispatcher", scope=EVERYTHING)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A case as the file tells it; hours from its report."""

    no: str
    street: str
    category: str
    channel: str
    urgent: bool
    filed: bool
    back: int
    due_h: int
    closed_h: int | None

    @property
    def in_time(self) -> bool:
        return self.closed_h is not None and self.closed_h <= self.due_h


def many(n: int, seed: int, channels: Sequence[str] = tuple(CHANNELS.values())) -> list[Case]:
    chance = random.Random(seed)
    made = []
    for i in range(n):
        channel = chance.choice(channels)
        # Nobody on patrol ever hears the noise of the night.
        category = "noise" if channel == CHANNELS["hotline"] and chance.random() < 0.5 else "litter"
        made.append(Case(no=f"C{i}", street=chance.choice(STREETS), category=category, channel=channel, urgent=chance.random() < 0.4, filed=chance.random() < 0.7,
                         back=chance.randrange(32), due_h=2, closed_h=chance.choice([None, 1, 2, 9])))
    return made


def folder_of(where: Path, held_cases: Sequence[Case], figures: str = "", more: str = "") -> Path:
    where.mkdir(parents=True, exist_ok=True)
    columns = 'category = "category"\nchannel = "channel"\nurgent = "urgent"\nfiled_at = "filed"\n'
    own = '[categories]\nlitter = { name = "垃圾", match = "litter" }\nnoise = { name = "噪声", match = "noise" }\n'
    table = TABLE.format(file="figures.csv", columns='numerator = "分子"\ndenominator = "分母"') if figures else ""
    (where / "city.toml").write_text(CITY.replace("[categories]\n", own) + columns + more + table, "utf-8")
    (where / "districts.geojson").write_text('{"type":"FeatureCollection","features":[' + square("91", 110, 0.2) + "," + square("92", 110.2, 0.3) + "]}", "utf-8")
    (where / "streets.geojson").write_text('{"type":"FeatureCollection","features":[' + ",".join(square(c, 110 + 0.1 * i) for i, c in enumerate(STREETS)) + "]}", "utf-8")
    # The first one lies before all days that are asked about, so that they are covered.
    lines = ["no,at,due,closed,area,category,channel,urgent,filed", f"OLD,{YESTERDAY - timedelta(days=400)} 08:00,,,9101,litter,,否,", f"T,{TODAY} 00:00,,,9101,litter,,否,"]
    # In the days from which it is learned what patrols find, they found litter only.
    lines += [f"R{n},{YESTERDAY - timedelta(days=390 - n)} 08:00,,,9101,litter,{CHANNELS['grid']},否," for n in range(30)]
    for one in held_cases:
        at = datetime.combine(YESTERDAY - timedelta(days=one.back), datetime.min.time()).replace(hour=8)
        closed = "" if one.closed_h is None else f"{at + timedelta(hours=one.closed_h):%Y-%m-%d %H:%M}"
        filed = f"{at + timedelta(minutes=10):%Y-%m-%d %H:%M}" if one.filed else ""
        lines.append(f"{one.no},{at:%Y-%m-%d %H:%M},{at + timedelta(hours=one.due_h):%Y-%m-%d %H:%M},{closed},{one.street},{one.category},{one.channel},{'是' if one.urgent else '否'},{filed}")
    (where / "cases.csv").write_text("\n".join(lines), "utf-8")
    if figures:
        (where / "figures.csv").write_text(figures, "utf-8")
    return where


def counts(store: Store, id_: str, place: str | None = None) -> tuple[float | None, float | None]:
    """Return numerator and denominator of an indicator as the method card shows them."""
    row = next((r for r in index_method.method(store, ASK.but(place=place)).rows if r.id == id_), None)
    return (None, None) if row is None else (row.numerator, row.denominator)


def score(store: Store, id_: str, place: str | None = None) -> governance.ScoreRow:
    return next(r for r in governance.index(store, ASK.but(place=place)).rows if r.id == id_)


@pytest.mark.parametrize("place", [None, "92", "9201"])
def test_urgent_cases_and_who_found_them_are_counted_as_by_hand(place: str | None, store: Store, tmp_path: Path) -> None:
    every = many(600, 1)
    loading.load(folder_of(tmp_path / "city", every), store, quiet=True)
    mine = [c for c in every if c.back < 30 and c.street.startswith(place or "9")]
    urgent = [c for c in mine if c.urgent]
    by = {origin: [c for c in mine if c.channel == word] for origin, word in CHANNELS.items()}
    known = [c for origin in ORIGINS for c in by[origin]]
    found = by["grid"] + by["sensor"]
    assert counts(store, "SAF07", place) == (sum(c.in_time for c in urgent), len(urgent))
    assert counts(store, "MOR06", place) == (len(by["public"]), len(known))
    assert counts(store, "INT05", place) == (sum(c.filed for c in by["sensor"]), len(known))
    # Noise is never found before the complaint: such calls are not of the same kind.
    assert counts(store, "MOR07", place) == (len(found), len(found) + sum(c.category == "litter" for c in by["hotline"]))


def test_where_no_channel_tells_who_found_a_case_there_is_no_share_of_it_until_a_department_brings_one(store: Store, tmp_path: Path) -> None:
    every = many(100, 2, [""])
    loading.load(folder_of(tmp_path / "city", every), store, quiet=True)
    row = score(store, "MOR06")
    assert (row.score, row.numerator) == (None, None)
    assert row.lacks is not None
    assert "whose channel tells" in row.lacks["en"]
    figures = "指标,区划,时期,分子,分母\n" + "".join(f"MOR06,{code},{LAST_MONTH},3,20\n" for code in STREETS)
    loading.load(folder_of(tmp_path / "city", every, figures), store, quiet=True)
    told = next(r for r in index_method.method(store, ASK).rows if r.id == "MOR06")
    assert (told.numerator, told.denominator, told.brought) == (15, 100, True)
    assert answerable(store, ASK, "MOR06").post == REPORTS


def test_a_departments_figure_gives_way_to_our_own_counts_everywhere_at_once(store: Store, tmp_path: Path) -> None:
    figures = "指标,区划,时期,分子,分母\n" + "".join(f"MOR06,{code},{LAST_MONTH},3,20\n" for code in STREETS)
    few = many(19, 3, [CHANNELS["public"]])
    few = [replace(c, back=1, street="9101") for c in few]
    loading.load(folder_of(tmp_path / "city", few, figures), store, quiet=True)
    assert counts(store, "MOR06", "9101") == (3, 20)
    # The twentieth: from here on it is counted, also where a street has no case of its own.
    loading.load(folder_of(tmp_path / "city", [*few, replace(few[0], no="ONE")], figures), store, quiet=True)
    row = next(r for r in index_method.method(store, ASK).rows if r.id == "MOR06")
    assert (row.numerator, row.denominator, row.brought) == (20, 20, False)
    assert counts(store, "MOR06", "9202") == (None, None)
    assert answerable(store, ASK, "MOR06").post != REPORTS


@pytest.fixture
def alarmed(store: Store, tmp_path: Path) -> Store:
    """A city with three sensors in one street and one in another, and their alarms of the last weeks."""
    loading.load(folder_of(tmp_path / "city", many(60, 4)), store, quiet=True)
    with store.write() as connection:
        at = {code: connection.scalar(text("SELECT num FROM node n JOIN area a ON a.id = n.area_id WHERE a.code = :c"), {"c": code}) for code in ("9101", "9203")}
        homes = [("S1", "9101"), ("S2", "9101"), ("S3", "9101"), ("S4", "9203")]
        connection.execute(insert(sensor), [{"id": i, "code": code, "name": code, "kind": "noise", "node": at[street], "placed": "code", "source": "t", "hash": code}
                                            for i, (code, street) in enumerate(homes, 1)])
        end = stamp(datetime.combine(UNTIL, datetime.min.time()).replace(tzinfo=UTC))
        # sensor, kind, days before the end, outcome ("" = open)
        told = [(1, "threshold", 2, "real"), (1, "threshold", 40, "case"), (1, "threshold", 80, "false"), (1, "threshold", 120, "false"), (2, "threshold", 3, "false"),
                (2, "threshold", 95, "real"), (2, "threshold", 91, "real"), (3, "silence", 1, ""), (3, "silence", 2, ""), (3, "silence", 3, ""), (4, "rate", 5, "real"), (4, "rate", 6, "")]
        connection.execute(insert(alarm), [
            {"rule": kind, "kind": kind, "subject": f"{of}:x:{n}", "level": 3, "sensor_id": of, "node": at[homes[of - 1][1]], "began_at": end - days * 86_400,
             "seen_at": end - days * 86_400, "again_at": end - days * 86_400, "is_active": False, "is_open": not outcome, "outcome": outcome,
             "closed_at": end - days * 86_400 + 3600 if outcome else None} for n, (of, kind, days, outcome) in enumerate(told)])
    return store


def raw(store: Store, id_: str, place: str | None = None) -> tuple[float, float]:
    """Return an indicator's counts, whether or not they are enough for a score."""
    one = next(one for one in index.catalogue().computed if one.id == id_)
    with store.read() as connection:
        where = standing(connection, ASK, 0 if place is None else 2)
        found = counts_of(connection, ASK, where, [*one.top, *one.under])
        i = 0 if place is None else where.code.tolist().index(place)
        return float(found[one.top[0]][i]), float(found[one.under[0]][i])


def test_alarms_that_people_settled_and_points_that_alarm_often_are_counted(alarmed: Store) -> None:
    # In the thirty days: 1 real, 2 false, 4 real. S1 raised three in the ninety days to their end, S2 one, S4 two; S3 is only silent.
    assert raw(alarmed, "INT06") == (2, 3)
    assert raw(alarmed, "INT06", "9203") == (1, 1)
    assert raw(alarmed, "RSK07") == (1, 3)
    assert raw(alarmed, "RSK07", "9101") == (1, 2)


def test_settling_an_alarm_brings_the_kept_index_to_what_making_it_anew_gives(alarmed: Store) -> None:
    today = Ask(scope=EVERYTHING, since=TODAY - timedelta(days=29), until=TODAY)
    with alarmed.write() as connection:  # twenty settled ones, so that it counts
        first = connection.execute(select(alarm).where(alarm.c.sensor_id == 4, alarm.c.outcome == "real")).one()._asdict()
        connection.execute(insert(alarm), [{**first, "id": None, "subject": f"more{n}"} | {"id": 1000 + n} for n in range(20)])
    with alarmed.read() as connection:
        before = held(connection, today, 2)
        j = [one.id for one in index.catalogue().computed].index("INT06")
        i = before.where.code.tolist().index("9203")
        was = before.now.top[i, j], before.now.under[i, j]
    with alarmed.read() as connection:
        id_ = connection.scalar(select(alarm.c.id).where(alarm.c.sensor_id == 4, alarm.c.is_open))
    acts.settle(alarmed, DESK, today, id_, "false", "误触发")
    with alarmed.read() as connection:
        now_, anew = held(connection, today, 2), whole(connection, today, 2)
    assert (now_.now.top[i, j], now_.now.under[i, j]) == (was[0], was[1] + 1)
    assert (now_.now.top[:, j] == anew.now.top[:, j]).all()
    assert (now_.now.known == anew.now.known).all()


@pytest.mark.parametrize(("word", "origin"), [
    ("网格员上报", "grid"), ("巡查发现", "grid"), ("视频发现", "sensor"), ("传感器报警", "sensor"), ("12345 热线", "hotline"), ("市长热线", "hotline"), ("Constituent Call", "hotline"),
    ("公众上报", "public"), ("Open311", "public"), ("Citizens Connect App", "public"), ("", ""), ("数字城管平台", "")])
def test_a_channels_word_tells_who_found_it(word: str, origin: str) -> None:
    assert Origins()(word) == origin


def test_the_citys_own_words_stand_above_the_usual_ones() -> None:
    assert Origins({"public": ["网格员上报"]})("网格员上报") == "public"
    assert Origins({"grid": ["数字城管*"]})("数字城管平台") == "grid"


def test_an_origin_that_there_is_none_of_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_text(CITY + '\n[origins]\nneighbours = ["邻居"]\n', "utf-8")
    with pytest.raises(CityFileError, match="origins"):
        read_city(tmp_path)


def test_other_words_for_channels_tell_anew_who_found_the_stored_cases(store: Store, tmp_path: Path) -> None:
    every = many(200, 5)
    loading.load(folder_of(tmp_path / "city", every), store, quiet=True)
    before = counts(store, "MOR06")
    report = loading.load(folder_of(tmp_path / "city", every, more='\n[origins]\npublic = ["未注明"]\n'), store, quiet=True)
    assert report.changed
    shown = [c for c in every if c.back < 30]
    nobody = sum(c.channel == CHANNELS[""] for c in shown)
    assert before[1] is not None
    assert counts(store, "MOR06") == (before[0] + nobody, before[1] + nobody)
    done = compare(store, quiet=True)
    assert (done.mended, done.differing) == (0, 0)
    assert not loading.load(folder_of(tmp_path / "city", every, more='\n[origins]\npublic = ["未注明"]\n'), store, quiet=True).changed


def test_a_report_that_comes_in_is_counted_by_its_channel_at_once(store: Store, tmp_path: Path) -> None:
    loading.load(folder_of(tmp_path / "city", many(40, 6)), store, quiet=True)
    writer = Writer(store)
    try:
        for channel in ("随手拍", "网格员上报", "没听说过"):
            writer.report(Found(actor=DESK, category="litter", title="垃圾", channel=channel, area_code="9101"))
    finally:
        writer.close()
    with store.read() as connection:
        stood = connection.execute(select(cases.c.channel, cases.c.origin).where(cases.c.source == "desk").order_by(cases.c.id)).all()
    assert [tuple(r) for r in stood] == [("随手拍", "public"), ("网格员上报", "grid"), ("没听说过", "")]
    done = compare(store, quiet=True)
    assert (done.mended, done.differing) == (0, 0)


def test_the_catalogue_names_unit_least_and_date_of_every_indicator() -> None:
    for row in governance.catalogue():
        assert {"unit", "least", "direction", "basis", "basis_date", "floor", "target"} <= set(row)
        assert row["least"] >= 1
        assert row["basis_date"][:4].isdigit()
