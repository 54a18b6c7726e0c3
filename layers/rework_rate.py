"""Closed after being sent back ÷ closed in the period."""

from layers._layer import Layer
from layers._measures import figure

LAYER = Layer(
    id="rework_rate", title={"zh": "返工率", "en": "Rework rate"}, kind="areas", unit="%", bad="up", order=55,
    definition={"zh": "期内结案中返工过的 ÷ 期内结案数", "en": "Closed after being sent back ÷ closed in the period"}, figure="rework_rate",
    values=figure("rework_rate", rate=True), then=True,
)
