"""Routes beside the pages: health, and the API's description as a page that needs no outside server."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from dashboard.context import Context
from queries import sources_state
from queries.clock import now


def add_routes(server: FastAPI, context: Context) -> None:
    """Add all routes. Nothing is asked here."""

    @server.get("/healthz", summary="Boot id and age of every source", tags=["health"])
    def healthz() -> dict[str, Any]:
        told = sources_state.sources(context.store).rows
        if context.visitor.by == "nobody":  # a watch-dog learns that something is wrong, not what there is
            return {"boot": context.boot_id, "loaded": context.city().loaded, "at": now().isoformat(),
                    "sources": [{"state": r.state} for r in told]}
        return {"boot": context.boot_id, "loaded": context.city().loaded, "at": now().isoformat(), "sources": [
            {"id": r.id, "kind": r.kind, "state": r.state, "as_of": None if r.as_of is None else r.as_of.isoformat(),
             "age_s": r.age_s, "every_s": r.every_s, "since": None if r.since is None else r.since.isoformat(), "message": r.message,
             "refused": r.refused, "counts": r.counts} for r in told]}

    @server.get("/api", response_class=HTMLResponse, include_in_schema=False)
    def description() -> str:
        rows = [
            f"<tr><td><code>{method.upper()} {escape(path)}</code></td><td>{escape(what.get('summary', ''))}</td><td>"
            + escape(", ".join(p["name"] for p in what.get("parameters", []))) + "</td></tr>"
            for path, methods in server.openapi()["paths"].items() for method, what in methods.items()
        ]
        return ("<!doctype html><meta charset=utf-8><title>API</title><h1>API</h1>"
                f"<p><a href=/openapi.json>openapi.json</a></p><table>{''.join(rows)}</table>")
