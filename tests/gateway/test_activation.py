"""Sockets and readiness as systemd hands them over."""

from __future__ import annotations

import os
import socket

import pytest

from gateway.inbound import activation

pytestmark = pytest.mark.unit


@pytest.fixture
def bound() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


def passed(monkeypatch: pytest.MonkeyPatch, sock: socket.socket, names: str, count: int = 1) -> dict[str, str]:
    """The environment of a process that was given ``sock`` as its first descriptor."""
    monkeypatch.setattr(activation, "FIRST_FD", sock.detach())
    return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(count), "LISTEN_FDNAMES": names, "OTHER": "stays"}


def test_a_passed_socket_is_found_by_name_and_children_are_not_told(
    monkeypatch: pytest.MonkeyPatch, bound: socket.socket
) -> None:
    port = bound.getsockname()[1]
    environ = passed(monkeypatch, bound, "submitted")
    found = activation.inherited(environ)
    with found["submitted"] as sock:
        assert (list(found), sock.getsockname()[1], sock.get_inheritable()) == (["submitted"], port, False)
    assert environ == {"OTHER": "stays"}


def test_sockets_meant_for_another_process_are_left_alone() -> None:
    assert activation.inherited({"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "submitted"}) == {}
    assert activation.inherited({}) == {}


@pytest.mark.parametrize(("names", "count"), [("same:same", 2), ("one", 2), ("", 2), ("a:b", 1)])
def test_names_that_do_not_tell_sockets_apart_are_refused(names: str, count: int) -> None:
    with pytest.raises(ValueError, match="FileDescriptorName"):
        activation.inherited({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(count), "LISTEN_FDNAMES": names})


def test_a_listener_takes_its_own_socket_only_and_on_its_own_port_only(bound: socket.socket) -> None:
    port = bound.getsockname()[1]
    with bound:
        assert activation.claim({"other": bound}, "submitted", port) is None
        for wanted in (port, 0):
            assert activation.claim({"submitted": bound}, "submitted", wanted) is bound
        with pytest.raises(ValueError, match=f"says port 25, its socket unit listens on {port}"):
            activation.claim({"submitted": bound}, "submitted", 25)


def test_a_socket_that_no_listener_serves_is_an_error(bound: socket.socket) -> None:
    activation.none_left({})
    with bound, pytest.raises(ValueError, match="no listener is named forgotten"):
        activation.none_left({"forgotten": bound})


def test_readiness_is_told_over_a_path_or_an_abstract_name_and_to_nobody_without_a_manager() -> None:
    name = f"clinigate-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name)
        activation.notify("READY=1", {"NOTIFY_SOCKET": "@" + name})
        assert manager.recv(100) == b"READY=1"
    activation.notify("READY=1", {})
