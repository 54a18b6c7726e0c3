"""Loading: all or nothing, again changes nothing, newer files keep history, bad rows wait in quarantine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from queries import boundary_report, kpi, loading, rollup
from queries.area_values import area_values
from queries.boundaries import Locator
from queries.errors import CityFileError, GovError
from queries.frame import EVERYTHING, Ask
from queries.store import Store, version
from queries.tables import area, cases, event, node, open_now, quarantine, sensor, source, total
from queries.tables import duration as duration_table
from queries.tables import rollup as rollup_table
from queries.today import city_now

HOME = Path(__file__).resolve().parent.parent
TOML = """
name = "小城"
name_en = "Little"
code = "9"
[statuses]
"已结案" = "closed"
"处置中" = "handling"
[categories]
a = { name = "市容", name_en = "Appearance", match = "市容" }
[[levels]]
id = "city"
name = "全市"
[[levels]]
id = "grid"
name = "网格"
file = "grids.geojson"
code = "code"
[[cases]]
id = "c"
file = "cases.csv"
[cases.columns]
no = "编号"
category = "类别"
status = "状态"
reported_at = "上报"
closed_at = "结案"
lon = "经度"
lat = "纬度"
"""
GRIDS = """{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"code":"91"},"geometry":{"type":"Polygon","coordinates":[[[110,20],[110.1,20],[110.1,20.1],[110,20.1],[110,20]]]}},
{"type":"Feature","properties":{"code":"92"},"geometry":{"type":"Polygon","coordinates":[[[110.1,20],[110.2,20],[110.2,20.1],[110.1,20.1],[110.1,20]]]}}]}"""
HEAD = "编号,类别,状态,上报,结案,经度,纬度\n"
GOOD = ("A1,市容,处置中,2026-03-01 08:00,,110.05,20.05\n"
        "A2,市容,已结案,2026/3/1 9:00,2026年3月2日 10时00分,110.15,20.05\n"
        "A3,市容,处置中,20260303101500,,110.15,20.06\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "little"
    made.mkdir()
    (made / "city.toml").write_text(TOML, "utf-8")
    (made / "grids.geojson").write_text(GRIDS, "utf-8")
    (made / "cases.csv").write_text(HEAD + GOOD, "utf-8")
    return made


def everything(store: Store) -> dict[str, list]:
    with store.read() as connection:
        return {t.name: sorted(tuple(r) for r in connection.execute(select(*(c for c in t.c)))) for t in (rollup_table, total, duration_table, open_now)}


def test_loading_again_changes_nothing(store: Store, folder: Path) -> None:
    first = loading.load(folder, store, quiet=True)
    assert first.changed
    with store.read() as connection:
        held = version(connection)
    again = loading.load(folder, store, quiet=True)
    assert not again.changed
    with store.read() as connection:
        assert version(connection) == held


def test_a_case_that_only_an_unknown_code_could_place_is_named_with_it_at_every_load(store: Store, folder: Path) -> None:
    toml = folder / "city.toml"
    toml.write_text(toml.read_text("utf-8") + 'area_code = "网格"\n', "utf-8")
    (folder / "cases.csv").write_text(HEAD.replace("\n", ",网格\n") + GOOD.replace("\n", ",\n") + "A4,市容,处置中,2026-03-01 08:00,,,,92\nA5,市容,处置中,2026-03-01 08:00,,,,93\n"
                                      "A6,市容,处置中,2026-03-01 08:00,,110.05,20.05,93\n", "utf-8")
    for load in (1, 2):
        report = loading.load(folder, store, quiet=True)
        told = next(one for one in report.sources if one.id == "c")
        # A point says where a case is, whatever its code.
        assert (told.accepted, told.doubted) == (6, 1), load
        with store.read() as connection:
            (kept,) = connection.execute(select(quarantine)).all()
        assert (kept.row, kept.field, kept.value, kept.reason_en) == (5, "area_code", "93", "no area has this code: the case counts in the whole city only")
    assert not report.changed


def test_a_word_that_other_takes_in_is_named_and_counts_as_no_doubt(store: Store, folder: Path) -> None:
    toml = folder / "city.toml"
    toml.write_text(toml.read_text("utf-8").replace("[[levels]]", 'other = { name = "其他", name_en = "Other" }\n[[levels]]', 1), "utf-8")
    (folder / "cases.csv").write_text(HEAD + GOOD + "A4,宠物,处置中,2026-03-05 08:00,,110.05,20.05\n", "utf-8")

    for report in (loading.load(folder, store, quiet=True), loading.load(folder, store, quiet=True)):
        told = next(s for s in report.sources if s.id == "c")
        assert (told.refused, told.doubted) == (0, 0)
        assert "hint: category words that city.toml does not name count as other: '宠物' × 1" in report.text("en")
        assert "提示" in report.text("zh")
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(quarantine)) == 0


def test_the_report_says_of_which_days_boundaries_it_speaks(store: Store, folder: Path) -> None:
    assert "Checked: the boundaries" not in loading.load(folder, store, quiet=True).text("en")
    toml = folder / "city.toml"
    toml.write_text(toml.read_text("utf-8").replace('code = "code"', 'code = "code"\nvalid_from = "since"\nvalid_to = "to"'), "utf-8")
    old, new = '"code":"92","to":"2026-07-01"}', '"code":"93","since":"2026-07-01"}'
    second = GRIDS.splitlines()[-1]
    (folder / "grids.geojson").write_text(
        GRIDS.replace(second, second.removesuffix("]}").replace('"code":"92"}', old) + "," + second.replace('"code":"92"}', new)), "utf-8")

    report = loading.load(folder, store, quiet=True)

    assert (report.topology["since"], report.topology["to"], report.topology["versions"]) == ("2026-07-01", None, 2)
    assert "Checked: the boundaries from 2026-07-01 on, the newest of 2 versions; earlier ones are not checked" in report.text("en")
    assert "2026-07-01 起的边界" in report.text("zh")
    shown = boundary_report.report(store, EVERYTHING).rows[0]
    assert (shown.since, shown.to, shown.versions) == (date(2026, 7, 1), None, 2)


def test_what_no_source_ever_told_is_unknown_in_lists_and_on_the_map_too(store: Store, folder: Path) -> None:
    loading.load(folder, store, quiet=True)
    ask = Ask(scope=EVERYTHING, place=None, since=date(2026, 3, 1), until=date(2026, 11, 1))

    for row in kpi.children(store, ask, "reported").rows:
        assert (row.values["filed"], row.values["rework_rate"]) == (None, None)
        assert row.values["reported"] is not None
    assert all(row.rank is None for row in kpi.children(store, ask, "filed").rows)
    assert all(one.value is None for one in area_values(store, ask, "filed", 1).rows)


def test_a_newer_file_adds_what_is_new_and_keeps_the_history(store: Store, folder: Path) -> None:
    loading.load(folder, store, quiet=True)
    newer = GOOD.replace("A1,市容,处置中,2026-03-01 08:00,,", "A1,市容,已结案,2026-03-01 08:00,2026-03-04 08:00,") + "A4,市容,处置中,2026-03-05 08:00,,110.05,20.05\n"
    (folder / "cases.csv").write_text(HEAD + newer, "utf-8")
    told = next(s for s in loading.load(folder, store, quiet=True).sources if s.id == "c")
    assert (told.new, told.changed, told.same) == (1, 1, 2)
    with store.read() as connection:
        steps = connection.execute(select(event.c.step, event.c.derived).join(cases, cases.c.id == event.c.case_id).where(cases.c.no == "A1")).all()
        assert steps
        assert connection.scalar(select(func.count()).select_from(cases)) == 4


@pytest.mark.parametrize(("status", "filed", "closed", "rework", "course"), [
    ("处置中", "", "", 0, ["reported 8", "told -"]),
    ("处置中", "9", "", 0, ["reported 8", "filed 9", "told -"]),
    ("已立案", "9", "", 0, ["reported 8", "filed 9"]),
    ("处置中", "9", "", 2, ["reported 8", "filed 9", "rework -", "rework -"]),
    ("处置中", "9", "10", 0, ["reported 8", "filed 9", "told -"]),
    ("已结案", "", "10", 0, ["reported 8", "closed 10"]),
    ("已结案", "9", "10", 1, ["reported 8", "filed 9", "rework 10", "closed 10"]),
    ("已结案", "9", "", 0, ["reported 8", "filed 9", "told -"]),
    ("已结案", "", "", 1, ["reported 8", "rework -", "told -"]),
    ("已取消", "9", "10", 0, ["reported 8", "filed 9", "cancelled 10"]),
    ("处置中", "", "", 250, ["reported 8", *(["rework -"] * 99)]),
])
def test_a_row_has_the_course_that_its_dates_imply(
    store: Store, folder: Path, status: str, filed: str, closed: str, rework: int, course: list[str],
) -> None:
    toml = TOML.replace('"处置中" = "handling"', '"处置中" = "handling"\n"已立案" = "filed"\n"已取消" = "cancelled"')
    (folder / "city.toml").write_text(toml.replace('lat = "纬度"', 'lat = "纬度"\nfiled_at = "立案"\nrework = "返工"'), "utf-8")
    at = [f"2026-03-01 {hour}:00" if hour else "" for hour in (filed, closed)]
    other = "A2,市容,处置中,2026-03-01 08:00,,110.05,20.05,,0\n"
    (folder / "cases.csv").write_text(
        f"编号,类别,状态,上报,结案,经度,纬度,立案,返工\n{other}A1,市容,{status},2026-03-01 8:00,{at[1]},110.05,20.05,{at[0]},{rework}\n", "utf-8")
    loading.load(folder, store, quiet=True)
    with store.read() as connection:
        row = connection.execute(select(cases).where(cases.c.no == "A1")).one()
        events = connection.execute(select(event).where(event.c.case_id == row.id).order_by(event.c.id)).all()
        zone = city_now(connection).zone
        loaded = connection.scalar(select(func.max(event.c.seen_at)))
    told = [f"{e.step} {'-' if e.at == loaded else datetime.fromtimestamp(e.at, zone).hour}" for e in events]
    assert told == course
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert all(e.derived and e.actor == e.source == "c" for e in events)
    assert (events[-1].status, len(events)) == (row.status, row.seq)
    assert row.since_at == (None if events[-1].step == "told" else events[-1].at)
    assert (events[0].due_at, events[0].department_id) == (row.due_at, row.department_id)


def test_the_sums_equal_a_rebuild_after_changes(store: Store, folder: Path) -> None:
    loading.load(folder, store, quiet=True)
    (folder / "cases.csv").write_text(HEAD + GOOD.replace("110.15,20.06", "110.05,20.06").replace("A2,市容,已结案", "A2,市容,处置中"), "utf-8")
    loading.load(folder, store, quiet=True)
    before = everything(store)
    with store.write() as connection:
        rollup.rebuild(connection, city_now(connection).zone, Locator(connection).areas_of)
    assert everything(store) == before


def test_bad_rows_wait_in_quarantine_with_file_row_and_column(store: Store, folder: Path) -> None:
    bad = GOOD + "A5,市容,飞了,2026-03-01 08:00,,110,20\n,市容,处置中,2026-03-01 08:00,,110,20\nA7,市容,处置中,昨天,,110,20\nA8,市容,处置中,2091-03-01,,110,20\nA9,市容,处置中,1950-03-01,,110,20\n"
    (folder / "cases.csv").write_text(HEAD + bad, "utf-8")
    told = next(s for s in loading.load(folder, store, quiet=True).sources if s.id == "c")
    assert (told.read, told.accepted, told.refused) == (8, 3, 5)
    with store.read() as connection:
        rows = connection.execute(select(quarantine).where(quarantine.c.grade == "refused").order_by(quarantine.c.row)).all()
        held = connection.execute(select(source).where(source.c.id == "c")).one()
    assert [(r.file, r.row, r.field) for r in rows] == [
        ("cases.csv", 4, "status"), ("cases.csv", 5, "no"), ("cases.csv", 6, "reported_at"), ("cases.csv", 7, "reported_at"), ("cases.csv", 8, "reported_at")]
    assert all(r.reason and r.reason_en for r in rows)
    assert (held.rows, held.refused) == (3, 5)


def test_an_unreadable_table_is_a_state_and_not_a_crash(store: Store, folder: Path) -> None:
    (folder / "cases.csv").write_bytes(bytes(range(256)) * 40)
    report = loading.load(folder, store, quiet=True)
    with store.read() as connection:
        held = connection.execute(select(source).where(source.c.id == "c")).one()
        assert connection.scalar(select(func.count()).select_from(area)) == 3
    assert held.state == "failed"
    assert "cases.csv" in held.message
    assert "cases.csv" in report.text("en")


def test_a_later_unreadable_file_keeps_what_was_known(store: Store, folder: Path) -> None:
    loading.load(folder, store, quiet=True)
    (folder / "cases.csv").write_bytes(b"\x00\x01" * 4000)
    loading.load(folder, store, quiet=True)
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(cases)) == 3
        assert connection.scalar(select(source.c.state).where(source.c.id == "c")) == "failed"


def test_check_writes_nothing_and_tells_the_same(store: Store, folder: Path) -> None:
    told = loading.check(folder, store)
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(cases)) == 0
        assert version(connection) == 0
    done = loading.load(folder, store, quiet=True)
    assert [(s.id, s.read, s.accepted, s.refused) for s in told.sources] == [(s.id, s.read, s.accepted, s.refused) for s in done.sources]


def test_a_city_that_names_no_file_that_exists_is_refused(store: Store, folder: Path) -> None:
    (folder / "grids.geojson").unlink()
    with pytest.raises(GovError, match=r"grids\.geojson"):
        loading.load(folder, store, quiet=True)
    with pytest.raises(CityFileError, match=r"city\.toml"):
        loading.load(folder / "nowhere", store, quiet=True)


def test_a_real_city_takes_the_place_of_the_demo_city_whole(store: Store, demo_folder: Path, folder: Path) -> None:
    loading.load(demo_folder, store, quiet=True)
    with store.read() as connection:
        held, numbers = version(connection), set(connection.scalars(select(node.c.num)))

    report = loading.load(folder, store, quiet=True)

    assert "云川市" in report.replaced
    assert "云川市" in report.text("en")
    with store.read() as connection:
        assert set(connection.scalars(select(source.c.id))) == {"areas", "c"}
        assert sorted(connection.scalars(select(cases.c.no))) == ["A1", "A2", "A3"]
        assert connection.scalar(select(func.count()).select_from(sensor)) == 0
        assert not city_now(connection).demo
        assert version(connection) > held
        assert numbers.isdisjoint(connection.scalars(select(node.c.num)))


def test_another_real_city_stays_out_unless_asked_in(store: Store, folder: Path) -> None:
    loading.load(folder, store, quiet=True)
    (folder / "city.toml").write_text(TOML.replace('code = "9"', 'code = "8"', 1), "utf-8")
    for act in (loading.load, loading.check):
        with pytest.raises(CityFileError, match=r"小城 \(9\).*--replace"):
            act(folder, store, quiet=True)
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(cases)) == 3

    (folder / "cases.csv").write_text(HEAD + GOOD.replace("A1", "B1"), "utf-8")
    loading.load(folder, store, quiet=True, replace=True)
    with store.read() as connection:
        assert sorted(connection.scalars(select(cases.c.no))) == ["A2", "A3", "B1"]


SCRIPT = ("import sys; from pathlib import Path; from queries import loading; from queries.store import Store\n"
          "print('go', flush=True); loading.load(Path(sys.argv[1]), Store(sys.argv[2]), quiet=True, replace=True)")


@pytest.fixture(scope="module")
def load_seconds(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long the demo city takes to come in when nobody kills it."""
    run = _begun(demo_folder, f"sqlite:///{tmp_path_factory.mktemp('whole') / 'whole.sqlite'}")
    began = time.perf_counter()
    run.wait()
    return time.perf_counter() - began


