"""What is on the list now: whose duty it is, whether it may reach a grid, by what right, until when."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard import ids
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels import _items
from dashboard.panels._panel import Panel
from dashboard.panels._parts import (
    badge,
    chip,
    chips,
    go,
    heading,
    nothing,
    strip,
    table,
    words,
)
from dashboard.words import Words
from queries.loop import task_list
from queries.loop.task_list import Item

#: The address's `measure` that narrows the list; anything else shows all of it.
ONLY = {"grid": lambda item: item.to == "grid", "temporary": lambda item: item.temporary}


def render(context: Context, view: View) -> Any:
    """Draw the table with what narrows it."""
    w = words(context, view)
    answer = task_list.items(context.store, ask=context.ask(view))
    rows = [item for item in answer.rows if _wanted(view, item)]
    head = [(w("list.item"), ""), (w("case.department"), ""), (w("list.to"), ""), (w("case.category"), ""), (w("list.basis"), ""), (w("list.ends"), "num")]
    shown: Any = table(head, [_row(context, w, view, item) for item in rows], "items") if rows else nothing(w, "list.none")
    return [heading(w.pick(PANEL.title), w("list.shown", n=len(rows), all=len(answer.rows))), _filters(context, w, view, answer.rows), shown, strip(w, answer)]


def _wanted(view: View, item: Item) -> bool:
    f, text = view.filters, view.filters.text.lower()
    said = f"{item.code} {item.title['zh']} {item.title['en']} {item.content}".lower()
    return (not f.departments or item.department in f.departments) and (not f.categories or item.category in f.categories) \
        and (not text or text in said) and ONLY.get(view.measure, lambda _: True)(item)


def _filters(context: Context, w: Words, view: View, rows: Any) -> html.Div:
    only = view.measure if view.measure in ONLY else ""
    kinds = [chip(view.but(measure=id_ or "overdue"), w(f"list.only_{id_ or 'all'}"), id_ == only) for id_ in ("", *ONLY)]
    named = {item.department: item.department_name for item in rows}
    chosen = view.filters.departments
    whose = [chip(view.narrowed(departments=() if chosen == (code,) else (code,)), w.pick(name), code in chosen) for code, name in named.items()]
    whose += [chip(view.narrowed(departments=tuple(c for c in chosen if c != code)), f"{code} ✕", True) for code in chosen if code not in named]
    for code in view.filters.categories:
        title = next((w.name(one) for one in context.city().categories if one.code == code), code)
        whose.append(chip(view.narrowed(categories=()), f"{title} ✕", True))
    # Without a script a field would do nothing.
    field = [] if context.visitor.by == "nobody" else [
        dcc.Input(id=ids.choice("text"), type="search", value=view.filters.text, name=view.filters.text, debounce=True, placeholder=w("list.text"))]
    return html.Div([html.Div([chips(kinds), *field], className="line"), chips(whose)], className="filters")


def _row(context: Context, w: Words, view: View, item: Item) -> html.Tr:
    until = badge(w("list.until", at=_items.day(w, item)), _items.soon(w, item)) if item.ends_at else w("list.standing")
    return html.Tr([
        html.Td([html.B(w.pick(item.title)), html.Div([html.Span(item.code), html.Span(item.content if w.lang == "zh" or not item.content else "")], className="facts"),
                 html.Div(id=ids.form(_items.SPOT, item.code)) if not w.at and task_list.may(context.actor, item) else ""]),
        html.Td(go(view.narrowed(departments=(item.department,)), w.pick(item.department_name), "drill")),
        html.Td(badge(w.pick(_items.TO[item.to]), "" if item.to == "grid" else "off")),
        html.Td(w.pick(item.category_name) if item.category_name else "—"), html.Td(item.basis, className="basis"), html.Td(html.Div([until, _items.buttons(context, w, item)], className="ends"), className="num")])


PANEL = Panel(id="list_items", title={"zh": "现行事项", "en": "In force now"}, order=20, slots={"list": "main"}, render=render, then=True)
