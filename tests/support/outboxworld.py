"""A small world around the real outbox: real records, a transport that keeps or fails as told, and a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from quarantine import promises
from quarantine.notices.renderer import Renderer
from quarantine.notices.wording import load
from quarantine.outbox import Outbox, unsent
from quarantine.records import Records
from tests.support.noticeworld import NOW, SETTINGS, held, hold, meta

TEMPLATES = load()
WINDOW = 5.0
HOLD = "ab" * 16


@dataclass
class Box:
    """A transport that keeps, or fails as told."""

    mails: list[tuple[str, bytes]] = field(default_factory=list)
    fails: Exception | None = None
    after: Callable[[], None] = lambda: None

    def send(self, to: str, data: bytes) -> None:
        if self.fails is not None:
            raise self.fails
        self.mails.append((to, data))
        self.after()

    def texts(self) -> list[str]:
        return [text_of(data) for _, data in self.mails]


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(data: bytes) -> str:
    body = parsed(data).get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


class World:
    """Real records, an outbox, and a clock."""

    def __init__(self) -> None:
        self.now = NOW
        self.records = Records(":memory:")
        self.box = Box()
        self.outbox = Outbox(self.records, self.box, Renderer(self.records, SETTINGS, TEMPLATES), lambda: self.now)

    def outcome(self, identity: str, *lines: dict[str, Any], merge: str = "m1", **more: Any) -> None:
        """As the intake does it: outcome, holds and promise in one transaction."""
        told = [{"tell": "sender", **({"kind": "notice"} if one["notice"] else {}), **one} for one in lines]
        outcome = meta(*told, **more)
        with self.records.transaction():
            self.records.add_outcome(identity, outcome["message"], merge, outcome["created"], outcome)
            promises.outcome_told(self.records, identity, merge, outcome, self.now, WINDOW)

    def hold(self, identity: str, *addresses: str, **more: Any) -> None:
        self.records.add_hold(hold(identity, **more), held(*addresses))

    def run(self, later: float = WINDOW) -> int:
        self.now += later
        return self.outbox.run_due()

    def pending(self) -> int:
        return unsent(self.records)[0]
