"""Cases filed in the period."""

from layers._layer import Layer
from layers._measures import figure

LAYER = Layer(
    id="filed", title={"zh": "立案数", "en": "Filed"}, kind="areas", unit="n", bad=None, order=46,
    definition={"zh": "期内立案的案件数", "en": "Cases filed in the period"}, figure="filed",
    values=figure("filed"), then=True,
)
