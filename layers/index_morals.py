"""The score of each area in one dimension of the governance index: morals."""

from layers._index import layer

LAYER = layer("index_morals", "morals", order=83)
