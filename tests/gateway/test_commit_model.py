"""A model of client, gateway, next hop, vault and quarantine service, with death possible at every step (P1, P2, P8).

The gateway is the real Committer on the real Ledger; a death throws away everything in memory and starts again from disk.
Each message is a client's attempt to get one message to one to three recipients, whatever the answers, losses and policy
changes in between.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from gateway.model import Hold, Plan, Received, Refusal, Reply
from gateway.outcomes.commit import CRASH_POINTS
from gateway.outcomes.fates import SPENT
from quarantine.model import ObjectKind, SealedObject
from tests.support.commitworld import Killed, World, copy, named, received, without_fsync

FATES = ("a", "a", "b", "ask", "review", "refuse")  # copy a, copy b, held by the sender or a reviewer, refused
ANSWERS = ("ok", "ok", "ok", "4yz", "5yz", "dead", "lost", "dropped")
SEEN: Counter[str] = Counter()  # crash points passed over the whole run: the model must reach them all


@dataclass
class Message:
    """What the client and the judge know of one message (one generation of its bytes)."""

    number: int
    generation: int
    addresses: list[str]
    protocol: str
    listener: str
    plain: bool
    fates: list[str]
    open: list[str]  # recipients without a final answer
    accepted: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    went_on: bool = False
    vanished: bool = False
    lost: Counter[str] = field(default_factory=Counter)  # address -> answers or notes lost while it was being sent
    taken: list[str] = field(default_factory=list)  # addresses the next hop took, with repetition
    objects: dict[str, SealedObject] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)  # deferred recipients a release has settled
    doubts: Counter[str] = field(default_factory=Counter)  # address -> tries after which nobody could know
    split: bool = False  # the client retried some of the recipients without the others

    @property
    def raw(self) -> bytes:
        return b"Message-ID: <%d@trust.example>\r\n\r\nbody\r\n" % self.number

    def bytes_for(self, word: str) -> bytes:
        return b"%d copy %s" % (self.number, word.encode())

    def mail(self, addresses: list[str]) -> Received:
        return received(addresses, self.raw, f"Q{self.number}", protocol=self.protocol)

    def plan(self, addresses: list[str]) -> Plan:
        """The pipeline's plan for these recipients under the policy of the moment."""
        groups: dict[str, list[int]] = {}
        for index, address in enumerate(addresses):
            groups.setdefault(self.fates[self.addresses.index(address)], []).append(index)
        copies = [copy(at, self.bytes_for(word)) for word, at in groups.items() if word in "ab"]
        holds = [
            Hold(tuple(at), "ASK" if word == "ask" else "QUARANTINE", word, (word,), "review", "ig", "N-1")
            for word, at in groups.items() if word in ("ask", "review")
        ]  # fmt: skip
        refusals = [Refusal(tuple(at), word, (word,)) for word, at in groups.items() if word == "refuse"]
        return Plan(tuple(copies), tuple(holds), tuple(refusals), plain=self.plain)

    def holding(self, address: str) -> list[SealedObject]:
        return [o for o in self.objects.values() if o.kind is ObjectKind.HOLD and address in named(o)]

    def outcomes(self, address: str) -> list[dict[str, Any]]:
        found = [o for o in self.objects.values() if o.kind is ObjectKind.OUTCOME and "release" not in o.meta]
        return [line for o in found for line in o.meta["recipients"] if line["address"] == address]

    def released(self, address: str) -> list[dict[str, Any]]:
        found = [o for o in self.objects.values() if "release" in o.meta]
        return [line for o in found for line in o.meta["recipients"] if line["address"] == address]


weather = st.fixed_dictionaries(
    {
        "answers": st.lists(st.sampled_from(ANSWERS), min_size=3, max_size=3),
        "vault": st.sampled_from([False, False, False, True]),
        "ledger": st.sampled_from([False, False, False, False, True]),
        "journal": st.sampled_from([False, False, False, False, True]),
        "fuse": st.none() | st.none() | st.integers(0, 40),
        "die_at": st.sampled_from(["", "", ""]) | st.sampled_from(CRASH_POINTS),
        "reply_lost": st.sampled_from([False, False, True]),
        "late": st.sampled_from([False, False, False, False, True]),
    }
)
BAD = ("vault", "ledger", "journal", "reply_lost", "late")
CLEAR = {"answers": ["ok"] * 3, "fuse": None, "die_at": "", **dict.fromkeys(BAD, False)}


