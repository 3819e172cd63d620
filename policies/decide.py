"""Facts in, decision out.  Pure and total: whatever the facts are, there is a decision, and the floor is QUARANTINE.

Each image is judged by the first rule that fits it; the strictest verdict is the message's.  A release skips exactly those rules
all of whose reasons it accepted.  Two safeguards stand outside the rules, so that no edit of the policy can lose them: clinical
images never go to a denied destination, and never out against a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from policies.consent import refuses
from policies.features import View, derive
from policies.load import Policy
from policies.model import Action, Carrier, Consent, ConsentStatus, Decision, Facts, ImageFacts, Kind, Statement
from policies.rules import ADDRESS, Answer, Ready
from policies.vocabulary import KIND_ORDER

FLOOR = "floor"
GUARD = "guard"
_RELEASES = ("sender", "mail-admin", "ig", "two-person")
_ANSWERING = ("person", "machine")
_HOLDS = (Action.ASK, Action.QUARANTINE)


NO_METHOD: Final = "protect.no-method"  # a release that accepts it lets scrubbed pictures go unprotected
_NEVER_UNPROTECTED: Final = frozenset({Kind.INTIMATE, Kind.CHILD, Kind.INTIMATE_CHILD})


class Verdict(NamedTuple):
    """What the rules say of one image."""

    action: Action
    rule: str
    reasons: tuple[str, ...]
    ready: Ready | None
    view: View
    skipped: tuple[str, ...] = ()  # rules a release set aside


def decide(policy: Policy, facts: Facts) -> Decision:
    """The decision for one recipient.  Never raises for well-typed facts; the mode does not change it."""
    decision, answers = _settle(policy, facts)
    if decision.action is not Action.ASK:
        return replace(decision, answers=_leading(policy, facts, answers)) if answers and decision.action in _HOLDS else decision
    leading = _leading(policy, facts, answers) if facts.sender_kind in _ANSWERING else ()
    if leading:
        return replace(decision, answers=leading)
    # A question without an answer that works would leave the sender stuck: it becomes a reviewer's matter (P6).
    why = "ask.no-answer" if facts.sender_kind in _ANSWERING else "sender.cannot-answer"
    releases = max(decision.releases, "ig", key=_RELEASES.index)
    return replace(decision, action=Action.QUARANTINE, reasons=(*decision.reasons, why), releases=releases)


def judged(policy: Policy, facts: Facts) -> tuple[Verdict, ...]:
    """The verdict on each image that counts (one verdict on the bare message when none does)."""
    images = [image for image in facts.images if counts(image)]
    return tuple(_judge(policy, facts, image) for image in images) or (_judge(policy, facts, None),)


def counts(image: ImageFacts) -> bool:
    """False for what is positively known to be no clinical image."""
    return image.decorative is None and (image.kind is not Kind.NONE or image.opaque is not None or image.modality is not None)


def _view(policy: Policy, facts: Facts, image: ImageFacts | None) -> View:
    settings = policy.settings
    return derive(
        facts,
        image,
        sender_encrypted=settings.sender_encrypted_to_approved == "deliver",
        emergency_recipients=settings.emergency_recipients,
    )


def _judge(policy: Policy, facts: Facts, image: ImageFacts | None) -> Verdict:
    view = _view(policy, facts, image)
    skipped: list[str] = []
    verdict = None
    released = facts.released if view.values["consent"] != "refused" else frozenset()
    for ready in policy.compiled.get((view.values["recipient"], view.values["kind"]), ()):
        if not ready.fits(view):
            continue
        if ready.accepted_by and ready.accepted_by <= released:
            skipped.append(ready.rule.id)
            continue
        verdict = Verdict(ready.rule.then, ready.rule.id, ready.reasons, ready, view, tuple(skipped))
        break
    return _guarded(verdict or _fallen(facts, view, skipped), image)


def _fallen(facts: Facts, view: View, skipped: Sequence[str]) -> Verdict:
    """No rule decided: after a release that accepted every reason the image goes protected, else the floor holds it."""
    if skipped or "policy.floor" in facts.released:
        action = Action.DELIVER if view.opaque or view.kind is Kind.NONE else Action.PROTECT
        return Verdict(action, skipped[0] if skipped else FLOOR, ("release.accepted",), None, view, tuple(skipped))
    return Verdict(Action.QUARANTINE, FLOOR, ("policy.floor",), None, view)


def _guarded(verdict: Verdict, image: ImageFacts | None) -> Verdict:
    """Neither an edited rule nor a release lets clinical images go to class F or past a refusal."""
    if image is None or verdict.view.values["recipient"] == "archive":
        return verdict
    if verdict.view.values["recipient"] == "F" and verdict.action < Action.REFUSE:
        return verdict._replace(action=Action.REFUSE, rule=GUARD, reasons=("domain.denied", "guard"), ready=None)
    if verdict.view.values["consent"] == "refused" and verdict.action < Action.QUARANTINE:
        return verdict._replace(action=Action.QUARANTINE, rule=GUARD, reasons=("consent.refused", "guard"), ready=None)
    return verdict


def _settle(policy: Policy, facts: Facts) -> tuple[Decision, tuple[Answer, ...]]:
    """The decision before any tag is offered, and the tags its rules would offer."""
    verdicts = judged(policy, facts)
    action = max(verdict.action for verdict in verdicts)
    leading = next(verdict for verdict in verdicts if verdict.action is action)
    sharing = [verdict for verdict in verdicts if verdict.action is action]
    ready = leading.ready
    decision = Decision(
        action=action,
        rule=leading.rule,
        reasons=_reasons(facts, action, sharing),
        on_failure=max((v.ready.on_failure for v in sharing if v.ready), default=Action.QUARANTINE),
        scrub=_scrub(policy, action, verdicts),
        notice=ready.notice if ready else None,
        releases=max((_releases(v) for v in sharing), key=_RELEASES.index),
        urgency="urgent" if any(v.ready and v.ready.urgency == "urgent" for v in sharing) else "routine",
        consent_out=_consent_out(policy, facts, leading),
        kind=min((v.view.kind for v in verdicts), key=KIND_ORDER.index),
        alert=any(v.ready is not None and v.ready.alert for v in sharing),
        source=ready.rule.source if ready else (),
    )
    if action is Action.PROTECT:
        decision = _with_methods(policy, facts, decision, sharing)
    answers = tuple(dict.fromkeys(answer for v in sharing if v.ready for answer in v.ready.answers))
    return replace(decision, notice=decision.notice or _notice(decision)), answers


def _reasons(facts: Facts, action: Action, sharing: Sequence[Verdict]) -> tuple[str, ...]:
    """The rules' reasons first, then what helps to understand them; a hold also tells what was wrong with the statement."""
    reasons = [code for verdict in sharing for code in verdict.reasons if code != "consent.missing" or not _agreed(verdict)]
    reasons += [note for verdict in sharing for note in verdict.view.notes]
    if action in _HOLDS:
        reasons += facts.consent.ignored
        reasons += [problem.code for problem in facts.consent.problems]
    return tuple(dict.fromkeys(reasons))


