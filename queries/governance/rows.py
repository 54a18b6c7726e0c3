"""The rows of the index's answers: a score with its honesty, a reason, a peer, a step, a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from queries.area_values import AreaColumns
from queries.index._dimension import Kind, Words

Against = Literal["previous", "last_year"]


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """The index, a dimension or an indicator of a place. `score` from 1 to 100; None = no score, and `no_score` says which kind.

    `low`, `high`: 90 % interval. `coverage`: share of the weight that the place's own records tell. `known` of `of` indicators.
    `own`: weight of its own data (the rest is borrowed from the parent). `value`, `numerator`, `denominator`: of an indicator.
    """

    id: str
    title: Words
    kind: Literal["index", "dimension", "indicator"]
    parent: str
    weight: float
    score: float | None
    low: float | None
    high: float | None
    coverage: float | None
    known: int
    of: int
    own: float | None
    before: float | None
    no_score: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    floor: float | None = None
    target: float | None = None
    formula: Words | None = None
    lacks: Words | None = None
    opens: str = ""
    #: Days from the end of what its oldest input speaks of to the end of the period, and which input that is. None = no score.
    age_days: int | None = None
    oldest: Words | None = None
    #: Why a dimension that has a score is not in the index: one = a single indicator counts on this level, now = only the present state is
    #: known, aside = it never is. "" = it is in the index, or has no score.
    beside: Literal["", "one", "now", "aside"] = ""
    #: What its value is: a share of 1, a rate, a ratio or a bare value.
    measure: Kind = "share"


@dataclass(frozen=True, kw_only=True)
class WhyRow:
    """What one indicator did to the index between two periods; `areas` says where, and adds up to `points`; code "" = of no area below."""

    id: str
    title: Words
    dimension: str
    points: float
    value_before: float | None
    value: float | None
    areas: tuple[tuple[str, Words, float], ...]
    opens: str
    measure: Kind = "share"


@dataclass(frozen=True, kw_only=True)
class PeerRow:
    """A place among those beside it. `low` to `high` is the band of its rank (1 = best); None = not ranked, and `no_score` says why."""

    code: str
    title: Words
    score: float | None
    low: int | None
    high: int | None
    equal: bool  # its band overlaps that of the asked place, or of the best
    own: float
    no_score: str


@dataclass(frozen=True, kw_only=True)
class StepRow:
    """A thing to do: bring one indicator of one place to what its better peers reach, and the index gains `points`."""

    code: str
    place: Words
    id: str
    title: Words
    value: float
    to: float
    points: float
    cases: float  # how many more (or fewer) of the numerator that takes
    opens: str
    measure: Kind = "share"


@dataclass(frozen=True, kw_only=True)
class MonthRow:
    """The index, a dimension or an indicator in one month. `draft` = it is not over, or was never released; `released` = what was published then.

    Of an indicator also its value and the counts that it is made of (None = untold), and those that a release froze; a release
    publishes no score of an indicator.
    """

    since: date
    until: date
    score: float | None
    released: float | None
    draft: bool
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    frozen_numerator: float | None = None
    frozen_denominator: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreColumns(AreaColumns):
    """Scores of many areas in columns. `ranked`: at least 0.3 of the score is the area's own data."""

    ranked: np.ndarray
