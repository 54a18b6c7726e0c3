"""How a city counts its three rates: [evaluation] of city.toml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from queries.city.specs import Part


class WeightSpec(Part):
    """What each rate weighs in the composite; together 1."""

    response: float = Field(0.1, ge=0, le=1)
    solved: float = Field(0.5, ge=0, le=1)
    satisfied: float = Field(0.4, ge=0, le=1)

    @model_validator(mode="after")
    def _whole(self) -> WeightSpec:
        total = self.response + self.solved + self.satisfied
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the three weights make {total:g}; together they must make 1 (0.1, 0.5 and 0.4, not 10, 50 and 40).")
        return self


class EvaluationSpec(Part):
    """The rules of evaluation."""

    weights: WeightSpec = WeightSpec()
    #: What "basically satisfied" counts beside "satisfied".
    basic: float = Field(0.9, ge=0, le=1)
    #: "12:00": the day D is from noon of the day before to noon. A change holds from the next rebuild on.
    day_starts: Literal["00:00", "12:00"] = "00:00"
    #: The month M begins on this day of the month before; 1 = the calendar's month.
    month_starts: int = Field(1, ge=1, le=28)