def _agreed(verdict: Verdict) -> bool:
    """The sender has said that the patient agreed, and how: nobody is told that this could not be seen."""
    return verdict.view.values["consent"] in ("verbal", "written")


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
    settings: Mapping[str, str] = {str(key): str(value) for key, value in policy.settings.header_out.items()}
    return settings.get(cls, "inside" if cls in ("A", "B") else "remove")


def _wanted(policy: Policy, facts: Facts, sharing: Sequence[Verdict]) -> tuple[str, ...]:
    """The methods to be tried, in order: the entry's own, narrowed by every rule that names some."""
    entry = facts.recipient.entry
    wanted = entry.methods if entry is not None and entry.methods else policy.settings.methods_without_entry
    for verdict in sharing:
        if verdict.ready is not None and verdict.ready.methods is not None:
            wanted = tuple(method for method in verdict.ready.methods if method in wanted)
    return wanted


def _with_methods(policy: Policy, facts: Facts, decision: Decision, sharing: Sequence[Verdict]) -> Decision:
    """The methods that can serve now, in order; with none the decision is what the rule says on failure."""
    wanted = _wanted(policy, facts, sharing)
    usable = tuple(method for method in wanted if facts.methods.get(method) == "ok")
    if usable:
        return replace(decision, methods=usable)
    if NO_METHOD in facts.released and decision.kind not in _NEVER_UNPROTECTED:
        return replace(decision, action=Action.DELIVER, reasons=("release.unprotected", *decision.reasons))
    why = [facts.methods[method] for method in wanted if method in facts.methods]
    reasons = (NO_METHOD, *why, *decision.reasons)
    return replace(
        decision, action=decision.on_failure, reasons=tuple(dict.fromkeys(reasons)), notice="N-7", releases="mail-admin"
    )


