"""The alarm page: what needs somebody now, where, and what was done about it. All of it by keyboard."""

from __future__ import annotations

from dashboard.scenes._scene import Scene

SCENE = Scene(id="alarms", title={"zh": "报警", "en": "Alarms"}, order=14, slots=("top", "main", "map", "side", "drawer"), has_map=True, layer="plain")
