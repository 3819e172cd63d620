"""Holds that ask their sender, and replies to them as mail programs write and the gateway hands over."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from quarantine.answers.desk import Answers
from quarantine.answers.inbox import Inbox
from quarantine.answers.model import REPLY
from quarantine.answers.secrets import Secrets, reply_address
from quarantine.ingest import Intake
from quarantine.model import HoldRow, ObjectKind, SealedObject
from tests.support.quarantine_kit import PEER, SENDER, World, hex_id, hold_object, outcome_object

DOMAIN = "hold.own.example"
TAGS = (
    "[consent verbal]", "[consent written]", "[consent verbal, parent]", "[consent implied]", "[not a patient image]",
    "[emergency: why it cannot wait]",
)  # fmt: skip
NOTICE = "gateway@own.example"


class AnswerWorld(World):
    """A quarantine that takes replies; ``ask`` holds a mail, ``reply`` is what its sender writes."""

    def __init__(self, root: Path, now: float | None = None, **options: Any) -> None:
        given = {"replies": {"domain": DOMAIN, **options.pop("replies", {})}, **options}
        super().__init__(root, options=given) if now is None else super().__init__(root, now=now, options=given)
        self.secrets = Secrets(self.release_key)
        self.use(self.new_answering_intake())

    def use(self, intake: Intake) -> None:
        self.intake = intake

    def new_answering_intake(self, crash_point: Any = lambda name: None) -> Intake:
        self.answers = Answers(self.desk(), self.secrets)
        inbox = Inbox(self.answers, self.records, self.settings.replies)
        return Intake(
            self.store, self.records, self.private, self.hashes, self.audit, self.settings, crash_point, replies=inbox.take
        )  # fmt: skip

    def ask(
        self, name: str = "asked", answers: Iterable[str] = TAGS, recipients: Iterable[str] = (PEER,), **meta: Any
    ) -> HoldRow:
        """One mail held until its sender answers."""
        told = {"releases": "sender", "notice": "N-1", "answers": list(answers), "reasons": ["consent.missing"], **meta}
        hold = hold_object(name, "online", "ASK", recipients, ref=f"{name[:4].upper():X<4}-2345", **told)
        self.take(hold, outcome_object([hold], name=name))
        return self.row(hold.id)

    def row(self, hold: str) -> HoldRow:
        found = self.records.hold(hold)
        assert found is not None
        return found

    def secret(self, row: HoldRow, way: str = REPLY) -> str:
        return self.secrets.make(row.id, SENDER, way)

    def address(self, row: HoldRow) -> str:
        return reply_address(self.secret(row), DOMAIN)

    def reply(
        self,
        row: HoldRow,
        text: str,
        *,
        sender: str = SENDER,
        codes: Iterable[str] = (),
        secret: str | None = None,
        raw: bytes | None = None,
        name: str = "",
    ) -> SealedObject:
        """A reply as the gateway seals it.  ``raw``: the whole message instead of ``text`` above a quoted notice."""
        content = raw if raw is not None else letter(text, self.address(row), sender)
        identity = {"vouched": not list(codes), "codes": list(codes)}
        meta = {
            "version": 1, "created": self.now, "envelope": {"sender": sender, "listener": "mta"}, "identity": identity,
            "cut": False, "secret": secret if secret is not None else self.secret(row),
        }  # fmt: skip
        digest = hashlib.sha256(content + sender.encode() + str(secret).encode()).hexdigest()
        return SealedObject(hex_id(name or digest), ObjectKind.REPLY, "online", meta, content)

    def say(self, row: HoldRow, text: str, **more: Any) -> str:
        """Reply, take it in; what came of it."""
        obj = self.reply(row, text, **more)
        self.take(obj)
        return self.records.reply(obj.id) or ""

    def promised(self, kind: str = "") -> list[tuple[str, str]]:
        """(kind, variant or why) of every notice that is promised now."""
        rows = [row for row in self.records.outbox_due(self.now + 1e9, 1000) if row.kind == kind or not kind]
        return [(row.kind, str(row.detail.get("variant") or row.detail.get("why") or "")) for row in rows]


def letter(text: str, to: str, sender: str = SENDER, headers: str = "", quoted: str = "VERBAL, WRITTEN, DELETE") -> bytes:
    """A plain reply above the notice it answers."""
    lines = [
        f"From: Dr Lee <{sender}>", f"To: <{to}>", "Subject: Re: Waiting for you: email sent 14:02 (ref ASKE-2345)",
        "Message-ID: <r1@own.example>", *([headers] if headers else []), "Content-Type: text/plain; charset=utf-8", "",
        *text.split("\n"), "", f"On Mon, 23 Nov 2026 at 12:00, Clinigate <{NOTICE}> wrote:",
        *(f"> {line}" for line in quoted.split("\n")), "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()
