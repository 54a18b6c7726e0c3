"""The governance index of places: scores with their interval and coverage, why they moved, and what to do next.

It is computed here from the house's own sums by the catalogue of queries/index/; it is nobody's official score.
A score is the same whoever looks at it; who may see only a part of a place is told no score of the whole.
"""

from __future__ import annotations

from queries.governance.actions import steps
from queries.governance.figures import FigureRow, figures
from queries.governance.levels import finished, weighed, weighted
from queries.governance.listed import catalogue
from queries.governance.ranks import peers
from queries.governance.reasons import why
from queries.governance.released import ReleasedRow, released
from queries.governance.rows import (
    Against,
    MonthRow,
    PeerRow,
    ScoreColumns,
    ScoreRow,
    StepRow,
    WhyRow,
)
from queries.governance.scores import index, index_values, months
from queries.governance.words import GRADES, INDEX, NO_SCORE, grade
from queries.index._level import LEAST

__all__ = [
    "GRADES", "INDEX", "LEAST", "NO_SCORE", "Against", "FigureRow", "MonthRow", "PeerRow", "ReleasedRow", "ScoreColumns", "ScoreRow", "StepRow", "WhyRow", "catalogue", "figures", "finished",
    "grade", "index", "index_values", "months", "peers", "released", "steps", "weighed", "weighted", "why",
]
