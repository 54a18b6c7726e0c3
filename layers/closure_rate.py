"""Closed of those that should close ÷ should close."""

from layers._layer import Layer
from layers._measures import figure

LAYER = Layer(
    id="closure_rate", title={"zh": "结案率", "en": "Closure rate"}, kind="areas", unit="%", bad="down", order=30,
    definition={"zh": "应结案中已结案的 ÷ 应结案数", "en": "Closed of those that should close ÷ should close"}, figure="closure_rate",
    values=figure("closure_rate", rate=True), then=True,
)
