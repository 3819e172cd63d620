"""Consent: what each carrier says, and what all of them say together.

Three layers, one meaning: header field (machines), subject tag and first body line (phones), release (answers).
Precedence, strongest first: a refusal or withdrawal anywhere; then release > part > header > body > subject; a sender's
default only adds a purpose.  Of several statements of one carrier about one part the stricter counts (grammar rule 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from policies.model import Carrier, Consent, ConsentStatus, Problem, Reading, Statement
from policies.statements.beside import agrees, pending
from policies.statements.header import nearest, read_header, write_header
from policies.statements.tags import EMERGENCY_REASON, read_body_line, read_subject, read_tag
from policies.vocabulary import FORMS

__all__ = ["combine", "nearest", "read_body_line", "read_header", "read_subject", "read_tag", "refuses", "write_header"]

_PRECEDENCE: Final = (Carrier.RELEASE, Carrier.PART, Carrier.HEADER, Carrier.BODY, Carrier.SUBJECT)
_REFUSALS: Final = (ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN)
# Stricter first, when one carrier holds several statements about the whole message.
_STRICTER: Final = (
    ConsentStatus.PENDING,
    ConsentStatus.BYPASSED,
    ConsentStatus.LIMITED,
    ConsentStatus.GIVEN,
    ConsentStatus.NOT_REQUIRED,
)


def refuses(statement: Statement) -> bool:
    """True for a refusal or a withdrawal."""
    return statement.status in _REFUSALS


def _strictness(statement: Statement) -> tuple[int, int]:
    form = FORMS.index(statement.form) if statement.form in FORMS else len(FORMS)
    return _STRICTER.index(statement.status), -form


def _whole(statements: Sequence[Statement]) -> Statement | None:
    """One statement for several of the same carrier: the strictest, with the flags of all; kinds of basis complement a consent.

    "[consent verbal] [document]": the consent is for the photograph, the word for the page.
    """
    if not statements:
        return None
    consents = [s for s in statements if s.status is not ConsentStatus.NOT_REQUIRED or s.basis is None]
    bases = [s for s in statements if s not in consents]
    if consents and any(s.basis in ("not-patient", "teaching") for s in bases):
        return replace(min(consents, key=_strictness), status=ConsentStatus.PENDING, basis=None)  # both cannot be true
    chosen = min(consents or bases, key=_strictness)
    if consents and bases:
        chosen = replace(chosen, basis=bases[0].basis)
    return _flagged(chosen, statements)


def _flagged(statement: Statement, others: Iterable[Statement]) -> Statement:
    """What any carrier declares about the picture holds, whoever wins: it can only tighten."""
    seen = [statement, *others]
    return replace(
        statement,
        intimate=any(s.intimate for s in seen),
        child=any(s.child for s in seen),
        deceased=any(s.deceased for s in seen),
    )


def _invalid(statement: Statement, today: date) -> Problem | None:
    """Why a statement cannot count today (grammar rule 6; break-glass reason)."""
    if statement.dated is not None and statement.dated > today:
        return Problem("consent.future-date", statement.dated.isoformat())
    if statement.expires is not None and statement.expires < today:
        return Problem("consent.expired", statement.expires.isoformat())
    if statement.status is ConsentStatus.BYPASSED:
        if statement.bypass is None:
            return Problem("consent.no-bypass-reason")
        if statement.bypass == "emergency" and len((statement.reason or "").strip()) < EMERGENCY_REASON:
            return Problem("consent.emergency-reason")
    return None


def _ignored(statement: Statement, vouched: bool, thread: str, images_covered: bool | None) -> str | None:
    """The code why a statement does not count for this message, or None."""
    if not vouched and statement.carrier is not Carrier.RELEASE:
        return "consent.not-vouched"
    if statement.carrier is Carrier.SUBJECT and thread != "new" and not statement.fresh and images_covered is not True:
        return "consent.inherited-tag"
    return None


def only_checks(statement: Statement) -> bool:
    """True for "[right address]": it says nothing of the patient, so it stands beside another statement and never before it."""
    return statement.checked and statement.status is ConsentStatus.PENDING and statement.part is None


def _complete(chosen: Statement, weaker: Sequence[Statement]) -> Statement:
    """A purpose that the chosen statement leaves open may come from a weaker carrier or the sender's default.

    Whoever answers a hold with "not a patient" or "document" has no picture of a patient to have a purpose for.
    """
    if chosen.carrier is Carrier.RELEASE and chosen.basis is not None and chosen.status is ConsentStatus.NOT_REQUIRED:
        return chosen
    for other in weaker:
        if chosen.purpose is None and other.purpose is not None:
            chosen = replace(chosen, purpose=other.purpose, scope=chosen.scope or other.scope)
        if other.to_patient and not chosen.to_patient:
            chosen = replace(chosen, to_patient=True, confirms=other.confirms)
        if chosen.basis is None and other.basis in ("document", "no-patient-picture"):
            chosen = replace(chosen, basis=other.basis)
    return chosen


def combine(readings: Iterable[Reading], *, today: date, vouched: bool, thread: str, images_covered: bool | None) -> Consent:
    """All readings of one message as one ``Consent``.

    ``vouched``: the sender's identity is certain, else only refusals and declared kinds count.  ``thread``: new, reply or
    forward.
    ``images_covered``: this thread's images are those an earlier tag covered; None = unknown, which counts as no.
    """
    problems: list[Problem] = []
    ignored: list[str] = []
    counted: list[Statement] = []
    declared: list[Statement] = []
    heard = tuple(readings)
    doubted = any(reading.doubts and reading.carrier is Carrier.BODY for reading in heard)
    for reading in heard:
        problems.extend(reading.problems)
        for statement in _undoubted(reading, doubted):
            if refuses(statement):
                counted.append(statement)
                continue
            declared.append(statement)
            reason = _ignored(statement, vouched, thread, images_covered)
            fault = _invalid(statement, today)
            if reason is not None:
                ignored.append(reason)
            elif fault is not None:
                if fault not in problems and not any(p.code == fault.code for p in problems):
                    problems.append(fault)
            else:
                counted.append(statement)
    return Consent(
        statement=_message_statement(counted, declared),
        per_part=_part_statements(counted, declared),
        problems=tuple(problems),
        ignored=tuple(dict.fromkeys(ignored)),
    )


def _undoubted(reading: Reading, doubted: bool) -> tuple[Statement, ...]:
    """What a reading states; "verbal consent" in the subject is none where the first line says that it is still to come."""
    if not doubted or reading.carrier is not Carrier.SUBJECT:
        return reading.statements
    return tuple(pending(said) if agrees(said) else said for said in reading.statements)


def _part_statements(counted: Sequence[Statement], declared: Sequence[Statement]) -> tuple[Statement, ...]:
    """One statement for each part that any names, by the same precedence.

    Neither stands against a refusal of the whole message, nor against the answer to a hold, which is about all of it.
    """
    whole = [s for s in counted if s.part is None]
    overruled = any(refuses(s) or s.carrier is Carrier.RELEASE for s in whole)
    named: dict[str, list[Statement]] = {}
    for statement in (*counted, *(replace(s, status=ConsentStatus.PENDING, form=None) for s in declared if _kinds(s))):
        if statement.part is not None and (refuses(statement) or not overruled):
            named.setdefault(statement.part.casefold(), []).append(statement)
    return tuple(_about_part(said, [s for s in declared if _same(s.part, part)], whole, counted) for part, said in named.items())


def _about_part(
    said: Sequence[Statement], declared: Sequence[Statement], whole: Sequence[Statement], counted: Sequence[Statement]
) -> Statement:
    """What is said of one part; what was only declared of it (nothing counts) leaves a statement that is no consent."""
    stated = [s for s in said if any(s is one for one in counted)]
    return _chosen(stated, declared, whole) or _flagged(said[0], declared)


def _same(part: str | None, folded: str) -> bool:
    return part is not None and part.casefold() == folded


def _kinds(statement: Statement) -> bool:
    return statement.intimate or statement.child or statement.deceased


def _chosen(said: Sequence[Statement], declared: Sequence[Statement], general: Sequence[Statement]) -> Statement | None:
    """Refusals first, then the strongest carrier, completed by the weaker and by what is said of the whole message."""
    refusal = next((s for s in said if refuses(s)), None)
    if refusal is not None:
        return _flagged(refusal, declared)
    about = [s for s in said if not only_checks(s)]
    levels = [_whole([s for s in about if s.carrier is carrier]) for carrier in _PRECEDENCE]
    stated = _beside([level for level in levels if level is not None])
    chosen = _complete(stated[0], [*stated[1:], *general]) if stated else next((s for s in said if only_checks(s)), None)
    if chosen is None:
        return None
    return _flagged(replace(chosen, checked=any(s.checked for s in (*said, *general))), declared)


def _beside(stated: list[Statement]) -> list[Statement]:
    """A word for pages or locked files that answers a hold completes the consent stated before, as beside it in a tag."""
    if len(stated) < 2:
        return stated
    answer, before, *rest = stated
    if answer.carrier is not Carrier.RELEASE or answer.basis not in ("document", "no-patient-picture"):
        return stated
    return stated if before.status is ConsentStatus.PENDING else [replace(before, basis=answer.basis), *rest]


def _message_statement(counted: Sequence[Statement], declared: Sequence[Statement]) -> Statement | None:
    """The statement about all images: refusals first, then the strongest carrier, completed by the weaker."""
    whole = [s for s in counted if s.part is None]
    defaults = [s for s in whole if s.carrier is Carrier.DEFAULT]
    answered = any(s.carrier is Carrier.RELEASE for s in whole)  # it stands for all parts, so what they declare is kept
    general = [s for s in declared if s.part is None or answered]
    chosen = _chosen(whole, declared if any(refuses(s) for s in whole) else general, defaults)
    if chosen is not None:
        return chosen
    flags = [s for s in declared if s.part is None and _kinds(s)]
    if flags:  # nothing that counts as consent, but the kind of picture was declared
        return _flagged(Statement(ConsentStatus.PENDING, flags[0].carrier), flags)
    return None
