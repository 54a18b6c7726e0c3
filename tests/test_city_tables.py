"""Table files as they come: packed, mixed, torn, mistaken; what can be read is, the rest is told."""

from __future__ import annotations

import bz2
import csv
import datetime
import gzip
import io
import lzma
import random
import zipfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queries.city.tables import ROW, Limits, read_table
from queries.errors import TableError


def _file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _rows(path: Path, **options) -> list[tuple]:
    return [row for chunk in read_table(path, **options) for row in chunk.frame.iter_rows()]


def _broken(path: Path, **options) -> list:
    return [one for chunk in read_table(path, **options) for one in chunk.broken]


PLAIN = "编号,地址\n1,中山路\n2,\"北京路, 上\n3号\"\n".encode()
WANT = [("1", "中山路", 1), ("2", "北京路, 上\n3号", 2)]


def _zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as pack:
        for name in names:
            pack.writestr(name, PLAIN)
    return out.getvalue()


@pytest.mark.parametrize(("name", "data"), [
    ("a.csv", PLAIN), ("a.csv.gz", gzip.compress(PLAIN)), ("a.csv.bz2", bz2.compress(PLAIN)),
    ("a.csv.xz", lzma.compress(PLAIN)), ("a.zip", _zipped("a.csv")), ("wrongly-named.csv", gzip.compress(PLAIN)),
    ("bom.csv", b"\xef\xbb\xbf" + PLAIN), ("gb.csv", PLAIN.decode().encode("gb18030")),
    ("wide.csv", PLAIN.decode().encode("utf-16")), ("wide-be.csv", b"\xfe\xff" + PLAIN.decode().encode("utf-16-be")),
    ("crlf.csv", PLAIN.replace(b"\n1", b"\r\n1").replace(b"\n2", b"\r\n2")),
    ("semicolon.csv", "编号;地址\n1;中山路\n2;\"北京路, 上\n3号\"\n".encode()),
    ("tab.tsv", "编号\t地址\n1\t中山路\n2\t\"北京路, 上\n3号\"".encode()),
], ids=lambda value: value if isinstance(value, str) else "")
def test_same_table_reads_the_same_however_it_is_packed_and_written(tmp_path: Path, name: str, data: bytes):
    assert _rows(_file(tmp_path, name, data)) == WANT


def test_lines_of_three_encodings_in_one_file_are_all_read(tmp_path: Path):
    data = "编号,地址\n1,上海\n".encode() + "2,重庆\n".encode("gb18030") + "3,上天\n4,天津\n".encode("utf-16")

    assert _rows(_file(tmp_path, "mixed.csv", data)) == [
        ("1", "上海", 1), ("2", "重庆", 2), ("3", "上天", 3), ("4", "天津", 4),
    ]


def test_western_letters_are_not_taken_for_chinese(tmp_path: Path):
    rows = _rows(_file(tmp_path, "latin.csv", "no,place\n1,Café\n2,München Süd\n".encode("cp1252")))
    assert [row[1] for row in rows] == ["Café", "München Süd"]


def test_unreadable_characters_are_told_with_row_and_column(tmp_path: Path):
    (one,) = _broken(_file(tmp_path, "torn.csv", "no,地址\n1,好\n2,上".encode() + b"\xe4\xb8\n"))
    assert (one.row, one.field, one.grade) == (2, "地址", "doubted")


@pytest.mark.parametrize("data", [b"", b"\n\n\n", b"\xef\xbb\xbf"])
def test_empty_file_is_told(tmp_path: Path, data: bytes):
    with pytest.raises(TableError, match=r"nothing\.csv is empty"):
        _rows(_file(tmp_path, "nothing.csv", data))


def test_header_alone_is_a_table_of_no_rows(tmp_path: Path):
    (chunk,) = read_table(_file(tmp_path, "header.csv", b"a,b\n"))
    assert chunk.frame.columns == ["a", "b", ROW]
    assert chunk.read == 0


