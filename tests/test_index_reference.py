"""The command `app.py index` gives what published programs and tables give, within the tolerances that stand beside them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from dashboard.cli import main

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "index"
pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference cases are not on this machine")
COIN, TAI, SMALL = REFERENCE / "coinr_1_1_14", REFERENCE / "oecd_tai23", REFERENCE / "small_area"
PILLARS = ("Physical", "ConEcFin", "Political", "Instit", "P2P", "Environ", "Social", "SusEcFin")


class Sheet:
    """A CSV file: columns by name, rows by the first column."""

    def __init__(self, path: Path) -> None:
        with path.open(encoding="utf-8-sig", newline="") as file:
            self.heads, *self.rows = list(csv.reader(file))
        self.keys = [row[0] for row in self.rows]

    def column(self, name: str) -> np.ndarray:
        at = self.heads.index(name)
        return np.array([float(row[at]) if row[at] not in ("", "NA") else np.nan for row in self.rows])

    def matrix(self, names: list[str] | tuple[str, ...] | None = None, keys: list[str] | None = None) -> np.ndarray:
        order = [self.keys.index(key) for key in keys] if keys else slice(None)
        return np.column_stack([self.column(name) for name in names or self.heads[1:]])[order]


def index(tmp_path: Path, catalogue: Path | str, data: Path, *more: str) -> Path:
    """Run the command; return the folder of stages (scores.csv beside them)."""
    if isinstance(catalogue, str):
        (tmp_path / "catalogue.toml").write_text(catalogue, "utf-8")
        catalogue = tmp_path / "catalogue.toml"
    stages = tmp_path / "stages"
    assert main(["index", "--catalogue", str(catalogue), "--data", str(data), "--out", str(stages / "scores.csv"), "--stages", str(stages), *more]) == 0
    return stages


def sets(*words: str) -> list[str]:
    return [part for word in words for part in ("--set", word)]


ASEM = f"""
units = ["uCode"]
table = "{COIN}/in_imeta.csv"
missing = {{ policy = "group_mean", group = "EurAsia_group" }}
treat = {{ method = "skew_kurtosis" }}
normalise = {{ method = "minmax" }}
"""


@pytest.mark.parametrize(("stage", "expected"), [
    ("2_denominated", "exp_1_denominated"), ("3_imputed", "exp_2_imputed_group_mean"), ("4_treated", "exp_3_treated"),
    ("5_normalised", "exp_4_norm_minmax_0_100"), ("6_aggregated", "exp_5_agg_arith_0_100")])
def test_each_stage_is_that_of_coinr(stage: str, expected: str, tmp_path: Path) -> None:
    ours, theirs = Sheet(index(tmp_path, ASEM, COIN / "in_idata.csv") / f"{stage}.csv"), Sheet(COIN / f"{expected}.csv")
    names = theirs.heads[1:]
    assert np.allclose(ours.matrix(names, theirs.keys), theirs.matrix(), rtol=0, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize(("method", "expected", "tolerance"), [
    ("zscore", "zscore", 1e-9), ("rank", "rank_min", 0), ("percentile_rank", "percentile_rank", 1e-9),
    ("distance_to_max", "dist2max", 1e-9), ("target", "dist2target", 1e-9)])
def test_each_scale_is_that_of_coinr(method: str, expected: str, tolerance: float, tmp_path: Path) -> None:
    ours = Sheet(index(tmp_path, ASEM, COIN / "in_idata.csv", *sets(f"normalise.method={method}", "normalise.cap=false")) / "5_normalised.csv")
    theirs = Sheet(COIN / f"exp_4_norm_{expected}.csv")
    assert np.abs(ours.matrix(theirs.heads[1:], theirs.keys) - theirs.matrix()).max() <= tolerance


@pytest.mark.parametrize(("levels", "expected"), [
    ('["geometric"]', "geometric"), ('["harmonic"]', "harmonic"), ('["arithmetic", "arithmetic", "geometric"]', "arith_arith_geom")])
def test_each_mean_is_that_of_coinr(levels: str, expected: str, tmp_path: Path) -> None:
    ours = Sheet(index(tmp_path, ASEM, COIN / "in_idata.csv", *sets(f"aggregate.levels={levels}", "normalise.low=1")) / "6_aggregated.csv")
    theirs = Sheet(COIN / f"exp_5_agg_{expected}_1_100.csv")
    assert np.allclose(ours.matrix(theirs.heads[1:], theirs.keys), theirs.matrix(), rtol=0, atol=1e-9)


def test_outranking_copeland_and_weights_are_those_of_coinr(tmp_path: Path) -> None:
    stages = index(tmp_path, ASEM, COIN / "in_idata.csv")
    ours, theirs = Sheet(stages / "outranking.csv"), Sheet(COIN / "exp_6_outrank_matrix_pillars.csv")
    equal = Sheet(COIN / "exp_6_copeland_pillars.csv")
    # The published matrix gives each pillar the same weight; the tree gives the three of the second branch more.
    flat = index(tmp_path / "flat", pillars(stages, tmp_path), stages / "6_aggregated.csv")
    ours = Sheet(flat / "outranking.csv")
    assert np.allclose(ours.matrix(theirs.keys, theirs.keys), theirs.matrix(), rtol=0, atol=1e-9)
    assert (Sheet(flat / "copeland.csv").matrix(["copeland"], equal.keys) == equal.matrix()).all()
    weights, effective = Sheet(stages / "weights.csv"), Sheet(COIN / "exp_7_effective_weights.csv")
    assert np.allclose(weights.matrix(["effective"], effective.keys), effective.matrix(["EffWeight"]), rtol=0, atol=1e-9)
    rows = Sheet(stages / "weights_from_data.csv")
    found = {row[1]: (row[0], float(row[4])) for row in rows.rows}
    for level in (1, 2):
        wanted = {row[0]: float(row[2]) for row in Sheet(COIN / f"exp_7_pca_weights_level{level}.csv").rows if row[1] == str(level)}
        for parent in {found[name][0] for name in wanted}:
            both = np.array([(found[name][1], w) for name, w in wanted.items() if found[name][0] == parent])
            assert min(np.abs(both[:, 0] - both[:, 1]).max(), np.abs(both[:, 0] + both[:, 1]).max()) < 1e-6


def pillars(stages: Path, tmp_path: Path) -> Path:
    (tmp_path / "flat").mkdir(exist_ok=True)
    path = tmp_path / "flat" / "pillars.toml"
    path.write_text('units = ["uCode"]\nnormalise = { method = "none" }\n' + "".join(f'[[indicators]]\nid = "{p}"\n' for p in PILLARS), "utf-8")
    return path


def test_600_runs_with_other_choices_are_those_of_coinr_and_so_are_their_sobol_indices(tmp_path: Path) -> None:
    stages = index(tmp_path, ASEM + f"""
