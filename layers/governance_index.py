"""The governance index of each area."""

from layers._index import layer

LAYER = layer("governance_index", "index", order=80)
