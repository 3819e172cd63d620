"""Which of the tags that rules name a notice may offer: those that, written by the sender, make this very message go.

Where a second look at the address waits beside, a tag is offered with the word for that: nobody is asked twice.

Each tag is tried on the facts.  The outcome depends on a few facts only (``_matter``), the same for most mail of a kind, so it is
remembered; a message whose statement bears words of its own (a patient's reference, a reason) is never remembered.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from policies.consent import only_checks, refuses
from policies.domains.patterns import naming
from policies.judge import counts, goes
from policies.load import Policy
from policies.model import Consent, ConsentStatus, Facts, Statement
from policies.rules import ADDRESS, Answer, read_answer
from policies.statements.spoken import CHECKED, also, tag_of

MOST: Final = 4096  # outcomes remembered of one policy
_AGREED: Final = (ConsentStatus.GIVEN, ConsentStatus.LIMITED, ConsentStatus.BYPASSED)


def leading(policy: Policy, facts: Facts, answers: Sequence[Answer]) -> tuple[str, ...]:
    """Those tags that make the message go, in the rules' order."""
    if not answers:
        return ()
    matter = _matter(policy, facts)
    if matter is None:
        return _tried(policy, facts, answers)
    key = (matter, tuple([answer.text for answer in answers]))
    known = policy.remembered.get(key)
    if known is None:
        known = _tried(policy, facts, answers)
        if len(policy.remembered) >= MOST:
            policy.remembered.clear()
        policy.remembered[key] = known
    return known


def _tried(policy: Policy, facts: Facts, answers: Sequence[Answer]) -> tuple[str, ...]:
    found = {text: statement for answer in answers for text, statement in _first(policy, facts, answer)}
    own = _own(facts)
    if own is not None and own.text in found:  # who has said how the patient agreed is not offered another way
        return tuple(text for text, said in found.items() if text == own.text or not (said.checked and said.form))
    return tuple(found)


def _first(policy: Policy, facts: Facts, answer: Answer) -> tuple[Answer, ...]:
    """The first way to write ``answer`` that makes the message go; () where none does."""
    return next(((way,) for way in _ways(facts, answer) if _leads(policy, facts, way.statement)), ())


def _ways(facts: Facts, answer: Answer) -> Iterator[Answer]:
    """The tag as the rule has it; with the word for the address; that word beside what the sender has stated already."""
    if only_checks(answer.statement) and (own := _own(facts)) is not None:
        yield own
    yield answer
    if not answer.statement.checked and answer.statement.bypass is None:
        text = also(answer.text, CHECKED)
        if (statement := read_answer(text)) is not None:
            yield Answer(text, statement)


def _own(facts: Facts) -> Answer | None:
    """The sender's own statement as a tag, with the word for the address."""
    stated = facts.consent.statement
    tag = tag_of(stated) if stated is not None else None
    statement = read_answer(text := also(tag, CHECKED)) if tag is not None else None
    return Answer(text, statement) if statement is not None else None


def _matter(policy: Policy, facts: Facts) -> Hashable | None:
    """Everything of ``facts`` that the outcome of an answer depends on; None where that would hold words of the message.

    Left out: names of files and parts (no statement names one), the time of day, hashes, sizes, what a carrier's problems were.
    Of the recipient's domain only what rules name of it.
    """
    said, recipient = facts.consent.statement, facts.recipient
    if facts.consent.per_part or (said is not None and _worded(said)):
        return None
    entry = recipient.entry
    return (
        said,
        facts.at.date() if said is not None and said.dated is not None else None,
        (recipient.cls, recipient.standing, recipient.own_private, recipient.lookalike_of is None),
        policy.domains_named and policy.domains_named & naming(recipient.domain),
        None
        if entry is None
        else (entry.purposes, entry.methods, entry.max_sensitivity, entry.children_allowed, entry.max_recipients),
        (facts.sender_group, facts.sender_kind, facts.vouched, facts.thread, facts.first_time, facts.withdrawn, facts.recipients),
        facts.on_file,
        facts.codes,
        facts.released,
        tuple([name for name, state in facts.methods.items() if state == "ok"]),
        tuple(
            [
                (
                    *(image.kind, image.opaque, image.modality, image.format, image.disclosed, image.codes),
                    *(image.on_file, image.looked_up),
                )
                for image in facts.images
                if counts(image)
            ]
        ),
    )


def _worded(said: Statement) -> bool:
    return not (said.patient is said.record is said.policy is said.part is said.reason is said.confirms is None)


def _leads(policy: Policy, facts: Facts, statement: Statement) -> bool:
    stated = facts.consent.statement
    given = stated is not None and stated.status in _AGREED
    if given and facts.vouched and statement.basis in ("not-patient", "teaching"):
        return False  # the sender has said that a patient is in the picture: never invite the opposite
    answered = answered_consent(facts, statement)
    return answered is not None and goes(policy, facts, answered)


def answered_consent(facts: Facts, statement: Statement) -> Consent | None:
    """What the message would state had the sender written the tag; None if the tag would not count.

    In a reply the tag counts where it stands before the Re: or in the first line, which is what the notice says.
    """
    if not facts.vouched or facts.withdrawn is True:
        return None
    stated = facts.consent.statement
    if stated is not None and refuses(stated):
        return None
    if any(refuses(one) for one in facts.consent.per_part):
        return None
    if statement.confirms is not None:
        statement = replace(statement, confirms=f"{facts.recipient.local}@{facts.recipient.domain}")
    if stated is not None:
        statement = _beside(stated, statement)
    return Consent(statement=statement, per_part=facts.consent.per_part)


def _beside(stated: Statement, added: Statement) -> Statement:
    """A tag written beside what is already stated: words for pages and locked files complete a consent, others replace it."""
    if added.basis in ("document", "no-patient-picture") and stated.status is not ConsentStatus.PENDING:
        return replace(stated, basis=added.basis, checked=stated.checked or added.checked)
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
