"""A small world around the real Committer and the real Ledger: next hop, vault and journal that fail on demand, and death.

``Killed`` stands for SIGKILL: once it was raised, nothing of the old process touches the disk any more.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gateway.model import Copy, Envelope, Hold, Plan, Received, Recipient, Reply, Result
from gateway.outcomes import ledger as ledger_module
from gateway.outcomes.commit import Committer
from gateway.outcomes.ledger import Ledger
from quarantine.model import ObjectKind, SealedObject

if TYPE_CHECKING:
    from gateway.exitcheck import Cleared

ANSWERS = {
    "ok": Result(250, "2.0.0 queued"),
    "4yz": Result(452, "4.3.1 try later <someone@example.org>"),
    "5yz": Result(550, "5.1.1 no such user <someone@example.org>"),
    "dead": Result(0, "refused"),
    "lost": Result(0, "gone", unknown=True),  # taken, and the reply lost
    "dropped": Result(0, "gone", unknown=True),  # not taken, and nobody knows
}
TAKEN = ("ok", "lost")


class Killed(BaseException):
    """The process died here."""


@dataclass
class Data:
    """Stands for ``Cleared``, which only the exit check can make."""

    data: bytes


def copy(recipients: Sequence[int], data: bytes, route: str = "default", method: str = "route") -> Copy:
    return Copy(tuple(recipients), cast("Cleared", Data(data)), route, method, "doctor@trust.example")


MESSAGE = b"Message-ID: <1@trust.example>\r\n\r\nbody\r\n"


def received(addresses: Sequence[str], raw: bytes = MESSAGE, key: str = "Q1", **more: Any) -> Received:
    notify = more.pop("notify", None)
    recipients = tuple(Recipient(address, notify) for address in addresses)
    return Received(Envelope("doctor@trust.example", recipients, **more), raw, 1000.0, key)


class WorldLedger(Ledger):
    """The real ledger, on this thread, with a disk that can fail and a process that can die."""

    world: World

    async def _run(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.world.tick()
        if self.world.ledger_broken:
            raise sqlite3.OperationalError("disk I/O error")
        answer = work(*args, **kwargs)
        self.world.tick()
        return answer


@dataclass
class World:
    """Everything outside the process, and the process."""

    folder: Path
    answers: dict[str, str] = field(default_factory=dict)  # address -> word of ANSWERS; absent = ok
    objects: dict[str, SealedObject] = field(default_factory=dict)
    puts: list[str] = field(default_factory=list)
    taken: list[tuple[str, bytes]] = field(default_factory=list)  # (address, bytes) the next hop took
    handed: list[tuple[str, bytes]] = field(default_factory=list)  # (address, bytes) handed to it
    events: list[Mapping[str, Any]] = field(default_factory=list)
    vault_broken: bool = False
    ledger_broken: bool = False
    journal_broken: bool = False
    now: float = 1001.0
    fuse: int | None = None  # steps until death
    die_at: str = ""  # crash point to die at
    dead: bool = False
    boots: int = 0
    points: Counter[str] = field(default_factory=Counter)
    on_send: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.boot()

    def boot(self) -> None:
        """A new process on the same disk."""
        if self.boots:
            self.ledger._disconnect()
        self.boots, self.dead, self.fuse, self.die_at = self.boots + 1, False, None, ""
        self.ledger = WorldLedger(self.folder / "ledger.sqlite", "gateway-0", lambda: self.now, boot=f"boot-{self.boots}")
        self.ledger.world = self
        self.committer = Committer(
            self, self, self, self.ledger, clock=lambda: self.now, offload=self._inline, crash_point=self._point
        )

    def tick(self) -> None:
        if self.fuse is not None:
            self.fuse -= 1
            self.dead = self.dead or self.fuse < 0
        if self.dead:
            raise Killed

    def _point(self, name: str) -> None:
        self.points[name] += 1
        self.dead = self.dead or name == self.die_at
        self.tick()

    async def _inline(self, work: Callable[..., Any], *args: Any) -> Any:
        return work(*args)

    async def send(self, route: str, sender: str, recipients: Sequence[Recipient], data: Any, envelope: Envelope) -> list[Result]:
        self.tick()
        self.on_send()
        words = [self.answers.get(recipient.address, "ok") for recipient in recipients]
        for recipient, word in zip(recipients, words, strict=True):
            self.handed.append((recipient.address, data.data))
            if word in TAKEN:
                self.taken.append((recipient.address, data.data))
        self.tick()
        return [ANSWERS[word] for word in words]

    def put(self, obj: SealedObject) -> None:
        self.tick()
        if self.vault_broken:
            raise OSError(28, "no space left on device")
        self.puts.append(obj.id)
        known = self.objects.setdefault(obj.id, obj)
        assert named(known) == named(obj) and known.kind == obj.kind, "one id stands for two things"
        self.tick()

    async def append(self, event: Mapping[str, Any], *, durable: bool) -> None:
        self.tick()
        if durable and self.journal_broken:
            raise OSError(28, "no space left on device")
        self.events.append(event)

    def of(self, kind: ObjectKind) -> list[SealedObject]:
        return [obj for obj in self.objects.values() if obj.kind is kind]

    @property
    def holds(self) -> list[SealedObject]:
        return self.of(ObjectKind.HOLD)

    @property
    def outcomes(self) -> list[SealedObject]:
        return self.of(ObjectKind.OUTCOME)

    def row_states(self) -> list[str]:
        """States of all rows of mail and releases, sorted."""
        with sqlite3.connect(self.folder / "ledger.sqlite") as db:
            found = sorted(state for (state,) in db.execute("SELECT state FROM recipients WHERE token <> ''"))
        db.close()
        return found


def named(obj: SealedObject) -> list[str]:
    """Addresses of an object."""
    return sorted(line["address"] for line in obj.meta["envelope"]["recipients"])


def without_fsync(monkeypatch: Any) -> None:
    """Death of a process, not of the machine, is what these tests are about; syncing would make them slow."""
    monkeypatch.setattr(ledger_module, "DURABLE", "NORMAL")


@contextmanager
def opened(folder: Path, monkeypatch: Any) -> Iterator[World]:
    """A world of its own for one test."""
    without_fsync(monkeypatch)
    made = World(folder)
    yield made
    made.ledger._disconnect()


A, B, C = "a@royal.example", "b@royal.example", "c@royal.example"
BOTH = Plan((copy([0], b"for a"), copy([1], b"for b")))


def commit(world: World, plan: Plan, mail: Received, listener: str = "relay") -> list[Reply] | None:
    """One try; None (and a new process) when it died."""
    try:
        return asyncio.run(world.committer.commit(plan, mail, listener, world.now + 240))
    except Killed:
        world.boot()
        return None


def codes(replies: list[Reply] | None) -> list[int]:
    assert replies is not None
    return [one.code for one in replies]


def hold(*indexes: int, rule: str = "r-ask", action: str = "ASK") -> Hold:
    return Hold(indexes, action, rule, ("why",), "online", "sender", "N-1")


def states(world: World) -> dict[str, list[str]]:
    """address -> every state an outcome object gives it."""
    found: dict[str, list[str]] = {}
    for obj in world.outcomes:
        for line in obj.meta["recipients"]:
            found.setdefault(line["address"], []).append(line["state"])
    return found
