"""Structured logs: one JSON object a line on standard error.  No level logs content, addresses, subjects or exception texts."""

from __future__ import annotations

import logging
import sys
import threading
from traceback import walk_tb
from types import TracebackType

import structlog


def setup(level: str) -> None:
    """Configure structlog and keep other libraries' loggers to warnings: aiosmtpd prints body lines at DEBUG.

    What nobody catches is told by its type and place alone: an exception's text may quote what a message holds.
    """
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
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Bare())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("mail", "mail.log", "mail.debug", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def place(trace: TracebackType | None) -> str:
    """``module:line`` where an exception was raised."""
    at = list(walk_tb(trace))
    return f"{at[-1][0].f_globals.get('__name__', '?')}:{at[-1][1]}" if at else ""


class _Bare(logging.Formatter):
    """Another library's message is never shown, only that there is one: its text may hold anything."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{record.levelname} {record.name}"
        kind, _, trace = record.exc_info or (None, None, None)
        return line if kind is None else f"{line} {kind.__name__} at {place(trace)}"


def _uncaught(kind: type[BaseException], _error: BaseException | None, trace: TracebackType | None) -> None:
    structlog.get_logger().error("uncaught", error=kind.__name__, at=place(trace))
