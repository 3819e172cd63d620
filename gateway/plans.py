"""Plans for messages that the pipeline could not finish: held whole, or passed as they came where the mode is observe."""

from __future__ import annotations

from gateway.exitcheck import original
from gateway.model import Copy, Hold, Plan, Received
from policies.load import Policy
from policies.model import Mode


def failure_plan(policy: Policy, received: Received, rule: str) -> Plan:
    """Every recipient under ``rule`` ("internal-error" or "poison"): held for a mail admin, in observe delivered unchanged."""
    envelope = received.envelope
    group = policy.group_of(envelope.sender)
    modes = [policy.mode_of(group, recipient.domain) for recipient in envelope.recipients]
    watched = tuple(at for at, mode in enumerate(modes) if mode is Mode.OBSERVE)
    held = tuple(at for at, mode in enumerate(modes) if mode is not Mode.OBSERVE)
    copies = (Copy(watched, original(received.raw, Mode.OBSERVE), "default", "observe", envelope.sender),) if watched else ()
    holds = (Hold(held, "QUARANTINE", rule, (rule,), "review", "mail-admin", "N-7"),) if held else ()
    kind = "person" if envelope.sender else "null"
    return Plan(copies, holds, record={"failure": rule, "policy": policy.digest}, sender_kind=kind)
