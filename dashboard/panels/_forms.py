"""The small form that opens below a case when a step needs words: which department, why, until when."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard import ids
from dashboard.context import Context
from dashboard.panels._parts import act_button, button, field
from dashboard.words import Words
from queries.loop import desk, offers, whistles
from queries.loop.offers import Choice
from queries.loop.steps import Step
from queries.loop.whistles import WhistleRow

#: Steps that ask for words even where the rules need none: they cannot be taken back, or say more than themselves.
ALSO = ("called_back", "whistle_rated", "whistle_ended", "escalated")
ANSWERS = ("valid", "contacted", "solved", "satisfied", "basic")


def needed(step: Step, post: str) -> bool:
    """Return whether a step opens a form before it is taken."""
    return bool(step.needs) or step.id in ALSO or step.id == "arrived" and post != "department"


def form(context: Context, w: Words, spot: str, no: str, step: Step, seq: int) -> html.Div:
    """Return a step's form. Raises AskError, ScopeError."""
    standing = desk.standing(context.store, context.actor, no).row
    fields = _fields(context, w, spot, no, step, standing)
    return html.Div([
        html.H4(w("act.form", step=w.pick(step.title), no=no)), *fields,
        html.P("", id=ids.wrong(spot, no), className="failed", role="alert"),
        html.Div([button(w.pick(step.title), ids.send(spot, no, step.id, seq), strong=True), act_button(w("act.cancel"), {"do": "drop", "spot": spot, "no": no})],
                 className="acts"),
    ], className="act-form", role="group", **{"aria-label": w("act.form", step=w.pick(step.title), no=no)})


def _fields(context: Context, w: Words, spot: str, no: str, step: Step, standing: desk.Standing) -> list[Any]:
    def at(what: str) -> dict[str, Any]:
        return ids.fill(spot, no, what)

    if step.id == "whistled":
        return [field(w("act.whistle_why"), dcc.RadioItems(_reasons(w), id=at("reason"), className="radios")),
                field(w("act.whistle_whom"), dcc.Checklist(_choices(w, offers.every_department(context.store).rows), [], id=at("departments"),
                                                           className="radios columns")),
                field(w("act.note"), dcc.Input(id=at("note"), autoComplete="off"))]
    if step.id in ("arrived", "whistle_rated"):
        came = step.id == "whistle_rated"
        out = [field(w("act.who_came"), dcc.RadioItems(_called(w, standing.whistles, came), id=at("department"), className="radios"))] \
            if context.actor.post != "department" else []
        stars = [{"label": str(n), "value": n} for n in range(1, 6)]
        return [*out, *([field(w("act.stars"), dcc.RadioItems(stars, id=at("stars"), className="radios row"))] if came else [])]
    if step.id == "called_back":
        return [field(w("act.answers"), dcc.Checklist([{"label": w(f"answer.{a}"), "value": a} for a in ANSWERS], ["valid", "contacted"],
                                                      id=at("answers"), className="radios"))]
    if step.id == "whistle_ended":
        return [html.P(w("act.end_whistle"))]
    if step.id == "merged":
        return [field(w("act.into"), dcc.Input(id=at("into"), autoComplete="off"), w("act.into_hint"))]
    out = []
    if "department" in step.needs:
        listed = offers.departments(context.store, standing.row.case.category)
        out.append(field(w("act.whom", category=w.pick(standing.row.case.category_name)),
                         dcc.RadioItems(_choices(w, listed.rows), id=at("department"), className="radios columns")))
    if "until" in step.needs:
        out.append(field(w("act.until"), dcc.Input(id=at("until"), type="date"), w("act.until_hint")))
    if "reason" in step.needs:
        out.append(field(w("act.reason"), dcc.Input(id=at("reason"), autoComplete="off", maxLength=500)))
    return out


def _reasons(w: Words) -> list[dict[str, str]]:
    return [{"label": w.pick(words), "value": key} for key, words in whistles.REASONS.items()]


def _choices(w: Words, rows: tuple[Choice, ...]) -> list[dict[str, Any]]:
    """Return departments as options; one that the task list does not allow is greyed and says why."""
    return [{"label": w.pick(c.name) + (f"（{c.item}）" if c.item else "") + (f" — {w.pick(c.why_not)}" if c.why_not else ""),
             "value": c.code, "disabled": c.why_not is not None} for c in rows]


def _called(w: Words, rows: tuple[WhistleRow, ...], came: bool) -> list[dict[str, str]]:
    known = {r.department: w.pick(r.department_name) for r in rows if (r.arrived_at is not None) == came}
    return [{"label": name, "value": code} for code, name in known.items()]
