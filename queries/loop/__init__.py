"""The closed loop of a case: found, filed, dispatched, handled, verified, closed; whistles that make departments come."""