def _begun(folder: Path, url: str) -> subprocess.Popen:
    run = subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder), url], cwd=HOME, stdout=subprocess.PIPE)
    with run.stdout as told:
        assert told.readline() == b"go\n"
    return run


@pytest.mark.parametrize("moment", [0.2, 0.5, 0.8, 0.95])
def test_a_killed_load_leaves_the_last_good_state(
    store: Store, demo_folder: Path, folder: Path, load_seconds: float, moment: float
) -> None:
    loading.load(folder, store, quiet=True)
    before = everything(store)
    run = _begun(demo_folder, store.engine.url.render_as_string(hide_password=False))
    time.sleep(load_seconds * moment)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    with store.read() as connection:
        n = connection.scalar(select(func.count()).select_from(cases))
        known = connection.scalar(select(func.count()).select_from(source))
    # Either all of the new city came in before the kill, or nothing of it.
    assert (n, known) == (3, 2) or (n > 3 and known == 8)
    if n == 3:
        assert everything(store) == before


def test_a_case_reported_after_a_load_and_a_load_after_it_go_on_counting(store: Store, folder: Path) -> None:
    from queries.frame import EVERYTHING, Actor
    from queries.loop.orders import Found, Order
    from queries.loop.rebuild import rebuild
    from queries.loop.writer import Writer

    loading.load(folder, store, quiet=True)
    writer, desk = Writer(store), Actor(name="desk", post="dispatcher", scope=EVERYTHING)
    try:
        no = writer.report(Found(actor=desk, category="a", lon=110.05, lat=20.05)).no
        writer.take(Order(actor=desk, no=no, step="filed"))
        newer = GOOD.replace("A1,市容,处置中,2026-03-01 08:00,,", "A1,市容,已结案,2026-03-01 08:00,2026-03-04 08:00,") + "A4,市容,处置中,2026-03-05 08:00,,110.05,20.05\n"
        (folder / "cases.csv").write_text(HEAD + newer, "utf-8")
        # What the projector has yet to count must be counted before the load takes anything back.
        loading.load(folder, store, quiet=True)
        last = writer.report(Found(actor=desk, category="a", lon=110.05, lat=20.05)).no
    finally:
        writer.close()
    assert last != no
    from queries.loop.book import Book
    from queries.loop.projector import catch_up

    while catch_up(store, Book()):
        pass
    before = {k: [r for r in rows if any(r[3:])] for k, rows in everything(store).items()}
    assert rebuild(store, quiet=True).mended == 0
    assert {k: [r for r in rows if any(r[3:])] for k, rows in everything(store).items()} == before


