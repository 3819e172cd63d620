"""What a recipient reads first inside a protected message (notice R-1): for what the picture may be used, and whom to tell.

GMC recordings forbids use beyond the patient's agreement, so the recipient must know it.  Words of our own and the site's contact
only: no identifier, no name and no free text of the statement goes in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policies.files.settings import SettingsModel
from policies.model import ConsentStatus, Decision, Facts, Kind, RecipientClass, Statement
from policies.vocabulary import FORMS, PURPOSES

# Who agreed -> how the note says it; nobody named is the patient.
_GIVERS: Final[Mapping[str, str]] = {
    "parental-responsibility": "with the {form}agreement of a person with parental responsibility",
    "guardian": "with the {form}agreement of the guardian",
    "attorney": "with the {form}agreement of the patient's attorney",
    "deputy": "with the {form}agreement of the patient's deputy",
    "executor": "with the {form}agreement of the executor",
    "family": "with the {form}agreement of the family",
    "best-interests": "in the patient's best interests",
    "substitute-decision-maker": "with the {form}agreement of the person who decides for the patient",
}
_PATIENT: Final = "with the patient's {form}agreement"
_USES: Final[Mapping[str, str]] = {
    "care": "the patient's care",
    "emergency": "the patient's emergency care",
    "patient": "what the patient asked for",
    "training": "teaching",
    "research": "research",
    "publication": "publication",
    "legal": "the legal or administrative matter it is about",
    "test": "a test",
}
_RECORD: Final = "Keep it in the patient's record or delete it"
_KEEP: Final[Mapping[str, str]] = {
    "training": "Keep it only as long as you teach with it",
    "research": "Keep it only as long as the study needs it",
    "publication": "Use it in the work that was agreed, and nowhere else",
}


def inside_note(facts: Facts, decision: Decision, settings: SettingsModel) -> str | None:
    """The note, its lines ended by CRLF but for the last; None for mail without a clinical picture."""
    if decision.kind in (Kind.NONE, Kind.DOCUMENT, Kind.UNREADABLE):
        return None
    return "\r\n".join(_lines(facts, facts.consent.statement, settings))


def _lines(facts: Facts, statement: Statement | None, settings: SettingsModel) -> Iterator[str]:
    use = _use(facts, statement)
    yield f"Clinical picture. It is shared {_basis(statement)} and for {_USES.get(use, 'this purpose')} only."
    yield f"{_KEEP.get(use, _RECORD)}. Do not forward it or use it for anything else without asking."
    if statement is not None and statement.expires is not None:
        yield f"The agreement is valid until {statement.expires:%-d %B %Y}."
    yield f"Not for you? Please tell {_contact(settings)} and delete it: we must report it."


def _use(facts: Facts, statement: Statement | None) -> str:
    """The use as a row of the matrix; one that nobody named to a clinical service is care."""
    if statement is not None and statement.status is ConsentStatus.BYPASSED:
        return "emergency"
    if statement is not None and statement.purpose is not None:
        return PURPOSES.get(statement.purpose, "")
    return "care" if facts.recipient.cls is RecipientClass.APPROVED_CLINICAL else ""


def _basis(statement: Statement | None) -> str:
    """How it came that it may be shared; words that came from outside never stand here."""
    if statement is None or statement.status in (ConsentStatus.NOT_REQUIRED, ConsentStatus.PENDING):
        return "by the team that looks after the patient"
    if statement.status is ConsentStatus.BYPASSED:
        return "in an emergency, in which the patient could not be asked,"
    form = f"{statement.form} " if statement.form in FORMS else ""
    return _GIVERS.get(statement.given_by or "", _PATIENT).format(form=form)


def _contact(settings: SettingsModel) -> str:
    """Whom the policy names for questions, with every way there is; else the sender."""
    found = settings.ig
    words = found.words() if found is not None else ""
    if found is None or not words:
        return "the sender"
    return f"{words}, {found.email}" if found.phone and found.email else words
