"""The score of each area in one dimension of the governance index: law."""

from layers._index import layer

LAYER = layer("index_law", "law", order=82)
