"""Steps 2-10 of a message's path, in the order and with the numbers of docs/flow.md.  Runs in a compute process.

Step 1 (receive) is ``gateway.smtp``, step 11 (commit) ``gateway.commit``.
"""

from __future__ import annotations

import structlog

from gateway.carriers import sender_kind, statements
from gateway.context import Context
from gateway.facts import Opened, gather
from gateway.identity import Vouches, identify
from gateway.leaves import open_leaves
from gateway.message import parse
from gateway.model import Plan, Received
from gateway.outgoing import Outgoing
from gateway.plans import failure_plan
from gateway.recording import record
from policies.decide import decide

log = structlog.get_logger()


def plan(context: Context, received: Received) -> Plan:
    """What becomes of every recipient.  Total: whatever fails here holds the message (in observe: the original passes)."""
    try:
        return _steps(context, received)
    except Exception as error:  # noqa: BLE001 - step 12: the first of the product's two broad excepts; any failure means hold
        log.error("pipeline.failed", error=type(error).__name__, key=context.hashes.of(received.key))
        return failure_plan(context.policy, received, "internal-error")


def _steps(context: Context, received: Received) -> Plan:
    envelope = received.envelope
    # 2. Parse into parts by offset.
    message = parse(received.raw)
    # 3. Open every leaf by its bytes; 4. inspect each image.
    accepted = (envelope.release or {}).get("accepted", ())
    leaves = open_leaves(message, context.decoration(envelope.sender), accepted)
    # 5. Read the consent statement from every carrier.
    carried = statements(message)
    vouches = context.spec.vouches.get(envelope.listener, Vouches.NOTHING)
    identity = identify(message, envelope, carried, vouches, context.spec.trusted_hosts)
    opened = Opened(message, leaves, carried, identity, sender_kind(message, envelope))
    # 6. Decide per recipient.
    facts = gather(context.policy, received, opened, context.memory, context.methods)
    decisions = tuple(decide(context.policy, one) for one in facts)
    # 7. Scrub; 8. protect per recipient; 9. sign; 10. exit check.
    outgoing = Outgoing(context, received, opened)
    for index, (one, decision) in enumerate(zip(facts, decisions, strict=True)):
        outgoing.send(index, one, decision)
    return outgoing.plan(record(context, received, opened, facts, decisions, outgoing.done))
