"""Each image judged by the first rule that fits it.

Safeguards stand outside the rules, so that no edit of the policy can lose them: clinical images never go to a denied
destination, never out against a refusal, and outside the organisation never for a use that the patient has not left.
A release skips exactly those rules all of whose reasons it accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from policies.features import LIMITED_USE, View, derive
from policies.load import Policy
from policies.model import Action, Consent, Facts, ImageFacts, Kind
from policies.rules import Ready

FLOOR: Final = "floor"
GUARD: Final = "guard"


class Verdict(NamedTuple):
    """What the rules say of one image."""

    action: Action
    rule: str
    reasons: tuple[str, ...]
    ready: Ready | None
    view: View
    skipped: tuple[str, ...] = ()  # rules a release set aside
    advice: tuple[str, ...] = ()  # codes of what the sender is told beside
    advise_now: bool = False


def counts(image: ImageFacts) -> bool:
    """False for what is positively known to be no clinical image."""
    return image.decorative is None and (image.kind is not Kind.NONE or image.opaque is not None or image.modality is not None)


def judged(policy: Policy, facts: Facts, consent: Consent | None = None) -> tuple[Verdict, ...]:
    """The verdict on each image that counts (one verdict on the bare message when none does).

    ``consent``: what the message is taken to state; its own by default.
    """
    stated = facts.consent if consent is None else consent
    images = [image for image in facts.images if counts(image)]
    return tuple([_judge(policy, facts, stated, image) for image in images]) or (_judge(policy, facts, stated, None),)


def _judge(policy: Policy, facts: Facts, consent: Consent, image: ImageFacts | None) -> Verdict:
    view = derive(facts, consent, image, policy.terms)
    values, codes = view.values, view.codes
    skipped: list[str] = []
    released = facts.released if values["consent"] != "refused" else frozenset()
    verdict = None
    for ready in policy.compiled.get((values["recipient"], values["kind"]), ()):
        for key, allowed in ready.tests:
            if values[key] not in allowed:
                break
        else:
            if ready.apart(codes, values["domain"]):
                continue
            if ready.accepted_by and ready.accepted_by <= released:
                skipped.append(ready.rule.id)
                continue
            verdict = Verdict(ready.rule.then, ready.rule.id, ready.reasons, ready, view, tuple(skipped))
            break
    verdict = verdict or _fallen(facts, view, skipped)
    again = policy.checks.get((values["recipient"], values["kind"]), ())
    return _guarded(_looked_again(verdict, again, released) if again else verdict, image)


def _looked_again(verdict: Verdict, again: Sequence[Ready], released: frozenset[str]) -> Verdict:
    """What would go, looked at once more: stricter, or with advice.  What is held anyway is told of these reasons too, so that a
    release for all its reasons is not stopped here."""
    values, codes = verdict.view.values, verdict.view.codes
    for ready in again:
        if ready.apart(codes, values["domain"]) or any(values[key] not in ok for key, ok in ready.tests):
            continue
        if ready.advises:
            now = verdict.advise_now or ready.notice is not None
            verdict = verdict._replace(advice=(*verdict.advice, *ready.reasons), advise_now=now)
        elif verdict.action is Action.REFUSE or ready.accepted_by <= released:
            continue
        elif ready.rule.then > verdict.action:
            reasons = (*ready.reasons, *(verdict.reasons if verdict.action > Action.PROTECT else ()))
            verdict = verdict._replace(action=ready.rule.then, rule=ready.rule.id, reasons=reasons, ready=ready)
        else:
            verdict = verdict._replace(reasons=(*verdict.reasons, *ready.reasons))
    return verdict


def _fallen(facts: Facts, view: View, skipped: Sequence[str]) -> Verdict:
    """No rule decided: after a release that accepted every reason the image goes protected, else the floor holds it."""
    if skipped or "policy.floor" in facts.released:
        action = Action.DELIVER if view.opaque or view.kind is Kind.NONE else Action.PROTECT
        return Verdict(action, skipped[0] if skipped else FLOOR, ("release.accepted",), None, view, tuple(skipped))
    return Verdict(Action.QUARANTINE, FLOOR, ("policy.floor",), None, view)


def _guarded(verdict: Verdict, image: ImageFacts | None) -> Verdict:
    """Neither an edited rule nor a release lets clinical images go to class F or past a refusal."""
    if image is None or verdict.action is Action.REFUSE or verdict.view.values["recipient"] == "archive":
        return verdict
    if verdict.view.values["recipient"] == "F":
        return verdict._replace(action=Action.REFUSE, rule=GUARD, reasons=("domain.denied", "guard"), ready=None)
    if verdict.action >= Action.QUARANTINE:
        return verdict
    if verdict.view.values["consent"] == "refused":
        return verdict._replace(action=Action.QUARANTINE, rule=GUARD, reasons=("consent.refused", "guard"), ready=None)
    if verdict.view.values["on_file"] == "outside" and verdict.view.values["recipient"] != "O":
        return verdict._replace(action=Action.QUARANTINE, rule=GUARD, reasons=(LIMITED_USE, "guard"), ready=None)
    return verdict


def strictest(verdicts: Sequence[Verdict]) -> tuple[Action, list[Verdict]]:
    """The strictest action, and the verdicts that share it."""
    action = max([verdict.action for verdict in verdicts])
    return action, [verdict for verdict in verdicts if verdict.action is action]


def wanted(policy: Policy, facts: Facts, sharing: Sequence[Verdict]) -> tuple[str, ...]:
    """The methods to be tried, in order: the entry's own, narrowed by every rule that names some.

    In an emergency any other that can serve this recipient comes after them (domain 4.6: the fastest available).
    """
    entry = facts.recipient.entry
    methods = entry.methods if entry is not None and entry.methods else policy.settings.methods_without_entry
    if any(verdict.view.values["consent"] == "emergency" for verdict in sharing):
        methods = (*methods, *(method for method in facts.methods if method not in methods))
    for verdict in sharing:
        if verdict.ready is not None and verdict.ready.methods is not None:
            methods = tuple(method for method in verdict.ready.methods if method in methods)
    return methods


def goes(policy: Policy, facts: Facts, consent: Consent) -> bool:
    """True if the message, were ``consent`` what it states, is delivered, or protected by a method that can serve."""
    action, sharing = strictest(judged(policy, facts, consent))
    if action is not Action.PROTECT:
        return action is Action.DELIVER
    return any(facts.methods.get(method) == "ok" for method in wanted(policy, facts, sharing))
