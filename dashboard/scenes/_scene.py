"""The Scene value: which slots a screen has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One screen: its slots in reading order, and whether it has the map."""

    id: str
    title: Mapping[str, str]
    order: int
    slots: tuple[str, ...]
    has_map: bool = False
