"""Gaming the index: what somebody might do to look better, and what it must not bring. The seven rules, each for any city.

What a rule cannot hold stands on the method card (`index.limit_*`): the last test keeps card and rules together.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from dashboard.words import table
from queries import governance, index, loading, releases
from queries.clock import now, stamp
from queries.frame import EVERYTHING, Ask
from queries.index._level import LEAST, Inputs, computed, score
from queries.loop.writer import Writer
from queries.scoring import tree as trees
from queries.scoring.missing import QUARTILE
from queries.store import Store
from queries.tables import KEPT, cases, total
from tests.test_load import GRIDS, TOML
from tests.test_loop import CITY, DESK, STREET, STREETS, URBAN, listed, new, step, sums

EVERY = computed()
CASE_MADE = [j for j, one in enumerate(EVERY) if one.under and not one.now_only]


@dataclass(frozen=True, kw_only=True)
class City:
    """The counts of one level in two periods: areas of three parents, every indicator that is made of cases told."""

    now: Inputs
    was: Inputs


@st.composite
def cities(draw: st.DrawFn) -> City:
    n, seed = draw(st.integers(8, 20)), draw(st.integers(0, 2**31))
    chance = np.random.default_rng(seed)
    most = draw(st.sampled_from([8, 60, 900]))

    def inputs() -> Inputs:
        under = chance.integers(2, most, (n, len(EVERY))).astype(float)
        rate = np.array([chance.uniform(min(one.floor, one.target) - 0.1, max(one.floor, one.target) + 0.05, n).clip(0, 1) for one in EVERY]).T
        known = np.zeros((n, len(EVERY)), bool)
        known[:, CASE_MADE] = True
        return Inputs(num=np.arange(n), group=np.arange(n) // 7, top=np.round(under * rate), under=under, known=known, covered=True)
    return City(now=inputs(), was=inputs())


def without(held: Inputs, i: int, columns: Any) -> Inputs:
    """Return a city in which an area tells nothing of some indicators: no record, so nothing under the line either."""
    top, under, known = held.top.copy(), held.under.copy(), held.known.copy()
    top[i, columns], under[i, columns], known[i, columns] = 0, 0, False
    return replace(held, top=top, under=under, known=known)


def changed(held: Inputs, i: int, j: int, top: float, under: float) -> Inputs:
    a, b = held.top.copy(), held.under.copy()
    a[i, j], b[i, j] = top, under
    return replace(held, top=a, under=b)


def column(made: Any, j: int) -> int:
    return int(np.flatnonzero(made.chosen == j)[0])


# 1. Deleting or withholding never raises a score.
@settings(max_examples=60, deadline=None)
@given(cities(), st.data())
def test_an_indicator_that_is_withheld_counts_as_the_lower_of_its_last_score_and_the_peers_lower_quartile(city: City, data: st.DataObject) -> None:
    i, j = data.draw(st.integers(0, len(city.now.num) - 1)), data.draw(st.sampled_from(CASE_MADE))
    last = score(city.was, False).alone
    silent = score(without(city.now, i, [j]), False, city.was)
    assume(j in silent.chosen)
    k = column(silent, j)
    others = np.delete(silent.alone[:, k], i)
    assert silent.scores[i, k] <= last[i, list(score(city.was, False).chosen).index(j)] + 1e-9
    assert silent.scores[i, k] <= np.quantile(others, QUARTILE) + 1e-9


@settings(max_examples=150, deadline=None)
@given(cities(), st.data())
def test_who_withholds_stands_no_better_than_with_the_scores_of_before(city: City, data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(city.now.num) - 1))
    # All of a dimension's bad half, too: a dimension that tells too little must not fall out of the index.
    gone = data.draw(st.permutations(CASE_MADE))[:data.draw(st.integers(1, 5))]
    held, silent = score(city.was, False), score(without(city.now, i, gone), False, city.was)
    with_last = silent.scores[i:i + 1, :silent.tree.n].copy()
    for j in gone:
        if j in silent.chosen and j in held.chosen:
            with_last[0, column(silent, j)] = held.alone[i, column(held, j)]
    top = trees.scores(silent.tree, with_last)[0][0, silent.tree.top]
    if not np.isnan(silent.scores[i, silent.tree.top]):
        assert silent.scores[i, silent.tree.top] <= top + 1e-9


@settings(max_examples=40, deadline=None)
@given(cities(), st.data())
def test_who_withholds_most_has_no_score_at_all(city: City, data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(city.now.num) - 1))
    gone = data.draw(st.permutations(CASE_MADE))[:data.draw(st.integers(1, len(CASE_MADE)))]
    made = score(without(city.now, i, gone), False, city.was)
    whole = score(city.now, False, city.was)
    assert made.coverage[i, made.tree.top] <= whole.coverage[i, whole.tree.top] + 1e-9
    assert np.isnan(made.scores[i, made.tree.top]) == (made.coverage[i, made.tree.top] + 1e-9 < LEAST)


def test_a_late_case_that_a_newer_file_leaves_out_is_counted_all_the_same(store: Store, tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_text(TOML.replace('closed_at = "结案"', 'closed_at = "结案"\ndue_at = "期限"'), "utf-8")
    (tmp_path / "grids.geojson").write_text(GRIDS, "utf-8")
    head = "编号,类别,状态,上报,结案,期限,经度,纬度\n"
    on_time = "".join(f"A{n},市容,已结案,2026-03-01 08:00,2026-03-01 09:00,2026-03-02 08:00,110.05,20.05\n" for n in range(3))
    (tmp_path / "cases.csv").write_text(f"{head}{on_time}B1,市容,已结案,2026-03-01 08:00,2026-03-09 09:00,2026-03-02 08:00,110.05,20.05\n", "utf-8")
    loading.load(tmp_path, store, quiet=True)
    told = counted(store)
    assert (told["due"], told["due_on_time"]) == (4, 3)
    (tmp_path / "cases.csv").write_text(head + on_time, "utf-8")
    loading.load(tmp_path, store, quiet=True)
    assert counted(store) == told


# 2. Splitting one incident never raises a score: what is linked as a repeat counts once.
LIMITED = CITY + """
[[limits]]
stage = "total"
amount = 24
clock = "urgent_hour"
basis = "example"
"""


@pytest.fixture
def timed(store: Store, tmp_path: Path) -> Iterator[Writer]:
    """A little city whose cases have a day."""
    (tmp_path / "city.toml").write_text(LIMITED, "utf-8")
    (tmp_path / "streets.geojson").write_text(STREETS, "utf-8")
    loading.load(tmp_path, store, quiet=True)
    listed(store, "C1", "urban", "litter")
    made = Writer(store)
    yield made
    made.close()


def counted(store: Store) -> dict[str, int]:
    """Return the sums of the whole city over all days."""
    held = [r for r in sums(store)["total"] if r[list(total.c.keys()).index("grain")] == 0]
    root = min(r[0] for r in held)
    return {m: sum(r[list(total.c.keys()).index(m)] for r in held if r[0] == root) for m in KEPT}


def handled(writer: Writer, no: str, **filed: Any) -> None:
    for what, actor, more in (("filed", DESK, filed), ("dispatched", DESK, {"department": "urban"}), ("accepted", URBAN, {}), ("fed_back", URBAN, {}), ("verified", STREET, {}),
                              ("closed", DESK, {})):
        step(writer, no, what, actor, **more)


def test_an_incident_that_is_split_and_linked_counts_once_where_it_is_scored(timed: Writer) -> None:
    first = new(timed)
    parts = [new(timed) for _ in range(3)]
    for no in parts:
        step(timed, no, "merged", into=first)
    handled(timed, first)
    held = counted(timed.store)
    assert held["reported"] == 4
    assert (held["due"], held["due_closed"], held["due_on_time"], held["handled_n"]) == (1, 1, 1, 1)
    # The repeats are no cases, and are no secret either: they raise the share of repeats, which lowers a score.
    repeats = next(one for one in EVERY if one.id == "MOR05")
    assert (repeats.top, repeats.direction) == (("merged",), -1)


# 3. Reopening: a case that is open again counts neither as closed nor as in time; closed again after its limit it is late.
def test_a_case_that_is_opened_again_is_neither_closed_nor_in_time(timed: Writer) -> None:
    no = new(timed)
    handled(timed, no)
    assert [counted(timed.store)[m] for m in ("due", "due_closed", "due_on_time")] == [1, 1, 1]
    step(timed, no, "reopened", reason="again")
    assert [counted(timed.store)[m] for m in ("due", "due_closed", "due_on_time")] == [1, 0, 0]


def test_closing_and_reopening_counts_as_late(timed: Writer) -> None:
    # Closed after its limit, opened again and closed anew at once: a new limit would wash the lateness off.
    no = new(timed, at=now() - timedelta(days=3))
    handled(timed, no, at=now() - timedelta(days=3))
    late = counted(timed.store)
    step(timed, no, "reopened", reason="again")
    for what, actor in (("fed_back", URBAN), ("verified", STREET), ("closed", DESK)):
        step(timed, no, what, actor)
    again = counted(timed.store)
    assert [again[m] for m in ("due", "due_closed", "due_on_time")] == [late[m] for m in ("due", "due_closed", "due_on_time")] == [1, 1, 0]
    with timed.store.read() as connection:
        assert connection.scalar(select(cases.c.due_at).where(cases.c.no == no)) < stamp(now())


def test_a_case_that_is_closed_after_its_limit_is_late(timed: Writer) -> None:
    no = new(timed, at=now() - timedelta(days=3))
    handled(timed, no, at=now() - timedelta(days=3))
    assert [counted(timed.store)[m] for m in ("due", "due_closed", "due_on_time")] == [1, 1, 0]


# 4. Taking only what is easy; and for every indicator: one good case more never lowers it, one bad case more never raises it.
@settings(max_examples=120, deadline=None)
@given(cities(), st.data())
def test_for_every_indicator_a_bad_case_never_pays_and_a_good_one_never_costs(city: City, data: st.DataObject) -> None:
    i, j = data.draw(st.integers(0, len(city.now.num) - 1)), data.draw(st.sampled_from(CASE_MADE))
    one, top, under = EVERY[j], city.now.top[i, j], city.now.under[i, j]
    good_is_counted = one.direction > 0
    before = score(city.now, True)
    assume(j in before.chosen)
    k = column(before, j)
    good = score(changed(city.now, i, j, top + good_is_counted, under + 1), True)
    bad = score(changed(city.now, i, j, top + (not good_is_counted), under + 1), True)
    assert bad.alone[i, k] <= before.alone[i, k] + 1e-9
    assert good.alone[i, k] >= before.alone[i, k] - 1e-9
    assert bad.scores[i, bad.tree.top] <= good.scores[i, good.tree.top] + 1e-9


# 5. Quality is a second number that is seen: it widens the interval and multiplies nothing.
@settings(max_examples=60, deadline=None)
@given(cities(), st.integers(2, 40), st.data())
def test_the_same_rate_over_fewer_cases_is_less_certain_and_scores_the_same(city: City, times: int, data: st.DataObject) -> None:
    i, j = data.draw(st.integers(0, len(city.now.num) - 1)), data.draw(st.sampled_from(CASE_MADE))
    few, more = score(city.now, True), score(changed(city.now, i, j, city.now.top[i, j] * times, city.now.under[i, j] * times), True)
    k = column(few, j)
    assert few.scores[i, k] == pytest.approx(more.scores[i, column(more, j)])
    assert few.scores[i, few.tree.top] == pytest.approx(more.scores[i, more.tree.top])
    if 0 < city.now.top[i, j] < city.now.under[i, j]:
        assert few.sd[i, k] > more.sd[i, column(more, j)]


@settings(max_examples=40, deadline=None)
@given(cities(), st.data())
def test_a_score_is_the_same_however_much_of_it_is_told_as_long_as_the_parts_are(city: City, data: st.DataObject) -> None:
    i, j = data.draw(st.integers(0, len(city.now.num) - 1)), data.draw(st.sampled_from(CASE_MADE))
    silent = score(without(city.now, i, [j]), False, city.was)
    assume(j in silent.chosen)
    told = trees.scores(silent.tree, silent.scores[:, :silent.tree.n])[0]
    seen = ~np.isnan(silent.scores[:, silent.tree.top])
    assert np.allclose(told[seen, silent.tree.top], silent.scores[seen, silent.tree.top])
    k = column(silent, j)
    dimension = next(n for n in range(silent.tree.n, silent.tree.top) if k in silent.tree.children[n])
    assert silent.coverage[i, dimension] < 1


# 6. How much was reported is never bad.
def test_no_indicator_counts_reports_against_an_area() -> None:
    for one in EVERY:
        reports = [name for name in (*one.top, *one.minus) if name.partition("*")[2].startswith("cases.reported") or name.startswith("cases.reported")]
        assert not reports, one.id


@settings(max_examples=60, deadline=None)
@given(cities(), st.data())
def test_more_reports_never_lower_a_score(city: City, data: st.DataObject) -> None:
    over_reports = [j for j in CASE_MADE if any(name.startswith("cases.reported") for name in EVERY[j].under)]
    assert over_reports
    i, j, more = data.draw(st.integers(0, len(city.now.num) - 1)), data.draw(st.sampled_from(over_reports)), data.draw(st.integers(1, 500))
    before, after = score(city.now, True), score(changed(city.now, i, j, city.now.top[i, j], city.now.under[i, j] + more), True)
    assert after.scores[i, after.tree.top] >= before.scores[i, before.tree.top] - 1e-9


# 7. Definitions are frozen: goalposts come from the catalogue and not from the peers, and its version stands wherever a score goes.
@settings(max_examples=60, deadline=None)
@given(cities(), st.data())
def test_what_others_do_does_not_move_the_goalposts(city: City, data: st.DataObject) -> None:
    other = data.draw(st.integers(1, len(city.now.num) - 1))
    moved = changed(city.now, other, data.draw(st.sampled_from(CASE_MADE)), 0.0, 5000.0)
    for held in (city.now, moved):
        made = score(held, True)
        for k, j in enumerate(made.chosen):
            one = EVERY[j]
            by_hand = 1 + 99 * np.clip((made.value[:, k] - one.floor) / (one.target - one.floor), 0, 1)
            assert np.allclose(made.alone[:, k], by_hand)
    assert np.allclose(score(city.now, True).scores[0], score(moved, True).scores[0])


#: What the catalogue of a version says. Whoever changes an indicator, a goalpost or a weight gives it a new version, and adds a line.
CATALOGUES = {"2026.1": "e7abbfea9977d303", "2026.2": "41c987f7177ddd5f", "2026.3": "abaea114d39786eb", "2026.4": "a3720f18b49fc486"}


def test_a_catalogue_that_changes_gets_a_new_version() -> None:
    rows = [{k: row[k] for k in ("dimension", "dimension_weight", "id", "formula", "floor", "target", "weight", "computed")} for row in governance.catalogue()]
    assert hashlib.sha256(json.dumps(rows, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16] == CATALOGUES[index.VERSION]


def test_the_version_stands_on_every_answer_and_on_every_release(city: Store) -> None:
    asked = Ask(scope=EVERYTHING, since=now().date() - timedelta(days=60), until=now().date() - timedelta(days=30))
    for answer in (governance.index(city, asked), governance.why(city, asked), governance.peers(city, asked), governance.steps(city, asked), governance.months(city, asked, 2)):
        assert any(index.VERSION in note["en"] for note in answer.notes)
    fields = set(releases.ReleaseRow.__dataclass_fields__)
    assert {"version", "cut_off", "hash"} <= fields


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_method_card_says_what_the_index_does_not_resist(lang: str) -> None:
    said = [text for key, text in sorted(table(lang).items()) if key.startswith("index.limit_")]
    named = {"zh": ("少报", "拆", "作废", "容易", "整项不报", "边界", "凑数"), "en": ("Leaving out", "Splitting", "Cancelling", "easy", "Withholding", "boundary", "Padding")}[lang]
    for word in named:
        assert any(word in text for text in said), word
