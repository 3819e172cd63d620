"""The form's own server: answers on loopback, lets nobody hold a place, and is missed when it is silent."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quarantine.form import server
from quarantine.form.app import make_app
from quarantine.form.server import FormServer, FormSilent
from quarantine.service import Service
from quarantine.settings import Form
from quarantine.watch import look
from tests.support import certs
from tests.support.formkit import FormWorld
from tests.support.installation import free_port

pytestmark = [pytest.mark.unit, pytest.mark.slow]


@pytest.fixture
def world(tmp_path: Path) -> FormWorld:
    port = free_port()
    return FormWorld(tmp_path, url=f"http://127.0.0.1:{port}/f", port=port)


@pytest.fixture
def running(world: FormWorld) -> Iterator[FormServer]:
    made = FormServer(make_app(world.office, world.options), world.options)
    yield made
    made.stop()


def get(world: FormWorld, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{world.options.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def path_of(world: FormWorld) -> str:
    return world.path().removeprefix(f"http://127.0.0.1:{world.options.port}")


def test_it_answers_and_is_well(world: FormWorld, running: FormServer) -> None:
    world.hold()
    status, page = get(world, path_of(world))
    assert status == 200 and "Your email is waiting" in page
    running.check()


def test_a_client_that_sends_slowly_is_let_go(world: FormWorld, running: FormServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow loris: neither half a request nor a slow reader holds its place for longer than LIFE."""
    monkeypatch.setattr(server, "LIFE", 0.3)
    with socket.create_connection(("127.0.0.1", world.options.port)) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-")
        slow.settimeout(5)
        start = time.monotonic()
        try:
            assert slow.recv(100) == b""
        except ConnectionResetError:
            pass  # aborted: as good
        assert time.monotonic() - start < 3
    running.check()


