"""Around the pages: what no request may do, and what every answer says (OWASP Secure Headers; RFC 9110, RFC 9111).

Written for ASGI, so that it sees bodies as they come in: nothing is read beyond the limit, nobody is waited for beyond the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY: Final = 8192  # octets of an answer; the longest honest one has about 2000
SECONDS: Final = 10.0  # for the whole body
_CSP: Final = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": _CSP,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address of the page is the secret
    "X-Robots-Tag": "noindex, nofollow, noarchive, nosnippet",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
}
_STS: Final = "max-age=31536000"


class TooLarge(Exception):
    """The body is larger than any answer."""


class TooSlow(Exception):
    """The body did not come in time."""


class Guard:
    """Host check, size and time of bodies, headers of every answer.  ``host``: as people reach us, with its port if any."""

    def __init__(self, app: ASGIApp, host: str, https: bool) -> None:
        self._app, self._host = app, host.lower().encode()
        said = dict(HEADERS) | ({"Strict-Transport-Security": _STS} if https else {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in said.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # no websocket, no life cycle
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        app: ASGIApp = self._app
        if [one.lower() for one in hosts] != [self._host]:
            app = PlainTextResponse("Not here.\n", 421)
        await app(scope, _Bounded(receive), self._saying(send))

    def _saying(self, send: Send) -> Send:
        async def said(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                named = {name for name, _ in given}
                message = {**message, "headers": given + [one for one in self._headers if one[0] not in named]}
            await send(message)

        return said


class _Bounded:
    """``receive`` with an end.  Raises ``TooLarge`` and ``TooSlow``."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._left = receive, BODY
        self._until = asyncio.get_running_loop().time() + SECONDS

    async def __call__(self) -> Message:
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise TooSlow from None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise TooLarge
        return message
