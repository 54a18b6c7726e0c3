"""The posts among which a visitor of the demo city may choose; a real city has accounts instead."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from queries import places
from queries.answers import remembered
from queries.frame import EVERYTHING, NOTHING, Actor, Scope
from queries.people.roles import Words
from queries.store import get_meta
from queries.today import city_now


@dataclass(frozen=True, kw_only=True)
class DemoPost:
    """One post: its role and the words by which it is chosen."""

    id: str
    role: str
    title: Words
    #: Part of the name of the district whose first street the post answers for; empty = the whole city.
    district: str = ""
    department: str = ""
    #: Code of the one area that the post answers for.
    area: str = ""


POSTS: dict[str, DemoPost] = {post.id: post for post in (
    DemoPost(id="viewer", role="viewer", title={"zh": "市领导", "en": "City leader"}),
    DemoPost(id="dispatcher", role="dispatcher", title={"zh": "派遣员", "en": "Dispatcher"}),
    DemoPost(id="street", role="street", title={"zh": "临江区街道干部", "en": "Street officer, Linjiang"}, district="临江"),
    DemoPost(id="department", role="department", title={"zh": "城市管理局", "en": "Urban Management"}, department="urban"),
    DemoPost(id="admin", role="admin", title={"zh": "管理员", "en": "Administrator"}),
)}
USUAL = "viewer"


def offered(connection: Connection) -> bool:
    """Return whether the loaded city is a demo. Asked at each request, so it reads nothing else of the city."""
    return bool((get_meta(connection, "city") or {}).get("demo"))


def post_of(connection: Connection, post_id: str) -> DemoPost:
    """Return a demo post. Besides those to choose from, each area and department has one: `street.CODE`, `department.CODE`.

    An unknown one is the usual one.
    """
    role, _, code = post_id.partition(".")
    if role == "street" and code:
        return remembered(connection, ("demo post", post_id), lambda: _of_area(connection, post_id, code))
    if role == "department" and code:
        named = next((d for d in city_now(connection).departments if d.code == code), None)
        if named is not None:
            return DemoPost(id=post_id, role=role, title={"zh": named.name, "en": named.name_en}, department=code)
    return POSTS.get(post_id, POSTS[USUAL])


def _of_area(connection: Connection, post_id: str, code: str) -> DemoPost:
    found = places.at(connection, places.versions(connection, code), places.tree_on(connection, city_now(connection).last_day).tree_id)
    if not found:
        return POSTS[USUAL]
    name = found[0].name
    return DemoPost(id=post_id, role="street", title={"zh": name, "en": found[0].name_en or name}, area=code)


def actor(connection: Connection, post_id: str) -> Actor:
    """Return a demo post as the one who acts."""
    post = post_of(connection, post_id)
    scope = Scope(areas=frozenset({post.area})) if post.area else _street(connection, post.district) if post.district else EVERYTHING
    return Actor(name=f"demo:{post.id}", post=post.role, scope=scope, department=post.department, shown=post.title["zh"])


def _street(connection: Connection, district: str) -> Scope:
    return remembered(connection, ("demo street", district), lambda: _street_now(connection, district))


def _street_now(connection: Connection, district: str) -> Scope:
    districts = places.children(connection, places.root(connection, city_now(connection).last_day))
    if not districts:
        return NOTHING
    home = next((place for place in districts if district in place.name), districts[0])
    streets = places.children(connection, home) or [home]
    return Scope(areas=frozenset({streets[0].code}))
