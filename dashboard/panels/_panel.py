"""The Panel value: one box on a screen, drawn from one view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dashboard.address import View
from dashboard.context import Context


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A panel: `slots` says in which place of which scene it stands; `render` asks and draws.

    `hears` is the number of a frame (dashboard/live.py) at whose change it is drawn anew at once: "n" any change,
    "cases" a step on a case. `pace_s` is the time between two such drawings; whatever else changed is shown after
    `calm_s` at most, and every minute it is drawn anyhow, since time itself makes cases overdue.
    """

    id: str
    title: Mapping[str, str]
    order: int
    slots: Mapping[str, str]
    render: Callable[[Context, View], Any]
    hears: Literal["n", "cases"] = "n"
    pace_s: float = 5.0
    calm_s: float = 5.0
    #: It can show a moment of the past. One that cannot says so: what holds now must not pass for what held then.
    then: bool = False
