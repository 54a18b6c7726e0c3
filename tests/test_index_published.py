"""The command `app.py index` gives the numbers of published examples, as somebody would try them who has only the README."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from dashboard.cli import main


def run(where: Path, catalogue: str, data: str, *more: str, code: int = 0, **files: str) -> dict[str, list[dict[str, str]]]:
    """Run the command; return its tables by name, rows as dictionaries."""
    where.mkdir(exist_ok=True)
    for name, text in {"catalogue_toml": catalogue, "data_csv": data, **files}.items():
        (where / name.replace("_", ".")).write_text(text.strip() + "\n", "utf-8")
    assert main(["index", "--catalogue", str(where / "catalogue.toml"), "--data", str(where / "data.csv"), "--out", str(where / "s" / "scores.csv"), "--stages", str(where / "s"), *more]) == code
    tables = {}
    for path in (where / "s").glob("*.csv"):
        with path.open(encoding="utf-8") as file:
            tables[path.stem] = list(csv.DictReader(file))
    return tables


def flat(*ids: str) -> str:
    return "".join(f'[[indicators]]\nid = "{one}"\n' for one in ids)


def weights(tables: dict[str, list[dict[str, str]]]) -> list[float]:
    return [float(row["effective"]) for row in tables["weights"] if row["level"] == "1"]


HDI = """
normalise = { method = "goalposts", low = 0, high = 1 }
units = ["country"]
[aggregate]
levels = ["arithmetic", "geometric"]
[[indicators]]
id = "life"
parent = "hdi"
floor = 20
target = 85
[[indicators]]
id = "expected"
parent = "education"
floor = 0
target = 18
[[indicators]]
id = "mean"
parent = "education"
floor = 0
target = 15
[[indicators]]
id = "income"
parent = "hdi"
transform = "log"
floor = 100
target = 75000
[[indicators]]
id = "education"
kind = "aggregate"
parent = "hdi"
[[indicators]]
id = "hdi"
kind = "aggregate"
"""
#: UNDP, Human Development Report 2021/2022, table 1 (values of 2021): life expectancy, expected and mean years of schooling, income, HDI.
COUNTRIES = """
country,life,expected,mean,income
Switzerland,84.0,16.5,13.9,66933
Norway,83.2,18.2,13.0,64660
Australia,84.5,21.1,12.7,49238
China,78.2,14.2,7.6,17504
"""


def test_the_human_development_index_with_its_goalposts_and_its_geometric_mean(tmp_path: Path) -> None:
    rows = run(tmp_path, HDI, COUNTRIES)["scores"]
    # The report computes with more digits than it prints.
    published = {"Switzerland": 0.962, "Norway": 0.961, "Australia": 0.951, "China": 0.768}
    assert {row["country"]: float(row["hdi"]) for row in rows} == pytest.approx(published, abs=0.001)


#: Saaty, Decision making with the analytic hierarchy process, Int. J. Services Sciences 1 (2008): consumption of drinks in the USA.
DRINKS = """
,coffee,wine,tea,beer,soda,milk,water
coffee,1,9,5,2,1,1,1/2
wine,,1,1/3,1/9,1/9,1/9,1/9
tea,,,1,1/3,1/4,1/3,1/9
beer,,,,1,1/2,1,1/3
soda,,,,,1,2,1/2
milk,,,,,,1,1/3
water,,,,,,,1
"""
SEVEN = ("coffee", "wine", "tea", "beer", "soda", "milk", "water")
ANY = ",".join(("unit", *SEVEN)) + "\na,1,2,3,4,5,6,7\nb,7,6,5,4,3,2,1"


def test_judgements_of_drinks_from_half_a_matrix_with_fractions(tmp_path: Path) -> None:
    tables = run(tmp_path, 'units = ["unit"]\nnormalise = { method = "none" }\nweights = { method = "ahp", matrix = "matrix.csv" }\n' + flat(*SEVEN), ANY, matrix_csv=DRINKS)
    assert [round(float(row["weight"]), 3) for row in tables["ahp"]] == [0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327]
    assert round(float(tables["ahp"][0]["CR"]), 3) == 0.022
    assert np.allclose(weights(tables), [float(row["weight"]) for row in tables["ahp"]])


#: Diakoulaki, Mavrotas, Papayannakis, Computers & Operations Research 22 (1995), three criteria of eight firms; weights as scikit-criteria computes them.
FIRMS = "firm,profit,share,productivity\nA,61,1.08,4.33\nB,20.7,0.26,4.34\nC,16.3,1.98,2.53\nD,9,3.29,1.65\nE,5.4,2.77,2.33\nF,4,4.12,1.21\nG,-6.1,3.52,2.10\nH,-34.6,3.31,0.98"
#: Tuş, Aytaç Adalı, Opsearch 56 (2019), software for time and attendance.
SOFTWARE = "unit,a,b,c,d,e,f\n1,5000,3,3,4,3,2\n2,680,5,3,2,2,1\n3,2000,3,2,3,4,3\n4,600,4,3,1,2,2\n5,800,2,4,3,3,4"


@pytest.mark.parametrize(("data", "ids", "published", "digits"), [
    (FIRMS, ("profit", "share", "productivity"), [0.20222554, 0.48090173, 0.31687273], 8), (SOFTWARE, tuple("abcdef"), [0.157, 0.249, 0.168, 0.121, 0.154, 0.151], 3)])
def test_critic_weights_of_published_tables(data: str, ids: tuple[str, ...], published: list[float], digits: int, tmp_path: Path) -> None:
    tables = run(tmp_path, 'normalise = { method = "minmax", high = 1 }\nweights = { method = "critic" }\n' + flat(*ids), data)
    assert [round(w, digits) for w in weights(tables)] == published


@pytest.mark.parametrize(("data", "published", "digits"), [
    # Xu, European Journal of Operational Research 156 (2004).
    ("u,a,b,c,d\n1,30,30,38,29\n2,19,54,86,29\n3,19,15,85,28.9\n4,68,70,60,29", [0.4630, 0.3992, 0.1378, 0.0000], 4),
    # Zavadskas, Podvezko, Int. J. of Information Technology & Decision Making 15 (2016).
    ("u,a,b,c,d\n1,3.0,100,10,7\n2,2.5,80,8,5\n3,1.8,50,20,11\n4,2.2,70,12,9", [0.1146, 0.1981, 0.4185, 0.2689], 4),
    # Ersoy, LogForum 17 (2021).
    ("u,a,b,c,d,e,f\n1,256,8,41,1.6,1.77,7347.16\n2,256,8,32,1.0,1.8,6919.99\n3,256,8,53,1.6,1.9,8400\n4,256,8,41,1.0,1.75,6808.9\n5,512,8,35,1.6,1.7,8479.99\n6,256,4,35,1.6,1.7,7499.99",
     [0.405, 0.221, 0.134, 0.199, 0.007, 0.034], 3)])
def test_entropy_weights_of_published_tables(data: str, published: list[float], digits: int, tmp_path: Path) -> None:
    ids = data.splitlines()[0].split(",")[1:]
    tables = run(tmp_path, 'normalise = { method = "minmax" }\nweights = { method = "entropy" }\n' + flat(*ids), data)
    assert [round(w, digits) for w in weights(tables)] == published


#: The usual example of 熵权法: eleven wards by nine figures, scaled from 0 to 1 first (MBA 智库百科, 熵值法).
WARDS = "u,1,2,3,4,5,6,7,8,9\n" + """
A,100,90,100,84,90,100,100,100,100
B,100,100,78.6,100,90,100,100,100,100
C,75,100,85.7,100,90,100,100,100,100
D,100,100,78.6,100,90,100,94.4,100,100
E,100,90,100,100,100,90,100,100,80
F,100,100,100,100,90,100,100,85.7,100
G,100,100,78.6,100,90,100,55.6,100,100
H,87.5,100,85.7,100,100,100,100,100,100
I,100,100,92.9,100,80,100,100,100,100
J,100,90,100,100,100,100,100,100,100
K,100,100,92.9,100,90,100,100,100,100
""".strip()


def test_entropy_weights_of_scores_as_chinese_textbooks_have_them(tmp_path: Path) -> None:
    tables = run(tmp_path, 'normalise = { method = "minmax", high = 1 }\nweights = { method = "entropy", of = "scores" }\n' + flat(*"123456789"), WARDS)
    assert weights(tables) == pytest.approx([0.08, 0.22, 0.27, 0.07, 0.11, 0.07, 0.07, 0.07, 0.07], abs=0.0051)


@pytest.mark.parametrize(("method", "data"), [("critic", FIRMS), ("entropy", "u,a,b,c\n1,5,3,4\n2,7,4,4\n3,1,8,5")])
@pytest.mark.parametrize("same", ["5", "0"])
def test_a_column_without_differences_leaves_the_weights_of_the_others(method: str, data: str, same: str, tmp_path: Path) -> None:
    head, *rows = data.splitlines()
    ids = head.split(",")[1:]
    text = f'normalise = {{ method = "minmax" }}\nweights = {{ method = "{method}" }}\n'
    alone = weights(run(tmp_path / "alone", text + flat(*ids), data))
    beside = weights(run(tmp_path / "beside", text + flat(*ids, "same"), "\n".join([f"{head},same", *(f"{row},{same}" for row in rows)])))
    assert beside == pytest.approx([*alone, 0])


def test_a_matrix_weighs_one_group_and_others_keep_their_given_weights(tmp_path: Path) -> None:
    groups = "".join(f'[[indicators]]\nid = "{one}"\nparent = "{one[0]}"\nweight = {n}\n' for n, one in enumerate(("p1", "p2", "q1", "q2"), 1))
    above = "".join(f'[[indicators]]\nid = "{one}"\nkind = "aggregate"\nparent = "top"\n' for one in "pq")
    tables = run(tmp_path, 'normalise = { method = "none" }\nweights = { method = "ahp", matrix = "m.csv" }\n' + groups + above, "u,p1,p2,q1,q2\n1,1,2,3,4", m_csv=",p1,p2\np1,1,4\np2,,1")
    assert weights(tables) == pytest.approx([0.4, 0.1, 3 / 14, 4 / 14])


def test_a_column_that_says_the_same_of_everybody_weighs_nothing(tmp_path: Path) -> None:
    tables = run(tmp_path, 'normalise = { method = "none" }\nweights = { method = "entropy" }\n' + flat("a", "b", "c"), "u,a,b,c\n1,3,1,7\n2,3,2,9\n3,3,5,1\n4,3,1,2\n5,3,8,8\n6,3,1,1\n7,3,2,2")
    assert weights(tables)[0] == 0


#: Ang, Energy Policy 33 (2005), the LMDI approach: a practical guide: activity, structure and intensity of two sectors at two times.
FACTORS = 'units = ["sector"]\nnormalise = { method = "none" }\naggregate = { method = "product" }\n' + flat("activity", "structure", "intensity")


def test_the_lmdi_of_a_product_of_factors(tmp_path: Path) -> None:
    tmp_path.joinpath("before.csv").write_text("sector,activity,structure,intensity\n1,50,0.2,3.0\n2,50,0.8,0.5\n", "utf-8")
    tables = run(tmp_path, FACTORS, "sector,activity,structure,intensity\n1,80,0.5,2.0\n2,80,0.5,0.4\n", "--before", str(tmp_path / "before.csv"))
    rows = tables["change"]
    assert [(float(row["before"]), float(row["after"])) for row in rows] == [(pytest.approx(30), pytest.approx(80)), (pytest.approx(20), pytest.approx(16))]
    parts = {name: sum(float(row[name]) for row in rows) for name in ("activity", "structure", "intensity")}
    assert {name: round(value, 1) for name, value in parts.items()} == {"activity": 32.4, "structure": 38.3, "intensity": -24.7}
    assert sum(parts.values()) == pytest.approx(46)


LONG = "country,region,name,number\n" + "\n".join(
    f"{c.split(',')[0]},{'Europe' if i < 2 else 'Asia'},{name},{value}" for i, c in enumerate(COUNTRIES.strip().splitlines()[1:])
    for name, value in zip(("life", "expected", "mean", "income"), c.split(",")[1:], strict=True))


def test_long_data_give_what_wide_data_give(tmp_path: Path) -> None:
    wide = run(tmp_path / "wide", HDI, COUNTRIES)["scores"]
    long = run(tmp_path / "long", HDI + '[long]\nindicator = "name"\nvalue = "number"\n', LONG)["scores"]
    assert long == wide


@pytest.mark.parametrize(("more", "data", "words"), [
    ('[long]\nindicator = "name"\nvalue = "number"\n', LONG + "\nChina,Asia,life,70", "row 17"), ('[long]\nindicator = "name"\nvalue = "nummer"\n', LONG, "Did you mean 'number'"),
    ('[long]\nindicator = "name"\n', LONG, "both columns"), ('[long]\nindicator = "name"\nvalue = "number"\n', LONG + "\nChina,Asia,,70", "names no indicator")])
def test_bad_long_data_are_refused_with_their_row(more: str, data: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, HDI + more, data, code=2)
    assert words in "".join(capsys.readouterr())


def test_a_matrix_whose_rows_stand_in_another_order_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, 'normalise = { method = "none" }\nweights = { method = "ahp", matrix = "matrix.csv" }\n' + flat("a", "b"), "u,a,b\n1,2,3\n2,3,4", code=2, matrix_csv=",a,b\nb,1,2\na,1/2,1")
    assert "same names in the same order" in "".join(capsys.readouterr())
