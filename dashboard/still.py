"""What of a page only shows goes to the browser as one piece of markup, not as a component for each word.

Dash's renderer asks every component on the page at every step of every callback whether it has changed. The panels
of the leader's page were 921 components in the demo city; with their shown parts as markup they are 25.
What has an id or takes input stays a component. assets/05-still.js draws the markup and keeps what a person
had opened, chosen or scrolled.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from dash import dcc
from dash.development.base_component import Component

#: Elements without an end; the others always have one.
VOID = frozenset({"br", "hr", "img", "input"})
#: Elements that do nothing without a script.
ACTING = frozenset({"button", "form", "input", "script", "iframe"})
NAMES = {"className": "class", "htmlFor": "for"}


class Still(Component):
    """One element with its attributes (React's names) and the markup inside it."""

    _children_props: list[str] = []
    _base_nodes: list[str] = []
    _namespace = "gov_page"
    _type = "Still"

    def __init__(self, tag: str, attrs: dict[str, Any], html: str) -> None:
        """Hold what the browser draws."""
        self._prop_names = self.available_properties = ["id", "tag", "attrs", "html"]
        self._valid_wildcard_attributes = self.available_wildcard_properties = []
        super().__init__(tag=tag, attrs=attrs, html=html)


def still(tree: Any) -> Any:
    """Return a tree of components with every part that only shows as one `Still`."""
    if isinstance(tree, list | tuple):
        return [still(one) for one in tree]
    if not isinstance(tree, Component):
        return tree
    if _shows(tree):
        tag, given = _read(tree)
        return Still(tag, given, markup(getattr(tree, "children", None)))
    if hasattr(tree, "children"):
        tree.children = still(tree.children)
    return tree


def markup(tree: Any, acts: bool = True) -> str:
    """Return what only shows as HTML. Texts are escaped; nothing is an empty string.

    Without `acts` what needs a script (buttons, forms, fields) is left out: for readers who may run nothing here.
    """
    if tree is None or tree is False:
        return ""
    if isinstance(tree, list | tuple):
        return "".join(markup(one, acts) for one in tree)
    if not isinstance(tree, Component):
        return escape(str(tree), quote=False)
    plain = tree._namespace == "dash_html_components" or isinstance(tree, dcc.Link)
    tag, given = _read(tree)
    if not acts and (not plain or tag in ACTING):
        return ""
    attributes = "".join(_attribute(name, value) for name, value in sorted(given.items()) if acts or not name.startswith("data-"))
    inside = markup(getattr(tree, "children", None), acts)
    return f"<{tag}{attributes}>" if tag in VOID else f"<{tag}{attributes}>{inside}</{tag}>"


def _shows(tree: Any) -> bool:
    if isinstance(tree, list | tuple):
        return all(map(_shows, tree))
    if not isinstance(tree, Component):
        return True
    plain = tree._namespace == "dash_html_components" or isinstance(tree, dcc.Link)
    return plain and getattr(tree, "id", None) is None and _shows(getattr(tree, "children", None))


def _read(tree: Component) -> tuple[str, dict[str, Any]]:
    given = {name: value for name, value in tree.to_plotly_json()["props"].items()
             if name not in ("children", "id") and value is not None and value is not False}
    if isinstance(tree, dcc.Link):
        return "a", {**given, "data-go": ""}
    return tree._type.lower(), given


def _attribute(name: str, value: Any) -> str:
    name = NAMES.get(name, name.lower())
    if value is True:
        # What aria says is a word; other flags are there or not.
        return f' {name}="true"' if name.startswith(("aria-", "data-")) else f" {name}"
    if isinstance(value, dict):
        value = ";".join(f"{re.sub('[A-Z]', lambda up: '-' + up[0].lower(), key)}:{part}" for key, part in value.items())
    return f' {name}="{escape(str(value))}"'
