"""What is recorded of every message (P7): facts, decision, rule, policy digest, SHA-256 of images.  Never content (P5).

The record travels with the plan; ``gateway.outcomes.commit`` adds what became of each recipient and writes both to the journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.context import Context
from gateway.evidence.provenance import device_hash
from gateway.evidence.recognising import recognised
from gateway.facts import Opened
from gateway.finishing.outgoing import Done
from gateway.model import Received
from policies.explain import advice, sentences, words_for_sender
from policies.files.profiles import law_of
from policies.model import Action, Decision, Facts, Kind
from policies.onfile import noted
from policies.record import to_record


def record(
    context: Context,
    received: Received,
    opened: Opened,
    facts: Sequence[Facts],
    decisions: Sequence[Decision],
    done: Mapping[int, Done],
) -> dict[str, Any]:
    """JSON-able; recipients in the order of the envelope."""
    sender = received.envelope.sender
    return {
        "policy": context.policy.digest,
        "sender": context.hashes.address(sender) if sender else "",
        "sender_domain": sender.rpartition("@")[2].lower(),
        "identity": {"vouched": opened.identity.vouched, "codes": sorted(opened.identity.codes)},
        "images": _images(context, opened, facts, done),
        **recognised(context.hashes, opened),
        "shares": list(opened.wording.shares),
        "inline": sorted({leaf.sha256 for leaf in opened.leaves if leaf.info and leaf.inline}),
        "patients": _patients(context, opened),
        "contacts": _contacts(context, decisions) if any(one.notice for one in done.values()) else {},
        "recipients": [
            _recipient(context, received, index, one, decision, done[index])
            for index, (one, decision) in enumerate(zip(facts, decisions, strict=True))
        ],
    }


def _contacts(context: Context, decisions: Sequence[Decision]) -> dict[str, str]:
    """Whom and what the policy names for notices; what it leaves out stands in the admin's configuration."""
    settings = context.policy.settings
    law = law_of(context.policy.profiles) if settings.intimate_law is None else settings.intimate_law
    intimate = any(one.kind in (Kind.INTIMATE, Kind.INTIMATE_CHILD) for one in decisions)
    found = {
        "on_call": settings.on_call.words() if settings.on_call else "",
        "ig": settings.ig.words() if settings.ig else "",
        "alternatives": " ".join(settings.alternatives.split()).rstrip("."),
        "law": law if intimate else "",
    }
    return {name: text for name, text in found.items() if text}


def _images(context: Context, opened: Opened, facts: Sequence[Facts], done: Mapping[int, Done]) -> list[dict[str, Any]]:
    """Every clinical image and every encrypted part: hash as received, and as sent where it was scrubbed."""
    codes = {image.part: image.codes for one in facts[:1] for image in one.images}  # with where a picture comes from
    scrubbed: dict[str, str] = {}
    for one in done.values():
        if one.finished is not None:
            scrubbed |= one.finished.scrubbed
    return [
        {
            "part": picture.path,
            "sha256": picture.node.sha256,
            "scrubbed": scrubbed.get(picture.node.sha256),
            "format": picture.node.sniffed.format,
            "kind": picture.kind.value,
            "codes": sorted(codes.get(picture.path, picture.node.codes)),
            "device": device_hash(picture.node.info, context.hashes),
        }
        for picture in opened.recorded
    ]


def _dated(context: Context, facts: Facts, done: Done) -> bool:
    """Does the day the picture was taken stand in the text of this copy (``gateway.finishing.finish``)?"""
    return context.policy.settings.capture_date_in_text and done.method == "smime" and any(one.taken for one in facts.images)


def _patients(context: Context, opened: Opened) -> list[str]:
    """Keyed hashes of the patient numbers found: the reference under which consent can be withdrawn."""
    return sorted({context.hashes.patient(number) for number in opened.patients.numbers})


def _recipient(context: Context, received: Received, index: int, facts: Facts, decision: Decision, done: Done) -> dict[str, Any]:
    statement = facts.consent.statement
    return {
        "address": context.hashes.address(received.envelope.recipients[index].address),
        "class": (decision.cls or facts.recipient.cls).value,
        "mode": facts.mode.value,
        "kind": decision.kind.value,
        "action": done.action.name,
        "decided": decision.action.name,
        "rule": decision.rule,
        "reasons": list(done.reasons),
        "words": words_for_sender(done.action, done.reasons, noted(facts)),
        "help": advice(facts, done.reasons) if done.action > Action.PROTECT else "",
        "advice": list(sentences(decision.advice)),
        "advise_now": decision.advise_now,
        "dated": _dated(context, facts, done),
        "advised": list(decision.advice),
        "method": done.method,
        "protection": done.protection,
        "stripped": done.finished is not None and bool(done.finished.scrubbed),
        "source": list(decision.source),
        "notice": done.notice,
        "urgency": decision.urgency,
        "alert": decision.alert,
        "consent": statement.status.value if statement else None,
        "form": statement.form if statement else None,
        "purpose": statement.purpose if statement else None,
        "expires": statement.expires.isoformat() if statement and statement.expires else None,
        "facts": to_record(facts),
    }
