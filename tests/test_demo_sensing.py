"""The demo city's sensors: they speak through the door of all sensors, and their stories become alarms."""

from __future__ import annotations

import time
from datetime import date

from queries.alarms import desk
from queries.demo.caller import AwayError, Caller, Reply
from queries.demo.sensing import Sensing
from queries.frame import EVERYTHING, Ask
from queries.people import tokens
from queries.sensing import values
from queries.sensing.board import renewed
from queries.store import Store

ASK = Ask(scope=EVERYTHING, since=date.today(), until=date.today())


def test_all_sensors_speak_and_a_story_raises_its_alarm(lively: tuple[str, Store]) -> None:
    address, store = lively
    sensing = Sensing(Caller(address, token_of=lambda source: tokens.make(store, source)), seed=3)
    sensing.meet()
    present = time.time()
    sensing.tick(present + 61)
    assert sensing.taken > 0
    assert sensing.refused == 0
    renewed(store)
    health = {row.kind: row for row in values.health(store, ASK).rows}
    assert health["gas"].online == 1.0
    assert sensing.stories[0].what == "flood"
    # A third of an hour in a few breaths: the door takes each reading at the moment at which it is told.
    story = sensing.stories[0]
    for part in (0.1, 0.2, 0.4):
        story.begun = time.time() - part * story.lasts
        sensing._next = dict.fromkeys(sensing._next, 0.0)
        time.sleep(1.1)
        sensing.tick(time.time())
    rules = {row.rule for row in desk.alarms(store, ASK, "all").rows}
    assert "water" in rules


def test_what_was_not_heard_is_said_again_and_counts_once(lively: tuple[str, Store]) -> None:
    address, store = lively

    class Deaf(Caller):
        deaf = True

        def tell(self, who: str, path: str, message: object, key: str = "") -> Reply:
            if self.deaf:
                raise AwayError("not now")
            return super().tell(who, path, message, key)  # type: ignore[arg-type]

    line = Deaf(address, token_of=lambda source: tokens.make(store, source))
    sensing = Sensing(line, seed=4)
    sensing.meet()
    try:
        sensing.tick(time.time() + 61)
        raise AssertionError("it was heard")
    except AwayError:
        said = len(sensing._unheard)
    line.deaf = False
    time.sleep(1.1)
    sensing.tick(time.time())
    assert said > 0
    assert sensing._unheard == []
    assert (sensing.taken >= said, sensing.refused) == (True, 0)
