"""The grid page (全科网格): everything about one grid on one page."""

from __future__ import annotations

from dashboard.scenes._scene import Scene

SCENE = Scene(id="grid", title={"zh": "网格", "en": "Grid"}, order=13, slots=("main", "drawer"))
