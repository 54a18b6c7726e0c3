"""Reads a catalogue from TOML, from a table of indicators, or from plain values. Refuses what cannot be meant."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from queries.errors import CatalogueError
from queries.scoring import normalise
from queries.scoring.catalogue import FORMAT, SECTIONS, Catalogue, Item
from queries.scoring.catalogue_check import check
from queries.scoring.catalogue_words import CHOICES, METHOD_NAMES, NAMES, WORDS, bad_row, not_known
from queries.scoring.table import read_rows


def read(path: Path, sets: tuple[str, ...] = ()) -> Catalogue:
    """Return the catalogue of a TOML file or of a table of indicators; `sets` (KEY=VALUE) stand above it. Raises CatalogueError."""
    raw: dict[str, Any]
    if path.suffix.lower() == ".toml":
        try:
            raw = tomllib.loads(path.read_text("utf-8-sig"))
        except (OSError, UnicodeError, tomllib.TOMLDecodeError) as bad:
            raise CatalogueError(f"{path.name} cannot be read: {bad}", zh=f"{path.name} 无法读取：{bad}") from None
        if "table" in raw:
            raw["indicators"] = _from_table(path.parent / str(raw.pop("table"))) + list(raw.get("indicators", []))
    else:
        raw = {"indicators": _from_table(path)}
    for one in sets:
        key, sign, value = one.partition("=")
        if not sign:
            raise CatalogueError(f"--set {one}: write KEY=VALUE, such as normalise.method=minmax", zh=f"--set {one}：请写成 键=值，如 normalise.method=minmax")
        put(raw, key.strip(), _literal(value.strip()))
    return make(raw, path.parent)


def put(raw: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key: of a section (normalise.method), of the whole (units) or of a row (indicators.ID.weight)."""
    first, *rest = key.split(".")
    if first == "indicators" and len(rest) == 2:
        for row in raw.get("indicators", []):
            if row.get("id") == rest[0]:
                row[rest[1]] = value
                return
        raise CatalogueError(f"{key}: no row has the id {rest[0]!r}", zh=f"{key}：没有编号为 {rest[0]!r} 的行")
    if rest:
        raw.setdefault(first, {})[".".join(rest)] = value
    else:
        raw[first] = value


def make(raw: dict[str, Any], folder: Path = Path(".")) -> Catalogue:
    """Return a checked catalogue from plain values. Raises CatalogueError."""
    raw = dict(raw)
    if not isinstance(raw.get("format", FORMAT), int) or raw.get("format", FORMAT) > FORMAT:
        raise CatalogueError(f"The catalogue is of format {raw['format']}; this program reads up to {FORMAT}. Use a newer program.",
                             zh=f"目录格式为 {raw['format']}，本程序只读到 {FORMAT}，请升级程序")
    rows = raw.pop("indicators", [])
    given: dict[str, Any] = {"folder": folder}
    for key, value in raw.items():
        if key in SECTIONS:
            given[key] = section_of(key, value)
        elif key in {"format", "id", "version", "name", "name_en", "period"}:
            given[key] = value if key == "format" else str(value)
        elif key in {"units", "reference"}:
            given[key] = tuple(str(one) for one in value) if isinstance(value, list | tuple) else (str(value),)
        else:
            raise not_known(key, [*SECTIONS, "format", "id", "version", "name", "name_en", "period", "units", "reference", "indicators", "table"], "catalogue")
    items = tuple(item for i, row in enumerate(rows, 1) if (item := _item(row, i)) is not None)
    made = Catalogue(**given, items=items)
    return check(made)


def _item(row: dict[str, Any], i: int) -> Item | None:
    held: dict[str, Any] = {}
    kinds = {f.name: f.type for f in fields(Item)}
    for key, value in row.items():
        name = NAMES.get(str(key).strip().lower(), str(key).strip().lower())
        if name == "level" or value is None or (isinstance(value, str) and value.strip() in ("", "NA")):
            continue
        if name not in kinds:
            raise not_known(str(key), [*kinds, *NAMES], f"row {i}", f"第 {i} 行")
        if name in WORDS:
            word = str(value).strip().lower()
            if word not in WORDS[name]:
                raise bad_row(i, str(row.get("id", "")), f"{key} = {value!r} is not one of {', '.join(w for w in WORDS[name] if w)}", f"{key} = {value!r} 不在可选值内")
            value = WORDS[name][word]
            if value == "":
                return None  # a row that only describes a column of groups or denominators
        elif kinds[name] == "float":
            try:
                value = float(value)
            except (TypeError, ValueError):
                raise bad_row(i, str(row.get("id", "")), f"{key} = {value!r} is not a number", f"{key} = {value!r} 不是数") from None
        else:
            value = METHOD_NAMES.get(str(value).strip().lower(), str(value).strip()) if name in ("aggregate", "normalise", "shrink", "transform") else str(value).strip()
            if name in CHOICES and value not in CHOICES[name]:
                raise not_known(value, list(CHOICES[name]), f"row {i}, {name}", f"第 {i} 行 {name}")
            if name == "normalise" and value not in normalise.METHODS:
                raise not_known(value, list(normalise.METHODS), f"row {i}, {name}", f"第 {i} 行 {name}")
        held[name] = value
    if not held.get("id"):
        raise bad_row(i, "", "has no id", "没有编号")
    return Item(**held)


def section_of(name: str, value: Any) -> Any:
    """Return one section from plain values. Raises CatalogueError."""
    kind = SECTIONS[name]
    if not isinstance(value, dict):
        raise CatalogueError(f"[{name}] is a section, such as {name}.{fields(kind)[0].name} = ...", zh=f"[{name}] 是一节，请写其中的键")
    held: dict[str, Any] = {}
    known = {f.name: f for f in fields(kind)}
    for key, one in value.items():
        if name == "aggregate" and key == "method":
            key, one = "levels", [one]
        if key not in known:
            raise not_known(key, list(known), f"[{name}]")
        default = getattr(kind(), key)
        if isinstance(default, tuple):
            one = tuple(METHOD_NAMES.get(str(x).lower(), str(x)) for x in (one if isinstance(one, list | tuple) else [one]))
        elif isinstance(default, bool | dict):
            if not isinstance(one, type(default)):
                raise CatalogueError(f"[{name}] {key} = {one!r}: write true or false.", zh=f"[{name}] {key} = {one!r}：应为 true 或 false")
        elif isinstance(default, int | float) or default is None:
            if key == "most" and one in ("none", ""):
                one = None
            elif isinstance(one, bool) or not isinstance(one, int | float) or one != one:
                raise CatalogueError(f"[{name}] {key} = {one!r} is not a number.", zh=f"[{name}] {key} = {one!r} 不是数")
        else:
            one = METHOD_NAMES.get(str(one).lower(), str(one))
            choices = CHOICES.get(f"{name}.{key}")
            if choices and one not in choices:
                raise not_known(one, list(choices), f"[{name}] {key}")
        held[key] = one
    return kind(**held)


def _from_table(path: Path) -> list[dict[str, Any]]:
    names, rows = read_rows(path)
    return [{NAMES.get(n.strip().lower(), n.strip().lower()): v for n, v in zip(names, row, strict=True)} for row in rows]


def _literal(text: str) -> Any:
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text
