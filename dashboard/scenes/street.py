"""The street's page: what needs me this morning, and acting on it from the list."""

from __future__ import annotations

from dashboard.scenes._scene import Scene

SCENE = Scene(id="street", title={"zh": "街道", "en": "Street"}, order=12, slots=("main", "others", "side", "drawer"))
