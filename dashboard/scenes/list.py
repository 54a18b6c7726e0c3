"""The task list (事项清单): what each department has, what may reach a grid, and how an item comes and goes."""

from __future__ import annotations

from dashboard.scenes._scene import Scene

SCENE = Scene(id="list", title={"zh": "清单", "en": "Task list"}, order=18, slots=("top", "main", "side"))
