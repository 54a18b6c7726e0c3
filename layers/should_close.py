"""Cases whose deadline falls in the period."""

from layers._layer import Layer
from layers._measures import figure

LAYER = Layer(
    id="should_close", title={"zh": "应结案数", "en": "Should close"}, kind="areas", unit="n", bad=None, order=47,
    definition={"zh": "期限落在期内的案件数", "en": "Cases whose deadline falls in the period"}, figure="should_close",
    values=figure("should_close"), then=True,
)
