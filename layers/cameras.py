"""Where the cameras stand."""

from typing import Any

from layers._layer import Bbox, Layer
from layers._palette import THING
from queries import things
from queries.frame import Answer, Ask
from queries.store import Store


def points(store: Store, ask: Ask, bbox: Bbox, zoom: int) -> Answer[Any]:
    """Return what a view of the map holds."""
    return things.points(store, ask, bbox, zoom)


LAYER = Layer(
    id="cameras", title={"zh": "摄像机", "en": "Cameras"}, kind="points", unit="things", order=130,
    definition={"zh": "摄像机所在处", "en": "Where the cameras stand"}, points=points, opens="camera", then=True,
    looks={state: (*THING[state], things.CAMERA_WORDS[state]) for state in ("offline", "no_picture", "unknown", "online")},
)