[sensitivity]
design = "{COIN}/in_sa_design.csv"
weight_sets = "{COIN}/in_sa_weights.csv"
[sensitivity.factors]
winmax = "treat.most"
w = "weights.set"
agg = "aggregate.method"
norm.1 = {{ normalise.method = "minmax", normalise.low = 1, normalise.high = 100 }}
norm.2 = {{ normalise.method = "zscore", normalise.mean = 10, normalise.sd = 2 }}
""", COIN / "in_idata.csv")
    ours, theirs = Sheet(stages / "sensitivity_scores.csv"), Sheet(COIN / "exp_9_sa_scores_600.csv")
    runs = [f"r_{i}" for i in range(1, 601)]
    assert np.abs(ours.matrix(runs, theirs.keys) - theirs.matrix(runs)).max() <= 1e-8
    sobol, wanted = Sheet(stages / "sobol.csv"), Sheet(COIN / "exp_9_sa_sobol.csv")
    assert sobol.keys == ["winmax", "norm", "w", "agg"]
    assert np.abs(sobol.matrix(["Si", "STi"]) - wanted.matrix(["Si", "STi"])).max() <= 1e-9
    ranks, published = Sheet(stages / "sensitivity_ranks.csv"), Sheet(COIN / "exp_9_sa_rankstats.csv")
    assert np.allclose(ranks.matrix(["nominal", "mean", "median", "q5", "q95"], published.keys), published.matrix(["Nominal", "Mean", "Median", "Q5", "Q95"]), atol=1e-9)


def tai(extra: str = "", drop: tuple[str, ...] = ()) -> str:
    posts = Sheet(TAI / "in_goalposts.csv")
    columns = {"telephones": "telephones_log10", "electricity": "electricity_log10"}
    rows = []
    for name, low, high, change, _ in posts.rows:
        if name in drop:
            continue
        floor, top = (float(np.log10(float(v))) if change == "log10" else float(v) for v in (low, high))
        rows.append(f'[[indicators]]\nid = "{name}"\ncolumn = "{columns.get(name, name)}"\nfloor = {floor!r}\ntarget = {top!r}\n')
    return f'units = ["country"]\n{extra}\n' + "".join(rows)


@pytest.mark.parametrize(("column", "more", "most"), [
    ("EW", (), 0), ("BAP", ("weights.set=BAP",), 0), ("FA", ("weights.set=FA",), 1), ("AHP", ("weights.set=AHP",), 2)])
def test_ranks_of_the_handbooks_example(column: str, more: tuple[str, ...], most: int, tmp_path: Path) -> None:
    given = [f'weights.file="{TAI}/in_weights_table18_22.csv"', *more] if more else []
    ours, theirs = Sheet(index(tmp_path, tai(), TAI / "in_raw_tableA2.csv", *sets(*given)) / "scores.csv"), Sheet(TAI / "exp_ranks_table23_38_41.csv")
    assert np.abs(ours.matrix(["rank"], theirs.keys) - theirs.matrix([column])).max() <= most


def test_scores_of_the_handbooks_example_and_its_other_ways(tmp_path: Path) -> None:
    theirs, ranks = Sheet(TAI / "exp_scores_goalposts_and_gmean.csv"), Sheet(TAI / "exp_ranks_table23_38_41.csv")
    ours = Sheet(index(tmp_path, tai("normalise = { high = 1 }"), TAI / "in_raw_tableA2.csv") / "scores.csv")
    assert np.abs(ours.matrix(["index"], theirs.keys) - theirs.matrix(["tai_goalposts"])).max() <= 0.006
    raw = Sheet(index(tmp_path, tai('normalise = { method = "none" }\naggregate = { method = "geometric" }'), TAI / "in_raw_tableA2.csv") / "scores.csv")
    assert (raw.matrix(["rank"], ranks.keys) == ranks.matrix(["GME_table38"])).all()
    six = Sheet(index(tmp_path, tai(drop=("telephones", "electricity")), TAI / "in_raw_tableA2.csv") / "scores.csv")
    assert (six.matrix(["rank"], ranks.keys) == ranks.matrix(["TAI6_table41_among_ranked"])).all()


def test_what_the_handbook_says_of_the_data(tmp_path: Path) -> None:
    stages = index(tmp_path, tai(), TAI / "in_raw_tableA2.csv")
    wanted = Sheet(TAI / "exp_corr_table6.csv").matrix()
    assert np.nanmax(np.abs(Sheet(stages / "correlations.csv").matrix() - wanted)) <= 0.02
    assert np.abs(Sheet(stages / "eigenvalues.csv").column("percent") - Sheet(TAI / "exp_eigen_table7.csv").column("var_pct")).max() <= 0.15
    ours, theirs = np.abs(Sheet(stages / "varimax.csv").matrix()), np.abs(Sheet(TAI / "exp_varimax_loadings_table9.csv").matrix())
    order = [int(np.argmin(np.abs(ours - column[:, None]).max(axis=0))) for column in theirs.T]
    assert sorted(order) == [0, 1, 2, 3]
    assert np.abs(ours[:, order] - theirs).max() <= 0.02
    alpha, published = Sheet(stages / "cronbach.csv"), Sheet(TAI / "exp_cronbach_table11.csv")
    assert np.abs(alpha.matrix(["alpha_without", "alpha"]) - published.matrix(["alpha_if_deleted", "alpha_all"])).max() <= 0.01
    from_data, oracle = Sheet(stages / "weights_from_data.csv"), Sheet(TAI / "exp_objective_weights_pymcdm140.csv")
    assert np.abs(from_data.column("entropy") - oracle.column("entropy")).max() < 1e-4


@pytest.mark.parametrize(("column", "method", "more", "tolerance"), [
    ("rank_high_is_top", "rank", (), 0), ("zscore", "zscore", (), 0.006), ("minmax", "minmax", ("normalise.high=1",), 0.006),
    ("ratio_to_mean", "ratio_to_mean", (), 0.006), ("ratio_to_best", "ratio_to_best", (), 0.006), ("ratio_to_worst", "ratio_to_worst", (), 0.006),
    ("percentile", "percentile", (), 0.06)])
def test_each_scale_of_the_handbooks_table_15(column: str, method: str, more: tuple[str, ...], tolerance: float, tmp_path: Path) -> None:
    ours = Sheet(index(tmp_path, 'units = ["country"]\n[[indicators]]\nid = "schooling"\n', TAI / "exp_normalisation_table15.csv",
                       *sets(f"normalise.method={method}", *more)) / "5_normalised.csv")
    theirs = Sheet(TAI / "exp_normalisation_table15.csv")
    assert np.abs(ours.matrix(["schooling"], theirs.keys) - theirs.matrix([column])).max() <= tolerance


def test_outranking_and_the_best_orders_of_five_countries(tmp_path: Path) -> None:
    names = Sheet(TAI / "in_table35_five.csv").heads[1:]
    stages = index(tmp_path, "normalise = { method = 'none' }\n" + "".join(f'[[indicators]]\nid = "{n}"\n' for n in names), TAI / "in_table35_five.csv")
    theirs = Sheet(TAI / "exp_outrank_table36.csv")
    assert (Sheet(stages / "outranking.csv").matrix(theirs.heads[1:], theirs.keys) == theirs.matrix()).all()
    ours, wanted = Sheet(stages / "best_orders.csv"), Sheet(TAI / "exp_ckyl_best_table37.csv")
    assert {key.replace(" > ", ">") for key in ours.keys} == set(wanted.keys)
    assert (ours.column("score") == wanted.column("score")).all()


def test_weights_of_pairwise_judgements(tmp_path: Path) -> None:
    stages = index(tmp_path, tai(), TAI / "in_raw_tableA2.csv", *sets("weights.method=ahp", f'weights.matrix="{TAI}/in_ahp_table20.csv"'))
    ours, theirs = Sheet(stages / "ahp.csv"), Sheet(TAI / "exp_ahp_computed.csv")
    assert np.abs(ours.matrix(["weight", "lambda_max", "CI", "CR"], theirs.keys) - theirs.matrix(["weight", "lambda_max", "CI", "CR"])).max() < 1e-6


@pytest.mark.parametrize("sign", ["minus", "plus"])
def test_mazziotta_pareto_is_that_of_compind(sign: str, tmp_path: Path) -> None:
    data = REFERENCE / "compind_3_4" / "mpi_eu_nuts1.csv"
    ours = Sheet(index(tmp_path, f"""
