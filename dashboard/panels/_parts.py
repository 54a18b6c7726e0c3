"""What pages are built of. assets/10-tokens.css and 11-parts.css give these parts their looks.

A panel's `render` returns `[heading(...), content, strip(w, answer)]`. Use a part from here before
making markup of your own, and name a colour only in the tokens.

    heading(title, aside)         the panel's title with a quiet remark at its right
    table(head, rows)             head: (word, css class) pairs; rows: html.Tr; scrolls, head stays
    tile(...)                     title, value, made of, change, definition; a link when `to` is given
    chip(view, text, on)          a small link that changes the address; chips([...]) is a row of them
    badge(word, kind)             sign + word in a box; kind: "", off, good, watch, act
    status(w, code)               a case status by shape, colour and word
    button(text, id_, strong)     does something; strong = the one thing that a form is for
    act_button(text, what)        asks for an act on a case, an item, a line of the log
    field(label, control, hint)   a form field: label above, hint below; wrong=True for a mistake
    bar(share)                    a bar of a share of its track
    scroll(children)              scrolls inside, its edge glows while there is more
    nothing(w), failed(text)      an answer without rows; a part that failed
    strip(w, answer)              as-of, sources, dropped: every panel that shows an answer has it
    due_words(w, due_at)          a deadline in words: time left, or time over
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from dash import dcc, html

from dashboard.address import View, write
from dashboard.context import Context
from dashboard.words import Words
from queries.case_rows import STATUS_WORDS
from queries.frame import Dropped
from queries.near import Near, compass

Kind = Literal["", "off", "good", "watch", "act"]


class Stamped(Protocol):
    """Anything with an answer's honesty."""

    rows: tuple[Any, ...]
    as_of: datetime | None
    source: tuple[str, ...]
    due: datetime | None
    dropped: tuple[Dropped, ...]
    notes: tuple[dict[str, str], ...]


def words(context: Context, view: View) -> Words:
    """Return the words of a view's language in the city's zone."""
    return Words(view.lang, context.city().zone, context.cursor(view), bool(view.drill))


def go(view: View, children: Any, name: str = "", title: str = "") -> dcc.Link:
    """Return a link that opens a view; all navigation is such links, so every click is an address."""
    return dcc.Link(children, href=write(view), className=name, title=title or None)


def chip(view: View, text: Any, on: bool = False, title: str = "") -> dcc.Link:
    """Return a small link; `on` = what it opens is what is shown now (also said to screen readers)."""
    said = [text, html.Span(" ✓", className="unseen")] if on else text
    return go(view, said, "chip on" if on else "chip", title)


def heading(text: str, aside: Any = "", large: bool = False) -> html.Div:
    """Return a panel's heading with a quiet remark at its right."""
    return html.Div([html.H2(text), html.Div(aside, className="aside")],
                    className="panel-head large" if large else "panel-head")


def chips(links: Sequence[Any], name: str = "") -> html.Div:
    """Return a row of small links."""
    return html.Div(list(links), className=f"chips {name}".strip())


def badge(word: str, kind: Kind = "", title: str = "") -> html.Span:
    """Return a word in a box with the sign of its kind: plain, off, good, watch or act."""
    return html.Span(word, className=f"badge {kind}".strip(), title=title or None)


def shape(code: str) -> html.Span:
    """Return the shape of a case status as the map draws it; always put its word beside it."""
    return html.Span(className=f"shape status-{code}", **{"aria-hidden": "true"})


def status(w: Words, code: str) -> html.Span:
    """Return a case status by shape, colour and word."""
    return html.Span([shape(code), w.pick(STATUS_WORDS[code])], className="status")


def button(text: str, known_as: Any, strong: bool = False, **more: Any) -> html.Button:
    """Return a button; its id comes from dashboard.ids."""
    return html.Button(text, id=known_as, className="button strong" if strong else "button", type="button", **more)


def act_button(text: str, what: Mapping[str, Any], strong: bool = False, title: str = "") -> html.Button:
    """Return a button that asks for an act (dashboard/acting.py); `what` names it."""
    return html.Button(text, className="button strong" if strong else "button", type="button", title=title or None,
                       **{"data-act": json.dumps(what, ensure_ascii=False)})


def field(label: str, control: Any, hint: str = "", wrong: bool = False) -> html.Label:
    """Return a form field. `hint` says what is wanted, or with wrong=True what is wrong and what to do."""
    parts = [html.Span(label, className="label"), control]
    if hint:
        parts.append(html.Span(f"⚠ {hint}" if wrong else hint, className="hint", role="alert" if wrong else None))
    return html.Label(parts, className="field wrong" if wrong else "field")


