"""The data page: what came in, how old it is, what was refused and why."""

from __future__ import annotations

from dashboard.scenes._scene import Scene

SCENE = Scene(id="data", title={"zh": "数据", "en": "Data"}, order=20, slots=("main",))
