"""What the sensors say now: their alarms first, then who is silent."""

from typing import Any

from layers._layer import Bbox, Layer
from layers._palette import ALARM, THING
from queries.frame import Answer, Ask
from queries.sensing import values
from queries.store import Store


def points(store: Store, ask: Ask, bbox: Bbox, zoom: int) -> Answer[Any]:
    """Return what a view of the map holds."""
    return values.points(store, ask, bbox, zoom)


LAYER = Layer(
    id="sensors", title={"zh": "传感器", "en": "Sensors"}, kind="points", unit="things", order=120, opens="sensor",
    definition={"zh": "传感器所在处及其现状", "en": "Where the sensors stand and how they are"}, points=points, then=True,
    looks={state: (*(ALARM | THING)[state], values.STATE_WORDS[state]) for state in ("red", "orange", "yellow", "blue", "silent", "often", "never", "ok")},
)
