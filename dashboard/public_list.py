"""The task list for everybody: where the city allows it, /list is read without signing in, and nothing else is.

A page without any script, made of the same panels as the one for those who have signed in. Whoever reads it sees
nothing (scope) and is nobody, so no panel can show a case, an account or an application.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from dashboard import address, panels, scenes
from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._parts import chip
from dashboard.still import markup
from dashboard.words import Words
from queries.errors import GovError

ASSETS = Path(__file__).resolve().parent.parent / "assets"
PATH = "/list"
SCENE = "list"
#: Nothing on it runs, and nothing comes from elsewhere.
STRICT = {"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'"}
NAMES = {"zh": "中文", "en": "English"}


def asked(context: Context, scope: Scope) -> bool:
    """Return whether a request is for the public list of a city that allows it."""
    return context.settings.public_list and scope["path"].rstrip("/") == PATH and scope["method"] in ("GET", "HEAD")


def page(context: Context, search: str) -> Response:
    """Return the page. Whatever else the address names (place, case) is not looked at."""
    read, _ = address.read(PATH, search, context.language())
    # Only what narrows the list itself is taken from the address.
    view = View(scene=SCENE, lang=read.lang, measure=read.measure, filters=read.filters, period=read.period, since=read.since, until=read.until)
    w, city = Words(view.lang, context.city().zone), context.city()
    links = "".join(f'<link rel="stylesheet" href="/assets/{escape(file.name)}">' for file in sorted(ASSETS.glob("*.css")))
    langs = "".join(markup(one, acts=False) for one in _langs(view))
    onward = f"/login?next={quote(address.write(view), safe='')}&lang={view.lang}"
    return HTMLResponse(
        f'<!doctype html><html lang="{view.lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(w.pick(scenes.found()[SCENE].title))} · {escape(w.name(city))}</title>{links}</head><body><div class="page">'
        f'<header class="public-head"><h1>{escape(w.name(city) if city.loaded else w("no_city"))}</h1><p class="quiet">{escape(w("list.public"))}</p>'
        f'<nav class="chips">{langs}</nav><a class="button" href="{escape(onward)}">{escape(w("list.sign_in"))}</a></header>'
        f'<main><div><div class="scene scene-{SCENE}">{_slots(context, view)}</div></div></main></div></body></html>', headers=STRICT)


def _langs(view: View) -> list[Any]:
    return [chip(view.but(lang=lang), NAMES[lang], lang == view.lang) for lang in address.LANGUAGES]


def _slots(context: Context, view: View) -> str:
    out = ""
    for slot in scenes.found()[SCENE].slots:
        boxes = "".join(_panel(context, view, p) for p in panels.found().values() if p.slots.get(SCENE) == slot)
        out += f'<div class="slot slot-{slot}">{boxes}</div>'
    return out


def _panel(context: Context, view: View, panel: panels.Panel) -> str:
    try:
        inside = markup(panel.render(context, view), acts=False)
    except GovError as bad:
        inside = f'<p class="failed">⚠ {escape(bad.say(view.lang))}</p>'
    name = escape(Words(view.lang).pick(panel.title))
    return f'<section class="panel panel-{panel.id}" aria-label="{name}">{inside}</section>' if inside else ""
