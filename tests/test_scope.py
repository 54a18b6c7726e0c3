"""Scope never leaks, over any tree: what is visible is exactly the granted branches."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queries import places, scope
from queries.errors import ScopeError
from queries.frame import EVERYTHING, NOTHING, Scope
from queries.store import Store
from queries.tables import area, node, tree

TODAY = date(2024, 5, 1)


@st.composite
def random_tree(draw):
    """Parents of the nodes 1.. of a tree in pre-order: any number of levels, any number of children."""
    line, parents = [0], []
    for here in range(1, draw(st.integers(1, 25)) + 1):
        depth = draw(st.integers(0, len(line) - 1))
        parents.append(line[depth])
        line = [*line[:depth + 1], here]
    return parents


def write(store, parents):
    """Write one tree; area i has the code A<i> and the node i + 1."""
    ancestors = {0: [0]}
    for i, up in enumerate(parents, start=1):
        ancestors[i] = [*ancestors[up], i]
    last = {i: max(j for j in ancestors if i in ancestors[j]) for i in ancestors}
    with store.write() as connection:
        connection.execute(tree.insert().values(id=1, valid_from=places.EARLY, hash="t"))
        for i, above in ancestors.items():
            connection.execute(area.insert().values(
                id=i + 1, code=f"A{i}", level=len(above) - 1, name=f"桥{i}", name_en=f"A{i}",
                parent_code=f"A{above[-2]}" if i else None, valid_from=places.EARLY, hash=str(i)))
            connection.execute(node.insert().values(
                num=i + 1, tree_id=1, area_id=i + 1, level=len(above) - 1,
                parent=above[-2] + 1 if i else None, last=last[i] + 1, main=True, dense=1))
    return ancestors


def held(connection, parts):
    """The areas that lie in some places, by walking the intervals."""
    spans = places.ranges(connection, [part.area_id for part in parts])
    return [num - 1 for lo, hi in spans for num in range(lo, hi + 1)]


@settings(max_examples=40, deadline=None)
@given(parents=random_tree(), data=st.data())
def test_visible_is_exactly_what_lies_in_a_granted_branch(parents, data, tmp_path_factory):
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('scope') / 's.sqlite'}")
    store.upgrade()
    ancestors = write(store, parents)
    granted = data.draw(st.sets(st.sampled_from(sorted(ancestors)), max_size=5))
    seen_from = data.draw(st.sampled_from(sorted(ancestors)))
    asker = Scope(areas=frozenset(f"A{i}" for i in granted) | {"no such area"})

    with store.read() as connection:
        place = places.find(connection, f"A{seen_from}", TODAY)
        parts = scope.effective(connection, asker, place)
        shown = held(connection, parts)
        allowed = [i for i, above in ancestors.items() if granted & set(above) and seen_from in above]

        # Never more, never less, nothing twice; the parts are places at or under the one asked about.
        assert sorted(shown) == allowed
        assert all(place.num <= part.num <= part.last <= place.last for part in parts)
        # Asking again about each part gives the part itself.
        assert all(scope.effective(connection, asker, part) == [part] for part in parts)
        # No part lies in another, and no granted parent is left out for its children.
        assert all(not set(above[:-1]) & granted for i, above in ancestors.items()
                   if i in {part.num - 1 for part in parts} and part_of(i, parts) and i != seen_from)
        # The parts of the children add up to the part of the place, as far as it is not seen whole.
        children = places.children(connection, place)
        if parts != [place]:
            below = [part for child in children for part in scope.effective(connection, asker, child)]
            assert sorted(below, key=lambda p: p.num) == parts
        # Everything that sees by node agrees with everything that sees by place, and so does search.
        for i in ancestors:
            assert scope.sees(connection, asker, i + 1) == bool(granted & set(ancestors[i]))
        names = places.search(connection, asker, "桥", TODAY, limit=100)
        assert sorted(p.num - 1 for p in names) == [i for i, above in ancestors.items() if granted & set(above)]
        # Those who may see everything see the place itself; those who may see nothing, nothing.
        assert scope.effective(connection, EVERYTHING, place) == [place]
        assert scope.effective(connection, NOTHING, place) == []
        if not parts:
            with pytest.raises(ScopeError, match="outside what you may see"):
                scope.check(connection, asker, place)
        else:
            assert scope.check(connection, asker, place) == parts
    store.close()


def part_of(i, parts):
    return any(part.num - 1 == i for part in parts)


@settings(max_examples=15, deadline=None)
@given(parents=random_tree(), data=st.data())
def test_narrower_scope_never_shows_more(parents, data, tmp_path_factory):
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('scope') / 's.sqlite'}")
    store.upgrade()
    ancestors = write(store, parents)
    wide = data.draw(st.sets(st.sampled_from(sorted(ancestors)), max_size=6))
    narrow = data.draw(st.sets(st.sampled_from(sorted(wide)), max_size=6)) if wide else set()

    with store.read() as connection:
        root = places.root(connection, TODAY)

        def shown(some):
            asker = Scope(areas=frozenset(f"A{i}" for i in some))
            return set(held(connection, scope.effective(connection, asker, root)))

        assert shown(narrow) <= shown(wide)
    store.close()
