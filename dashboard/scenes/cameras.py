"""The page of cameras: do they see, which do not and where, and who looked through them."""

from __future__ import annotations

from dashboard.scenes._scene import Scene

SCENE = Scene(id="cameras", title={"zh": "摄像机", "en": "Cameras"}, order=14, slots=("top", "eyes", "main", "map", "side", "drawer"), has_map=True, layer="plain")
