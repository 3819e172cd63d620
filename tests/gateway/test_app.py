"""The gateway composed: what its listeners answer, count and do while policies change and when it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiosmtpd.smtp import SMTP
from structlog.testing import capture_logs

from gateway import app as module
from gateway.app import Gateway
from gateway.config import load
from gateway.demo.samples import COLLEAGUE, FILE_SHARE, SENDER, STRANGER
from gateway.demo.setup import Ports, prepare
from tests.support.installation import free_port, merged
from tests.support.letters import canary_photo, letter
from tests.support.smtppeer import Client, stuffed
from tests.support.workers import workers

pytestmark = pytest.mark.e2e  # its compute process is a real one


class NextHop:
    """Keeps what it takes; waits at the final dot while ``gate`` is shut."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], bytes]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Event()

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        self.arrived.set()
        await self.gate.wait()
        self.taken.append((envelope.rcpt_tos, envelope.content))
        return "250 2.0.0 kept"

    @contextlib.asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(self, hostname="next.example", loop=loop), "127.0.0.1", port)
        try:
            yield
        finally:
            server.close()
            await asyncio.sleep(0.01)


class Site:
    """A prepared folder and a gateway in this process."""

    def __init__(self, folder: Path, **overrides: Any) -> None:
        self.folder = folder
        self.ports = Ports(free_port(), free_port(), free_port())
        self.config = prepare(folder, self.ports)
        told = yaml.safe_load(self.config.read_text())
        self.config.write_text(yaml.safe_dump(merged(told, {"metrics": {"port": 0}, **overrides})))
        self.next_hop = NextHop()
        self.gateway = Gateway(load(self.config))
        self.clients: list[Client] = []
        self.closed = False  # by the test

    def policy(self, text: str | None = None, **change: Any) -> None:
        path = self.folder / "policies" / "policy.yaml"
        fresh = path.with_suffix(".new")
        fresh.write_text(text or yaml.safe_dump(merged(yaml.safe_load(path.read_text()), change)))
        fresh.replace(path)

    async def client(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.ports.gateway))
        self.clients.append(client)
        await client.reply()
        await client.hello()
        return client

    async def send(self, data: bytes, *recipients: str) -> str:
        return await transaction(await self.client(), data, *recipients)

    async def get(self, path: str) -> tuple[int, str]:
        def ask() -> tuple[int, str]:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.gateway.ports['metrics']}{path}", timeout=5) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read().decode()

        return await asyncio.to_thread(ask)

    async def counts(self, name: str) -> dict[str, float]:
        """labels -> value of one metric."""
        _, text = await self.get("/metrics")
        found = re.findall(rf"^{name}(?:\{{(.*?)\}})? (\S+)$", text, re.M)
        return {labels: float(value) for labels, value in found}


async def transaction(client: Client, data: bytes, *recipients: str) -> str:
    """One message over an open connection; the last reply."""
    for line in (f"MAIL FROM:<{SENDER}>", *(f"RCPT TO:<{one}>" for one in recipients), "DATA"):
        said = await client.cmd(line)
        if not said.startswith(("250", "354")):
            return said
    await client.raw(stuffed(data))
    return await client.reply()


@contextlib.asynccontextmanager
async def running(folder: Path, *, next_hop: bool = True, **overrides: Any) -> AsyncIterator[Site]:
    site = Site(folder, **overrides)
    async with contextlib.AsyncExitStack() as stack:
        if next_hop:
            await stack.enter_async_context(site.next_hop.listening(site.ports.mailbox))
        await site.gateway.start()
        try:
            yield site
        finally:
            site.next_hop.gate.set()
            for client in site.clients:
                client.writer.transport.abort()
            if not site.closed:
                await site.gateway.close()


@pytest.fixture(autouse=True)
def tidy() -> Any:
    yield
    assert workers() == []


def photo(*recipients: str, subject: str = "Opinion [consent verbal]") -> bytes:
    return letter(SENDER, recipients, subject, pictures=(canary_photo(),))


PLAIN = letter(SENDER, (STRANGER,), "Lunch")


