"""How a fact becomes a place on the map: plain values in, plain values out. Never imports dash.

The folder is the list: each public file binds LAYER and is a layer of the map.
"""

from layers._layer import Layer, Painted, found

__all__ = ["Layer", "Painted", "found"]