def table(head: Sequence[tuple[str, str]], rows: Sequence[Any], name: str = "") -> html.Div:
    """Return a table that scrolls inside its panel. `head` is (word, css class) for each column."""
    top = html.Tr([html.Th(word, className=css or None, scope="col") for word, css in head])
    return scroll(html.Table(groups([top], rows), className=f"sticky {name}".strip()))


def groups(head: Sequence[Any], rows: Sequence[Any], foot: Sequence[Any] = ()) -> list[Any]:
    """Return the rows of a table in groups: its head, its body, its foot.

    All of them are `tbody`: for each `thead` and `tfoot` Chromium (156) keeps 144 bytes whenever it makes styles anew, for as long
    as its process lives. A wall does so all day, for months.
    """
    return [html.Tbody(list(part), className=name) for part, name in ((head, "head"), (rows, "rows"), (foot, "foot")) if part or name == "rows"]


def scroll(children: Any, name: str = "") -> html.Div:
    """Return a box that scrolls inside its panel and glows at the edge behind which there is more."""
    return html.Div(children, className=f"scroll {name}".strip())


def tile(
    title: str, value: Any, made: str = "", change: Any = "", definition: str = "", to: View | None = None,
    on: bool = False, name: str = "",
) -> Any:
    """Return a figure: title, value, what it is made of, change; what it means shows on hover and focus."""
    parts = [
        html.Span(title, className="tile-title"), value, html.Span(made, className="tile-made"), change,
        html.Span(definition, className="definition", role="tooltip") if definition else "",
    ]
    css = f"tile {name}{' on' if on else ''}".strip()
    return html.Div(parts, className=css) if to is None else go(to, parts, css)


def strip(w: Words, answer: Stamped) -> html.Footer:
    """Return as-of, source and dropped of an answer in one line that opens on hover and focus."""
    then = [html.B(w.when, className="then")] if w.at else []
    if answer.as_of is None:
        return html.Footer([*then, w("strip.never")], className="strip")
    parts: list[Any] = [
        *then,
        html.Span(w("strip.as_of", at=w.moment(answer.as_of))),
        html.Span(w("strip.source", names=w("list.comma").join(answer.source) or w("strip.unknown"))),
    ]
    for dropped in answer.dropped:
        if dropped.n:
            parts.append(html.Span(f"△ {w('strip.dropped', n=w.n(dropped.n), why=w.pick(dropped.why))}"))
    parts += [html.Span(w.pick(note), className="note") for note in answer.notes]
    return html.Footer(parts, className="strip", tabIndex="0")


def nothing(w: Words, key: str = "empty") -> html.P:
    """Return words for an answer without rows."""
    return html.P(f"○ {w(key)}", className="empty")


def failed(text: str) -> html.P:
    """Return words for a part that failed; the rest of the page lives on."""
    return html.P(["⚠ ", html.Span(text)], className="failed", role="alert")


def bar(share: float | None, name: str = "") -> html.Span:
    """Return a bar of a share of its track; an unknown share has no bar at all."""
    width = 0.0 if share is None else max(0.0, min(1.0, share)) * 100
    return html.Span(
        html.Span(className=f"bar-fill {name}".strip(), style={"width": f"{width:.1f}%"}),
        className="bar", **{"aria-hidden": "true"},
    )


def due_words(w: Words, due_at: datetime | None, is_open: bool = True) -> tuple[str, Kind]:
    """Return a deadline in words and how pressing it is: time left, or time over."""
    if due_at is None:
        return w("due.unknown"), "off"
    if not is_open:
        return w.short(due_at), ""
    left = (due_at - w.present).total_seconds()
    if left < 0:
        return w("due.over", length=w.length(-left)), "act"
    return w("due.left", length=w.length(left)), "watch" if left < SOON else ""


def away(w: Words, one: Near) -> html.Span:
    """Return how far something is and in which direction, in words and by an arrow."""
    metres = w("near.metres", n=w.n(one.metres))
    if one.bearing is None:
        return html.Span(metres, className="quiet away")
    word, arrow = compass(one.bearing)
    return html.Span([html.Span(arrow, **{"aria-hidden": "true"}), f" {w('near.away', wind=w.pick(word), metres=metres)}"], className="quiet away", title=f"{one.bearing}°")


#: Statuses off the straight way: named only where there are such cases, or when they are chosen.
ASIDE = ("verified", "suspended", "hung")
#: An open case with less than this many seconds left is said to be soon due.
SOON = 4 * 3600
