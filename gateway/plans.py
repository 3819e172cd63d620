"""Plans seen from the front process: is what a compute process answered a plan at all, and what happens when there is none."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gateway.exitcheck import Original, original
from gateway.model import Copy, Envelope, Hold, Plan, Received, Refusal, Reply
from policies.load import Policy
from policies.model import Mode
from policies.register import a_label


def failure_plan(policy: Policy, received: Received, rule: str) -> Plan:
    """Every recipient under ``rule`` ("internal-error" or "poison"): held for a mail admin, in observe delivered unchanged."""
    envelope = received.envelope
    modes = _modes(policy, envelope)
    watched = tuple(at for at, mode in enumerate(modes) if mode is Mode.OBSERVE)
    held = tuple(at for at, mode in enumerate(modes) if mode is not Mode.OBSERVE)
    copies = (Copy(watched, original(received.raw, Mode.OBSERVE), "default", "observe", envelope.sender),) if watched else ()
    holds = (Hold(held, "QUARANTINE", rule, (rule,), "review", "mail-admin", "N-7"),) if held else ()
    kind = "person" if envelope.sender else "null"
    return Plan(copies, holds, record={"failure": rule, "policy": policy.digest}, sender_kind=kind)


def sound(policy: Policy, received: Received, plan: Plan) -> bool:
    """Does ``plan`` name every recipient once, and leave no recipient in enforce with bytes that no exit check has seen?

    A compute process parses hostile bytes.  What it answers is taken from it only within these bounds (P1, P2).
    """
    groups: tuple[Copy | Hold | Refusal, ...] = (*plan.copies, *plan.holds, *plan.refusals)
    named = sorted(index for group in groups for index in group.recipients)
    if named != list(range(len(received.envelope.recipients))):
        return False
    modes = _modes(policy, received.envelope)
    unchecked = (index for copy in plan.copies if isinstance(copy.data, Original) for index in copy.recipients)
    return all(modes[index] is not Mode.ENFORCE for index in unchecked)


def recorded(plan: Plan, index: int) -> Mapping[str, Any]:
    """What a plan's record says of one recipient; nothing when it says nothing that can be read."""
    lines = plan.record.get("recipients")
    line = lines[index] if isinstance(lines, list) and index < len(lines) else None
    return line if isinstance(line, dict) else {}


_QUEUE_ID = re.compile(r"[A-Za-z0-9]{1,40}")


def summary(received: Received, plan: Plan, replies: Sequence[Reply], rules: Collection[str]) -> dict[str, Any]:
    """One message as one log line: the upstream's queue id, the answer, how many recipients met which fate under which rule.

    Ids, codes and counts; ``rules`` are the policy's own, since a plan's come from a process that parses hostile bytes.
    """
    queue = received.envelope.xforward.get("IDENT", "")
    lines = [recorded(plan, index) for index in range(len(received.envelope.recipients))]
    named = {str(line.get("rule") or plan.record.get("failure", "")) for line in lines}
    return {
        "queue": queue if _QUEUE_ID.fullmatch(queue) else "",
        "listener": received.envelope.listener,
        "octets": len(received.raw),
        "replies": sorted({reply.code for reply in replies}),
        "sent": sum(len(copy.recipients) for copy in plan.copies),
        "held": sum(len(hold.recipients) for hold in plan.holds),
        "refused": sum(len(refusal.recipients) for refusal in plan.refusals),
        "rules": sorted(rule if rule in rules else "other" for rule in named if rule),
    }


def _modes(policy: Policy, envelope: Envelope) -> list[Mode]:
    """Each recipient's mode, found as ``gateway.facts`` finds it: by the domain's A-label."""
    group = policy.group_of(envelope.sender)
    return [policy.mode_of(group, a_label(recipient.domain) or recipient.domain) for recipient in envelope.recipients]
