"""One list of the desk; see queries/loop/desk.py for what is on it."""

from __future__ import annotations

from typing import Any

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._desk import desk_list
from dashboard.panels._panel import Panel


def render(context: Context, view: View) -> Any:
    """Draw the list."""
    return desk_list(context, view, "overdue", PANEL.title)


PANEL = Panel(id="desk_overdue", title={"zh": "超期 · 等他人办", "en": "Overdue, waiting on others"}, order=20, slots={"street": "others"}, render=render, then=True)
