"""Whether a called department came, in words, shape and, where it is late, colour."""

from __future__ import annotations

from typing import Any

from dashboard.panels._parts import badge, due_words
from dashboard.words import Words
from queries.loop.whistles import WhistleRow


def came(w: Words, row: WhistleRow) -> Any:
    """Return whether a department came: in time, late, or not yet."""
    if row.arrived_at is not None:
        late = w.length((row.arrived_at - row.due_at).total_seconds()) if row.late else ""
        return badge(w("whistle.came_late", length=late) if row.late else w("whistle.came"), "watch" if row.late else "good",
                     w.moment(row.arrived_at))
    if row.ended_at is not None:
        return badge(w("whistle.ended"), "off")
    text, kind = due_words(w, row.due_at)
    return badge(w("whistle.waited", due=text), kind or "", w.moment(row.due_at))