units = ["NUTS1"]
normalise = {{ method = "zscore", mean = 100, sd = 10 }}
aggregate = {{ method = "mpi_{sign}" }}
[[indicators]]
id = "roads"
[[indicators]]
id = "trains"
""", data) / "scores.csv")
    theirs = Sheet(data)
    assert np.abs(ours.matrix(["index"], theirs.keys) - theirs.matrix([f"mpi_{sign}"])).max() <= 1e-9


def test_adjusted_mazziotta_pareto_over_two_years_is_that_of_compind(tmp_path: Path) -> None:
    folder = REFERENCE / "compind_3_4"
    ours = Sheet(index(tmp_path, f"""
table = "{folder}/ampi_eu2020_gp.csv"
units = ["geo"]
period = "time"
normalise = {{ method = "ampi" }}
aggregate = {{ method = "ampi_minus" }}
""", folder / "ampi_eu2020_input.csv") / "scores.csv")
    found = {(row[0], row[1]): float(row[2]) for row in ours.rows}
    theirs = Sheet(folder / "ampi_eu2020_expected.csv")
    for year in ("2010", "2011"):
        assert max(abs(found[key, year] - v) for key, v in zip(theirs.keys, theirs.column(f"X{year}"), strict=True)) <= 0.0005


def test_small_areas_are_those_of_spdep(tmp_path: Path) -> None:
    catalogue = f"""
