"""Open cases, gathered by map cell."""

from typing import Any

from layers._layer import Bbox, Layer
from queries.frame import Answer, Ask
from queries.store import Store


def points(store: Store, ask: Ask, bbox: Bbox, zoom: int) -> Answer[Any]:
    """Return what a view of the map holds."""
    from queries import cases

    return cases.points(store, ask, bbox, zoom)


LAYER = Layer(
    id="cases", title={"zh": "案件", "en": "Cases"}, kind="points", unit="n", order=110,
    definition={"zh": "未结案件，按地图格聚合", "en": "Open cases, gathered by map cell"}, points=points, then=True,
)
