"""Cases still open whose deadline has passed."""

from layers._layer import Layer
from layers._measures import figure

LAYER = Layer(
    id="overdue", title={"zh": "超期未结", "en": "Overdue"}, kind="areas", unit="n", bad="up", order=20,
    definition={"zh": "仍未结、期限已过的案件数", "en": "Cases still open whose deadline has passed"}, figure="overdue",
    values=figure("overdue"), then=True,
)
