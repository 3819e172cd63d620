"""Steps 2-10 of a message's path, in the order and with the numbers of docs/flow.md.  Runs in a compute process.

Step 1 (receive) is ``gateway.smtp``, step 11 (commit) ``gateway.outcomes.commit``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog

from gateway.carriers import sender_kind, statements
from gateway.context import Context
from gateway.emergency import stated
from gateway.evidence.wording import wording
from gateway.facts import Opened, gather, patients
from gateway.finishing.outgoing import Outgoing
from gateway.identity import Vouches, identify
from gateway.message import parse
from gateway.model import Plan, Received
from gateway.opening.leaves import open_leaves
from gateway.plans import failure_plan
from gateway.recording import record
from gateway.releases import ReleaseTerms
from policies.decide import decide
from policies.model import Decision, Facts

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Judged:
    """Steps 2-6 of one message: what is in it, and what is to become of each recipient, in the order of the envelope."""

    opened: Opened
    facts: tuple[Facts, ...]
    decisions: tuple[Decision, ...]


def plan(context: Context, received: Received) -> Plan:
    """What becomes of every recipient.  Total: whatever fails here holds the message (in observe: the original passes)."""
    try:
        return carry_out(context, received, judge(context, received))
    except Exception as error:  # noqa: BLE001 - step 12: the first of the product's two broad excepts; any failure means hold
        log.error("pipeline.failed", error=type(error).__name__, key=context.hashes.of(received.key))
        return failure_plan(context.policy, received, "internal-error")


def judge(context: Context, received: Received) -> Judged:
    """Steps 2-6: pure but for the snapshot and the keyring; changes and sends nothing."""
    envelope = received.envelope
    # 2. Parse into parts by offset.
    message = parse(received.raw)
    # 3. Open every leaf by its bytes; 4. inspect each image, and note what it would be recognised by.
    release = ReleaseTerms.of(envelope)
    leaves = open_leaves(message, context.opening(), context.budget(), context.decoration(envelope.sender), release.accepted)
    # 5. Read the consent statement from every carrier.
    carried = release.added(statements(message))
    vouches = context.spec.vouches.get(envelope.listener, Vouches.NOTHING)
    identity = release.identity or identify(message, envelope, carried, vouches, context.spec.trusted_hosts)
    found = patients(message, leaves, carried.numbers, lambda number: bool(context.memory.said((number,))))
    allowed = context.policy.settings.file_links.allowed
    words = wording(message, leaves, context.policy.words, allowed, carried.thread, bool(found.numbers))
    opened = Opened(message, leaves, carried, identity, sender_kind(message, envelope), found, words)
    # 6. Decide per recipient.
    facts = gather(context.policy, received, opened, context.memory, context.methods)
    return Judged(opened, facts, tuple(decide(context.policy, one) for one in facts))


def carry_out(context: Context, received: Received, judged: Judged) -> Plan:
    """Steps 7-10: scrub, protect per recipient, sign, exit check."""
    outgoing = Outgoing(context, received, judged.opened)
    for index, (one, decision) in enumerate(zip(judged.facts, judged.decisions, strict=True)):
        outgoing.send(index, one, decision)
    made = outgoing.plan(record(context, received, judged.opened, judged.facts, judged.decisions, outgoing.done))
    return replace(made, emergency=stated(judged.facts))
