"""Burden is counted from logs, repeat places from cases; both by published or hand-worked numbers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from queries.loop import burden, repeats
from queries.loop.task_list import NotListed
from queries.loop.writer import Writer
from queries.store import Store
from tests.test_evaluate import ask, to_closed
from tests.test_loop import HERE, little, new, step, sums, writer  # noqa: F401


def test_published_form_counts_give_the_published_ratios() -> None:
    assert round(burden.per(1377, 168) or 0, 1) == 8.2
    assert round(burden.per(1337, 178) or 0, 1) == 7.5
    assert burden.per(3, 0) is None


def rows(store: Store) -> dict[str, burden.BurdenRow]:
    sums(store)
    return {row.id: row for row in burden.burden(store, ask()).rows}


def test_burden_is_what_the_log_holds(writer: Writer) -> None:  # noqa: F811
    to_closed(writer)  # seven steps
    no = new(writer)
    step(writer, no, "filed")
    with pytest.raises(NotListed):
        step(writer, no, "dispatched", department="water", item="C9")
    held = rows(writer.store)
    assert (held["steps"].numerator, held["steps"].denominator, held["steps"].value) == (9, 1, 9.0)
    assert held["refused"].value == 1
    assert held["asked_again"].value is None


def test_a_repeat_tells_again_what_the_case_had(writer: Writer) -> None:  # noqa: F811
    first = new(writer, kind="暴露垃圾", address="东门")
    again = new(writer, kind="暴露垃圾", address="东门外")
    step(writer, again, "merged", into=first)
    row = rows(writer.store)["asked_again"]
    # Category, kind, title and point are the same; the address is not.
    assert (row.numerator, row.denominator) == (4, 5)


def test_minutes_are_of_tasks_and_what_is_unanswered_waits(writer: Writer) -> None:  # noqa: F811
    to_closed(writer)
    no = new(writer)
    step(writer, no, "filed")
    step(writer, no, "dispatched", department="urban")
    tasks = {task.id: task for task in burden.minutes(writer.store, ask()).rows}
    assert (tasks["dispatched"].n, tasks["dispatched"].waiting) == (1, 1)
    assert tasks["dispatched"].median_min == pytest.approx(0, abs=1)
    assert not {"actor", "name"} & set(burden.TaskRow.__dataclass_fields__)


def points(*places: tuple[float, float]) -> list[Any]:
    return [SimpleNamespace(lon=lon, lat=lat) for lon, lat in places]


def test_points_within_reach_are_one_place_and_none_is_in_two() -> None:
    # 0.0003 degrees of latitude are 33 m: the third lies beyond reach of the first, and with the fourth.
    groups = repeats.gathered(points((110, 20), (110, 20.0003), (110, 20.0006), (110, 20.001), (111, 20)), 50)
    assert sorted(len(g) for g in groups) == [1, 2, 2]
    assert repeats.gathered([], 50) == []


def test_three_of_one_category_at_one_spot_are_a_repeat_place(writer: Writer) -> None:  # noqa: F811
    nos = [new(writer) for _ in range(3)]
    new(writer, category="flood")
    step(writer, new(writer), "merged", into=nos[0])
    found = repeats.repeat_places(writer.store, ask()).rows
    assert [(p.category, p.n, p.open, set(p.nos)) for p in found] == [("litter", 3, 3, set(nos))]
    assert (found[0].lon, found[0].lat) == pytest.approx((HERE["lon"], HERE["lat"]))
