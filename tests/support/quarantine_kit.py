"""A quarantine in a folder, with a clock that tests set, and objects as the gateway writes them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarantine import keys as keyfiles
from quarantine.audit import Audit
from quarantine.ingest import Intake
from quarantine.keyedhash import KeyedHash
from quarantine.lmtp import Answer
from quarantine.lmtp import deliver as lmtp_deliver
from quarantine.model import HeldRecipient, ObjectKind, SealedObject
from quarantine.ops import Desk
from quarantine.records import Records
from quarantine.release import Releaser
from quarantine.settings import QuarantineSettings
from quarantine.stores import FolderStore, Place
from quarantine.stores.folder import System
from quarantine.token import verify
from quarantine.vault import Vault

NOON = 1_795_348_800.0  # Sunday 2026-11-22 12:00 UTC
MONDAY = NOON + 86_400.0  # Monday noon: the office is open
CONTENT = b"From: dr@own.example\r\nSubject: CANARY-subject\r\n\r\nCANARY-body\r\n.a line with a dot\r\n"
SENDER = "dr.lee@own.example"
PEER = "dr.chen@royal.example"


def hex_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def image(text: str = "image") -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def hold_object(
    name: str = "hold", key: str = "review", action: str = "QUARANTINE", recipients: Iterable[str] = (PEER,), **meta: Any
) -> SealedObject:
    base: dict[str, Any] = {
        "version": 1, "created": MONDAY, "message": f"msg-{name}", "ref": "unused", "sender_kind": "person", "owner": "",
        "envelope": {"sender": SENDER, "recipients": [{"address": a, "notify": None, "orcpt": None} for a in recipients],
                     "ret": None, "envid": None, "smtputf8": False, "body": None},
        "identity": {"vouched": True}, "sha256": hashlib.sha256(CONTENT).hexdigest(), "action": action, "rule": "unknown-domain",
        "reasons": ["domain.unknown"], "releases": "ig", "notice": "N-2", "answers": [], "urgency": "routine", "alert": False,
        "facts": {"name": "CANARY-file-name.jpg"}, "policy": "digest", "uncertain": [],
    }  # fmt: skip
    return SealedObject(hex_id(name), ObjectKind.HOLD, key, base | meta, CONTENT)


def outcome_object(
    holds: Iterable[SealedObject] = (), delivered: Iterable[str] = (), name: str = "outcome", **meta: Any
) -> SealedObject:
    lines: list[dict[str, Any]] = []
    recipients: list[dict[str, Any]] = []
    message = f"msg-{name}"
    for hold in holds:
        message = hold.meta["message"]
        for one in hold.meta["envelope"]["recipients"]:
            recipients.append(one)
            lines.append({
                "address": one["address"], "class": "D", "state": "deferred" if hold.meta["action"] == "DEFERRED" else "held",
                "method": "", "rule": hold.meta["rule"], "reasons": hold.meta["reasons"], "notice": hold.meta["notice"],
                "hold": hold.id, "answers": hold.meta["answers"], "releases": hold.meta["releases"], "code": "", "kind": "notice",
                "tell": "sender",
            })  # fmt: skip
    for address in delivered:
        recipients.append({"address": address, "notify": None, "orcpt": None})
        lines.append({
            "address": address, "class": "A", "state": "delivered", "method": "route", "rule": "approved", "reasons": [],
            "notice": "N-3", "hold": "", "answers": [], "releases": "", "code": "250 2.0.0", "kind": "notice", "tell": "sender",
        })  # fmt: skip
    base: dict[str, Any] = {
        "version": 1, "created": MONDAY, "message": message, "ref": "OUTC-OME2", "sender_kind": "person", "owner": "",
        "envelope": {"sender": SENDER, "recipients": recipients, "ret": None, "envid": None, "smtputf8": False, "body": None},
        "message_id": f"<{message}@own.example>", "recipients": lines, "images": [image()],
        "subject": "CANARY-subject", "policy": "digest",
    }  # fmt: skip
    return SealedObject(hex_id(f"outcome of {name} {message}"), ObjectKind.OUTCOME, "online", base | meta)


def released_outcome(payload: Mapping[str, Any], **meta: Any) -> SealedObject:
    """What the gateway writes when it has delivered under a release; ``payload`` is that of the release's token."""
    people = list(payload["recipients"])
    words = ("release", "hold", "message", "by", "role", "decided")
    base = outcome_object(delivered=people, name=payload["release"]).meta
    release = {word: payload[word] for word in words if word in payload}
    told = {"message": f"release:{payload['release']}", "ref": payload["ref"], "release": release}
    return SealedObject(hex_id(f"outcome of {payload['release']}"), ObjectKind.OUTCOME, "online", {**base, **told, **meta})


