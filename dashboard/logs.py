"""Log lines for people (text) or machines (JSON, one object a line), to standard error."""

from __future__ import annotations

import logging
import sys

import structlog

from queries.settings import Settings


def begin(settings: Settings) -> None:
    """Send all log lines, ours and the libraries', the same way."""
    shared = [structlog.contextvars.merge_contextvars, structlog.stdlib.add_log_level,
              structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.format_exc_info]
    last = (structlog.processors.JSONRenderer(ensure_ascii=False) if settings.log_format == "json"
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    logging.getLogger("alembic").setLevel("WARNING")
    # It would write whole addresses, also those of cameras, in which there can be a password.
    logging.getLogger("httpx2").setLevel("WARNING")
    # uvicorn's own set-up, if it ran in this process, keeps its lines to itself.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers[:], logger.propagate = [], True
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(), cache_logger_on_first_use=True,
    )
