"""Structured logs: one JSON object a line on standard error.  No level logs content, addresses, subjects or exception texts."""

from __future__ import annotations

import logging
import sys

import structlog


def setup(level: str) -> None:
    """Configure structlog and keep other libraries' loggers to warnings: aiosmtpd prints body lines at DEBUG."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s")
    for name in ("mail", "mail.log", "mail.debug", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