@pytest.mark.parametrize("data", [
    random.Random(1).randbytes(5000), b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, b"\x7fELF" + bytes(300),
])
def test_binary_rubbish_named_csv_is_told(tmp_path: Path, data: bytes):
    with pytest.raises(TableError, match=r"rubbish\.csv is not a text table"):
        _rows(_file(tmp_path, "rubbish.csv", data))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_half_a_packed_file_is_told(tmp_path: Path, pack):
    data = pack(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(20_000)))
    with pytest.raises(TableError, match="half a file"):
        _rows(_file(tmp_path, "half.csv.gz", data[:len(data) // 2]))


def test_half_a_zip_and_a_zip_of_two_tables_are_told(tmp_path: Path):
    data = _zipped("a.csv")
    with pytest.raises(TableError, match="half a file"):
        _rows(_file(tmp_path, "half.zip", data[:len(data) // 2]))
    with pytest.raises(TableError, match=r"exactly one table; it holds a\.csv, b\.csv"):
        _rows(_file(tmp_path, "two.zip", _zipped("a.csv", "b.csv")))


def test_half_a_text_file_refuses_its_torn_row_only(tmp_path: Path):
    (one,) = _broken(path := _file(tmp_path, "half.csv", b"a,b,c\n1,2,3\n4,5,6\n7,8"))
    assert (one.row, one.grade) == (3, "refused")
    assert "cut off" in one.reason_en
    assert [row[0] for row in _rows(path)] == ["1", "4"]


def test_half_a_parquet_file_is_told(tmp_path: Path):
    pl.DataFrame({"a": range(1000)}).write_parquet(path := tmp_path / "a.parquet")
    with pytest.raises(TableError, match="damaged Parquet"):
        _rows(_file(tmp_path, "half.parquet", path.read_bytes()[:-200]))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_decompression_bomb_is_stopped(tmp_path: Path, pack):
    path = _file(tmp_path, "bomb.csv.gz", pack(b"a,b\n" + b"0" * (2 << 20)))
    with pytest.raises(TableError, match="decompression bomb"):
        _rows(path, limits=Limits(ratio_from=1 << 20))


def test_absolute_limit_holds_for_unpacked_files_too(tmp_path: Path):
    pl.DataFrame({"a": range(1000)}).write_csv(tmp_path / "a.csv")
    with pytest.raises(TableError, match="decompression bomb"):
        _rows(tmp_path / "a.csv", limits=Limits(bytes=1000))


def test_rows_with_too_few_and_too_many_cells_are_refused_with_their_numbers(tmp_path: Path):
    path = _file(tmp_path, "ragged.csv", b"a,b\n1,2\n\n3\n4,5,6\n7,8,,\n9,10\n")

    assert [(one.row, one.reason_en.split(" (")[0]) for one in _broken(path)] == [
        (3, "the row has 1 cells, the header 2"), (4, "the row has 3 cells, the header 2"),
    ]
    assert [(row[0], row[-1]) for row in _rows(path)] == [("1", 1), ("7", 5), ("9", 6)]


def test_quote_that_is_never_closed_costs_its_own_row_only(tmp_path: Path):
    path = _file(tmp_path, "quote.csv", b'a,b\n1,"x\n2,3\n4,5" pipe\n6,7\n')
    assert [one.row for one in _broken(path)] == [1]
    assert [row[0] for row in _rows(path)] == ["2", "4", "6"]


def test_formula_cells_stay_text(tmp_path: Path):
    rows = _rows(_file(tmp_path, "formula.csv", b"a,b\n=1+1,@SUM(A1)\n-2+3,\"=cmd|' /C calc'!A0\"\n"))
    assert rows == [("=1+1", "@SUM(A1)", 1), ("-2+3", "=cmd|' /C calc'!A0", 2)]


def test_typed_parquet_columns_become_the_text_one_would_write(tmp_path: Path):
    moment = datetime.datetime(2024, 3, 5, 8, 5, tzinfo=datetime.UTC)
    pl.DataFrame({
        "no": [123.0, None], "lon": [116.5, 117.25], "at": [moment, None], "day": [datetime.date(2024, 3, 5), None],
        "urgent": [True, False],
    }).write_parquet(path := tmp_path / "typed.parquet")

    first, second = _rows(path)

    assert first[:2] == ("123", "116.5")
    assert first[2].startswith("2024-03-05T08:05:00")
    assert first[2].endswith("Z")
    assert first[3:5] == ("2024-03-05", "true")
    assert second[0] is None


def _workbook(path: Path, sheets: dict[str, list[list[str | float]]]) -> Path:
    """Write the least that is an Excel file: cells of numbers and of text."""
    def cell(value: str | float) -> str:
        return f"<c><v>{value}</v></c>" if isinstance(value, (int, float)) else f'<c t="inlineStr"><is><t>{value}</t></is></c>'

    start = '<?xml version="1.0" encoding="UTF-8"?>'
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    doc = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    rel = "http://schemas.openxmlformats.org/package/2006/relationships"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        names = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
        pack.writestr("xl/workbook.xml", f'{start}<workbook {main} xmlns:r="{doc}"><sheets>{names}</sheets></workbook>')
        pack.writestr("_rels/.rels", f'{start}<Relationships xmlns="{rel}"><Relationship Id="r0" Type="{doc}/officeDocument" Target="xl/workbook.xml"/></Relationships>')
        links = "".join(f'<Relationship Id="r{n}" Type="{doc}/worksheet" Target="worksheets/s{n}.xml"/>' for n in range(1, len(sheets) + 1))
        pack.writestr("xl/_rels/workbook.xml.rels", f'{start}<Relationships xmlns="{rel}">{links}</Relationships>')
        for n, rows in enumerate(sheets.values(), 1):
            body = "".join(f'<row r="{at}">{"".join(map(cell, row))}</row>' for at, row in enumerate(rows, 1))
            pack.writestr(f"xl/worksheets/s{n}.xml", f"{start}<worksheet {main}><sheetData>{body}</sheetData></worksheet>")
    return path


def test_excel_is_read_from_the_named_sheet(tmp_path: Path):
    path = _workbook(tmp_path / "a.xlsx", {
        "说明": [["nothing here"]],
        "案件": [["某市案件表"], ["编号", "时间", "数"], ["A1", 45356.5, 3], [], ["A2", "2024/3/5", 2.5]],
    })

    assert _rows(path, sheet="案件", header_row=2) == [("A1", "45356.5", "3", 1), ("A2", "2024/3/5", "2.5", 3)]
    assert _rows(path) == []
    with pytest.raises(TableError, match="no sheet '案件表'; it has '说明', '案件'"):
        _rows(path, sheet="案件表")


def test_workbook_that_unpacks_without_end_is_stopped(tmp_path: Path):
    path = _workbook(tmp_path / "bomb.xlsx", {"a": [["x" * (2 << 20)]]})
    with pytest.raises(TableError, match="decompression bomb"):
        _rows(path, limits=Limits(ratio_from=1 << 20))


def test_workbook_with_one_cell_far_away_is_told_and_not_filled_up(tmp_path: Path):
    path = _workbook(tmp_path / "far.xlsx", {"a": [["no", "at"]]})
    with zipfile.ZipFile(path, "a") as pack:
        pack.writestr("xl/worksheets/s2.xml", '<worksheet><sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>')
    with pytest.raises(TableError, match="spans 1,048,576 rows and 16,384 columns"):
        _rows(path)


CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\ufffd\u2028\u2029\x85"), max_size=8) | \
    st.sampled_from(["a\nb", 'say "hi"', "x,y", "\"", "=1"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=12), st.sampled_from(["utf-8", "utf-16"]))
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, rows: list[list[str]], encoding: str):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([["alpha", "beta", "gamma"], *rows])
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(out.getvalue().encode(encoding))

    got = [[cell or "" for cell in row[:-1]] for row in _rows(path)]

    assert got == rows
    assert not [one for one in _broken(path) if one.grade == "refused"]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"a,b\n", b"\xff\xfe", b"PAR1", b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"\xd0\xcf\x11\xe0"]))
def test_any_bytes_are_read_or_told(tmp_path_factory, data: bytes, head: bytes):
    path = tmp_path_factory.mktemp("any") / "a.csv"
    path.write_bytes(head + data)
    try:
        for chunk in read_table(path):
            assert chunk.frame.height + len([one for one in chunk.broken if one.grade == "refused"]) <= chunk.read
    except TableError:
        pass  # told, which is what is asked for; anything else would fail the test
