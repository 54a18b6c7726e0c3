"""The Scene value: which slots a screen has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One screen: its slots in reading order, and whether it has the map.

    `takes` names panels of other screens for a slot, by id: one that the folder does not have leaves its place out.
    """

    id: str
    title: Mapping[str, str]
    order: int
    slots: tuple[str, ...]
    has_map: bool = False
    #: The period of an address that names none.
    period: str = "30d"
    #: The map's layer of an address that names none.
    layer: str = "open_cases"
    takes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
