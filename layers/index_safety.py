"""The score of each area in one dimension of the governance index: safety."""

from layers._index import layer

LAYER = layer("index_safety", "safety", order=81)
