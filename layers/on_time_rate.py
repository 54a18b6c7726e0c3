"""Closed on time of those that should close ÷ should close."""

from layers._layer import Layer
from layers._measures import figure

LAYER = Layer(
    id="on_time_rate", title={"zh": "按期结案率", "en": "On-time rate"}, kind="areas", unit="%", bad="down", order=40,
    definition={"zh": "应结案中按期结案的 ÷ 应结案数", "en": "Closed on time of those that should close ÷ should close"}, figure="on_time_rate",
    values=figure("on_time_rate", rate=True), then=True,
)
