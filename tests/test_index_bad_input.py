"""What cannot be meant is refused with its row and its reason, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.cli import main

GOOD = """
units = ["area"]
[[indicators]]
id = "rate"
numerator = "done"
denominator = "due"
floor = 0.5
target = 1.0
[[indicators]]
id = "noise"
direction = "-"
floor = 40
target = 0
"""
DATA = "area,done,due,noise\na,8,10,5\nb,5,10,20\nc,9,10,\n"


def told(tmp_path: Path, capsys: pytest.CaptureFixture[str], catalogue: str = GOOD, data: str = DATA, *more: str) -> str:
    (tmp_path / "c.toml").write_text(catalogue, "utf-8")
    (tmp_path / "d.csv").write_text(data, "utf-8")
    assert main(["index", "--catalogue", str(tmp_path / "c.toml"), "--data", str(tmp_path / "d.csv"), "--out", str(tmp_path / "out.csv"), *more]) == 2
    assert not (tmp_path / "out.csv").exists()
    return capsys.readouterr().err


def test_good_input_is_scored_and_a_score_of_half_the_data_is_none(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(GOOD, "utf-8")
    (tmp_path / "d.csv").write_text(DATA, "utf-8")
    assert main(["index", "--catalogue", str(tmp_path / "c.toml"), "--data", str(tmp_path / "d.csv"), "--out", str(tmp_path / "out.csv")]) == 0
    a, b, c = (tmp_path / "out.csv").read_text("utf-8").splitlines()[1:]
    assert a.startswith("a,73.75,1,1,2,2")  # (60 + 87.5) / 2
    assert b.startswith("b,25,2,1,2,2")
    assert c.startswith("c,,,0.5,1,2")
    assert c.endswith("coverage 50% is below 60%")


@pytest.mark.parametrize(("old", "new", "words"), [
    ("b,5,10,20", "b,5,0,20", ("row 2", "'due'", "above zero")), ("b,5,10,20", "b,5,-3,20", ("row 2", "'due'", "above zero")),
    ("a,8,10,5", "a,8,10,NaN", ("row 1", "'noise'", "finite")), ("a,8,10,5", "a,8,10,inf", ("row 1", "'noise'", "finite")),
    ("a,8,10,5", "a,-8,10,5", ("row 1", "'done'", "negative")), ("a,8,10,5", "a,eight,10,5", ("row 1", "'done'", "not a number")),
    ("c,9", "a,9", ("row 3", "stands in row 1 too")), ("b,5,10,20", "b,5,10", ("row 2", "3 cells under 4 names")), ("noise\n", "nose\n", ("'noise'", "'nose'"))])
def test_a_bad_cell_is_refused_with_its_row(old: str, new: str, words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    err = told(tmp_path, capsys, data=DATA.replace(old, new))
    assert all(word in err for word in words), err


@pytest.mark.parametrize(("old", "new", "words"), [
    ("units", "format = 2\nunits", ("format 2", "newer")), ("floor = 40", "floor = -40", ("row 2", "noise", "direction -1")),
    ("floor = 40\n", "", ("row 2", "needs floor")), ('id = "noise"', 'id = "rate"', ("row 2", "stands twice")),
    ("target = 0\n", "target = 0\nweight = -1\n", ("row 2", "weight -1")), ("target = 0\n", "target = 0\nwieght = 1\n", ("row 2", "'weight'")),
    ("units", "aggregate = { method = 'geometrical' }\nunits", ("'geometric'",)), ("units", "treat = { method = 'skew' }\nunits", ("'skew'",)),
    ("units", "weights = { total = 1.0 }\nunits", ("sum to 2, not to 1",)),
    ("target = 0\n", 'target = 0\nparent = "x"\n[[indicators]]\nid = "x"\nkind = "aggregate"\nparent = "y"\n[[indicators]]\nid = "y"\nkind = "aggregate"\nparent = "x"\n', ("circle",))])
def test_a_bad_catalogue_is_refused_with_its_row(old: str, new: str, words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    err = told(tmp_path, capsys, GOOD.replace(old, new))
    assert all(word in err for word in words), err


@pytest.mark.parametrize(("weights", "words"), [
    ("id,weight\nrate,0.7\nnoise,0.4\n", ("w.csv", "sum to 1.1, not to 1")), ("id,weight\nrate,1.5\nnoise,-0.5\n", ("w.csv, row 2", "'weight'", "zero or more")),
    ("id,weight\nrate,inf\nnoise,1\n", ("w.csv, row 1", "finite"))])
def test_weights_of_a_file_that_do_not_sum_are_refused(weights: str, words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "w.csv").write_text(weights, "utf-8")
    err = told(tmp_path, capsys, GOOD, DATA, "--set", "weights.file=w.csv", "--set", "weights.total=1")
    assert all(word in err for word in words), err


@pytest.mark.parametrize(("more", "words"), [
    ("weights.nodes=entropy", ("nodes", "given, equal, ahp")), ("weights.method=entropy", ("noise has -1", 'weights.of = "scores"'))])
def test_weights_that_cannot_be_had_are_refused_and_not_replaced(more: str, words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    err = told(tmp_path, capsys, GOOD, DATA.replace("a,8,10,5", "a,8,10,-1"), "--set", more)
    assert all(word in err for word in words), err


@pytest.mark.parametrize("names", [("rate", "nois"), ("rates", "noises")])
def test_a_matrix_that_judges_other_names_is_refused(names: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.csv").write_text(f",{names[0]},{names[1]}\n{names[0]},1,3\n{names[1]},,1\n", "utf-8")
    err = told(tmp_path, capsys, GOOD, DATA, "--set", "weights.method=ahp", "--set", "weights.matrix=m.csv")
    assert f"does not judge '{'noise' if names[0] == 'rate' else 'rate'}'" in err
    assert ", ".join(names) in err


def test_a_point_among_decimal_commas_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    err = told(tmp_path, capsys, GOOD, "area;done;due;noise\na;8,5;10;5\nb;5;10;1.234\n")
    assert "row 2: '1.234'" in err


@pytest.mark.parametrize(("data", "encoding"), [
    ("area;done;due;noise\n0010;7,5;10;20\n010;;10;4\n", "utf-8"), ("area,done,due,noise\n东 城,7.5,10,20\n西城,,10,4\n", "gb18030"), ("area,done,due,noise\n东 城,7.5,10,20\n西城,,10,4\n", "utf-8-sig")])
def test_a_table_as_excel_saves_it_is_read(data: str, encoding: str, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(GOOD, "utf-8")
    (tmp_path / "d.csv").write_text(data, encoding)
    assert main(["index", "--catalogue", str(tmp_path / "c.toml"), "--data", str(tmp_path / "d.csv"), "--out", str(tmp_path / "out.csv")]) == 0
    first, second = (tmp_path / "out.csv").read_text("utf-8").splitlines()[1:]
    assert first.startswith(("0010,50,1,1", "东 城,50,1,1"))
    assert second.startswith(("010,,", "西城,,"))


def test_one_row_alone_has_no_scale_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text(GOOD, "utf-8")
    (tmp_path / "d.csv").write_text("area,done,due,noise\na,8,10,5\n", "utf-8")
    assert main(["index", "--catalogue", str(tmp_path / "c.toml"), "--data", str(tmp_path / "d.csv"), "--out", str(tmp_path / "out.csv"), "--set", "normalise.method=minmax"]) == 0
    assert (tmp_path / "out.csv").read_text("utf-8").splitlines()[1].endswith("no scale: all rows say the same")
    assert not capsys.readouterr().err


def test_a_reciprocal_of_nothing_is_refused_with_its_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    err = told(tmp_path, capsys, GOOD, DATA.replace("b,5,10,20", "b,5,10,0"), "--set", "normalise.method=ratio_to_best")
    assert "row 2: noise is 0" in err


@pytest.mark.parametrize(("matrix", "words"), [
    ("x,rate,noise\nrate,1,3\nnoise,3,1\n", ("reciprocal",)), ("x,rate,noise\nrate,1,0\nnoise,3,1\n", ("above zero",)),
    ("x,a,b,c\na,1,9,0.1111111\nb,0.1111111,1,9\nc,9,0.1111111,1\n", ("consistency ratio",))])
def test_judgements_that_do_not_go_together_are_refused(matrix: str, words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.csv").write_text(matrix, "utf-8")
    err = told(tmp_path, capsys, GOOD, DATA, "--set", "weights.method=ahp", "--set", "weights.matrix=m.csv")
    assert all(word in err for word in words), err
