"""A decision in plain words: which rule, from where, why not an earlier one, and what would help."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from typing import Final

from policies.conditions import DOMAIN, WHEN
from policies.decide import decide
from policies.domains.patterns import naming
from policies.features import View
from policies.judge import FLOOR, GUARD, Verdict, judged
from policies.load import Policy
from policies.model import Action, Decision, Facts
from policies.reasons import REASONS, helps, told
from policies.remedies import remedy
from policies.rules import Ready

__all__ = ["REASONS", "advice", "explain", "sentences", "words_for_sender"]

_WHAT: Final[Mapping[Action, str]] = {
    Action.DELIVER: "goes as it came",
    Action.PROTECT: "goes, cleaned and protected",
    Action.ASK: "waits for the sender's answer",
    Action.QUARANTINE: "waits for a reviewer",
    Action.REFUSE: "is not sent, and no copy is kept",
}
_WHO: Final[Mapping[str, str]] = {
    "sender": "the sender, by stating what is missing",
    "mail-admin": "a mail administrator",
    "ig": "the information-governance team",
    "two-person": "two people of the information-governance team together",
}
# Conditions that a sender, reviewer or register can change; the others are facts of the email.
_SAYABLE: Final = frozenset(
    {
        "consent",
        "purpose",
        "basis",
        "in_scope",
        "record",
        "purpose_covered",
        "to_patient",
        "one_recipient",
        "child_giver",
        "consent_age",
        "children_allowed",
        "intimate_allowed",
    }
)
_NEAR: Final = 3  # of each sort: rules told that nearly fitted


def sentences(codes: tuple[str, ...]) -> tuple[str, ...]:
    """The plain sentences of reason codes; codes of other parts of the program (methods) have none here."""
    return tuple(REASONS[code] for code in codes if code in REASONS)


# What a misspelt word of a tag may have been meant as.  Only a word of this list is ever told, never what the sender wrote.
_MEANT: Final = (
    "consent", "verbal", "telephone", "written", "electronic", "implied", "refused", "withdrawn", "patient", "parent", "guardian",
    "referral", "referred", "treatment", "teaching", "research", "publication", "intimate", "child", "deceased", "document",
    "emergency",
)  # fmt: skip
_BY_FILE: Final = frozenset({"opaque.image-not-supported", "opaque.fixed"})  # the step that helps hangs on the kind of file
_ALIKE: Final = 0.8  # of difflib's ratio: "vrebal", "verbla" and "writen" are near enough; "moment" is no "document"
_FEW: Final = 2  # words of a tag that are told one by one; where more are not known it was no slip of the thumb


def words_for_sender(action: Action, reasons: tuple[str, ...], noted: date | None = None) -> str:
    """Why, as the sender is told: of a message that does not go only what keeps it.  ``noted``: day of a no on file."""
    words = sentences(told(reasons) if action > Action.PROTECT else reasons)
    if noted is not None and action > Action.PROTECT and "consent.refused" in reasons:
        words = (*words, f"They said so on {noted.day} {noted:%B %Y}.")
    return " ".join(words)


def advice(facts: Facts, reasons: tuple[str, ...]) -> str:
    """The one step that helps with what keeps a message; "" where none does.  Holds no word of the message."""
    found = helps(reasons)
    if not _BY_FILE.isdisjoint(reasons):
        return remedy(facts) or found
    if found and found == helps(("consent.unknown-word",)):
        problems = [problem for problem in facts.consent.problems if problem.code == "consent.unknown-word"]
        if len(problems) > _FEW:
            return found
        written = [problem.word.casefold() for problem in problems]
        meant = [near for word in written for near in get_close_matches(word, _MEANT, 1, _ALIKE)]
        said = f"Did you mean {' and '.join(dict.fromkeys(meant))}?" if meant else found
        return f"{_which(facts)}{said}"
    return found


_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def _which(facts: Facts) -> str:
    """Which word of the tag was not understood, by its place: a notice repeats no word of the message."""
    places = [problem.place for problem in facts.consent.problems if problem.code == "consent.unknown-word"]
    told = [_ORDINALS[place - 1] for place in dict.fromkeys(places) if 0 < place <= len(_ORDINALS)]
    return f"Look at the {' and the '.join(told)} word of the tag. " if told else ""


def explain(policy: Policy, facts: Facts, decision: Decision) -> str:
    """Several lines for people.  Holds no address, name or free text of the message."""
    verdicts = judged(policy, facts)
    leading = next((v for v in verdicts if v.rule == decision.rule), verdicts[0])
    view = leading.view
    lines = [
        f"The copy for {facts.recipient.domain or 'this recipient'} {_WHAT[decision.action]}.",
        f"Rule: {decision.rule} of policy {policy.version}{_note(decision)}",
    ]
    lines += [f"Source: {'; '.join(decision.source)}"] if decision.source else []
    lines += [f"- {sentence}" for sentence in sentences(decision.reasons)]
    lines.append(f"Seen: {_seen(view)}")
    lines += _nearly(policy, leading)
    lines += _methods(facts, decision)
    lines += _help(decision)
    return "\n".join(lines)


def _note(decision: Decision) -> str:
    if decision.rule == FLOOR:
        return " (no rule fitted: the floor holds what nobody thought of)"
    return " (a safeguard outside the rules)" if decision.rule == GUARD else ""


def _seen(view: View) -> str:
    shown = ("recipient", "kind", "consent", "purpose", "basis", "opaque", "standing")
    return ", ".join(
        f"{key} {view.values[key]}" for key in shown if key == "consent" or view.values[key] not in ("none", "unlisted")
    )


def _nearly(policy: Policy, verdict: Verdict) -> list[str]:
    """Rules that one condition kept from fitting: earlier stricter ones, and for a hold those that would let it go."""
    stricter: list[str] = []
    freer: list[str] = []
    passed = False
    for ready in policy.compiled.get((verdict.view.values["recipient"], verdict.view.values["kind"]), ()):
        passed = passed or ready.rule.id == verdict.rule
        missing = _missing(ready, verdict.view)
        if len(missing) != 1:
            continue
        wanted = f"{missing[0]} would have to be {' or '.join(sorted(_allowed(ready, missing[0])))} ({WHEN[missing[0]][1]})"
        if ready.rule.then > verdict.action and not passed:
            stricter.append(f"Stricter rule {ready.rule.id} did not fit: {wanted}.")
        elif ready.rule.then <= Action.PROTECT < verdict.action and missing[0] in _SAYABLE:
            freer.append(f"Rule {ready.rule.id} would let it go: {wanted}.")
    skipped = [f"Rule {rule} fitted, but a release accepted its reasons." for rule in verdict.skipped]
    return [*freer[:_NEAR], *stricter[:_NEAR], *skipped]


def _missing(ready: Ready, view: View) -> list[str]:
    missing = [key for key, allowed in ready.tests if view.values[key] not in allowed]
    if ready.codes is not None and ready.codes.isdisjoint(view.codes):
        missing.append("codes")
    if ready.domains is not None and ready.domains.isdisjoint(naming(view.values[DOMAIN])):
        missing.append(DOMAIN)
    return missing


def _allowed(ready: Ready, key: str) -> frozenset[str]:
    apart = {"codes": ready.codes, DOMAIN: ready.domains}
    return (apart[key] or frozenset()) if key in apart else dict(ready.tests)[key]


def _methods(facts: Facts, decision: Decision) -> list[str]:
    if decision.action is Action.PROTECT:
        return [f"Protected by: {', then '.join(decision.methods)}; if none works it {_WHAT[decision.on_failure]}."]
    if "protect.no-method" in decision.reasons:
        return [f"Method {name} cannot serve: {code}." for name, code in sorted(facts.methods.items()) if code != "ok"]
    return []


def _help(decision: Decision) -> list[str]:
    """What can be done now."""
    if decision.action <= Action.PROTECT or decision.action is Action.REFUSE:
        return []
    lines = [f"May be released by: {_WHO[decision.releases]}."]
    if decision.answers:
        lines.append(f"The sender can send it again with one of these in the subject: {', '.join(decision.answers)}.")
    else:
        lines.append("No word of the sender would let it go; if it cannot wait, phone the recipient.")
    return lines


def why(policy: Policy, facts: Facts) -> str:
    """``explain`` for the decision the policy makes."""
    return explain(policy, facts, decide(policy, facts))
