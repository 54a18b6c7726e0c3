"""Places where cases of one category come again and again within ninety days."""

from typing import Any

from layers._layer import Bbox, Layer
from queries.frame import Answer, Ask
from queries.store import Store


def points(store: Store, ask: Ask, bbox: Bbox, zoom: int) -> Answer[Any]:
    """Return the repeat places of a view as points with their number of cases."""
    from dataclasses import replace

    from queries.case_rows import Point
    from queries.loop import repeats

    answer = repeats.repeat_places(store, ask, bbox)
    rows = tuple(Point(lon=p.lon, lat=p.lat, n=p.n, by_status={"handling": p.open, "closed": p.n - p.open}, overdue=0, nos=()) for p in answer.rows)
    return replace(answer, rows=rows)  # type: ignore[arg-type]


LAYER = Layer(
    id="repeat_places", title={"zh": "反复发生点", "en": "Repeat places"}, kind="points", unit="n", order=115,
    definition={"zh": "90 天内、50 米内同类案件 3 件以上的地点", "en": "Places with three or more cases of one category within 90 days and 50 m"}, points=points, then=True,
)
