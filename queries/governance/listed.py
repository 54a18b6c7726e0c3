"""The catalogue as plain rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from queries.index import VERSION, found

#: The unit of a value by what kind of figure it is.
UNITS = {"share": "1", "rate": "per 10,000", "ratio": "1", "value": ""}


def catalogue() -> Sequence[dict[str, Any]]:
    """Return the catalogue as plain rows, for whoever wants to recompute a score by hand."""
    return [{"dimension": d.id, "dimension_weight": d.weight, "id": x.id, "title": x.title, "formula": x.formula, "floor": x.floor, "target": x.target, "direction": x.direction,
             "unit": UNITS[x.kind], "least": x.least, "weight": x.weight, "computed": bool(x.top), "imported": x.imported, "kind": x.kind, "by_category": x.mix, "lacks": x.lacks, "basis": x.basis or d.basis, "basis_date": x.basis_date or VERSION[:4]} for d in found().values() for x in d.indicators]
