"""The form's own small HTTP server: uvicorn on a thread of its own, so that a slow client never delays holds and releases."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from quarantine.form.app import HEALTH
from quarantine.settings import Form

log = structlog.get_logger()
LIFE: Final = 30.0  # seconds a connection may last, whatever it does: nobody holds a place by sending or reading slowly
CONNECTIONS: Final = 200
UNASKED: Final = 150  # connections that may be open without a whole request; a further one ends the oldest of them
HEAD: Final = 16384  # octets of a request's first lines
ASKED_WITHIN: Final = 5.0  # seconds in which the form must say that it is well
STOP_WITHIN: Final = 10.0


class FormSilent(Exception):
    """The form does not answer; its text says how it was asked."""


class _Short(H11Protocol):
    """A connection with an end, and sooner where others wait for its place.

    Who has asked is never ended for another: people ask within a moment, so a flood of connections that say nothing (or half a
    request) costs them nothing, and takes neither their places nor the service's file descriptors.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn itself narrows it
        super().connection_made(transport)
        self._end = asyncio.get_running_loop().call_later(LIFE, transport.abort)
        unasked = [one for one in self.connections if isinstance(one, _Short) and not one.asked()]
        if len(unasked) > UNASKED:
            oldest = min(unasked, key=lambda one: one._end.when())
            self.connections.discard(oldest)  # at once: the loop closes it a moment later
            oldest.transport.abort()

    def asked(self) -> bool:
        """True while a whole request is being answered."""
        return self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        super().connection_lost(exc)


class FormServer:
    """Starts at once; what keeps it from that (a port that is taken, a key that cannot be read) stops nothing else.

    ``check`` says it, so that the alarm outside sees it, and tries again.
    """

    def __init__(self, app: ASGIApp, options: Form) -> None:
        self._options = options
        self._config = uvicorn.Config(
            app, http=_Short, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
            proxy_headers=True, forwarded_allow_ips=list(options.proxies), limit_concurrency=CONNECTIONS, timeout_keep_alive=5,
            timeout_graceful_shutdown=int(STOP_WITHIN / 2), h11_max_incomplete_event_size=HEAD,
            ssl_certfile=options.tls.certificate if options.tls else None, ssl_keyfile=options.tls.key if options.tls else None,
        )  # fmt: skip
        self._thread: threading.Thread | None = None
        try:
            self.start()
        except OSError as error:
            log.error("form.not-started", error=type(error).__name__)

    def start(self) -> None:
        """Listen and answer, on a thread.  Raises OSError."""
        if not self._config.loaded:
            self._config.load()
        family = socket.AF_INET6 if ":" in self._options.host else socket.AF_INET
        self._socket = socket.create_server((self._options.host, self._options.port), family=family)
        self._server = uvicorn.Server(self._config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="form", daemon=True)
        self._thread.start()
        log.info("form.started", port=self._options.port)

    def stop(self) -> None:
        """Finish what is being answered, then end."""
        if self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(STOP_WITHIN)
        self._socket.close()

    def check(self) -> None:
        """Ask as a browser would.  Raises ``FormSilent``; a server that has ended is started again first."""
        if self._thread is None or not self._thread.is_alive():
            self._again()
        try:
            with closing(self._connection()) as asking:
                asking.request("GET", HEALTH, headers={"Host": urlsplit(self._options.url).netloc})
                status = asking.getresponse().status
        except (OSError, HTTPException) as error:
            raise FormSilent(f"GET {HEALTH}: {type(error).__name__}") from None
        if status != 200:
            raise FormSilent(f"GET {HEALTH}: {status}")

    def _again(self) -> None:
        if self._thread is not None:
            self._socket.close()
        try:
            self.start()
        except OSError as error:
            raise FormSilent(f"start: {type(error).__name__}") from None
        log.warning("form.restarted")

    def _connection(self) -> HTTPConnection:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._options.host, self._options.host)
        if self._options.tls is None:
            return HTTPConnection(host, self._options.port, timeout=ASKED_WITHIN)
        ours = ssl.create_default_context(cafile=str(self._options.tls.certificate))  # whoever answers has our own certificate
        ours.check_hostname = False
        ours.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return HTTPSConnection(host, self._options.port, timeout=ASKED_WITHIN, context=ours)
