"""Starting, stopping and guarding a listener; STARTTLS with a required client certificate."""

from __future__ import annotations

import asyncio
import socket
import ssl
import stat
from pathlib import Path

import pytest

from gateway.inbound.limits import MemoryBudget
from gateway.inbound.listener import ListenerSettings, start
from gateway.model import Received, Reply
from tests.support import certs
from tests.support.smtppeer import TAKEN, Client, FakeIntake, connect, dial, listening, session, until

pytestmark = pytest.mark.unit

BODY = b"Subject: s\r\n\r\nhello"


async def test_a_unix_socket(tmp_path: Path) -> None:
    """Owner and group may connect; the path goes with the listener; one left behind by a killed process is replaced."""
    path = tmp_path / "in.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    intake = FakeIntake()
    async with listening(intake, socket=str(path), protocol="LMTP") as listener:
        assert (listener.address, listener.port) == (str(path), 0)
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with pytest.raises(OSError):
            await start(ListenerSettings("second", socket=str(path)), intake)
        client = await connect(listener)
        await client.hello("LHLO")
        await client.cmd("XFORWARD IDENT=Q1")
        assert (await client.send(BODY)).startswith("250")
    assert not path.exists()
    assert (intake.seen[0].envelope.client, intake.seen[0].key) == ("", "Q1")


async def test_an_inherited_socket() -> None:
    """systemd or a parent process bound it: several front processes share one."""
    sock = socket.create_server(("127.0.0.1", 0))
    async with listening(FakeIntake(), sock=sock) as listener:
        assert listener.port == sock.getsockname()[1]
        client = await connect(listener)
        await client.hello()
        assert (await client.send(BODY)).startswith("250")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_beyond_loopback_it_needs_tls(host: str) -> None:
    with pytest.raises(ValueError, match="needs tls"):
        await start(ListenerSettings("open", host=host), FakeIntake())


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "proxy"},
        {"protocol": "ESMTP"},
        {"bare_newlines": "accept"},
        {"max_recipients": 1001},
        {"max_size": 0},
        {"trusted": ()},
        {"trusted": ("everybody",)},
        {"tls": ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_settings_that_could_never_be_safe_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        ListenerSettings(**{"name": "n", **wrong})  # type: ignore[arg-type]  # wrong on purpose


async def test_a_stranger_is_refused() -> None:
    async with listening(FakeIntake(), trusted=("192.0.2.0/24",)) as listener:
        client = await dial(listener)
        assert (await client.reply()).startswith("554 5.7.1")
        assert await client.closed()


def test_mapped_and_scoped_addresses_are_matched() -> None:
    settings = ListenerSettings("n")
    assert settings.trusts("::ffff:127.0.0.1") and settings.trusts("::1") and settings.trusts("127.9.9.9")
    assert not settings.trusts("192.0.2.1") and not settings.trusts("fe80::1%eth0")


async def test_connections_are_limited() -> None:
    async with listening(FakeIntake(), max_connections=2) as listener:
        one, _ = await connect(listener), await connect(listener)
        three = await dial(listener)
        assert (await three.reply()).startswith("421 4.7.0")
        assert await three.closed()
        await one.cmd("QUIT")
        one.close()
        await until(lambda: listener.connections == 1)
        assert (await (await connect(listener)).hello()).startswith("250")


async def test_closing_lets_a_transaction_end_and_dismisses_the_idle() -> None:
    go = asyncio.Event()

    async def answer(received: Received) -> list[Reply]:
        await go.wait()
        return [TAKEN]

    intake = FakeIntake(answer=answer)
    async with listening(intake) as listener:
        idle, busy, started = [await connect(listener) for _ in range(3)]
        await idle.hello()
        await busy.hello()
        await started.hello()
        await busy.to_data()
        await busy.raw(BODY + b"\r\n.\r\n")
        await started.cmd("MAIL FROM:<a@x.example>")
        closing = asyncio.create_task(listener.close(5))
        assert (await idle.reply()).startswith("421 4.3.2")
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", listener.port)
        assert (await started.cmd("RCPT TO:<b@y.example>")).startswith("250")
        assert (await started.cmd("RSET")).startswith("250")
        assert (await started.reply()).startswith("421 4.3.2")
        go.set()
        assert await busy.reply() == "250 2.0.0 taken"
        assert (await busy.reply()).startswith("421 4.3.2")
        for client in (idle, busy, started):
            client.close()
        assert await closing == 0


@pytest.mark.slow
async def test_grace_is_finite_and_says_what_is_left() -> None:
    async def answer(received: Received) -> list[Reply]:
        await asyncio.sleep(0.3)
        return [TAKEN]

    intake = FakeIntake(answer=answer)
    async with listening(intake) as listener:
        client = await connect(listener)
        await client.hello()
        await client.to_data()
        await client.raw(BODY + b"\r\n.\r\n")
        await until(lambda: intake.seen)
        assert await listener.close(0.05) == 1
        await until(lambda: intake.finished)


def test_a_budget_never_gives_more_than_it_has() -> None:
    budget = MemoryBudget(1000, factor=2.5)
    one = budget.reserve(200)
    assert one is not None and budget.used == 500
    assert budget.reserve(201) is None
    assert not one.grow(401) and budget.used == 500
    assert one.grow(400) and budget.used == 1000
    one.release()
    one.release()
    assert budget.used == 0


# -- TLS


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext, ssl.SSLContext, ssl.SSLContext]:
    """Server's, and three clients': with a certificate, without, with one of another authority."""
    folder = tmp_path_factory.mktemp("tls")
    root, other = certs.authority(), certs.authority("Other CA")
    (folder / "ca.pem").write_bytes(root.pem)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.pem"))
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_cert_chain(*certs.server(issuer=root).write(folder, "server"))
    clients = []
    for number, identity in enumerate((certs.client(issuer=root), None, certs.client(issuer=other, name="stranger"))):
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        if identity is not None:
            context.load_cert_chain(*identity.write(folder, f"client{number}"))
        clients.append(context)
    return server, clients[0], clients[1], clients[2]


