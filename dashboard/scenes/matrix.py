"""Departments by areas (条 × 块): whose work, where."""

from __future__ import annotations

from dashboard.scenes._scene import Scene

SCENE = Scene(id="matrix", title={"zh": "条块", "en": "Matrix"}, order=16, slots=("main",))
