"""Residents as the boundary files say."""

from layers._layer import Layer
from layers._measures import residents

LAYER = Layer(
    id="residents", title={"zh": "常住人口", "en": "Residents"}, kind="areas", unit="people", bad=None, order=70,
    definition={"zh": "边界资料所载常住人口", "en": "Residents as the boundary files say"}, values=residents, then=True,
)
