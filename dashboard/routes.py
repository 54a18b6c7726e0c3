"""Routes beside the pages: health, and the API's description as a page that needs no outside server."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from dashboard.context import Context
from queries.clock import now, stamp


def add_routes(server: FastAPI, context: Context) -> None:
    """Add all routes. Nothing is asked here."""

    @server.get("/healthz", summary="Boot id and age of the case data")
    def healthz() -> dict[str, Any]:
        as_of = context.city().as_of
        age = None if as_of is None else stamp(now()) - as_of
        return {"boot": context.boot_id, "loaded": context.city().loaded, "cases_as_of": as_of, "cases_age_s": age}

    @server.get("/api", response_class=HTMLResponse, include_in_schema=False)
    def description() -> str:
        rows = [
            f"<tr><td><code>{method.upper()} {escape(path)}</code></td><td>{escape(what.get('summary', ''))}</td><td>"
            + escape(", ".join(p["name"] for p in what.get("parameters", []))) + "</td></tr>"
            for path, methods in server.openapi()["paths"].items() for method, what in methods.items()
        ]
        return ("<!doctype html><meta charset=utf-8><title>API</title><h1>API</h1>"
                f"<p><a href=/openapi.json>openapi.json</a></p><table>{''.join(rows)}</table>")
