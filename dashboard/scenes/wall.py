"""The wall of a command centre: what needs action now, where, and whether the loop works; read from a distance."""

from __future__ import annotations

from dashboard.scenes._scene import Scene

SCENE = Scene(
    id="wall", title={"zh": "大屏", "en": "Wall"}, order=11, has_map=True, period="1d",
    slots=("call", "index", "left", "map", "alarms", "cases", "beside", "loop", "burden"),
    takes={"index": ("index_score",), "left": ("children", "open_by_age"), "alarms": ("alarms",), "loop": ("loop_strip",), "burden": ("burden",)},
)
