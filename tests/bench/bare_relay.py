"""The least that a proxy in Python can be: stock aiosmtpd in front, smtplib behind, one session for each message.

``python bare_relay.py NEXT_HOP_PORT`` prints the port it listens on and serves until SIGTERM.  It looks at nothing, keeps
nothing and promises nothing: what it costs is the price of the libraries.
"""

from __future__ import annotations

import asyncio
import smtplib
import sys

from aiosmtpd.smtp import SMTP, Envelope, Session


class Relay:
    """As aiosmtpd's own ``Proxy`` does, but with the bytes as they came."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        with smtplib.SMTP("127.0.0.1", self._port, local_hostname="bare.clinic.example") as hop:
            hop.sendmail(envelope.mail_from or "", envelope.rcpt_tos, envelope.original_content or b"")
        return "250 OK"


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Relay(port), data_size_limit=2**26, loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