def test_the_report_says_where_each_reason_was_met_first(store: Store, folder: Path) -> None:
    (folder / "cases.csv").write_text(HEAD + GOOD + "A5,市容,飞了,2026-03-01 08:00,,110,20\nA6,市容,飞走,2026-03-01 08:00,,110,20\n", "utf-8")
    bow = GRIDS.replace("[110.1,20.1],[110,20.1]", "[110,20.1],[110.1,20.1]", 1)
    (folder / "grids.geojson").write_text(bow, "utf-8")
    report = loading.load(folder, store, quiet=True)
    assert "refused 2: the status word is not in the statuses of city.toml (cases.csv data row 4 status = '飞了' and others)" in report.text("en")
    assert "拒收 2: 状态词未在 city.toml 的 statuses 中登记 (cases.csv 数据第 4 行 status = '飞了' 等)" in report.text("zh")
    assert "shape repaired: Self-intersection (grids.geojson data row 1 geometry = '91')" in report.text("en")
    with store.read() as connection:
        held = connection.execute(select(quarantine).where(quarantine.c.source == "areas")).one()
    assert (held.file, held.row, held.field, held.value) == ("grids.geojson", 1, "geometry", "91")


def test_the_report_names_the_areas_that_do_not_fit(store: Store, folder: Path) -> None:
    (folder / "grids.geojson").write_text(GRIDS.replace("[[110.1,20],[110.2,20]", "[[110.09,20],[110.2,20]").replace(
        "[110.1,20.1],[110.1,20]]]", "[110.09,20.1],[110.09,20]]]"), "utf-8")
    text = loading.check(folder, store).text("en")
    assert "grid: overlaps 1, " in text
    assert "(91 / 92 11" in text


