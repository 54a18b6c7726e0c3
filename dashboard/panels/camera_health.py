"""How many cameras see: each class against its target, and those that do not in buckets. A tile narrows the list below."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._panel import Panel
from dashboard.panels._parts import badge, heading, nothing, strip, tile, words
from dashboard.words import Words
from queries import cameras, prober
from queries.cameras import BUCKET_WORDS, CameraHealth
from queries.stills import FOUND_WORDS

#: Buckets that have a tile each: what is not well, and what nobody knows.
SHOWN = ("new_offline", "long_offline", "no_picture", "unknown")


def render(context: Context, view: View) -> Any:
    """Draw the tiles."""
    w = words(context, view)
    answer = cameras.health(context.store, context.ask(view))
    if not answer.rows:
        return [heading(w.pick(PANEL.title)), nothing(w, "camera.none"), strip(w, answer)]
    total = sum(row.total for row in answer.rows)
    summed = {name: sum(row.buckets[name] for row in answer.rows) for name in cameras.BUCKETS}
    tiles = [_class(w, view, row) for row in answer.rows]
    online = summed["online"]
    tiles.append(tile(w("camera.online"), _value(f"{online / total:.1%}"), f"{w.n(online)} / {w.n(total)}", definition=w("camera.online_why"), to=view.but(bucket="online", group=""), on=view.bucket == "online"))
    for name in SHOWN:
        tiles.append(tile(_title(w.pick(BUCKET_WORDS[name])), _value(w.n(summed[name])), w("camera.of_all", n=w.n(total), share=f"{summed[name] / total:.1%}"),
                          definition=w(f"camera.{name}_why"), to=view.but(bucket="" if view.bucket == name else name), on=view.bucket == name))
    return [html.Div(tiles, className="tiles camera-tiles"), "" if w.at else html.P(_probed(context, w), className="quiet probed"), strip(w, answer)]


def _probed(context: Context, w: Words) -> str:
    """Return how the last look of our own went, or that there is none."""
    told = prober.last(context.store)
    if told is None:
        return w("camera.no_probe")
    bad = w("list.comma").join(f"{w.pick(FOUND_WORDS[found])} {w.n(n)}" for found, n in told.found.items() if found in FOUND_WORDS)
    return w("camera.probed", at=w.moment(told.at), asked=w.n(told.asked), can=w.n(told.can), bad=bad or w("camera.probed_well"))


def _class(w: Words, view: View, row: CameraHealth) -> Any:
    group = row.group or "none"
    target: Any = html.Span(w("camera.no_target"), className="quiet")
    if row.target is not None:
        target = badge(w("camera.below", target=f"{row.target:.0%}"), "act") if row.meets is False else badge(w("camera.meets", target=f"{row.target:.0%}"), "good")
    value = _value(w("unknown") if row.intact is None else f"{row.intact:.1%}", row.meets is False)
    return tile(w.pick(row.words), value, f"{w.n(row.buckets['online'])} / {w.n(row.total)}", target, w("camera.class_why"), view.but(group="" if view.group == group else group), view.group == group)


def _title(text: str) -> str:
    return text[:1].upper() + text[1:]


def _value(text: str, bad: bool = False) -> html.Span:
    return html.Span(("▲ " if bad else "") + text, className="tile-value act" if bad else "tile-value")


PANEL = Panel(id="camera_health", title={"zh": "摄像机完好情况", "en": "Health of cameras"}, order=10, slots={"cameras": "top"}, render=render, then=True)
