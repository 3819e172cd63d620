"""Facts in, decision out.  Pure and total: whatever the facts are, there is a decision, and the floor is QUARANTINE.

Each image is judged by the first rule that fits it (``policies.judge``); the strictest verdict is the message's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from policies.judge import FLOOR, GUARD, Verdict, judged, strictest, wanted
from policies.load import Policy
from policies.model import Action, Decision, Facts, Kind, RecipientClass
from policies.offers import leading, offered
from policies.rules import Answer
from policies.vocabulary import KIND_ORDER

__all__ = ["FLOOR", "GUARD", "NO_METHOD", "decide", "offered"]

NO_METHOD: Final = "protect.no-method"  # a release that accepts it lets scrubbed pictures go unprotected
NOTE: Final = "N-3-note"  # told after an email without a picture has gone as it came
_RELEASES: Final = ("sender", "mail-admin", "ig", "two-person")
_ANSWERING: Final = ("person", "machine")
_HOLDS: Final = (Action.ASK, Action.QUARANTINE)
_RANK: Final = {kind: rank for rank, kind in enumerate(KIND_ORDER)}
_SENSITIVE: Final = frozenset({Kind.INTIMATE, Kind.CHILD, Kind.INTIMATE_CHILD})  # two people; never unprotected
_NOTICES: Final = {Action.DELIVER: None, Action.PROTECT: "N-3", Action.ASK: "N-1", Action.REFUSE: "N-4"}


def decide(policy: Policy, facts: Facts) -> Decision:
    """The decision for one recipient.  Never raises for well-typed facts; the mode does not change it."""
    verdicts = judged(policy, facts)
    action, sharing = strictest(verdicts)
    decision = _drafted(policy, facts, action, verdicts, sharing)
    if action is Action.PROTECT:
        decision = _with_methods(policy, facts, decision, sharing)
    if decision.action not in _HOLDS:
        return decision
    return _with_answers(policy, facts, decision, sharing)


def _drafted(policy: Policy, facts: Facts, action: Action, verdicts: Sequence[Verdict], sharing: Sequence[Verdict]) -> Decision:
    """What the rules say, before methods and answers are tried."""
    ready = sharing[0].ready
    rules = [verdict.ready for verdict in sharing if verdict.ready is not None]
    kind = min([verdict.view.kind for verdict in verdicts], key=_RANK.__getitem__)
    releases = _people(max([_releases(verdict) for verdict in sharing], key=_RELEASES.index), action, kind)
    usual = _NOTICES.get(action, "N-7" if releases == "mail-admin" else "N-1")
    return Decision(
        action=action,
        rule=sharing[0].rule,
        reasons=_reasons(facts, action, sharing),
        on_failure=max([rule.on_failure for rule in rules], default=Action.QUARANTINE),
        scrub=_scrub(policy, action, verdicts),
        notice=(ready.notice if ready else None) or usual or _beside(kind, verdicts),
        releases=releases,
        urgency="urgent" if any(rule.urgency == "urgent" for rule in rules) else "routine",
        consent_out=_consent_out(policy, facts, sharing[0]),
        kind=kind,
        cls=_class(verdicts),
        alert=any(rule.alert for rule in rules),
        source=ready.rule.source if ready else (),
        advice=tuple(dict.fromkeys(code for verdict in verdicts for code in verdict.advice)),
        advise_now=any(verdict.advise_now for verdict in verdicts),
    )


def _class(verdicts: Sequence[Verdict]) -> RecipientClass:
    seen = [RecipientClass(verdict.view.values["recipient"]) for verdict in verdicts]
    return RecipientClass.PATIENT if RecipientClass.PATIENT in seen else seen[0]


def _beside(kind: Kind, verdicts: Sequence[Verdict]) -> str | None:
    """The notice of what would go without a word: only where something shall be told at once."""
    if not any(one.advise_now for one in verdicts):
        return None
    return NOTE if kind is Kind.NONE else "N-3"


def _people(releases: str, action: Action, kind: Kind) -> str:
    """What a reviewer decides about intimate pictures and children two people decide."""
    return "two-person" if action is Action.QUARANTINE and releases == "ig" and kind in _SENSITIVE else releases


def _with_answers(policy: Policy, facts: Facts, decision: Decision, sharing: Sequence[Verdict]) -> Decision:
    """The tags the sender may write.  A question without one that works would leave the sender stuck: a reviewer decides (P6)."""
    answering = facts.sender_kind in _ANSWERING
    answers = leading(policy, facts, _answers(sharing)) if answering or decision.action is Action.QUARANTINE else ()
    if answers:
        return replace(decision, answers=answers)
    if decision.action is Action.QUARANTINE:
        return decision
    why = "ask.no-answer" if answering else "sender.cannot-answer"
    releases = _people(max(decision.releases, "ig", key=_RELEASES.index), Action.QUARANTINE, decision.kind)
    return replace(decision, action=Action.QUARANTINE, reasons=(*decision.reasons, why), releases=releases)


def _answers(sharing: Sequence[Verdict]) -> tuple[Answer, ...]:
    if len(sharing) == 1:
        return sharing[0].ready.answers if sharing[0].ready else ()
    named = {answer.text: answer for verdict in sharing if verdict.ready for answer in verdict.ready.answers}
    return tuple(named.values())


def _reasons(facts: Facts, action: Action, sharing: Sequence[Verdict]) -> tuple[str, ...]:
    """The rules' reasons first, then what helps to understand them; a hold also tells what was wrong with the statement."""
    reasons = [code for verdict in sharing for code in _own(verdict)]
    reasons += [note for verdict in sharing for note in verdict.view.notes if action in _HOLDS or note != "consent.implied"]
    if action in _HOLDS:
        reasons += facts.consent.ignored
        reasons += [problem.code for problem in facts.consent.problems]
    return tuple(dict.fromkeys(reasons))


