"""Early warning: Farrington's flexible method against R's numbers, the daily tail against its definition, and its alarms."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from queries import demo, loading
from queries.alarms import desk
from queries.clock import now
from queries.frame import EVERYTHING, Actor, Ask
from queries.loop.orders import Found as Report
from queries.loop.writer import Writer
from queries.store import Store
from queries.tables import area, level, node
from queries.warning.farrington import bound
from queries.warning.job import Warner, look
from queries.warning.tails import BASE, GUARD, above, dispersion, tail, weekdays

REFERENCE = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "hotspot_ref"
for up in Path(__file__).resolve().parents:
    if (up / "shared" / "data" / "hotspot_ref").is_dir():
        REFERENCE = up / "shared" / "data" / "hotspot_ref"
        break


def table(name: str) -> list[dict[str, str]]:
    if not REFERENCE.is_dir():
        pytest.skip("the reference numbers of R's surveillance are not beside this clone")
    with (REFERENCE / name).open() as file:
        return list(csv.DictReader(file))


def test_farrington_flexible_gives_the_means_dispersions_and_bounds_of_r() -> None:
    series = table("salm_newport_weekly.csv")
    counts, weeks = [float(r["y"]) for r in series], [date.fromisoformat(r["epoch"]) for r in series]
    told = table("salm_newport_farringtonflex_nbplugin.csv")
    assert len(told) == 104
    known = 0
    for row in told:
        k = int(row["t"]) - 1
        made = bound(counts, weeks, k)
        assert made.expected == pytest.approx(float(row["mu0"]), rel=1e-5)
        assert made.dispersion == pytest.approx(float(row["phi"]), abs=1e-4)
        if row["upper"] != "NA":  # R gives none where fewer than five cases came in four weeks
            known += 1
            assert made.upper == float(row["upper"])
            assert made.is_alarm(counts[k]) == (row["alarm"] == "1")
    assert known == 78


def test_a_history_that_is_too_short_is_refused() -> None:
    weeks = [date.fromordinal(date(2020, 1, 6).toordinal() + 7 * i) for i in range(150)]
    with pytest.raises(ValueError, match="4 years"):
        bound([1.0] * 150, weeks, 149)


def test_the_tail_is_that_of_the_negative_binomial_with_the_given_variance() -> None:
    assert above(np.array([9]), np.array([3.0]), 2.0)[0] == pytest.approx(1 - stats.nbinom.cdf(8, 3.0, 0.5))
    assert above(np.array([5]), np.array([2.0]), 1.0)[0] == pytest.approx(1 - stats.poisson.cdf(4, 2.0))
    made = stats.nbinom(3.0, 0.5)
    assert made.var() / made.mean() == pytest.approx(2.0)


def test_weekdays_and_dispersion_are_found_again_in_made_up_counts() -> None:
    rng = np.random.default_rng(5)
    true = np.array([1.3, 1.1, 1.0, 1.0, 1.0, 0.9, 0.7])
    day = np.arange(700) % 7
    mean = 4 * true[day]
    counts = rng.negative_binomial(mean / 0.8, 1 / 1.8, (40, 700)).astype(float)
    assert weekdays(counts, day) == pytest.approx(true / true.mean(), rel=0.03)
    assert dispersion(counts, true[day]) == pytest.approx(1.8, rel=0.05)


def test_an_outbreak_does_not_teach_the_model_within_the_guard() -> None:
    rng = np.random.default_rng(6)
    counts = rng.poisson(2.0, (30, BASE + GUARD + 10)).astype(float)
    counts[3, -GUARD:] += 6
    told = tail(counts, 2)
    assert int(np.argmin(told.p)) == 3
    assert told.expected[3] / told.days[3] == pytest.approx(2.0, abs=0.7)
    assert told.p[3] < 1e-6


def test_p_values_of_quiet_series_are_not_smaller_than_chance_allows() -> None:
    rng = np.random.default_rng(7)
    counts = rng.poisson(3.0, (3000, BASE + GUARD + 4)).astype(float)
    told = tail(counts, 0)
    # The better of two sums: at most twice as many below a bound, beside what the estimated level adds.
    assert (told.p < 0.01).mean() < 2 * 0.01 * 1.6
    assert (told.p < 0.01).mean() > 0.004


@pytest.fixture(scope="module")
def present_city(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The demo city up to this moment."""
    made = Store(f"sqlite:///{tmp_path_factory.mktemp('warn') / 'city.sqlite'}")
    loading.load(demo.make(tmp_path_factory.mktemp("city") / "demo", grids=400, seed=7), made, quiet=True)
    yield made
    made.close()


def test_an_unusual_count_becomes_an_alarm_with_its_evidence_and_passes(present_city: Store) -> None:
    quiet = look(present_city)
    with present_city.read() as connection:
        street = connection.execute(level.select().where(level.c.id == "street")).one().level
        code, lon, lat = connection.execute(area.select().with_only_columns(area.c.code, area.c.lon, area.c.lat)
                                            .join(node, node.c.area_id == area.c.id).where(node.c.level == street).order_by(area.c.code)).first()
    writer = Writer(present_city)
    actor = Actor(name="t", post="admin", scope=EVERYTHING)
    for i in range(40):
        writer.report(Report(actor=actor, category="greening", lon=lon + i * 1e-6, lat=lat, at=now()))
    found = [one for one in Warner(present_city, writer, 1e6).once() if one.place.code.startswith(code) and one.category == "greening"]
    assert len(found) == 1
    assert found[0].seen >= 40
    assert found[0].recurrence > 365
    assert not [one for one in quiet if one.place.code.startswith(code) and one.category == "greening"]
    ask = Ask(scope=EVERYTHING, since=date.today(), until=date.today())
    (row,) = [one for one in desk.alarms(present_city, ask).rows if one.kind == "statistics" and one.area_code.startswith(code)]
    assert row.level == "yellow"
    assert row.sensor == ""
    assert set(row.evidence) == {"category", "seen", "expected", "days", "p", "recurrence_days", "dispersion", "base_days", "course"}
    assert sum(row.evidence["course"][-3:]) >= 40
    writer.close()


@pytest.mark.parametrize("phi", [1.0, 1.4, 3.7])
def test_the_tails_are_those_of_the_distributions(phi: float) -> None:
    seen, expected = np.array([0, 1, 2, 7, 40, 0]), np.array([0.3, 0.3, 4.0, 2.5, 11.0, 9.0])
    told = stats.poisson.sf(seen - 1, expected) if phi == 1 else stats.nbinom.sf(seen - 1, expected / (phi - 1), 1 / phi)
    np.testing.assert_allclose(above(seen, expected, phi), told, rtol=1e-12)
