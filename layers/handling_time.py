"""Median hours from report to closing."""

from layers._layer import Layer
from layers._measures import figure

LAYER = Layer(
    id="handling_time", title={"zh": "处置时长", "en": "Handling time"}, kind="areas", unit="h", bad="up", order=60,
    definition={"zh": "从上报到结案小时数的中位数", "en": "Median hours from report to closing"}, figure="handling_median_h",
    values=figure("handling_median_h", rate=True), then=True,
)