def _own(verdict: Verdict) -> tuple[str, ...]:
    """The rule's reasons.  Who has said that the patient agreed, and how, is not told that this could not be seen."""
    consent, purpose = verdict.view.values["consent"], verdict.view.values["purpose"]
    if consent not in ("verbal", "written") or "consent.missing" not in verdict.reasons:
        return verdict.reasons
    others = tuple(code for code in verdict.reasons if code != "consent.missing")
    lacking = "consent.purpose-missing" if purpose == "none" else "consent.form" if consent == "verbal" else None
    return others or ((lacking,) if lacking else ())


def _scrub(policy: Policy, action: Action, verdicts: Sequence[Verdict]) -> bool:
    """Whether clinical images are cleaned: always under PROTECT; of what is delivered, as the rules say."""
    if action is not Action.DELIVER:
        return True
    if verdicts[0].view.values["recipient"] == "O" and not policy.settings.scrub_own:
        return False
    return any(v.ready.scrub is True if v.ready else not v.view.opaque and v.view.kind is not Kind.NONE for v in verdicts)


def _releases(verdict: Verdict) -> str:
    if verdict.ready is not None and verdict.ready.releases is not None:
        return verdict.ready.releases
    return "sender" if verdict.action is Action.ASK else "ig"


def _consent_out(policy: Policy, facts: Facts, verdict: Verdict) -> str:
    if verdict.ready is not None and verdict.ready.consent_out is not None:
        return verdict.ready.consent_out
    entry = facts.recipient.entry
    if entry is not None and entry.consent_header_out is not None:
        return entry.consent_header_out
    cls = verdict.view.values["recipient"]
    for named, fate in policy.settings.header_out.items():
        if named == cls:
            return fate
    return "inside" if cls in ("A", "B") else "remove"


def _with_methods(policy: Policy, facts: Facts, decision: Decision, sharing: Sequence[Verdict]) -> Decision:
    """The methods that can serve now, in order; with none the decision is what the rule says on failure."""
    methods = wanted(policy, facts, sharing)
    usable = tuple([method for method in methods if facts.methods.get(method) == "ok"])
    if usable:
        return replace(decision, methods=usable)
    if NO_METHOD in facts.released and decision.kind not in _SENSITIVE:
        return replace(decision, action=Action.DELIVER, reasons=("release.unprotected", *decision.reasons))
    why = [facts.methods[method] for method in methods if method in facts.methods]
    reasons = (NO_METHOD, *why, *decision.reasons)
    return replace(
        decision, action=decision.on_failure, reasons=tuple(dict.fromkeys(reasons)), notice="N-7", releases="mail-admin"
    )