def test_new_boundaries_move_cases_and_what_their_steps_counted(store: Store, folder: Path) -> None:
    from queries.frame import EVERYTHING, Actor
    from queries.loop.orders import Found, Order
    from queries.loop.rebuild import rebuild
    from queries.loop.tables import tally
    from queries.loop.writer import Writer

    def held() -> list:
        with store.read() as connection:
            return sorted(tuple(r) for r in connection.execute(select(tally).where(tally.c.n != 0)))

    loading.load(folder, store, quiet=True)
    writer, desk = Writer(store), Actor(name="desk", post="dispatcher", scope=EVERYTHING)
    try:
        no = writer.report(Found(actor=desk, category="a", lon=110.05, lat=20.05)).no
        writer.take(Order(actor=desk, no=no, step="filed"))
    finally:
        writer.close()
    # The source corrects a case, then the city draws its grids anew.
    (folder / "cases.csv").write_text(HEAD + GOOD.replace("A1,市容,处置中", "A1,市容,已结案"), "utf-8")
    loading.load(folder, store, quiet=True)
    (folder / "grids.geojson").write_text(GRIDS.replace("110.1,20.1],[110,20.1]", "110.1,20.09],[110,20.09]"), "utf-8")
    loading.load(folder, store, quiet=True)

    before = held()
    with store.read() as connection:
        nodes = dict(connection.execute(select(cases.c.no, cases.c.node)).all())
    assert rebuild(store, quiet=True).mended == 0
    assert held() == before
    with store.read() as connection:
        assert dict(connection.execute(select(cases.c.no, cases.c.node)).all()) == nodes


def test_a_status_that_no_date_speaks_of_is_not_dated_to_the_load(store: Store, folder: Path) -> None:
    from queries.loop.rebuild import rebuild

    loading.load(folder, store, quiet=True)
    with store.read() as connection:
        since = dict(connection.execute(select(cases.c.no, cases.c.since_at)).all())
    assert since["A1"] is None
    assert since["A2"] is not None
    assert rebuild(store, quiet=True).mended == 0
