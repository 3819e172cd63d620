"""The IG team's own examples put through a policy: mails in words, each with the outcome that the team expects.

Reads texts, decides, compares; opens nothing and knows no clock.  The day comes from the caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Any, Final

import pydantic

from policies.consent import combine, read_body_line, read_header, read_subject
from policies.decide import decide
from policies.files.yamlmap import KeyPath, Lines, YamlError, explain_validation, nearest, parse, say
from policies.load import Policy, PolicyError
from policies.model import Decision, Facts, ImageFacts, Kind, OnFile, RecipientFacts
from policies.onfile import uses
from policies.reasons import REASONS
from policies.register import a_label, split_address
from policies.trial.examplefile import Example, ExamplesModel, Outcome, Picture

OWN: Final = "own"  # as a recipient: somebody in your own organisation
_MAILBOX: Final = "a.colleague"  # of a recipient that is written as a domain
_NOON: Final = time(12, 0, tzinfo=UTC)
# Word for a picture -> its facts.
_PICTURES: Final[Mapping[str, Mapping[str, Any]]] = {
    "photo": {"kind": Kind.IDENTIFIABLE_PHOTO, "format": "jpeg"},
    "x-ray": {"kind": Kind.ROUTINE_IMAGING, "format": "dicom", "modality": "CR"},
    "page": {"kind": Kind.DOCUMENT, "format": "pdf"},
    "locked-file": {"kind": Kind.UNREADABLE, "format": "zip", "opaque": "encrypted"},
    "damaged-file": {"kind": Kind.UNREADABLE, "format": "jpeg", "opaque": "corrupt"},
    "unknown-file": {"kind": Kind.UNREADABLE, "opaque": "unknown-type"},
    "large-file": {"kind": Kind.UNREADABLE, "format": "zip", "opaque": "limit"},
    "unsupported-picture": {"kind": Kind.UNREADABLE, "opaque": "image-not-supported"},
    "logo": {"kind": Kind.NONE, "format": "png", "decorative": "icon"},
}


@dataclass(frozen=True, slots=True)
class Case:
    """One recipient of one example."""

    file: str
    line: int
    name: str
    recipient: str
    facts: Facts = field(repr=False)
    expected: Outcome


@dataclass(frozen=True, slots=True)
class Result:
    """What the policy did with a case.  ``faults``: what differs from the expected outcome, in words; () = as expected."""

    case: Case
    decision: Decision
    faults: tuple[str, ...]


def read_examples(policy: Policy, file: str, text: bytes, today: date) -> tuple[Case, ...]:
    """The cases of one file, one a recipient.  Raises ``PolicyError`` naming every fault as ``file:line: key: what``."""
    try:
        data, lines = parse(text, file)
    except YamlError as error:
        raise PolicyError(error.problems) from None
    if not isinstance(data, dict) or not data:
        raise PolicyError([f'{file}:1: the file is empty or no table of keys; begin with "examples:"'])
    try:
        model = ExamplesModel.model_validate(data)
    except pydantic.ValidationError as error:
        raise PolicyError(explain_validation(error, lines, file, ExamplesModel)) from None
    problems = [fault for at, one in enumerate(model.examples) for fault in _faults(policy, one, at, lines, file)]
    if problems:
        raise PolicyError(problems)
    return tuple(case for at, one in enumerate(model.examples) for case in _cases(policy, one, at, lines, file, today))


def run(policy: Policy, cases: Sequence[Case]) -> tuple[Result, ...]:
    """Every case decided and compared."""
    made = []
    for case in cases:
        decision = decide(policy, case.facts)
        made.append(Result(case, decision, tuple(_differences(case.expected, decision))))
    return tuple(made)


def _differences(expected: Outcome, decision: Decision) -> Iterator[str]:
    if decision.action.name != expected.then:
        yield f"expected {expected.then}, got {decision.action.name} (rule {decision.rule}: {_why(decision)})"
    elif expected.rule is not None and decision.rule != expected.rule:
        yield f"{decision.action.name} as expected, but by rule {decision.rule} instead of {expected.rule}"
    for code in expected.reasons:
        if code not in decision.reasons:
            yield f"the reason {code} is not told; told are {', '.join(decision.reasons) or 'none'}"


def _why(decision: Decision) -> str:
    return " ".join(REASONS[code] for code in decision.reasons if code in REASONS) or "no reason told"


def _faults(policy: Policy, one: Example, at: int, lines: Lines, file: str) -> Iterator[str]:
    """What the shape cannot show: recipients that are none, expectations for nobody, words that do not exist."""
    here: KeyPath = ("examples", at)
    for index, written in enumerate(one.to):
        if a_label(split_address(_address(policy, written))[1]) is None:
            yield say(file, lines, (*here, "to", index), f'"{written}" is neither a domain nor an address')
    outcomes = one.expect
    if "" not in outcomes:
        for written in outcomes:
            if written not in one.to:
                what = f'"{written}" is none of the recipients under "to"{nearest(written, one.to)}'
                yield say(file, lines, (*here, "expect", written), what)
        for written in one.to:
            if written not in outcomes:
                yield say(file, lines, (*here, "expect"), f"says nothing of {written}; write what must become of its copy")
    rules = [rule.id for rule in policy.rules]
    for key, outcome in outcomes.items():
        where: KeyPath = (*here, "expect", key) if key else (*here, "expect")
        if outcome.rule is not None and outcome.rule not in (*rules, "floor", "guard"):
            what = f'no rule is called "{outcome.rule}"{nearest(outcome.rule, rules)}'
            yield say(file, lines, (*where, "rule"), what)
        for code in outcome.reasons:
            if code not in REASONS:
                yield say(file, lines, (*where, "reasons"), f'"{code}" is no reason code{nearest(code, REASONS)}')


def _address(policy: Policy, written: str) -> str:
    """As an address: "royal.example" stands for somebody there, "own" for a colleague."""
    if written == OWN:
        return f"{_MAILBOX}@{policy.settings.own_domains[0]}"
    return written if "@" in written else f"{_MAILBOX}@{written}"


def _cases(policy: Policy, one: Example, at: int, lines: Lines, file: str, today: date) -> Iterator[Case]:
    for written in one.to:
        expected = one.expect.get(written) or one.expect[""]
        line = lines.get(("examples", at), 1)
        yield Case(file, line, one.name, written, _facts(policy, one, _address(policy, written), today), expected)


def _facts(policy: Policy, one: Example, address: str, today: date) -> Facts:
    sent = one.day or today
    known = policy.register.match(address, sender=one.sender, today=sent)
    group = policy.group_of(one.sender) if one.sender else "ungrouped"
    images = tuple(_image(at, picture) for at, picture in enumerate(one.pictures, 1))
    shown = [image.disclosed for image in images if image.decorative is None]
    readings = [
        reading
        for reading in (
            read_header(one.header) if one.header else None,
            read_body_line(one.text) if one.text else None,
            read_subject(one.subject) if one.subject else None,
        )
        if reading is not None and (reading.statements or reading.problems)
    ]
    return Facts(
        at=datetime.combine(sent, _NOON),
        mode=policy.mode_of(group, known.domain, certain=one.vouched),
        sender_domain=one.sender.rpartition("@")[2].lower(),
        sender_group=group,
        sender_kind=one.kind_of_sender,
        vouched=one.vouched,
        recipient=known,
        recipients=len(one.to),
        consent=combine(
            readings,
            today=sent,
            vouched=one.vouched,
            thread=one.thread,
            images_covered=all(shown) if shown and None not in shown else None,
        ),
        images=images,
        codes=frozenset(one.found),
        methods=dict.fromkeys(_serving(policy, one, known), "ok"),
        thread=one.thread,
        register_version=policy.register.version,
        withdrawn=one.withdrawn,
        on_file=OnFile("limited", None, uses(one.limited_to, ())) if one.limited_to else None,
        first_time=one.first_time,
    )


def _serving(policy: Policy, one: Example, known: RecipientFacts) -> tuple[str, ...]:
    if one.protection is not None:
        return one.protection
    return known.entry.methods if known.entry is not None and known.entry.methods else policy.settings.methods_without_entry


def _image(at: int, picture: Picture) -> ImageFacts:
    return ImageFacts(
        part=str(at),
        sha256=sha256(f"example {at}".encode()).hexdigest(),
        codes=frozenset(picture.found),
        disclosed=picture.had,
        name=picture.name,
        **_PICTURES[picture.kind],
    )