units = ["name"]
normalise = {{ method = "minmax" }}
small = {{ neighbours = "{SMALL}/nc_queen_edges_1based.csv" }}
[[indicators]]
id = "sids"
direction = -1
numerator = "sid74"
denominator = "bir74"
shrink = "marshall"
[[indicators]]
id = "rate"
direction = -1
"""
    stages, theirs = index(tmp_path, catalogue, SMALL / "nc_sids_spdep_1_2_7.csv"), Sheet(SMALL / "nc_sids_spdep_1_2_7.csv")
    assert np.abs(Sheet(stages / "shrunk.csv").column("sids") - theirs.column("eb")).max() <= 1e-12
    near = Sheet(stages / "neighbours_rate.csv")
    assert np.abs(near.column("gi") - theirs.column("gi")).max() <= 1e-9
    assert np.abs(near.column("gi_star") - theirs.column("gi_star")).max() <= 1e-9
    assert np.abs(near.column("local_moran") / theirs.column("Ii") - 1).max() <= 0.0101


@pytest.mark.parametrize(("covariates", "column", "variance"), [('["factor:MajorArea"]', "eblup", 0.0185502), ("[]", "eblup0", 0.0543113)])
def test_fay_herriot_is_that_of_sae(covariates: str, column: str, variance: float, tmp_path: Path) -> None:
    stages = index(tmp_path, f"""
