"""Cases reported in the period ÷ size of the area."""

from layers._layer import Layer
from layers._measures import per_km2

LAYER = Layer(
    id="reported_density", title={"zh": "上报密度", "en": "Reported per km²"}, kind="areas", unit="per_km2", bad=None, order=50,
    definition={"zh": "期内上报案件数 ÷ 面积", "en": "Cases reported in the period ÷ size of the area"}, values=per_km2("reported"), then=True,
)
