"""How a fact becomes a place on the map: plain values in, plain values out. Never imports dash."""
