"""The link to the next hop is as secure as the route says, or nothing is sent."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiosmtpd.smtp import SMTP

from gateway.delivery import Delivery, Route, Routes, Timeouts
from gateway.model import Envelope, Recipient, Result
from tests.support.certs import Identity, authority, client, server
from tests.support.peers import Wire, peer

pytestmark = pytest.mark.unit

BODY = b"From: a@x.example\r\nSubject: s\r\n\r\n.dot\r\n..\r\nbody\r\n"
ROOT = authority("Root")
OTHER = authority("Other")


class Sink:
    """What aiosmtpd, as an independent server, received."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.secured: list[bool] = []

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        self.messages.append(envelope.original_content)  # type: ignore[attr-defined]  # aiosmtpd ships no types
        self.secured.append(session.ssl is not None)  # type: ignore[attr-defined]  # likewise
        return "250 2.0.0 taken"


@contextlib.asynccontextmanager
async def serving(folder: Path, identity: Identity | None, client_ca: Identity | None) -> AsyncIterator[tuple[int, Sink]]:
    sink, context = Sink(), None
    if identity is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*identity.write(folder, "server"))
        if client_ca is not None:
            context.load_verify_locations(client_ca.write(folder, "client-ca")[0])
            context.verify_mode = ssl.CERT_REQUIRED
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: SMTP(sink, hostname="next.example", tls_context=context), "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1], sink
    finally:
        listening.close()
        await asyncio.sleep(0.01)


async def through(folder: Path, port: int, **options: object) -> Result:
    ca, _ = ROOT.write(folder, "root")
    route = Route("default", "127.0.0.1", port, **{"ca": ca, **options})  # type: ignore[arg-type]  # test options
    out = Delivery(Routes([route]))
    who = [Recipient("a@b.example")]
    cleared = SimpleNamespace(data=BODY)
    try:
        (result,) = await out.send("default", "s@x.example", who, cleared, Envelope("s@x.example", tuple(who)))  # type: ignore[arg-type]  # stands for what only the exit check makes
    finally:
        await out.aclose()
    return result


async def attempt(
    folder: Path, identity: Identity | None, *, client_ca: Identity | None = None, **options: object
) -> tuple[Result, Sink]:
    async with serving(folder, identity, client_ca) as (port, sink):
        return await through(folder, port, **options), sink


GOOD = server(issuer=ROOT)


@pytest.mark.parametrize(("tls", "secured"), [("none", False), ("opportunistic", True), ("verified", True)])
async def test_a_message_arrives_to_the_octet_over_every_kind_of_link(tmp_path: Path, tls: str, secured: bool) -> None:
    result, sink = await attempt(tmp_path, GOOD, tls=tls)
    assert result.code == 250 and sink.messages == [BODY] and sink.secured == [secured]


@pytest.mark.parametrize(
    ("identity", "options", "said"),
    [
        (None, {}, "tls: not offered"),
        (server(issuer=OTHER), {}, "tls: certificate refused (self-signed certificate in certificate chain)"),
        (server(issuer=ROOT, dns=["elsewhere.example"], addresses=[]), {}, "tls: certificate refused"),
        (server(issuer=ROOT, days=0), {}, "tls: certificate refused (certificate has expired)"),
        (GOOD, {"server_name": "next.example"}, "tls: certificate refused (Hostname mismatch"),
    ],
)
async def test_verified_sends_nothing_over_a_link_it_cannot_verify(
    tmp_path: Path, identity: Identity | None, options: dict[str, str], said: str
) -> None:
    result, sink = await attempt(tmp_path, identity, tls="verified", **options)
    assert (result.code, result.unknown, sink.messages) == (0, False, [])
    assert result.text.startswith(said.partition(" (self")[0])


async def test_the_name_to_check_can_be_another_than_the_host(tmp_path: Path) -> None:
    named = server(issuer=ROOT, dns=["next.example"], addresses=[])
    result, _ = await attempt(tmp_path, named, tls="verified", server_name="next.example")
    assert result.code == 250


async def test_opportunistic_takes_any_certificate_and_none(tmp_path: Path) -> None:
    for identity, secured in ((server(issuer=OTHER), True), (None, False)):
        result, sink = await attempt(tmp_path, identity, tls="opportunistic")
        assert result.code == 250 and sink.secured == [secured]


async def test_mutual_shows_our_certificate(tmp_path: Path) -> None:
    certificate, key = client(issuer=ROOT).write(tmp_path, "gateway")
    result, sink = await attempt(tmp_path, GOOD, client_ca=ROOT, tls="mutual", certificate=certificate, key=key)
    assert result.code == 250 and sink.secured == [True]
    result, sink = await attempt(tmp_path, GOOD, client_ca=OTHER, tls="mutual", certificate=certificate, key=key)
    assert result.code == 0 and sink.messages == []


async def test_opportunistic_goes_plain_when_the_handshake_fails(tmp_path: Path) -> None:
    """RFC 7435: some protection most of the time; but only where the route asks for no more."""

    async def script(wire: Wire) -> None:
        await wire.greet("STARTTLS")
        if wire.number == 0:
            await wire.hear()
            await wire.say("220 go")
            await wire.reader.read(10)
            await wire.say("this is no handshake")
            return
        await wire.serve()

    for tls, code in (("opportunistic", 250), ("verified", 0)):
        async with peer(script) as hop:
            quick = Timeouts(connect=1, command=1)
            result = await through(tmp_path, hop.port, tls=tls, timeouts=quick)
            assert result.code == code and len(hop.messages) == (code == 250)


async def test_what_is_said_before_the_handshake_is_not_believed_after_it(tmp_path: Path) -> None:
    """RFC 3207 section 6: replies injected behind the 220 must not answer our first secured commands."""

    async def script(wire: Wire) -> None:
        await wire.greet("STARTTLS", "8BITMIME")
        await wire.hear()
        await wire.say("220 go\r\n250-next.example\r\n250 XFORWARD NAME")

    async with peer(script) as hop:
        result = await through(tmp_path, hop.port, tls="verified")
        assert (result.code, result.text) == (0, "tls: data before the handshake")


def test_a_route_whose_files_are_missing_fails_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Delivery(Routes([Route("r", "h", tls="verified", ca=tmp_path / "absent.pem")]))
