"""The leader's page: why did it drop, and where?"""

from __future__ import annotations

from dashboard.scenes._scene import Scene

SCENE = Scene(
    id="leader", title={"zh": "总览", "en": "Overview"}, order=10,
    slots=("top", "left", "map", "below", "right", "drawer"), has_map=True,
)
