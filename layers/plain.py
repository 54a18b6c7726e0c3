"""The areas alone, in one quiet colour: behind marks that themselves say what needs somebody."""

from layers._layer import Layer
from layers._measures import standing_areas

LAYER = Layer(
    id="plain", title={"zh": "仅区域", "en": "Areas only"}, kind="areas", unit="", plain=True, order=90,
    definition={"zh": "只画区域，不按数值着色", "en": "The areas only, coloured by no figure"}, values=standing_areas, then=True,
)
