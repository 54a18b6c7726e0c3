"""The cameras that are not well: first by area, then one by one, narrowed by the address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from dash import dcc, html

from dashboard import ids
from dashboard.address import GROUPS, View
from dashboard.context import Context
from dashboard.panels._cameras import looked, state
from dashboard.panels._panel import Panel
from dashboard.panels._parts import bar, chip, chips, go, heading, nothing, strip, table, words
from dashboard.words import Words
from queries import camera_health
from queries.camera_health import Area, Unwell
from queries.cameras import BUCKET_WORDS, CLASS_WORDS, POSTS, TOGETHER

#: Cameras and areas that are shown; the table to take away has all.
SHOWN, AREAS = 200, 12
BUCKETS = ("new_offline", "long_offline", "no_picture", "unknown", "online")


def render(context: Context, view: View) -> Any:
    """Draw the filters, the areas and the list."""
    w, ask = words(context, view), context.ask(view)
    answer = camera_health.unwell(context.store, ask, view.bucket, view.group, view.filters.text, SHOWN)
    areas = camera_health.by_area(context.store, ask).rows
    said = w("camera.shown", n=w.n(len(answer.rows)), all=w.n(answer.total)) if (answer.total or 0) > len(answer.rows) else w("camera.listed", n=w.n(answer.total))
    aside = [html.Span(said), " ", html.A(w("camera.csv"), href=_export(view), className="drill", download="")]
    return [
        heading(w.pick(PANEL.title), aside), _filters(w, view), _areas(w, view, list(areas)) if not view.bucket and not view.group and not view.filters.text else "",
        table(_head(w), [_row(context, w, view, one) for one in answer.rows], "camera-list") if answer.rows else nothing(w, "camera.all_well" if not view.bucket else "camera.none_such"),
        strip(w, answer)]


def _filters(w: Words, view: View) -> html.Div:
    buckets = [chip(view.but(bucket=""), w("camera.not_well"), not view.bucket), *[chip(view.but(bucket=one), w.pick(BUCKET_WORDS[one]), view.bucket == one) for one in BUCKETS]]
    groups = [chip(view.but(group=""), w("camera.every_class"), not view.group),
              *[chip(view.but(group=one), w.pick(CLASS_WORDS["" if one == "none" else one]), view.group == one) for one in GROUPS]]
    text = dcc.Input(id=ids.choice("text"), name=view.filters.text, value=view.filters.text, placeholder=w("camera.find"), debounce=True, autoComplete="off", type="search")
    return html.Div([chips(buckets), chips(groups), html.Label([html.Span(w("camera.find"), className="unseen"), text], className="find")], className="camera-filters")


def _areas(w: Words, view: View, rows: list[Area]) -> Any:
    bad = [one for one in rows if one.bad]
    if not bad or len(rows) < 2:
        return ""
    head = [(w("children.place"), ""), (w("camera.intact"), "num"), ("", ""), *[(w.pick(BUCKET_WORDS[name]), "num") for name in BUCKETS[:4]]]
    lines = [html.Tr([
        html.Td(go(view.but(place=one.code), w.pick(one.name), "drill") if one.code else w("camera.no_area")),
        html.Td([f"{one.intact:.1%}", html.Small(f" {w.n(one.buckets['online'])}/{w.n(one.total)}", className="quiet")], className="num"), html.Td(bar(one.intact)),
        *[html.Td(w.n(one.buckets[name]) if one.buckets[name] else "·", className="num" if one.buckets[name] else "num quiet") for name in BUCKETS[:4]]]) for one in bad[:AREAS]]
    rest = w("camera.areas_rest", n=len(bad) - AREAS) if len(bad) > AREAS else w("camera.areas_well", n=len(rows) - len(bad)) if len(rows) > len(bad) else ""
    return html.Div([table(head, lines, "camera-areas"), html.P(rest, className="quiet") if rest else ""], className="camera-by-area")


def _head(w: Words) -> list[tuple[str, str]]:
    return [(w("camera.views_camera"), ""), (w("camera.state"), ""), (w("camera.since"), "num"), (w("children.place"), ""), (w("camera.looked"), ""), ("", "")]


def _row(context: Context, w: Words, view: View, one: Unwell) -> html.Tr:
    together = view.cameras
    more: Any = ""
    if context.actor.post in POSTS and not w.at:
        chosen = one.code in together
        cams = ",".join(code for code in together if code != one.code) if chosen else ",".join((*together, one.code))
        more = chip(view.but(cams=cams), "－" if chosen else "＋", title=w("camera.round_less" if chosen else "camera.round_more")) if chosen or len(together) < TOGETHER else ""
    return html.Tr([
        html.Td([go(view.but(thing=f"camera:{one.code}"), one.name, "drill"), html.Div(f"{one.code} · {w.pick(CLASS_WORDS[one.group])}", className="quiet")]),
        html.Td(state(w, one.bucket)), html.Td(w.age(one.since_at) if one.since_at else w("unknown"), className="num", title=w.moment(one.since_at)),
        html.Td(w.pick(one.area_name) if one.area_code else w("camera.no_area")), html.Td("" if w.at else looked(w, one.looked_at, one.found), className="quiet"), html.Td(more)],
        className="chosen" if view.thing == f"camera:{one.code}" else None)


def _export(view: View) -> str:
    told = {"place": view.place or "", "bucket": view.bucket, "group": view.group, "text": view.filters.text, "at": view.at, "drill": view.drill}
    asked = urlencode({name: value for name, value in told.items() if value})
    return "/api/v1/cameras/unwell.csv" + (f"?{asked}" if asked else "")


PANEL = Panel(id="camera_unwell", title={"zh": "异常摄像机", "en": "Cameras that are not well"}, order=20, slots={"cameras": "main"}, render=render, then=True)
