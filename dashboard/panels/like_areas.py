"""Areas, like with like: what a mix of hard cases explains is taken out."""

from __future__ import annotations

from typing import Any

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _like
from dashboard.panels._panel import Panel


def render(context: Context, view: View) -> Any:
    """Draw the table."""
    return _like.draw(context, view, dict(PANEL.title), "areas")


PANEL = Panel(id="like_areas", title={"zh": "区域同类比较", "en": "Areas, like with like"}, order=10, slots={"evaluation": "left"}, render=render, then=True)
