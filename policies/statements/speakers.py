"""Whose words they are: staff cannot agree for a patient, and what is quoted is not the sender's own statement."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

STAFF: Final = (
    "clinician", "doctor", "nurse", "gp", "consultant", "registrar", "sho", "spr", "rn", "hca", "hcp", "midwife", "paramedic",
    "matron", "surgeon", "intern", "locum",
)  # fmt: skip
DEPARTMENTS: Final = (
    "team", "colleagues", "dermatology", "derm", "plastics", "clinic", "unit", "service", "specialist", "specialists",
)  # fmt: skip
# Departments that are named for a part of the body too: whoever agrees there is staff.
_TEAMS: Final = (
    "ent", "paeds", "paediatrics", "gynae", "gynaecology", "ortho", "orthopaedics", "vascular", "maxfax", "max fax", "urology",
    "podiatry", "ophthalmology", "neurology", "ed", "tvn", "tissue viability", "endo", "perio", "omfs", "oral surgery",
    "oral med", "oral medicine", "urgent care", "crisis team", "camhs", "cmht", "crisis", "liaison", "palliative",
    "intensive care", "icu", "itu",
    "cardiology", "oncology", "haematology", "rheumatology", "gastro", "respiratory", "renal", "endocrine", "radiology",
    "orthodontics", "restorative",
)  # fmt: skip


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(words)})"


_HELPERS: Final = "has|have|had|is|was|are|also|both|now|already|verbally|orally|kindly"
_AGREES: Final = (
    "agree|happy|ok|okay|okd|ok'd|oked|okayed|fine|consents|consented|said|says|willing|approve|comfortable|content|alright"
    "|gave|gives|granted|given consent|given permission|given verbal|given written|asked"
)
# "the patient's nurse is happy", "doctor gave verbal consent", "GP's permission", "verbal consent from the nurse".
_STAFF_AGREES: Final = re.compile(
    rf"\b{_any((*STAFF, *DEPARTMENTS, *_TEAMS))} (?:(?:{_HELPERS}) )*(?:{_AGREES})"
    rf"|\b{_any(STAFF)}(?:'s)? (?:(?:verbal|written|oral|own) )?(?:consent|permission|agreement)\b"
    rf"|\b(?:consent|verbal|written|oral|telephone|permission|agreement|obtained|gained|given|got|taken|phone|verbally"
    r"|orally|email|text|writing) from"
    rf" (?:(?:the|a|my|our|another) )*{_any((*STAFF, *DEPARTMENTS))}\b(?!'s pat)",
    re.I,
)
# "Spoke to derm reg, she is happy ...", "Dr Lee phoned. He is fine with ...": the pronoun is theirs.  A greeting names nobody.
_PERSONS: Final = (
    *STAFF, *DEPARTMENTS, "dr", "prof", "professor", "reg", "manager", "boss", "physio", "physiotherapist", "dietitian",
    "dentist", "pharmacist", "optometrist", "podiatrist", "radiologist", "dermatologist", "orthodontist", "psychologist",
    "psychiatrist", "sister", "resident", "attending", "np", "hospital", "ward", "practice", "police", "social worker",
    "teacher", "school", "neighbour", "friend", "interpreter", "carer", "secretary", "receptionist", "switchboard", "legal",
    "governance", "ethics",
)  # fmt: skip
_ACTS: Final = re.compile(
    r"\b(?:spoke|spoken|speaking|talked|chatted|liaised|discussed|dw|d/w|asked|phoned|called|rang|messaged|texted|emailed|checked"
    r"|consulted)(?: (?!(?:pt|patient|mum|mom|mother|dad|father)\b)[\w'/]+){0,4}?"
    rf" {_any(_PERSONS)}\b"
    rf"|\b{_any(_PERSONS)}(?: [\w']+){{0,2}}? (?:on call|phoned|called|rang|says|said|asked|aware|agrees|agreed|ok|happy|reviewed"
    r"|saw|here|attended|came|wants|wanted|advised|suggested|suggests|thinks|requested|replied|answered|involved|looking)\b",
    re.I,
)
_PRONOUN: Final = re.compile(r"(?:he|she|they)\b", re.I)
_SUBJECT: Final = re.compile(
    r"\b(?:pt|px|pts|patient|patients|client|mum|mom|mother|mothers|dad|father|parents?|guardian|attorney|lpa|poa)\b", re.I
)
_GREETED: Final = re.compile(r"\s*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening))\b[^,.:;!\n-]{0,40}[,.:;!\n-]", re.I)
# A colon behind one of these begins what somebody else has said.
_TELLS: Final = re.compile(r"\b(?:wrote|writes|said|says|stated|states|reported|reports|emailed|texted)\b[^:\n]{0,40}:", re.I)
# Double marks, to the next one or the end; 3" is a measure.  Single marks only where they do not belong to a word.
_QUOTES: Final = re.compile(r"(?<![\w.])\"(?=\S)[^\"]{0,400}\"?|(?<![\w'])'(?=[a-z])[^'\n]{1,80}(?<=\w)'(?!\w)", re.I)
_SAID: Final = re.compile(r"con[cs]en|agree|happ|permi|auth|\bok|fine|verbal|written|signed|\byes\b|approv|willing", re.I)


def by_staff(words: str) -> bool:
    """True if the words (lower case, single spaces) say that one of the staff agreed, not the patient."""
    return _STAFF_AGREES.search(words) is not None


def of_another(text: str, span: tuple[int, int]) -> bool:
    """True if a statement at ``span`` begins with "she" and the person named last before it is one of the staff or the like."""
    if _PRONOUN.match(text, *span) is None:
        return False
    greeted = _GREETED.match(text, 0, span[0])
    acts = [match.end() for match in _ACTS.finditer(text, greeted.end() if greeted is not None else 0, span[0])]
    return bool(acts) and _SUBJECT.search(text, acts[-1], span[0]) is None


def repeated(sentence: str) -> bool:
    """True if the sentence is put into somebody else's mouth: "Dr Lee wrote: pt agreed"."""
    return _TELLS.search(sentence) is not None


def quoted(text: str) -> list[tuple[int, int]]:
    """Where a text quotes words of agreement: as said by another, or as no agreement at all (the patient "consented")."""
    return [match.span() for match in _QUOTES.finditer(text) if _SAID.search(match[0])]
