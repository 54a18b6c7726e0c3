"""Cases reported in the period."""

from layers._layer import Layer
from layers._measures import figure

LAYER = Layer(
    id="reported", title={"zh": "上报数", "en": "Reported"}, kind="areas", unit="n", bad=None, order=45,
    definition={"zh": "期内上报的案件数", "en": "Cases reported in the period"}, figure="reported",
    values=figure("reported"), then=True,
)
