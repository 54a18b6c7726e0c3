"""The Panel value: one box on a screen, drawn from one view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.address import View
from dashboard.context import Context


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A panel: `slots` says in which place of which scene it stands; `render` asks and draws."""

    id: str
    title: Mapping[str, str]
    order: int
    slots: Mapping[str, str]
    render: Callable[[Context, View], Any]
