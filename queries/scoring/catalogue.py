"""A catalogue: the indicators of an index, the tree they stand in, and every choice of method. Nothing here knows data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from queries.scoring import normalise, treat, weigh

#: The format that this program reads.
FORMAT = 1
NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Item:
    """One row: an indicator (it has data) or a node above (it has children). NaN and "" = not said."""

    id: str
    kind: str = ""  # indicator, aggregate; not said = aggregate for what others name as their parent
    name: str = ""
    name_en: str = ""
    parent: str = ""
    direction: int = 1
    weight: float = 1.0
    unit: str = ""
    column: str = ""  # of the data, if not the id
    denominator: str = ""  # column to divide by
    scale: float = 1.0  # the quotient (or value) is multiplied by it
    numerator: str = ""  # with `denominator`: a rate whose parts can be summed and shrunk
    sd: str = ""  # column with the standard error of the value: Fay–Herriot
    floor: float = NAN
    target: float = NAN
    reference: float = NAN
    transform: str = ""  # of value, floor, target and reference, before anything else
    treat: str = ""  # none: this column is never treated
    aggregate: str = ""  # of a node: its rule of aggregation
    shrink: str = ""  # marshall, beta_binomial, fay_herriot
    normalise: str = ""  # a method of its own
    least_n: float = 0.0
    basis: str = ""
    basis_date: str = ""

    @property
    def of(self) -> str:
        """Return the column that holds its value."""
        return self.column or self.id


@dataclass(frozen=True, kw_only=True)
class Treatment(treat.Rule):
    """Rule of outliers; off unless a catalogue asks for it."""

    method: str = "none"


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """Missing values: a policy, the column of groups, the least coverage of a score, what `constant` fills in."""

    policy: str = "skip"
    group: str = ""
    least: float = 0.6
    value: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Where weights come from: those of indicators and of the nodes above. `of`: entropy of values as they are or of scores;
    `matrix`: an AHP file; `total`: what given ones must sum to."""

    method: str = "given"
    of: str = "values"
    nodes: str = "given"
    matrix: str = ""
    most_inconsistent: float = weigh.CONSISTENT
    total: float = 0.0
    file: str = ""
    set: str = ""


@dataclass(frozen=True, kw_only=True)
class Means:
    """Rules of aggregation from the lowest level up; the last one also holds for all levels above it."""

    levels: tuple[str, ...] = ("arithmetic",)


@dataclass(frozen=True, kw_only=True)
class Small:
    """Small areas: the column that names the parent, and columns of covariates for Fay–Herriot."""

    parent: str = ""
    covariates: tuple[str, ...] = ()
    neighbours: str = ""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Rank bands: off unless draws are asked for. `sd`: scores have this standard deviation where no other is known."""

    draws: int = 0
    seed: int = 7
    weights: float = 0.25
    rules: tuple[str, ...] = ()
    sd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Change:
    """How a change is taken apart: exact (logarithmic means; Shapley where there is no closed form) or shapley everywhere."""

    rule: str = "exact"


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """Runs: a file with one row per run (or `sample` × (factors + 2) drawn ones), and what each of its columns sets."""

    design: str = ""
    weight_sets: str = ""
    sample: int = 0
    seed: int = 7
    node: str = ""
    factors: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Long:
    """Data with one row for each unit and indicator: the columns that hold the indicator's name and its value. Empty = a column for each."""

    indicator: str = ""
    value: str = ""


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """An index. `units`: the column that names a row; `period`: one that names its time; `reference`: times that give the scales."""

    format: int = FORMAT
    id: str = "index"
    version: str = "1"
    name: str = ""
    name_en: str = ""
    units: tuple[str, ...] = ()
    period: str = ""
    reference: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    treat: Treatment = field(default_factory=Treatment)
    missing: Gaps = field(default_factory=Gaps)
    normalise: normalise.Scale = field(default_factory=normalise.Scale)
    weights: Weights = field(default_factory=Weights)
    aggregate: Means = field(default_factory=Means)
    small: Small = field(default_factory=Small)
    bands: Drawn = field(default_factory=Drawn)
    change: Change = field(default_factory=Change)
    sensitivity: Sensitivity = field(default_factory=Sensitivity)
    long: Long = field(default_factory=Long)
    folder: Path = Path(".")

    @property
    def indicators(self) -> tuple[Item, ...]:
        """Return the rows that have data."""
        return tuple(one for one in self.items if one.kind == "indicator")


SECTIONS = {"treat": Treatment, "missing": Gaps, "normalise": normalise.Scale, "weights": Weights, "aggregate": Means,
            "small": Small, "bands": Drawn, "change": Change, "sensitivity": Sensitivity, "long": Long}
