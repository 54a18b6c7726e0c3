"""Every kind of bad input through the whole door: what the report says in both languages, what waits in quarantine."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from openpyxl import Workbook
from sqlalchemy import select

from queries import loading, sources_state
from queries.errors import BoundaryError
from queries.frame import EVERYTHING
from queries.store import Store
from queries.tables import quarantine
from tests.test_load import GOOD, GRIDS, HEAD, TOML

Change = Callable[[Path], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "little"
    made.mkdir()
    for name, text in (("city.toml", TOML), ("grids.geojson", GRIDS), ("cases.csv", HEAD + GOOD)):
        (made / name).write_text(text, "utf-8")
    return made


@pytest.fixture
def fresh(tmp_path: Path) -> Store:
    made = Store(f"sqlite:///{tmp_path / 'bad.sqlite'}")
    made.upgrade()
    yield made
    made.close()


def rows(*lines: str) -> Change:
    return lambda folder: (folder / "cases.csv").write_text(HEAD + GOOD + "".join(f"{line}\n" for line in lines), "utf-8") and None


def raw(name: str, data: bytes) -> Change:
    return lambda folder: (folder / name).write_bytes(data) and None


def grids(*changes: tuple[str, str]) -> Change:
    def change(folder: Path) -> None:
        text = GRIDS
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (folder / "grids.geojson").write_text(text, "utf-8")
    return change


def toml(old: str, new: str, also: Change) -> Change:
    def change(folder: Path) -> None:
        (folder / "city.toml").write_text(TOML.replace(old, new, 1), "utf-8")
        also(folder)
    return change


def workbook(folder: Path) -> None:
    book = Workbook()
    sheet = book.active
    for line in (HEAD + GOOD).splitlines():
        sheet.append(line.split(","))
    sheet.append(['=CONCATENATE("A","9")', "市容", "处置中", "2026-03-05 08:00", None, 110.05, 20.05])
    book.save(folder / "cases.xlsx")


def orphan(folder: Path) -> None:
    (folder / "towns.geojson").write_text(GRIDS, "utf-8")
    grids(('"code":"91"', '"code":"911","up":"91"'), ('"code":"92"', '"code":"925","up":"77"'))(folder)


LINE = "{no},市容,{status},{at},{closed},{lon},{lat}"


def line(no: str = "B1", status: str = "处置中", at: str = "2026-03-05 08:00", closed: str = "", lon: str = "110.05", lat: str = "20.05") -> str:
    return LINE.format(no=no, status=status, at=at, closed=closed, lon=lon, lat=lat)


CITY_SQUARE = '[[110,20],[110.1,20],[110.1,20.1],[110,20.1],[110,20]]'


@dataclass(frozen=True, kw_only=True)
class Bad:
    """A change to the good city and what must be said: in the quarantine (file, row, column) and in the report."""

    what: str
    do: Change
    where: tuple[str, int, str] | None
    en: str
    zh: str


BAD = (
    Bad(what="self-intersection", do=grids(("[110.1,20.1],[110,20.1]", "[110,20.1],[110.1,20.1]")),
        where=("grids.geojson", 1, "geometry"), en="shape repaired: Self-intersection", zh="图形已修复"),
    Bad(what="broken geometry", do=grids((CITY_SQUARE, "[[110,20],[110.1,20],[110,20]]")),
        where=("grids.geojson", 1, "geometry"), en="broken beyond repair", zh="图形无效且无法修复"),
    Bad(what="no geometry", do=grids(('{"type":"Polygon","coordinates":[' + CITY_SQUARE + "]}", "null")),
        where=("grids.geojson", 1, "geometry"), en="has no shape", zh="没有图形"),
    Bad(what="shape with latitude first", do=grids((CITY_SQUARE, "[[20,110],[20,110.1],[20.1,110.1],[20.1,110],[20,110]]")),
        where=("grids.geojson", 0, "geometry"), en="1 shapes have latitude first: exchanged", zh="经纬度颠倒，已对调"),
    Bad(what="duplicate area code", do=grids(('"code":"92"', '"code":"91"')),
        where=("grids.geojson", 2, "code"), en="the code is already used by row 1", zh="编码重复"),
    Bad(what="area without a code", do=grids(('"code":"92"', '"code":null')),
        where=("grids.geojson", 2, "code"), en="has no code", zh="没有编码"),
    Bad(what="orphan child", do=toml('id = "grid"', 'id = "town"\nname = "镇"\nfile = "towns.geojson"\ncode = "code"\n[[levels]]\nparent = "up"\nid = "grid"', orphan),
        where=("grids.geojson", 2, "parent"), en="its parent is unknown: put under 92, where it lies", zh="上级编码未知，按位置归入 92"),
    Bad(what="swapped point", do=rows(line(lon="20.05", lat="110.05")),
        where=("cases.csv", 4, "lon, lat"), en="longitude and latitude seem to be swapped", zh="经纬度疑似颠倒"),
    Bad(what="point in another system", do=rows(line(lon="400000", lat="2220000")),
        where=("cases.csv", 4, "lon, lat"), en="is the declared crs right?", zh="请核对坐标系"),
    Bad(what="case in the sea", do=rows(line(lon="110.5", lat="19.9")),
        where=None, en="in no area 1", zh="在所有区域之外 1"),
    Bad(what="duplicate case number", do=rows(line(no="A1")),
        where=("cases.csv", 1, "no"), en="duplicate: a later row", zh="编号重复"),
    Bad(what="unknown status", do=rows(line(status="飞了")),
        where=("cases.csv", 4, "status"), en="the status word is not in the statuses of city.toml", zh="状态词未在 city.toml 的 statuses 中登记"),
    Bad(what="date in the future", do=rows(line(at="2090-01-01")),
        where=("cases.csv", 4, "reported_at"), en="the time is in the future", zh="时间在未来"),
    Bad(what="date before 1970", do=rows(line(at="1950-01-01")),
        where=("cases.csv", 4, "reported_at"), en="the time is before 1970", zh="时间早于 1970 年"),
    Bad(what="no date", do=rows(line(at="明天")),
        where=("cases.csv", 4, "reported_at"), en="the time cannot be read", zh="时间无法识别"),
    Bad(what="closed before opened", do=rows(line(status="已结案", closed="2026-03-01")),
        where=("cases.csv", 4, "closed_at"), en="closed before it was reported", zh="结案早于上报"),
    Bad(what="half a text file", do=raw("cases.csv", (HEAD + GOOD).encode()[:-40]),
        where=("cases.csv", 3, ""), en="the file may be cut off", zh="文件可能被截断"),
    Bad(what="damaged letters", do=raw("cases.csv", (HEAD + GOOD).encode() + "B1,市容,处置中,2026-03-05 08:00,,110.05,20.05\n".encode().replace("容".encode(), b"\xff\x80\xff")),
        where=("cases.csv", 4, "类别"), en="neither UTF-8 nor GB18030", zh="无法识别的字符"),
    Bad(what="formula cell without a value", do=toml('"cases.csv"', '"cases.xlsx"', workbook),
        where=("cases.xlsx", 4, "no"), en="the case number is missing", zh="缺少案件号"),
)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.what)
def test_bad_row_is_in_the_report_and_in_quarantine_with_file_row_and_column(fresh: Store, folder: Path, bad: Bad) -> None:
    bad.do(folder)

    report = loading.load(folder, fresh, quiet=True)

    assert bad.en in report.text("en")
    assert bad.zh in report.text("zh")
    if bad.where is None:
        return
    with fresh.read() as connection:
        held = [(r.file, r.row, r.field) for r in connection.execute(select(quarantine)) if bad.zh in r.reason]
    assert bad.where in held
    seen = [r for r in sources_state.reasons(fresh, EVERYTHING).rows if bad.en in r.reason["en"] and bad.zh in r.reason["zh"]]
    assert (seen[0].file, seen[0].row, seen[0].field) == bad.where


@pytest.mark.parametrize(("what", "name", "data", "en", "zh"), [
    ("empty", "cases.csv", b"", "is empty", "是空文件"),
    ("blank", "cases.csv", b"\n\n", "no header row", "没有表头"),
    ("rubbish", "cases.csv", bytes(range(256)) * 40, "holds binary data", "二进制"),
    ("bomb", "cases.csv", gzip.compress(b"," * (300 << 20)), "decompression bomb", "压缩炸弹"),
    ("half a packed file", "cases.csv", gzip.compress((HEAD + GOOD * 999).encode())[:-200], "only half a file", "不完整"),
    ("half a Parquet file", "cases.csv", b"PAR1" + bytes(999), "damaged Parquet file", "Parquet 文件"),
    ("half a workbook", "cases.csv", b"PK\x03\x04" + bytes(999), "cannot be unpacked", "无法解压"),
    ("other columns", "cases.csv", b"a,b,c\n1,2,3\n", "has no column", "没有列"),
], ids=lambda value: value if isinstance(value, str) and len(value) < 20 else "")
def test_unreadable_table_is_told_in_both_languages_and_the_rest_comes_in(
    fresh: Store, folder: Path, what: str, name: str, data: bytes, en: str, zh: str
) -> None:
    (folder / name).write_bytes(data)

    report = loading.load(folder, fresh, quiet=True)

    for language, words in (("en", en), ("zh", zh)):
        assert words in report.text(language), what
        assert name in report.text(language)
    held = {r.id: r for r in sources_state.sources(fresh).rows}
    assert held["c"].state == "failed"
    assert en in held["c"].message["en"]
    assert zh in held["c"].message["zh"]
    assert held["areas"].state == "ok"


@pytest.mark.parametrize(("do", "en", "zh"), [
    (raw("grids.geojson", b""), "is empty", "是空文件"),
    (raw("grids.geojson", GRIDS.encode()[:300]), "may have been cut off", "不完整"),
    (raw("grids.geojson", bytes(range(256)) * 9), "Save it as UTF-8", "UTF-8"),
    (grids((CITY_SQUARE, "[[400000,2220000],[410000,2220000],[410000,2230000],[400000,2220000]]"), (
        "[[110.1,20],[110.2,20],[110.2,20.1],[110.1,20.1],[110.1,20]]", "[[410000,2220000],[420000,2220000],[420000,2230000],[410000,2220000]]")),
     'crs = "EPSG', "坐标系"),
    (grids(('"code":"91"', '"c":"91"'), ('"code":"92"', '"c":"92"')), "has no column 'code'", "没有列"),
], ids=["empty", "half", "rubbish", "metres", "other columns"])
def test_unreadable_boundaries_leave_all_as_it_was_and_say_why_in_both_languages(
    fresh: Store, folder: Path, do: Change, en: str, zh: str
) -> None:
    loading.load(folder, fresh, quiet=True)
    before = [r.rows for r in sources_state.sources(fresh).rows]
    do(folder)

    with pytest.raises(BoundaryError) as told:
        loading.load(folder, fresh, quiet=True)

    assert en in str(told.value)
    assert zh in told.value.say("zh")
    assert "grids.geojson" in told.value.say("zh")
    assert [r.rows for r in sources_state.sources(fresh).rows] == before


def test_five_date_formats_and_three_encodings_in_one_file_are_all_read(fresh: Store, folder: Path) -> None:
    dates = ("2026-03-05 08:00", "2026/3/5 8:00", "2026年3月5日 8时0分", "20260305080000", "05.03.2026 08:00")
    lines = [line(no=f"B{n}", at=at) + "\n" for n, at in enumerate(dates)]
    data = (HEAD + lines[0] + lines[1]).encode() + (lines[2] + lines[3]).encode("gb18030") + b"\xff\xfe" + lines[4].encode("utf-16-le")
    (folder / "cases.csv").write_bytes(data)

    told = next(s for s in loading.load(folder, fresh, quiet=True).sources if s.id == "c")

    assert (told.read, told.new, told.refused, told.doubted) == (5, 5, 0, 0)


EXTREME = {
    "NUL in a text": ("A\x00B", "市容", "处置中", "2026-03-05 08:00", "", "110.05", "20.05"),
    "endless number": ("".join(chr(0x4E00 + n * n * 31 % 20000) for n in range(3000)), "市容", "处置中", "2026-03-05 08:00", "", "110.05", "20.05"),
    "endless word": ("B1", "市" * 90000, "处置中", "2026-03-05 08:00", "", "110.05", "20.05"),
    "huge coordinate": ("B1", "市容", "处置中", "2026-03-05 08:00", "", "1e300", "-1e300"),
    "huge second": ("B1", "市容", "处置中", "9999999999999999", "", "110.05", "20.05"),
    "emoji and combining letters": ("B😀1", "e\u0301", "处置中", "2026-03-05 08:00", "", "110.05", "20.05"),
}


@pytest.mark.parametrize("cells", EXTREME.values(), ids=EXTREME)
def test_extreme_cells_are_loaded_or_told_on_both_databases(store: Store, folder: Path, cells: tuple[str, ...]) -> None:
    pl.DataFrame([cells], schema=HEAD.strip().split(","), orient="row").write_parquet(folder / "cases.parquet")
    toml('"cases.csv"', '["cases.csv", "cases.parquet"]', lambda _: None)(folder)
    (folder / "city.toml").write_text((folder / "city.toml").read_text("utf-8").replace("[[levels]]", 'other = { name = "其他" }\n[[levels]]', 1), "utf-8")

    told = next(s for s in loading.load(folder, store, quiet=True).sources if s.id == "c")

    assert not told.failed
    assert told.read == 4
    assert told.new + told.refused == 4
    assert told.new >= 3


def test_an_area_with_an_endless_code_is_refused(store: Store, folder: Path) -> None:
    grids(('"code":"92"', '"code":"' + "".join(chr(0x4E00 + n * n * 31 % 20000) for n in range(3000)) + '"'))(folder)
    assert "grids.geojson data row 2 code" in loading.load(folder, store, quiet=True).text("en")


def test_more_residents_than_a_place_can_have_are_unknown(store: Store, folder: Path) -> None:
    grids(('"code":"91"', '"code":"91","n":99999999999'), ('"code":"92"', '"code":"92","n":7'))(folder)
    (folder / "city.toml").write_text(TOML.replace('code = "code"\n', 'code = "code"\nresidents = "n"\n', 1), "utf-8")
    report = loading.load(folder, store, quiet=True)
    assert "residents" in report.text("en")