@dataclass
class World:
    """Everything of one quarantine; ``now`` is its clock."""

    root: Path
    review_key_here: bool = True
    now: float = MONDAY
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keys = self.root / "keys"
        if not keys.exists():
            keyfiles.generate(keys)
            keyfiles.generate_secret(self.root / "hash.key")
            keyfiles.generate_secret(self.root / "release.key")
        self.settings = QuarantineSettings.model_validate({
            "state": self.root / "state", "store": self.root / "store", "keys": keys, "release_key": self.root / "release.key",
            "hash_key": self.root / "hash.key", "journal": self.root / "journal", "snapshot": self.root / "snapshot.sqlite",
            "release_socket": self.root / "r.sock", "reviewers": {"ig": ["ig1", "ig2"], "mail_admin": ["adm"]},
            "addresses": {
                "sender": "gateway@own.example", "ig": "ig@own.example", "mail_admin": "adm@own.example",
                "postmaster": "postmaster@own.example", "on_call": "oncall@own.example",
            },
            **self.options,
        })  # fmt: skip
        self.settings.state.mkdir(exist_ok=True)
        self.private = keyfiles.load_private(keys)
        self.all_private = dict(self.private)
        if not self.review_key_here:
            self.private.pop("review")
        self.public = keyfiles.load_public(keys)
        self.release_key = keyfiles.load_secret(self.root / "release.key")
        # Nobody pulls the plug here; that fsync is called where it must be is tested with the store.
        self.store = FolderStore(self.settings.store, System(fsync=lambda descriptor: None))
        self.store.prepare()
        self.hashes = KeyedHash.load(self.root / "hash.key")
        self.records = Records(self.settings.records)
        self.records.run("PRAGMA synchronous = OFF")
        self.audit = Audit(self.settings.audit, self.hashes, self.clock, fsync=lambda descriptor: None)
        self.vault = Vault(self.store, self.public)
        self.intake = self.new_intake()

    def clock(self) -> float:
        return self.now

    def new_intake(self, crash_point: Callable[[str], None] = lambda name: None) -> Intake:
        return Intake(self.store, self.records, self.private, self.hashes, self.audit, self.settings, crash_point)

    def releaser(self, deliver: Any = lmtp_deliver, crash_point: Callable[[str], None] = lambda name: None) -> Releaser:
        return Releaser(
            self.store, self.records, self.private, self.public, self.release_key, self.hashes, self.audit, self.settings,
            self.clock, deliver, crash_point,
        )  # fmt: skip

    def desk(self) -> Desk:
        return Desk(self.store, self.records, self.audit, self.settings, self.public, self.all_private, self.clock)

    def put(self, *objects: SealedObject) -> None:
        for obj in objects:
            self.vault.put(obj)

    def take(self, *objects: SealedObject) -> int:
        self.put(*objects)
        return self.intake.run(self.now)

    def places(self) -> dict[str, int]:
        return {place.value: sum(1 for _ in self.store.list(place)) for place in Place}


class Gate:
    """Stands for the gateway's release listener: a real LMTP server on a Unix socket that remembers release ids."""

    def __init__(self, key: bytes, clock: Callable[[], float]) -> None:
        self.key, self.clock = key, clock
        self.answers: dict[str, str] = {}  # address -> reply; else delivered
        self.delivered: list[tuple[str, str]] = []  # (release id, address), once each
        self.seen: list[dict[str, Any]] = []
        self.data: list[bytes] = []
        self.hang_up_after_data = False
        self.refuse_token = False

    async def __aenter__(self) -> Gate:
        return self

    async def start(self, path: Path) -> asyncio.Server:
        return await asyncio.start_unix_server(self._serve, path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 gate LMTP\r\n")
        payload: dict[str, Any] = {}
        people: list[str] = []
        try:
            while line := (await reader.readline()).decode():
                word = line[:4].upper()
                if word == "LHLO":
                    writer.write(b"250-gate\r\n250-SIZE 100000000\r\n250-DSN\r\n250 CLINIGATE-RELEASE\r\n")
                elif word == "MAIL":
                    token = next(w.partition("=")[2] for w in line.split() if w.startswith("CLINIGATE-RELEASE="))
                    payload = verify(token, self.key, self.clock())
                    self.seen.append(payload)
                    writer.write(b"250 2.1.0 OK\r\n")
                elif word == "RCPT":
                    people.append(line.partition("<")[2].partition(">")[0])
                    writer.write(b"250 2.1.5 OK\r\n")
                elif word == "DATA":
                    if self.refuse_token:
                        writer.write(b"550 5.7.1 Not a valid release\r\n")
                        continue
                    writer.write(b"354 go\r\n")
                    body = b""
                    while (got := await reader.readline()) != b".\r\n":
                        body += got[1:] if got.startswith(b".") else got
                    self.data.append(body)
                    replies = [self._reply(payload, one) for one in people]
                    if self.hang_up_after_data:
                        return
                    writer.write("".join(f"{reply}\r\n" for reply in replies).encode())
                elif word == "QUIT":
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    def _reply(self, payload: dict[str, Any], address: str) -> str:
        if address in self.answers:
            return self.answers[address]
        if (payload["release"], address) not in self.delivered:
            self.delivered.append((payload["release"], address))
        return "250 2.0.0 DELIVERED"


def answering(*answers: Answer) -> Any:
    """A ``deliver`` that gives these answers to each call's recipients in turn."""

    async def deliver(
        path: Path, recipients: Iterable[HeldRecipient], data: bytes, parameters: object, seconds: float
    ) -> list[Answer]:
        return list(answers)

    return deliver
