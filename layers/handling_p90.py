"""Hours within which nine in ten closed cases were handled."""

from layers._layer import Layer
from layers._measures import figure

LAYER = Layer(
    id="handling_p90", title={"zh": "处置时长 P90", "en": "P90 handling time"}, kind="areas", unit="h", bad="up", order=65,
    definition={"zh": "期内结案案件处置小时数的九成位", "en": "Hours within which nine in ten closed cases were handled"}, figure="handling_p90_h",
    values=figure("handling_p90_h", rate=True), then=True,
)
