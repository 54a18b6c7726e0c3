"""Cases ended in the period."""

from layers._layer import Layer
from layers._measures import figure

LAYER = Layer(
    id="closed", title={"zh": "结案数", "en": "Closed"}, kind="areas", unit="n", bad=None, order=48,
    definition={"zh": "期内结束的案件数", "en": "Cases ended in the period"}, figure="closed",
    values=figure("closed"), then=True,
)
