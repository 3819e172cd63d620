"""Structured logs: one JSON object a line on standard error.  No level logs content, addresses, subjects or exception texts."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from traceback import walk_tb
from types import TracebackType
from typing import TextIO, cast

import structlog


def setup(level: str) -> None:
    """Configure structlog and keep other libraries' loggers to warnings: aiosmtpd prints body lines at DEBUG.

    What nobody catches is told by its type and place alone: an exception's text may quote what a message holds.
    """
    told = cast(TextIO, _Patient(sys.stderr))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(told),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(told)
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


class _Patient:
    """Standard error that may be a full disk or a closed pipe: no mail is answered otherwise because a line cannot be written.

    There is nowhere left to say so; the health endpoint and the alarm outside speak of what is wrong.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


class _Bare(logging.Formatter):
    """Another library's message is never shown, only that there is one: its text may hold anything."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{record.levelname} {record.name}"
        kind, _, trace = record.exc_info or (None, None, None)
        return line if kind is None else f"{line} {kind.__name__} at {place(trace)}"


def _uncaught(kind: type[BaseException], _error: BaseException | None, trace: TracebackType | None) -> None:
    structlog.get_logger().error("uncaught", error=kind.__name__, at=place(trace))