@pytest.mark.parametrize("half", [b"", b"GET / HTTP/1.1\r\nX-", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na"])
def test_many_who_say_nothing_take_nobodys_place(world: FormWorld, running: FormServer, half: bytes) -> None:
    """250 connections without a whole request were 503 for everybody for 30 s; 1,100 took all the service's file descriptors."""
    world.hold()
    before = len(os.listdir("/proc/self/fd"))
    with contextlib.ExitStack() as flood:
        for _ in range(250):
            flood.enter_context(socket.create_connection(("127.0.0.1", world.options.port))).sendall(half)
        assert get(world, path_of(world))[0] == 200
        assert len(os.listdir("/proc/self/fd")) - before < 250 + server.UNASKED + 20
    running.check()


def test_lines_without_end_are_refused(world: FormWorld, running: FormServer) -> None:
    with socket.create_connection(("127.0.0.1", world.options.port)) as flood:
        flood.sendall(b"GET /" + b"a" * 60_000)
        flood.settimeout(5)
        try:
            assert flood.recv(1000).startswith((b"HTTP/1.1 4", b""))
        except ConnectionResetError:
            pass  # refused before all of it was read
    running.check()


def test_the_proxys_word_about_the_client_is_believed_and_nobody_elses(tmp_path: Path) -> None:
    """X-Forwarded-For counts wrong links by client only where it comes from our own web server."""
    for trusted, expected in ((("127.0.0.1",), {404}), ((), {404, 429})):
        port = free_port()
        world = FormWorld(tmp_path / str(port), url=f"http://127.0.0.1:{port}", port=port, proxies=list(trusted))
        made = FormServer(make_app(world.office, world.options), world.options)
        codes = set()
        for number in range(25):
            asked = urllib.request.Request(f"http://127.0.0.1:{port}/x", headers={"X-Forwarded-For": f"198.51.100.{number}"})
            try:
                urllib.request.urlopen(asked, timeout=5)
            except urllib.error.HTTPError as error:
                codes.add(error.code)
                error.close()
        made.stop()
        assert codes == expected


def test_it_speaks_tls_itself_where_it_is_asked_to(tmp_path: Path) -> None:
    certificate, key = certs.server(issuer=certs.authority(), dns=("answers.own.example",)).write(tmp_path, "form")
    port = free_port()
    told = {"certificate": certificate, "key": key}
    world = FormWorld(tmp_path / "w", url=f"https://answers.own.example:{port}/f", port=port, host="0.0.0.0", tls=told)
    made = FormServer(make_app(world.office, world.options), world.options)
    try:
        made.check()
        trusting = ssl.create_default_context(cadata=certs.authority().pem.decode())
        with socket.create_connection(("127.0.0.1", port)) as plain:
            with trusting.wrap_socket(plain, server_hostname="answers.own.example") as secure:
                assert secure.version() in ("TLSv1.2", "TLSv1.3")
    finally:
        made.stop()


def test_a_port_that_is_taken_stops_nothing_else_and_is_tried_again(world: FormWorld) -> None:
    """Holds are looked after without the form; the alarm says that it is missing until the port is free."""
    with socket.create_server(("127.0.0.1", world.options.port)):
        made = FormServer(make_app(world.office, world.options), world.options)
        with pytest.raises(FormSilent, match="start: OSError"):
            made.check()
    made.check()
    assert get(world, "/healthz") == (200, "ok\n")
    made.stop()


def test_a_key_that_cannot_be_read_stops_nothing_else(tmp_path: Path) -> None:
    told = {"certificate": tmp_path / "none.pem", "key": tmp_path / "none.key"}
    world = FormWorld(tmp_path / "w", url="https://answers.own.example/f", port=free_port(), tls=told)
    made = FormServer(make_app(world.office, world.options), world.options)
    with pytest.raises(FormSilent, match="FileNotFoundError"):
        made.check()
    made.stop()


def test_a_server_that_ended_is_started_again(world: FormWorld, running: FormServer) -> None:
    running._server.should_exit = True
    running._thread.join(10)
    running.check()
    assert get(world, "/healthz") == (200, "ok\n")


def test_records_that_cannot_be_read_are_no_health(world: FormWorld, running: FormServer) -> None:
    world.world.records.close()
    with pytest.raises(FormSilent, match="503"):
        running.check()


class Broken:
    """A form that does not answer."""

    def check(self) -> None:
        raise FormSilent("GET /healthz: ConnectionRefusedError")

    def stop(self) -> None:
        """Nothing runs."""


async def test_a_silent_form_raises_the_alarm_outside(world: FormWorld) -> None:
    """Links that lead nowhere: the service's health says so, and so does ``clinigate alarm``."""
    world.world.records.close()
    service = Service(world.world.settings, clock=world.world.clock)
    service.form = Broken()
    assert not await service.step("form", service.look_at_form)
    await service.alarm()
    assert service.status()["failing"] == {"form": "FormSilent"} and not service.status()["ok"]
    assert [one.code for one in look(world.world.settings, world.world.now)] == ["form-silent"]
    service.close()


async def test_an_answer_is_not_left_waiting_for_the_next_round(world: FormWorld) -> None:
    """Answered mail goes within a second even where the service looks for work rarely."""
    import asyncio

    settings = world.world.settings.model_copy(update={"poll": 60.0})
    world.world.records.close()
    service = Service(settings, clock=world.world.clock)
    rounds: list[float] = []

    async def release() -> int:
        rounds.append(time.monotonic())
        return 0

    service.release = release  # type: ignore[method-assign]  # only its rounds are counted
    running = asyncio.create_task(service.run())
    while not rounds:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    await asyncio.to_thread(service.nudge, "release")
    end = time.monotonic() + 5
    while len(rounds) < 2 and time.monotonic() < end:
        await asyncio.sleep(0.01)
    service.stop()
    await asyncio.wait_for(running, 10)
    assert len(rounds) >= 2


def test_nothing_is_logged_of_a_request(world: FormWorld, running: FormServer, capfd: pytest.CaptureFixture[str]) -> None:
    """No access log: the address of the page is the secret."""
    world.hold()
    get(world, path_of(world))
    get(world, "/f/" + "q" * 52)
    told = "".join(capfd.readouterr())
    assert "/f/" not in told and "q" * 52 not in told
    assert json.dumps(told)


def test_options_name_a_form_server(tmp_path: Path) -> None:
    options: dict[str, Any] = {"url": "https://a.example"}
    assert Form.model_validate(options).host == "127.0.0.1"
