"""The client of these tests: an MTA with a queue, reduced to what matters here.

It hands a message over with its queue id (XFORWARD IDENT), keeps every recipient that has no final answer, and comes back
for them with the same bytes and the same id, as Postfix does.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

PATIENCE = 60.0  # seconds for one answer
NO_ANSWER = 0  # the connection broke before the answer came


@dataclass(frozen=True, slots=True)
class Queued:
    """One message in the upstream's queue."""

    ident: str
    sender: str
    recipients: tuple[str, ...]
    data: bytes = field(repr=False)


class Gone(Exception):
    """The server closed the connection or never answered."""


class Dialogue:
    """One SMTP or LMTP connection; replies as (code, text)."""

    def __init__(self, port: int, protocol: str, patience: float = PATIENCE) -> None:
        self.lmtp = protocol == "LMTP"
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), timeout=patience)
        except OSError as error:
            raise Gone(type(error).__name__) from None
        self._file = self._socket.makefile("rb")
        self.extensions: list[str] = []

    def __enter__(self) -> Dialogue:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise Gone(type(error).__name__) from None

    def reply(self) -> tuple[int, str]:
        lines = []
        while True:
            try:
                line = self._file.readline().decode()
            except OSError as error:
                raise Gone(type(error).__name__) from None
            if len(line) < 4:
                raise Gone("closed")
            lines.append(line[4:].rstrip("\r\n"))
            if line[3] == " ":
                return int(line[:3]), "\n".join(lines)

    def say(self, command: str) -> tuple[int, str]:
        self.send(command.encode() + b"\r\n")
        return self.reply()

    def hello(self, ident: str = "") -> None:
        code, text = self.reply()
        if code != 220:
            raise Gone(f"{code} {text}")
        _, text = self.say("LHLO mta.clinic.example" if self.lmtp else "EHLO mta.clinic.example")
        self.extensions = text.split("\n")[1:]
        if ident:
            assert any(line.startswith("XFORWARD") for line in self.extensions), "the listener takes no XFORWARD"
            assert self.say(f"XFORWARD IDENT={ident} NAME=ward.clinic.example ADDR=192.0.2.7")[0] == 250

    def transaction(self, sender: str, recipients: Sequence[str], data: bytes) -> dict[str, int]:
        """MAIL to the final answer: recipient -> code.  Raises Gone with nothing known of anybody."""
        code, _ = self.say(f"MAIL FROM:<{sender}>")
        if code != 250:
            return dict.fromkeys(recipients, code)
        answers = {one: self.say(f"RCPT TO:<{one}>")[0] for one in recipients}
        taken = [one for one in recipients if answers[one] == 250]
        if not taken:
            return answers
        code, _ = self.say("DATA")
        if code != 354:
            return answers | dict.fromkeys(taken, code)
        body = data.replace(b"\r\n.", b"\r\n..")
        self.send((b"." if body.startswith(b".") else b"") + body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        if not self.lmtp:
            return answers | dict.fromkeys(taken, self.reply()[0])
        for one in taken:
            answers[one] = NO_ANSWER
        with contextlib.suppress(Gone):  # what was answered before it broke is answered
            for one in taken:
                answers[one] = self.reply()[0]
        return answers


def attempt(
    port: int, protocol: str, message: Queued, recipients: Sequence[str] | None = None, patience: float = PATIENCE
) -> dict[str, int]:
    """Hand the message over once: recipient -> code, ``NO_ANSWER`` where the connection broke."""
    wanted = tuple(message.recipients if recipients is None else recipients)
    answers = dict.fromkeys(wanted, NO_ANSWER)
    with contextlib.suppress(Gone), Dialogue(port, protocol, patience) as wire:
        wire.hello(message.ident)
        answers = wire.transaction(message.sender, wanted, message.data)
        with contextlib.suppress(Gone):
            wire.say("QUIT")
    return answers


def final(code: int) -> bool:
    """Nobody comes back for this recipient."""
    return 200 <= code < 300 or 500 <= code < 600


def persist(
    port: int, protocol: str, message: Queued, answers: dict[str, int] | None = None, seconds: float = 30.0
) -> dict[str, int]:
    """Come back until every recipient has a final answer; ``answers`` is what earlier tries brought.  Else AssertionError."""
    known = dict(answers or {})
    end = time.monotonic() + seconds
    while waiting := [one for one in message.recipients if not final(known.get(one, NO_ANSWER))]:
        assert time.monotonic() < end, f"no final answer within {seconds:g} s: {sorted(set(known.values()))}"
        known |= attempt(port, protocol, message, waiting)
        if not all(final(known[one]) for one in message.recipients):
            time.sleep(0.2)
    return known
