"""The task list, roster, shift log, repeat places and flow at a moment of the past: what stood then, whatever came since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from queries import loading
from queries.clock import now, stamp
from queries.errors import AskError
from queries.frame import EVERYTHING, Ask
from queries.loop import flow, repeats, roster, shift, task_list
from queries.loop import page as loop_page
from queries.loop.writer import Writer
from queries.store import Store
from tests.test_lists import DUTY, ITEMS, folder, tell  # noqa: F401  (a fixture)
from tests.test_loop import ADMIN, DESK, STREET, URBAN, WATER, little, new, step  # noqa: F401  (a fixture)
from tests.test_then import Clock, at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (loop_page, task_list, shift):
        monkeypatch.setattr(module, "now", made)
    return made


@pytest.fixture
def writer(little: Store) -> Iterator[Writer]:  # noqa: F811
    with little.write() as connection:
        # The clock begins three days ago: what may be handed out has been listed for longer.
        connection.execute(task_list.list_item.update().values(begins_at=0))
    made = Writer(little)
    yield made
    made.close()


def then(moment: datetime, **more: Any) -> Ask:
    return at(moment.astimezone(), **more)


def item_states(store: Store, moment: datetime, only: bool = False) -> dict[str, str]:
    return {i.code: i.state for i in task_list.items(store, only_published=only, ask=then(moment)).rows if i.code in ("T9",)}


def test_an_item_stands_in_the_past_as_its_steps_had_brought_it(little: Store, clock: Clock) -> None:  # noqa: F811
    with little.write() as connection:
        # The list of this city has been kept for an hour longer.
        connection.execute(task_list.list_event.update().values(at=stamp(clock.at) - 3600))
    moments = [clock.at]
    clock.on(60)
    task_list.apply(little, URBAN, code="T9", title="临时保障", department_code="urban", to="grid", basis="示例", temporary=True, ends_at=now() + timedelta(days=30))
    for what in ("review", "approve", "publish", "end"):
        clock.on(60)
        moments.append(clock.at - timedelta(seconds=30))
        task_list.move(little, ADMIN, "T9", what, "不再需要")
    moments.append(clock.at + timedelta(seconds=30))

    assert [item_states(little, m) for m in moments] == [{}, *({"T9": s} for s in ("applied", "reviewed", "approved", "published", "ended"))]
    assert [item_states(little, m, only=True) for m in moments] == [{}, {}, {}, {}, {"T9": "published"}, {}]
    told = task_list.steps_of(little, ADMIN, ["T9"], then(moments[2])).rows
    assert [s.step for s in told] == ["apply", "review"]
    with little.read() as connection:
        assert [[i.code for i in task_list.to_grids(connection, then(m))] for m in moments] == [[], [], [], [], ["T9"], []]
    # Before the record begins nothing is known, which is not an empty list.
    early = then(moments[0] - timedelta(hours=2))
    with pytest.raises(AskError, match="reaches back"):
        task_list.items(little, ask=early)
    with little.read() as connection:
        assert task_list.to_grids(connection, early) is None
    # Its early end was known to nobody while it held.
    (held,) = (i for i in task_list.items(little, ask=then(moments[4])).rows if i.code == "T9")
    assert held.ends_at is None


def test_refusals_count_up_to_the_moment(writer: Writer, clock: Clock) -> None:
    def tried() -> None:
        no = new(writer)
        step(writer, no, "filed")
        with pytest.raises(task_list.NotListed):
            step(writer, no, "dispatched", department="water")

    tried()
    between = clock.at + timedelta(seconds=30)
    clock.on(60)
    tried()
    counted = task_list.refusals(writer.store, 0, stamp(between) + 1, then(between)).rows
    assert [r.n for r in counted] == [1]
    assert [r.n for r in task_list.refusals(writer.store, 0).rows] == [2]


def test_the_roster_of_then_is_known_from_its_first_load_on(folder: Path, store: Store) -> None:  # noqa: F811
    before = stamp(now()) - 60
    loading.load(folder, store, quiet=True)
    with store.write() as connection:
        # The first load was an hour ago.
        connection.execute(roster.duty_stood.update().values(at=stamp(now()) - 3600))
    tell(folder, ITEMS, "区域,类别,岗位\n91,街道带班,一街道夜间带班岗\n")
    loading.load(folder, store, quiet=True)

    def posts(moment: int | None) -> set[str] | None:
        with store.read() as connection:
            rows = roster.on_duty(connection, ["91"], moment)
        return None if rows is None else {r.shown for r in rows}

    assert posts(None) == {"一街道夜间带班岗"}
    assert posts(stamp(now()) + 1) == {"一街道夜间带班岗"}
    assert posts(before) == {"一街道带班岗", "一街道第001网格岗"}
    # Not known is not nobody.
    assert posts(stamp(now()) - 7200) is None


def test_a_line_of_the_shift_log_stands_open_until_it_was_done(little: Store, clock: Clock) -> None:  # noqa: F811
    # Whoever acts sees what was done within two days.
    clock.on(3 * 86_400 - 3600)
    here = Ask(scope=EVERYTHING, since=clock.at.date(), until=clock.at.date())
    shift.write(little, DESK, here, "泵站待查")
    (line,) = shift.lines(little, here.but(at=clock.at)).rows
    moments = [clock.at - timedelta(seconds=30), clock.at + timedelta(seconds=30)]
    for open_ in (False, True, False):
        clock.on(60)
        shift.settle(little, DESK, here, line.id, open_)
        moments.append(clock.at + timedelta(seconds=30))
    told = [[one.open for one in shift.lines(little, then(m)).rows] for m in moments]
    assert told == [[], [True], [False], [True], [False]]


def test_a_line_that_was_done_before_that_was_kept_does_not_say_when(little: Store, clock: Clock) -> None:  # noqa: F811
    here = Ask(scope=EVERYTHING, since=clock.at.date(), until=clock.at.date())
    shift.write(little, DESK, here, "旧记录")
    with little.write() as connection:
        connection.execute(shift.shift_line.update().values(open=False))
    assert [one.open for one in shift.lines(little, then(clock.at + timedelta(seconds=30))).rows] == [None]


def test_repeat_places_are_made_of_what_was_known_then(writer: Writer, clock: Clock) -> None:
    nos = [new(writer) for _ in range(2)]
    clock.on(3600)
    two = clock.at
    clock.on(3600)
    nos.append(new(writer))
    three = clock.at + timedelta(seconds=60)
    clock.on(3600)
    step(writer, nos[0], "filed")
    step(writer, nos[0], "merged", into=nos[1])
    now_ = Ask(scope=EVERYTHING, since=clock.at.date(), until=clock.at.date() + timedelta(days=1))

    assert [p.n for p in repeats.repeat_places(writer.store, then(two)).rows] == []
    (place,) = repeats.repeat_places(writer.store, then(three)).rows
    # What was merged later was a case of its own then.
    assert (place.n, place.open, set(place.nos)) == (3, 3, set(nos))
    assert [p.n for p in repeats.repeat_places(writer.store, now_).rows] == []


def test_the_flow_of_then_has_only_the_steps_that_were_known(writer: Writer, clock: Clock) -> None:
    no = new(writer)
    clock.on(600)
    step(writer, no, "filed")
    between = clock.at + timedelta(days=1)
    clock.on(2 * 86_400)
    # It is told late: it happened before the moment, and nobody knew it then.
    step(writer, no, "dispatched", department="urban", at=between - timedelta(hours=1))
    step(writer, no, "accepted", URBAN)
    asked = Ask(scope=EVERYTHING, since=(between - timedelta(days=9)).date(), until=between.date())

    assert [way.steps for way in flow.flow(writer.store, asked).row.ways] == [("reported", "filed", "dispatched", "accepted")]
    told = flow.flow(writer.store, asked.but(at=between.astimezone())).row
    assert [way.steps for way in told.ways] == [("reported", "filed")]
    assert (told.cases, told.events) == (1, 2)