units = ["SmallArea"]
normalise = {{ method = "minmax" }}
small = {{ covariates = {covariates} }}
[[indicators]]
id = "milk"
column = "yi"
sd = "SD"
shrink = "fay_herriot"
""", SMALL / "fay_herriot_milk_sae.csv")
    ours = Sheet(stages / "fay_herriot_milk.csv")
    assert np.abs(ours.column("eblup") - Sheet(SMALL / "fay_herriot_milk_sae.csv").column(column)).max() <= 1e-5
    assert abs(ours.column("variance")[0] - variance) < 1e-6


@pytest.mark.parametrize(("rule", "column"), [("exact", "lmdi"), ("shapley", "shapley")])
def test_a_change_is_taken_apart_to_the_last_digit(rule: str, column: str, tmp_path: Path) -> None:
    theirs = Sheet(REFERENCE / "change" / "geometric_5dims_weights_30_20_15_20_15.csv")
    files = []
    for t in (0, 1):
        files.append(tmp_path / f"t{t}.csv")
        with files[-1].open("w", newline="") as file:
            csv.writer(file).writerows([["unit", *(f"d{i}" for i in range(1, 6))],
                                        *([k, *row] for k, row in zip(theirs.keys, theirs.matrix([f"d{i}_t{t}" for i in range(1, 6)]), strict=True))])
    rows = "".join(f'[[indicators]]\nid = "d{i}"\nweight = {w}\n' for i, w in zip(range(1, 6), (30, 20, 15, 20, 15), strict=True))
    stages = index(tmp_path, f'normalise = {{ method = "none" }}\naggregate = {{ method = "geometric" }}\nchange = {{ rule = "{rule}" }}\n{rows}',
                   files[1], "--before", str(files[0]))
    ours = Sheet(stages / "change.csv")
    parts = ours.matrix([f"d{i}" for i in range(1, 6)])
    assert np.abs(parts - theirs.matrix([f"{column}_d{i}" for i in range(1, 6)])).max() <= 1e-9
    assert np.abs(parts.sum(axis=1) - ours.column("change")).max() <= 1e-9


def test_the_tai_of_72_countries_from_a_plain_table_of_its_goalposts(tmp_path: Path) -> None:
    nodes = {"patents": "creation", "royalties": "creation", "internet": "recent", "exports": "recent", "telephones": "old", "electricity": "old", "schooling": "skills", "university": "skills"}
    posts = Sheet(REFERENCE / "tai_goalposts.csv")
    lines = [f"{row[0]},{row[posts.heads.index('min')]},{row[posts.heads.index('max')]},{nodes[row[0]]}" for row in posts.rows]
    (tmp_path / "meta.csv").write_text("\n".join(["id,min,max,parent", *lines, *(f"{name},,,TAI" for name in dict.fromkeys(nodes.values()))]), "utf-8")
    theirs = Sheet(REFERENCE / "tai_reference.csv")
    for column, more, most in (("tai_goalposts", (), 0.0001), ("tai_minmax_observed", ("normalise.method=minmax",), 0.00001)):
        ours = Sheet(index(tmp_path / column, tmp_path / "meta.csv", REFERENCE / "tai_raw.csv", *sets("normalise.high=1", *more)) / "scores.csv")
        assert np.abs(ours.matrix(["TAI"], theirs.keys) - theirs.matrix([column])).max() <= most


GOLDEN = ("--set", "normalise.method=minmax", "--set", "treat.method=skew_kurtosis", "--set", "missing.policy=group_mean", "--set", "missing.group=EurAsia_group")


def test_each_stage_of_the_stored_asem_set_from_its_own_two_files(tmp_path: Path) -> None:
    stages = index(tmp_path, REFERENCE / "asem_iMeta.csv", REFERENCE / "asem_iData.csv", *GOLDEN)
    for stage in ("1_raw", "2_denominated", "3_imputed", "4_treated", "5_normalised", "6_aggregated"):
        ours, theirs = Sheet(stages / f"{stage}.csv"), Sheet(REFERENCE / f"asem_golden_{stage}.csv")
        names = [name for name in theirs.heads if name in ours.heads and name != "uCode"]
        assert len(names) == (60 if stage.startswith("6") else 49)
        a, b = ours.matrix(names, theirs.keys), theirs.matrix(names)
        assert (np.isnan(a) == np.isnan(b)).all()
        assert np.nanmax(np.abs(a - b) / (1 + np.abs(b))) <= 1.1e-7
    scores, theirs = Sheet(stages / "scores.csv"), Sheet(REFERENCE / "asem_golden_7_scores.csv")
    names = theirs.heads[3:]
    assert np.abs(scores.matrix(names, theirs.keys) - theirs.matrix(names)).max() <= 0.005 + 1e-9
    published = Sheet(REFERENCE / "asem_golden_8_ranks.csv")
    # They were made of the scores with two digits.
    rounded = np.round(scores.matrix(published.heads[2:], published.keys), 2)
    ranks = np.column_stack([1 + (column > column[:, None]).sum(axis=1) for column in rounded.T])
    assert (ranks == published.matrix(published.heads[2:])).all()
