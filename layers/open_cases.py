"""Cases open at the end of the period."""

from layers._layer import Layer
from layers._measures import figure

LAYER = Layer(
    id="open_cases", title={"zh": "未结案件", "en": "Open cases"}, kind="areas", unit="n", bad="up", order=10,
    definition={"zh": "期末未结的案件数", "en": "Cases open at the end of the period"}, figure="open",
    values=figure("open"), then=True,
)