def _goes(policy: Policy, facts: Facts) -> bool:
    """True if these facts lead to DELIVER or PROTECT by a method that can serve: the heart of ``decide`` without its words."""
    verdicts = judged(policy, facts)
    action = max(verdict.action for verdict in verdicts)
    if action is not Action.PROTECT:
        return action is Action.DELIVER
    wanted = _wanted(policy, facts, [verdict for verdict in verdicts if verdict.action is action])
    return any(facts.methods.get(method) == "ok" for method in wanted)


def _notice(decision: Decision) -> str | None:
    """The usual notice of each outcome; what is delivered without protection has none unless its rule says so."""
    match decision.action:
        case Action.DELIVER:
            return None
        case Action.PROTECT:
            return "N-3"
        case Action.ASK:
            return "N-1"
        case Action.QUARANTINE:
            return "N-7" if decision.releases == "mail-admin" else "N-1"
        case _:
            return "N-4"


def _leading(policy: Policy, facts: Facts, answers: Sequence[Answer]) -> tuple[str, ...]:
    """Those tags that, written by the sender, make the message go: each is tried on these very facts."""
    return tuple(answer.text for answer in answers if _leads(policy, facts, answer.statement))


def _leads(policy: Policy, facts: Facts, statement: Statement) -> bool:
    stated = facts.consent.statement
    given = stated is not None and stated.status in (ConsentStatus.GIVEN, ConsentStatus.LIMITED, ConsentStatus.BYPASSED)
    if given and facts.vouched and statement.basis in ("not-patient", "teaching"):
        return False  # the sender has said that a patient is in the picture: never invite the opposite
    answered = answered_facts(facts, statement)
    return answered is not None and _goes(policy, answered)


def answered_facts(facts: Facts, statement: Statement) -> Facts | None:
    """The facts as they would be had the sender written the tag; None if it would not count.

    In a reply the tag counts where it stands before the Re: or in the first line, which is what the notice says.
    """
    if not facts.vouched or facts.withdrawn is True:
        return None
    if any(refuses(one) for one in (facts.consent.statement, *facts.consent.per_part) if one is not None):
        return None
    stated = facts.consent.statement
    if statement.confirms is not None:
        statement = replace(statement, confirms=f"{facts.recipient.local}@{facts.recipient.domain}")
    statement = replace(statement, carrier=Carrier.SUBJECT, fresh=True)
    if stated is not None:
        statement = _beside(stated, statement)
    return replace(facts, consent=Consent(statement=statement, per_part=facts.consent.per_part))


def _beside(stated: Statement, added: Statement) -> Statement:
    """A tag written beside what is already stated: words for pages and locked files complete a consent, others replace it."""
    if added.basis in ("document", "no-patient-picture") and stated.status is not ConsentStatus.PENDING:
        return replace(stated, basis=added.basis)
    return replace(
        added,
        intimate=added.intimate or stated.intimate,
        child=added.child or stated.child,
        deceased=added.deceased or stated.deceased,
        patient=stated.patient,
    )


def offered(answer: str, address: str) -> str:
    """An offered tag as it is to be written, with the recipient's address filled in."""
    return answer.replace(ADDRESS, address)
