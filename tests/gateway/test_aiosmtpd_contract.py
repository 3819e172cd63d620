"""What ``gateway.smtp`` takes for granted of aiosmtpd's inside.  A new version must be read before these are changed."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import inspect
import logging
from importlib.metadata import version
from typing import Any

import pytest
from aiosmtpd import smtp as aiosmtpd

from gateway.app import Door
from gateway.inbound.connection import Connection
from gateway.inbound.limits import Roster
from gateway.inbound.listener import ListenerSettings
from gateway.smtp import COMMANDS, Session
from tests.support.paths import ROOT
from tests.support.smtppeer import FakeIntake, connect, listening

pytestmark = pytest.mark.unit

# SHA-256 (first 16 hex digits) of the source of each method that Session overrides, calls or relies on not being called.
SOURCES = {
    "__init__": "8a9ca80f23ad9bf2",
    "_create_session": "22b243e82ff1c7a4",
    "_cb_client_connected": "a73e95bb7f362ab9",
    "connection_made": "77a45df5065bba34",
    "connection_lost": "d3bf6349bc3c25c1",
    "eof_received": "baab5aaf93160933",
    "_set_rset_state": "9ff64b71daa68e63",
    "_set_post_data_state": "1dc8a8abca2a8164",
    "_reset_timeout": "fef19b94d28dff31",
    "_timeout_cb": "10a7351f9bec2818",
    "push": "15f4f1de5e30c337",
    "handle_exception": "33be80d97d2d75ee",
    "_handle_client": "0e4d096403af6c74",
    "smtp_STARTTLS": "6565289f4131fa13",
}


def test_the_version_is_the_one_that_was_read() -> None:
    assert version("aiosmtpd") == "1.4.6"
    assert '"aiosmtpd==1.4.6"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("name", SOURCES)
def test_each_method_is_as_it_was_read(name: str) -> None:
    source = inspect.getsource(getattr(aiosmtpd.SMTP, name))
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == SOURCES[name]


def test_every_override_is_watched() -> None:
    """Whatever Session redefines of aiosmtpd stands in the table above or is a command."""
    inherited = {name for klass in aiosmtpd.SMTP.__mro__ for name in vars(klass)}
    written = {**vars(Connection), **vars(Session)}
    ours = {name for name, value in written.items() if inspect.isfunction(value)} & inherited
    unwatched = {name for name in ours if name not in SOURCES and not name.startswith("smtp_")}
    assert unwatched == {"data_received"}, "asyncio's own, documented"


def test_overrides_take_the_same_arguments() -> None:
    for name in SOURCES:
        if name != "__init__" and name in vars(Session):
            theirs, ours = (inspect.signature(getattr(klass, name)).parameters for klass in (aiosmtpd.SMTP, Session))
            assert list(theirs) == list(ours), name
            assert inspect.iscoroutinefunction(getattr(aiosmtpd.SMTP, name)) == inspect.iscoroutinefunction(
                getattr(Session, name)
            ), name


async def test_the_table_of_commands_is_ours() -> None:
    """Every command we obey is a method of ours; what aiosmtpd has beside (AUTH) cannot be reached."""
    session = Session(ListenerSettings("n"), FakeIntake(), Roster(1))
    assert set(session._smtp_methods) - COMMANDS == {"AUTH"}
    for command in COMMANDS:
        assert f"smtp_{command}" in vars(Session), command


async def test_private_attributes_exist() -> None:
    """Session reads these, and nothing of the class is shared."""
    session = Session(ListenerSettings("n"), FakeIntake(), Roster(1))
    for name in (
        "loop",
        "hostname",
        "tls_context",
        "_tls_protocol",
        "_original_transport",
        "_timeout_duration",
        "_handler_coroutine",
    ):
        assert name in vars(session), name
    assert session.command_size_limits is not aiosmtpd.SMTP.command_size_limits
    assert session._handle_hooks == {}
    assert issubclass(aiosmtpd.SMTP, asyncio.StreamReaderProtocol)


async def test_a_second_session_leaves_the_class_alone() -> None:
    aiosmtpd.SMTP.command_size_limits["MAIL"] = 4711
    first = Session(ListenerSettings("n"), FakeIntake(), Roster(1))
    first.command_size_limits["MAIL"] = 1
    second = Session(ListenerSettings("n"), FakeIntake(), Roster(1))
    assert second.command_size_limits == {}
    aiosmtpd.SMTP.command_size_limits.clear()


def test_the_library_logger_is_silent_below_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    assert aiosmtpd.log.name == "mail.log"
    assert not aiosmtpd.log.isEnabledFor(logging.INFO)


def test_the_smtp_side_alone_subclasses_it() -> None:
    """The SMTP side is one door; the demo's mailbox is a next hop, not a way into the gateway."""
    importers = []
    for path in sorted((ROOT / "gateway").rglob("*.py")):
        names = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
        modules = {alias.name for node in names for alias in node.names} | {getattr(node, "module", None) for node in names}
        if any(name and name.startswith("aiosmtpd") for name in modules):
            importers.append(path.relative_to(ROOT / "gateway").as_posix())
    assert [name for name in importers if not name.startswith("demo/")] == ["inbound/connection.py", "smtp.py"]


@pytest.mark.parametrize("method", [name for name in vars(Door) if not name.startswith("_")])
async def test_a_missing_method_is_never_a_yes(method: str) -> None:
    """aiosmtpd answers 250 to a message whose handler is misspelt; here what is missing is 451."""

    class Misspelt(FakeIntake):
        def __getattribute__(self, name: str) -> Any:
            if name == method:
                raise AttributeError(name)
            return super().__getattribute__(name)

    intake = Misspelt()
    async with listening(intake) as listener:
        client = await connect(listener)
        said = await client.hello()
        for line in ("MAIL FROM:<a@x.example>", "RCPT TO:<b@y.example>", "DATA"):
            said = await client.cmd(line) if said[:1] in "23" else said
        if said.startswith("354"):
            await client.raw(b"Subject: s\r\n\r\nx\r\n.\r\n")
            said = await client.reply()
    afterwards = ("went_on", "left", "verify_release")  # not asked before the answer to an ordinary message
    assert said.startswith("250") if method in afterwards else not said.startswith("250")
    assert (len(intake.finished) == 1) is (method in afterwards)
    assert method not in said
