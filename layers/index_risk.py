"""The score of each area in one dimension of the governance index: risk."""

from layers._index import layer

LAYER = layer("index_risk", "risk", order=85)
