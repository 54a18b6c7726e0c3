"""The score of each area in one dimension of the governance index: support."""

from layers._index import layer

LAYER = layer("index_support", "support", order=84)
