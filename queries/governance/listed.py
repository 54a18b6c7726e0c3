"""The catalogue as plain rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from queries.index import found


def catalogue() -> Sequence[dict[str, Any]]:
    """Return the catalogue as plain rows, for whoever wants to recompute a score by hand."""
    return [{"dimension": d.id, "dimension_weight": d.weight, "id": x.id, "title": x.title, "formula": x.formula, "floor": x.floor, "target": x.target,
             "weight": x.weight, "computed": bool(x.top), "imported": x.imported, "kind": x.kind, "by_category": x.mix, "lacks": x.lacks, "basis": x.basis or d.basis} for d in found().values() for x in d.indicators]
