"""Where the sensors stand."""

from typing import Any

from layers._layer import Bbox, Layer
from queries import things
from queries.frame import Answer, Ask
from queries.sensing import values
from queries.store import Store


def points(store: Store, ask: Ask, bbox: Bbox, zoom: int) -> Answer[Any]:
    """Return what a view of the map holds."""
    if ask.at is not None:
        return values.points(store, ask, bbox, zoom)
    return things.points(store, ask, "sensor", bbox, zoom)


LAYER = Layer(
    id="sensors", title={"zh": "传感器", "en": "Sensors"}, kind="points", unit="things", order=120,
    definition={"zh": "传感器所在处", "en": "Where the sensors stand"}, points=points, then=True,
)
