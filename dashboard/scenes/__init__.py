"""One arrangement of panels per file: each binds SCENE. The folder is the list."""

from __future__ import annotations

from functools import cache

from dashboard.scenes._scene import Scene
from queries.plugins import discover


@cache
def found() -> dict[str, Scene]:
    """Return all scenes by id, in their order."""
    import dashboard.scenes as package

    return discover(package, "SCENE", Scene)
