"""The header's piece that says who one is, and leads out; in the demo city it switches the post."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.address import View
from dashboard.context import Context
from dashboard.panels._parts import words
from dashboard.words import Words
from queries.frame import Actor
from queries.people import actors, demo_posts
from queries.people.roles import ROLES

#: So many areas are named; more are counted.
NAMED = 2


def badge(context: Context, view: View) -> html.Details:
    """Return the badge. Everything in it works without a script."""
    w, visitor = words(context, view), context.visitor
    actor = visitor.actor
    title = w.pick(ROLES[actor.post].title) if actor.post in ROLES else ""
    chosen = demo_posts.POSTS.get(actor.name.removeprefix("demo:")) if visitor.by == "demo" else None
    name = w.pick(chosen.title) if chosen else actor.shown
    head = html.Summary([
        html.Strong(w("who.demo") if visitor.by == "demo" else title, className="who-post"),
        html.Span(name, className="who-name"), html.Span(_areas(context, w, actor), className="who-areas"),
    ], title=w("who.title"))
    parts: list[Any] = []
    if visitor.by == "demo":
        parts = [html.P(w("who.choose"), className="quiet"), *(_post(w, post, actor) for post in demo_posts.POSTS.values())]
        parts.append(html.A(w("who.sign_in"), href=f"/login?lang={view.lang}"))
    else:
        parts = [html.A(w("who.password"), href=f"/password?lang={view.lang}"),
                 html.Form(html.Button(w("who.sign_out"), type="submit", className="button"), action="/logout", method="post")]
    return html.Details([head, html.Div(parts, className="who-menu")], className="who")


def _post(w: Words, post: demo_posts.DemoPost, actor: Actor) -> html.Form:
    on = actor.name == f"demo:{post.id}"
    button = html.Button([w.pick(post.title), html.Small(w.pick(ROLES[post.role].what), className="quiet")], type="submit",
                         className="who-choice on" if on else "who-choice", **{"aria-current": "true" if on else "false"})
    return html.Form(button, action=f"/demo-post/{post.id}", method="post")


def _areas(context: Context, w: Words, actor: Actor) -> str:
    if actor.scope.areas is None:
        return w("who.everywhere")
    city = context.city()
    if not city.loaded:
        return ""
    with context.store.read() as connection:
        names = [w.name(place) for place in actors.areas_of(connection, actor, city.last_day)]
    more = w("who.more", n=len(names) - NAMED) if len(names) > NAMED else ""
    return w("list.comma").join(names[:NAMED]) + more if names else w("who.nowhere")