async def until(condition: Any, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


# -- what is answered and counted -----------------------------------------------------------------------------------------


async def test_one_message_of_three_fates_is_answered_counted_and_recorded(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        assert (await site.get("/healthz"))[0] == 200
        said = await site.send(photo(COLLEAGUE, STRANGER, FILE_SHARE), COLLEAGUE, STRANGER, FILE_SHARE)
        assert said.startswith("250")
        assert (await site.send(PLAIN, STRANGER)).startswith("250")
        assert [to for to, _ in site.next_hop.taken] == [[COLLEAGUE], [STRANGER]]
        assert await site.counts("clinigate_messages_total") == {'answer="2xx",listener="demo"': 2}
        counted = await site.counts("clinigate_recipients_total")
        fates = [re.search(r'fate="(\w+)"', labels)[1] for labels in counted]  # type: ignore[index]  # it has one
        assert sorted(fates) == ["held", "refused", "sent", "sent"]
        assert not any('rule=""' in labels or 'rule="other"' in labels for labels in counted)
        assert (await site.counts("clinigate_received_bytes_total"))[""] > len(PLAIN)
        assert (await site.counts("clinigate_message_seconds_count"))[""] == 2

        # P5: labels are ids and codes of our own tables; their number does not grow with the mail.
        for n in range(5):
            await site.send(letter(SENDER, (f"patient{n}@x{n}.example",), f"Secret{n}"), f"patient{n}@x{n}.example")
        text = (await site.get("/metrics"))[1] + (await site.get("/healthz"))[1]
        assert not re.search(r"patient\d|secret|x1\.example|clinic\.example|@", text, re.I)
        assert len(await site.counts("clinigate_recipients_total")) == len(counted)


async def test_memory_that_is_spent_is_452_and_comes_back(tmp_path: Path) -> None:
    limits = {"message_bytes": 20_000_000, "memory_bytes": 100_000_000}
    async with running(tmp_path, limits=limits) as site:
        first, second = await site.client(), await site.client()
        assert (await first.cmd(f"MAIL FROM:<{SENDER}> SIZE=15000000")).startswith("250")
        assert (await second.cmd(f"MAIL FROM:<{SENDER}> SIZE=15000000")).startswith("452")
        assert (await second.cmd(f"MAIL FROM:<{SENDER}> SIZE=1000")).startswith("250")
        assert (await first.cmd("RSET")).startswith("250")
        await second.cmd("RSET")
        assert (await second.cmd(f"MAIL FROM:<{SENDER}> SIZE=15000000")).startswith("250")


async def test_while_the_next_hop_is_gone_mail_is_451_at_mail_and_health_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And when it comes back, that is found."""
    monkeypatch.setattr("gateway.delivery.BACK_OFF", (1.5,))
    async with running(tmp_path, next_hop=False) as site:
        replies = [await site.send(PLAIN, STRANGER) for _ in range(4)]
        assert all(reply.startswith("451") for reply in replies)
        client = await site.client()
        assert await client.cmd(f"MAIL FROM:<{SENDER}>") == "451 4.4.1 the next hop cannot be reached, try again later"
        status, text = await site.get("/healthz")
        assert (status, json.loads(text)["ok"]) == (503, False)
        assert (await site.counts("clinigate_next_hop_circuit_open"))['route="default"'] == 1
        assert await site.counts("clinigate_recipients_total") == {}, "who is told to try again is counted then"
        async with site.next_hop.listening(site.ports.mailbox):
            await asyncio.sleep(1.6)
            assert (await site.send(PLAIN, STRANGER)).startswith("250")
            assert (await site.get("/healthz"))[0] == 200


# -- policies -------------------------------------------------------------------------------------------------------------


async def test_policies_change_under_an_open_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good, broken, good again: the connection stays, a broken policy leaves the old one in force and says so."""
    monkeypatch.setattr(module, "RELOAD_SECONDS", 0.1)
    async with running(tmp_path) as site:
        client = await site.client()
        good = (tmp_path / "policies" / "policy.yaml").read_text()
        first = json.loads((await site.get("/healthz"))[1])["policy"]
        assert (await transaction(client, photo(STRANGER), STRANGER)).startswith("250")
        assert site.next_hop.taken == []

        site.policy(modes={"default": "observe"})
        await until(lambda: site.gateway._policy.digest != first)
        second = site.gateway._policy.digest
        assert (await transaction(client, photo(STRANGER), STRANGER)).startswith("250")
        assert len(site.next_hop.taken) == 1

        with capture_logs() as logs:
            site.policy("rules: [\n")
            await until(lambda: any(line["event"] == "policy.broken" for line in logs))
        assert (await site.counts("clinigate_policy_reload_failed"))[""] == 1
        assert json.loads((await site.get("/healthz"))[1])["policy"] == second
        assert (await transaction(client, photo(STRANGER), STRANGER)).startswith("250")
        assert len(site.next_hop.taken) == 2

        broken = next(line for line in logs if line["event"] == "policy.broken")
        assert broken["in_force"] == second
        assert broken["problems"][0].startswith("policy.yaml:")

        with capture_logs() as logs:
            site.policy(good)
            await until(lambda: any(line["event"] == "policy.loaded" for line in logs))
        assert site.gateway._policy.digest == first
        assert (await site.counts("clinigate_policy_reload_failed"))[""] == 0
        assert (await transaction(client, photo(STRANGER), STRANGER)).startswith("250")
        assert len(site.next_hop.taken) == 2


async def test_a_folder_is_read_only_when_something_in_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A register of a hundred thousand domains is not read again every quarter of a second to see that nothing changed."""
    monkeypatch.setattr(module, "RELOAD_SECONDS", 0.05)
    async with running(tmp_path) as site:
        honest, reads = module.policy_files, []
        monkeypatch.setattr(module, "policy_files", lambda folder: reads.append(1) or honest(folder))
        await until(lambda: bool(reads))
        await asyncio.sleep(0.5)
        assert len(reads) == 1
        first = site.gateway._policy.digest
        site.policy(modes={"default": "observe"})
        await until(lambda: site.gateway._policy.digest != first)
        assert len(reads) == 2


async def test_a_good_policy_that_could_not_be_tried_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Symptom: a policy edited while the machine had no process to spare was never taken up.  Cause: it counted as seen."""
    monkeypatch.setattr(module, "RELOAD_SECONDS", 0.05)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.05)
    async with running(tmp_path) as site:
        first = site.gateway._policy.digest
        honest, tries = site.gateway._pool.reload, []

        async def once_full(context: dict[str, Any]) -> str:
            tries.append(1)
            if len(tries) == 1:
                raise module.NoWorker("Resource temporarily unavailable")
            return await honest(context)

        monkeypatch.setattr(site.gateway._pool, "reload", once_full)
        site.policy(modes={"default": "observe"})
        await until(lambda: site.gateway._policy.digest != first)
        assert len(tries) == 2


# -- start and stop --------------------------------------------------------------------------------------------------------


async def test_stopping_finishes_what_is_in_flight(tmp_path: Path) -> None:
    """SIGTERM while the next hop thinks about the final dot: the client still gets its 250, and nothing new is taken."""
    async with running(tmp_path) as site:
        site.next_hop.gate.clear()
        client = await site.client()
        sending = asyncio.ensure_future(transaction(client, PLAIN, STRANGER))
        await asyncio.wait_for(site.next_hop.arrived.wait(), 10)
        closing = asyncio.ensure_future(site.gateway.close())
        await asyncio.sleep(0.2)
        assert not closing.done()
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", site.ports.gateway)
        site.next_hop.gate.set()
        assert (await asyncio.wait_for(sending, 10)).startswith("250")
        await asyncio.wait_for(closing, 10)
        assert len(site.next_hop.taken) == 1
        site.closed = True


async def test_serve_ends_when_told(tmp_path: Path) -> None:
    site = Site(tmp_path)
    serving = asyncio.ensure_future(site.gateway.serve())
    await until(lambda: site.gateway.ports.get("demo"))
    site.gateway.stop()
    await asyncio.wait_for(serving, 20)


async def test_a_start_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """The second listener's port is taken: no listener, no process, no descriptor stays."""
    busy = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = busy.sockets[0].getsockname()[1]
    free = free_port()
    listeners = [{"name": "one", "port": free, "protocol": "SMTP"}, {"name": "two", "port": port, "protocol": "SMTP"}]
    site = Site(tmp_path, listeners=listeners)
    with pytest.raises(OSError, match="in use"):
        await site.gateway.start()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", free)
    busy.close()


async def test_a_second_gateway_does_not_steal_the_release_socket_of_the_first(tmp_path: Path) -> None:
    """Symptom: releases went to a gateway that was ending.  Cause: the socket was unlinked whoever listened on it."""
    async with running(tmp_path / "one") as site:
        socket = str(site.gateway.settings.release_socket)
        other = Site(tmp_path / "two", release_socket=socket)
        with pytest.raises(OSError, match="in use"):
            await other.gateway.start()
        reader, writer = await asyncio.open_unix_connection(socket)
        assert (await reader.readline()).startswith(b"220")
        writer.close()


async def test_a_release_socket_left_by_a_killed_gateway_is_no_obstacle(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(site.gateway.settings.release_socket))
    async with site.next_hop.listening(site.ports.mailbox):
        await site.gateway.start()
        await site.gateway.close()


async def test_a_chore_that_ends_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error nobody foresaw in the policy watcher: policies would silently stay as they are for ever."""
    monkeypatch.setattr(module, "RELOAD_SECONDS", 0.05)
    async with running(tmp_path) as site:
        with capture_logs() as logs:
            monkeypatch.setattr(module, "policy_files", lambda folder: 1 // 0)
            await until(lambda: any(line["event"] == "chore.ended" for line in logs))
        assert (await site.send(PLAIN, STRANGER)).startswith("250")


async def test_every_policy_in_force_is_kept_and_a_broken_one_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """History of what was in force, by digest; a broken file stands in no version, and is told until it is mended."""
    monkeypatch.setattr(module, "RELOAD_SECONDS", 0.1)
    async with running(tmp_path) as site:
        kept = site.gateway._versions
        first = site.gateway._policy.digest
        assert [(one.digest, one.why) for one in kept.taken()] == [(first, "start")]
        good = (tmp_path / "policies" / "policy.yaml").read_text()
        site.policy("rules: [\n")
        await until(lambda: kept.broken() is not None)
        broken = kept.broken()
        assert broken is not None and broken.in_force == first and broken.problems[0].startswith("policy.yaml:")
        site.policy(good.replace("enforce", "advise", 1))
        await until(lambda: len(kept.taken()) == 2 and kept.broken() is None)
        assert kept.files(first)["policy.yaml"] == good
        assert kept.taken()[-1].digest == site.gateway._policy.digest != first
