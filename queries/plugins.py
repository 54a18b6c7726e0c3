"""The folder is the list: find every plug-in file of a package and check that it keeps its contract."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import TypeVar

from queries.errors import PluginError

T = TypeVar("T")


def discover(package: ModuleType, name: str, kind: type[T]) -> dict[str, T]:
    """Return {id: value} of each public module in `package`, sorted by (order, id).

    A module whose name begins with an underscore is private. Every other one must bind `name` to a
    `kind` whose `id` is the file's name and whose `title` has zh and en words.
    """
    found: dict[str, T] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_"):
            continue
        where = f"{package.__name__.replace('.', '/')}/{info.name}.py"
        value = getattr(importlib.import_module(f"{package.__name__}.{info.name}"), name, None)
        if not isinstance(value, kind):
            raise PluginError(f"{where} must bind {name} to a {kind.__name__}; it binds {value!r}.")
        if getattr(value, "id", None) != info.name:
            raise PluginError(f"{where}: {name}.id must be the file's name, {info.name!r}.")
        title = getattr(value, "title", {})
        if not (title.get("zh") and title.get("en")):
            raise PluginError(f"{where}: {name}.title needs words in zh and en.")
        found[info.name] = value
    return dict(sorted(found.items(), key=lambda item: (getattr(item[1], "order", 100), item[0])))
