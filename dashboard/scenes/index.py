"""The index page: how a place stands, how sure that is, why it moved, and what to do next."""

from __future__ import annotations

from dashboard.scenes._scene import Scene

SCENE = Scene(id="index", title={"zh": "治理指数", "en": "Index"}, order=14, slots=("top", "left", "middle", "right"))