async def upgrade(client: Client, context: ssl.SSLContext) -> None:
    assert (await client.cmd("STARTTLS")).startswith("220")
    await client.writer.start_tls(context, server_hostname="localhost")


async def test_mail_only_under_tls_with_a_client_certificate(contexts: tuple[ssl.SSLContext, ...]) -> None:
    intake = FakeIntake()
    async with listening(intake, tls=contexts[0]) as listener:
        client = await connect(listener)
        assert "STARTTLS" in await client.hello()
        assert (await client.cmd("MAIL FROM:<a@x.example>")).startswith("530 5.7.0")
        assert (await client.cmd("XFORWARD IDENT=x")).startswith("530")
        await upgrade(client, contexts[1])
        assert (await client.cmd("MAIL FROM:<a@x.example>")).startswith("503"), "hello again after STARTTLS (RFC 3207 4.2)"
        assert "STARTTLS" not in await client.hello()
        assert (await client.cmd("STARTTLS")).startswith("503")
        await client.cmd("XFORWARD IDENT=Q1")
        assert (await client.send(b"x" * 3_000_000)).startswith("250")
        await client.cmd("NOOP")
        assert intake.on == ["Q1"]
        assert (await client.cmd("QUIT")).startswith("221")


@pytest.mark.parametrize("which", [2, 3], ids=["no certificate", "another authority's"])
async def test_without_a_good_client_certificate_there_is_no_session(contexts: tuple[ssl.SSLContext, ...], which: int) -> None:
    intake = FakeIntake()
    async with listening(intake, tls=contexts[0]) as listener:
        client = await connect(listener)
        await client.hello()
        with pytest.raises((OSError, AssertionError)):
            await upgrade(client, contexts[which])
            await client.raw(b"EHLO x\r\nMAIL FROM:<a@x.example>\r\n")  # TLS 1.3: the client learns of the refusal afterwards
            assert (await client.reply()).startswith("250")
        client.writer.transport.abort()
        await until(lambda: listener.connections == 0)
    assert intake.admitted == []


async def test_commands_injected_before_the_handshake_are_dropped(contexts: tuple[ssl.SSLContext, ...]) -> None:
    """CVE-2024-34083 and CVE-2011-0411: what came in clear is never obeyed under TLS."""
    intake = FakeIntake()
    async with listening(intake, tls=contexts[0]) as listener:
        client = await connect(listener)
        await client.hello()
        await client.raw(b"STARTTLS\r\nEHLO evil.example\r\nMAIL FROM:<evil@x.example>\r\n")
        assert (await client.reply()).startswith("220")
        await client.writer.start_tls(contexts[1], server_hostname="localhost")
        assert (await client.cmd("NOOP")) == "250 2.0.0 Ok"
        assert (await client.cmd("RCPT TO:<b@y.example>")).startswith("503")
    assert intake.admitted == []


async def test_a_tls_client_that_leaves_after_the_dot_does_not_cancel_the_work(contexts: tuple[ssl.SSLContext, ...]) -> None:
    go = asyncio.Event()

    async def answer(received: Received) -> list[Reply]:
        await go.wait()
        return [TAKEN]

    intake = FakeIntake(answer=answer)
    async with listening(intake, tls=contexts[0]) as listener:
        client = await connect(listener)
        await client.hello()
        await upgrade(client, contexts[1])
        await client.hello()
        await client.to_data()
        await client.raw(BODY + b"\r\n.\r\nQUIT\r\n")
        client.close()
        await until(lambda: intake.seen)
        await asyncio.sleep(0.02)
        go.set()
        await until(lambda: intake.finished)
        await until(lambda: listener.connections == 0)
    assert intake.on == []


async def test_starttls_takes_no_argument_and_is_unknown_without_tls(contexts: tuple[ssl.SSLContext, ...]) -> None:
    async with listening(FakeIntake(), tls=contexts[0]) as listener:
        client = await connect(listener)
        await client.hello()
        assert (await client.cmd("STARTTLS now")).startswith("501")
    async with session(FakeIntake()) as client:
        assert (await client.cmd("STARTTLS")).startswith("500")
