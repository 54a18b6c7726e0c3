"""A page's parts as plain HTML, for whoever may run nothing here. What needs a script is left out."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

VOID = ("Br", "Hr", "Img", "Input")
NAMES = {"className": "class", "colSpan": "colspan", "rowSpan": "rowspan", "tabIndex": "tabindex"}
#: What of a part goes along; everything else is for the browser's script.
KEPT = ("className", "title", "href", "role", "scope", "lang", "colSpan", "rowSpan", "tabIndex")


def markup(node: Any) -> str:
    """Return a part, a list of parts or a text as HTML; every text is escaped."""
    if node is None:
        return ""
    if isinstance(node, list | tuple):
        return "".join(markup(one) for one in node)
    if not isinstance(node, Component):
        return escape(str(node))
    name = type(node).__name__
    if isinstance(node, dcc.Link):
        return _tag("a", node, markup(getattr(node, "children", None)))
    if getattr(html, name, None) is not type(node) or name in ("Script", "Iframe", "Button", "Form", *VOID):
        return ""
    return _tag(name.lower(), node, markup(getattr(node, "children", None)))


def _tag(name: str, node: Component, inside: str) -> str:
    held: Mapping[str, Any] = node.to_plotly_json()["props"]
    told = "".join(f' {NAMES.get(key, key)}="{escape(str(value))}"' for key, value in held.items()
                   if value is not None and (key in KEPT or key.startswith("aria-")))
    return f"<{name}{told}>{inside}</{name}>"