class Mail(RuleBasedStateMachine):
    """Rules are what may happen; invariants are what we promise."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name))
        self.loop = asyncio.new_event_loop()
        self.messages: list[Message] = []
        self.owner: dict[str, Message] = {}  # object id -> message
        self.answered: dict[str, str] = {}

    # -- what may happen ---------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.messages) < 4)
    @rule(
        fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=3),
        protocol=st.sampled_from(["SMTP", "SMTP", "LMTP"]),
        listener=st.sampled_from(["relay", "relay", "submission"]),
        plain=st.sampled_from([False, False, True]),
        weather=weather,
    )
    def new_message(self, fates: list[str], protocol: str, listener: str, plain: bool, weather: dict[str, Any]) -> None:
        """A client sends a message it has not sent before."""
        number = len(self.messages)
        addresses = [f"r{index}.{number}@royal.example" for index in range(len(fates))]
        fates = ["a"] * len(fates) if plain else fates
        message = Message(number, 0, addresses, protocol, listener, plain, fates, list(addresses))
        self.messages.append(message)
        self.deliver(message, weather)

    def waiting(self) -> list[Message]:
        return [m for m in self.messages if m.open and not m.vanished]

    @precondition(lambda self: self.waiting())
    @rule(
        data=st.data(),
        weather=weather,
        times=st.sampled_from([1, 1, 2, 3]),
        fates=st.none() | st.lists(st.sampled_from(FATES), min_size=3, max_size=3),
        split=st.sampled_from([False, False, False, True]),
    )
    def retry(self, data: st.DataObject, weather: dict[str, Any], times: int, fates: list[str] | None, split: bool) -> None:
        """A client that got no answer, or 4yz, sends again; facts or policy may have changed in between."""
        message = data.draw(st.sampled_from(self.waiting()), "message")
        if fates and not message.plain:
            message.fates = fates[: len(message.addresses)]
        for _ in range(times):
            if split and len(message.open) > 1:
                message.split = True
                self.deliver(message, weather, message.open[:1])
            if message.open:
                self.deliver(message, weather)

    @precondition(lambda self: self.waiting())
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        """A client never comes back."""
        data.draw(st.sampled_from(self.waiting()), "message").vanished = True

    def closed(self) -> list[Message]:
        newest = {m.number: m for m in self.messages}
        return [m for m in newest.values() if m.went_on and not m.open and not m.rejected]

    @precondition(lambda self: len(self.messages) < 6 and self.closed())
    @rule(data=st.data(), weather=weather)
    def resend(self, data: st.DataObject, weather: dict[str, Any]) -> None:
        """A client that has got its 250 and went on means it when it sends the same bytes again."""
        old = data.draw(st.sampled_from(self.closed()), "message")
        message = Message(
            old.number, old.generation + 1, old.addresses, old.protocol, old.listener, old.plain, old.fates, list(old.addresses)
        )
        self.messages.append(message)
        self.deliver(message, weather)

    @rule(seconds=st.integers(1, 600))
    def time_passes(self, seconds: int) -> None:
        """Nothing happens for a while."""
        self.world.now += seconds

    def deferred(self) -> list[tuple[Message, SealedObject]]:
        holds = [(self.owner[o.id], o) for o in self.world.holds if o.meta["action"] == "DEFERRED"]
        return [(m, o) for m, o in holds if set(named(o)) - m.settled]

    @precondition(lambda self: self.deferred())
    @rule(data=st.data(), weather=weather, again=st.booleans(), times=st.sampled_from([1, 1, 2, 3]))
    def submit_again(self, data: st.DataObject, weather: dict[str, Any], again: bool, times: int) -> None:
        """The quarantine service re-submits a DEFERRED hold, always under one release id."""
        message, hold = data.draw(st.sampled_from(self.deferred()), "hold")
        for _ in range(times):
            if set(named(hold)) - message.settled:
                self.submit(message, hold, weather, again)

    # -- how it happens ----------------------------------------------------------------------------------------------

    def submit(self, message: Message, hold: SealedObject, weather: dict[str, Any], again: bool) -> None:
        addresses = [address for address in named(hold) if address not in message.settled]
        plan = Plan((copy(range(len(addresses)), message.bytes_for("released")),))
        if again:
            plan = Plan((), (Hold(tuple(range(len(addresses))), "ASK", "rule", (), "online", "sender"),))
        before = set(self.world.objects)
        mail = received(addresses, message.raw, "released", protocol="LMTP", release={"release": f"r-{hold.id}", "hold": hold.id})
        replies = self.commit(message, plan, mail, "release", weather)
        made = [self.world.objects[identity] for identity in set(self.world.objects) - before]
        assert all(obj.kind is ObjectKind.OUTCOME and "release" in obj.meta for obj in made), (
            "a release writes for the ledger only"
        )
        for address, answer in zip(addresses, replies or [], strict=bool(replies)):
            if answer.code == 250 and "HELD-AGAIN" not in answer.text:
                assert answer.text == "DELIVERED" and address in message.taken
                told = [*message.released(address), *message.outcomes(address)]
                times = [line["state"] for line in told].count("delivered")
                assert times == 1 or (message.plain and not told), "in the ledger, once, before it is answered"
                message.settled.add(address)
            elif answer.code >= 500:
                message.settled.add(address)

    def deliver(self, message: Message, weather: dict[str, Any], some: list[str] | None = None) -> None:
        addresses = list(some or message.open)
        plan = message.plan(addresses)
        replies = self.commit(message, plan, message.mail(addresses), message.listener, weather)
        if replies is None:
            return
        each = replies * len(addresses) if message.protocol == "SMTP" else replies
        assert len(each) == len(addresses)
        for address, answer in zip(addresses, each, strict=True):
            if answer.code != 451 and answer.code != 452:
                message.open.remove(address)
                (message.accepted if answer.code == 250 else message.rejected).add(address)
        if not message.open and not self.world.ledger_broken:
            self.loop.run_until_complete(self.world.committer.went_on(f"Q{message.number}"))
            message.went_on = True

    def commit(self, message: Message, plan: Plan, mail: Received, listener: str, weather: dict[str, Any]) -> list[Reply] | None:
        """One try.  None when the client heard nothing."""
        world, addresses = self.world, [recipient.address for recipient in mail.envelope.recipients]
        world.answers = dict(zip(addresses, weather["answers"], strict=False))
        world.vault_broken, world.ledger_broken, world.journal_broken = weather["vault"], weather["ledger"], weather["journal"]
        world.fuse, world.die_at = weather["fuse"], weather["die_at"]
        handed, seen, puts = len(world.handed), len(world.taken), len(world.puts)
        deadline = world.now - 1 if weather["late"] else world.now + 240
        replies: list[Reply] | None = None
        try:
            replies = self.loop.run_until_complete(world.committer.commit(plan, mail, listener, deadline))
        except Killed:
            SEEN.update(world.points)
            world.boot()
        finally:
            world.fuse, world.die_at = None, ""
        self.judge_bytes(message, plan, addresses, world.handed[handed:])
        message.doubts.update(a for a, _ in world.handed[handed:] if replies and world.answers[a] in ("lost", "dropped"))
        if replies is None:  # noted as being sent, perhaps, and perhaps not sent
            message.doubts.update(addresses[index] for held in plan.copies for index in held.recipients)
        sent = [address for address, _ in world.taken[seen:]]
        message.taken += sent
        for address in sent:
            if world.answers[address] == "lost" or replies is None or world.ledger_broken:
                message.lost[address] += 1
        for identity in world.puts[puts:]:
            assert self.owner.setdefault(identity, message) is message, "an id was used for two messages"
            message.objects[identity] = world.objects[identity]
        if replies is not None and weather["reply_lost"]:
            if message.plain:
                message.lost.update(sent)  # image-free mail: no ledger, the same as without us
            return None
        return replies

    def judge_bytes(self, message: Message, plan: Plan, addresses: list[str], handed: list[tuple[str, bytes]]) -> None:
        """P2: the next hop is handed this plan's bytes for this recipient and nothing else, each at most once a try."""
        planned = {addresses[index]: held.data.data for held in plan.copies for index in held.recipients}
        assert len({address for address, _ in handed}) == len(handed)
        for address, data in handed:
            assert planned[address] == data

    # -- what we promise ---------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost(self) -> None:
        """P1: who was accepted is delivered, held, refused with a record, or failed with a report; durably."""
        for message in self.messages:
            for address in message.accepted:
                states = {line["state"] for line in message.outcomes(address)}
                durable = address in message.taken or message.holding(address) or states & {"refused", "failed"}
                assert durable, "a recipient is lost"
                if not message.plain:
                    assert states, "a recipient of a clinical message has no outcome"

    @invariant()
    def one_outcome_for_each_recipient(self) -> None:
        """P8: named once, in one state, by one hold."""
        for message in self.messages:
            for address in message.addresses:
                lines, holds = message.outcomes(address), message.holding(address)
                if any(hold.meta["rule"] == SPENT for hold in holds):
                    assert message.doubts[address] >= 2, "held as unknown though it was known"
                if message.split:
                    continue  # regrouped: nobody is lost, but holds may double
                assert len(lines) <= 1, "two outcomes"
                assert len(holds) <= 1, "two holds"
                if lines and lines[0]["state"] in ("held", "deferred"):
                    assert [hold.id for hold in holds] == [lines[0]["hold"]]
                if lines and lines[0]["state"] in ("delivered", "refused", "failed"):
                    assert not holds
                if lines and lines[0]["state"] in ("held", "refused", "failed"):
                    assert address not in message.taken or message.lost[address]
                if lines and lines[0]["state"] == "delivered":
                    assert address in message.taken

    @invariant()
    def one_outcome_object_for_each_transaction(self) -> None:
        """P8: over SMTP, where one answer covers all, one object names them all."""
        for message in self.messages:
            objects = [o for o in message.objects.values() if o.kind is ObjectKind.OUTCOME and "release" not in o.meta]
            if message.protocol == "SMTP" and not message.split:
                assert len(objects) <= 1
                if message.accepted and not message.plain:
                    assert [named(o) for o in objects] == [sorted(message.addresses)]

    @invariant()
    def at_most_one_duplicate(self) -> None:
        """P8: a second delivery only where an answer or our note of it was lost, and never a third.

        Image-free mail, for which no ledger is kept, may be doubled once for each loss, as without us.
        """
        for message in self.messages:
            for address, times in Counter(message.taken).items():
                losses = message.lost[address]
                assert times <= 1 + (losses if message.plain else min(losses, 1)), "too many deliveries"

    def teardown(self) -> None:
        """When the weather clears, every client that comes back gets a final answer."""
        try:
            for message in self.waiting():
                for _ in range(3):
                    if message.open:
                        self.deliver(message, CLEAR)
                assert not message.open, "no final answer in fair weather"
            self.nothing_is_lost()
            self.one_outcome_for_each_recipient()
            self.one_outcome_object_for_each_transaction()
            self.at_most_one_duplicate()
        finally:
            SEEN.update(self.world.points)
            self.world.ledger._disconnect()
            self.loop.close()
            self.folder.cleanup()


def run(examples: int, steps: int) -> None:
    SEEN.clear()
    run_state_machine_as_test(  # type: ignore[no-untyped-call] # hypothesis ships this function untyped
        Mail,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


@pytest.mark.unit
@pytest.mark.slow
def test_no_step_at_which_death_loses_or_doubles_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """P1, P2 and P8 hold whatever happens in whatever order."""
    without_fsync(monkeypatch)
    run(200, 12)
    assert set(CRASH_POINTS) <= set(SEEN), "the model does not reach every crash point"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_step_at_which_death_loses_or_doubles_anything_at_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with many more lives."""
    without_fsync(monkeypatch)
    run(2500, 18)
