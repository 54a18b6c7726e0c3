"""Open alarms by their level."""

from typing import Any

from layers._layer import Bbox, Layer
from layers._palette import ALARM
from queries.alarms import places
from queries.alarms.rows import LEVEL_WORDS
from queries.frame import Answer, Ask
from queries.store import Store


def points(store: Store, ask: Ask, bbox: Bbox, zoom: int) -> Answer[Any]:
    """Return what a view of the map holds."""
    return places.points(store, ask, bbox, zoom)


LAYER = Layer(
    id="alarms", title={"zh": "报警", "en": "Alarms"}, kind="points", unit="things", order=110, opens="alarm", may_be_empty=True,
    definition={"zh": "未了结的报警，按级别", "en": "Alarms that are not settled, by level"}, points=points, then=True,
    looks={level: (*ALARM[level], LEVEL_WORDS[level]) for level in ALARM},
)
