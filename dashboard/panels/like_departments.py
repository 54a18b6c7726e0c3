"""Departments, like with like: what a mix of hard cases explains is taken out."""

from __future__ import annotations

from typing import Any

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _like
from dashboard.panels._panel import Panel


def render(context: Context, view: View) -> Any:
    """Draw the table."""
    return _like.draw(context, view, dict(PANEL.title), "departments")


PANEL = Panel(id="like_departments", title={"zh": "部门同类比较", "en": "Departments, like with like"}, order=20, slots={"evaluation": "left"}, render=render, then=True)
