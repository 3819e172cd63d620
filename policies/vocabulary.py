"""The code tables: HL7 words of a statement.  What people write for them is in ``policies.statements.words``.

Sources: v3-ActReason PurposeOfUse; HL7 v2 tables 0497 (form), 0498 (status), 0499 (bypass).  ``docs/policy.md`` prints these
tables; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.model import Kind

STATUSES: Final = ("given", "limited", "refused", "pending", "withdrawn", "bypassed", "not-required")

# Strongest first; a comparison of forms goes by this order (0497 plus electronic and implied).
FORMS: Final = ("written", "electronic", "verbal", "telephone", "implied")

GIVERS: Final = (
    "patient",
    "parental-responsibility",
    "attorney",
    "deputy",
    "guardian",
    "executor",
    "family",
    "best-interests",
    "substitute-decision-maker",
)

SCOPES: Final = ("record", "teaching", "research", "publication")
# What the patient was told before agreeing (guidance S0-14, S1-6, S1-42 to S1-44, S3-9, S3-10; reassured: S1-10, intimate).
INFORMED: Final = ("purpose", "people", "storage", "period", "other-use", "withdrawal", "reassured")
CAPACITIES: Final = ("has", "gillick", "lacks")
BYPASSES: Final = ("emergency", "professional-judgement")
BASES: Final = (
    "gmc-10",
    "gmc-17",
    "hipaa-treatment",
    "legal",
    "test",
    "not-patient",
    "teaching",
    "document",
    "no-patient-picture",
)

# What a rule may call a purpose, and its row in the policy matrix.
# ``marketing`` (P8) is let out by no rule, ``test`` (P9) by profile test alone.
PURPOSE_ROWS: Final[Mapping[str, str]] = {
    "none": "P0",
    "care": "P1",
    "emergency": "P2",
    "patient": "P3",
    "training": "P4",
    "research": "P5",
    "publication": "P6",
    "legal": "P7",
    "marketing": "P8",
    "test": "P9",
}

# v3-ActReason code -> purpose group.  PUBLISH is local: HL7 has no code for publication.
PURPOSES: Final[Mapping[str, str]] = {
    "TREAT": "care",
    "COC": "care",
    "CAREMGT": "care",
    "ETREAT": "emergency",
    "ERTREAT": "emergency",
    "BTG": "emergency",
    "PATRQT": "patient",
    "FAMRQT": "patient",
    "SUPNWK": "patient",
    "PWATRNY": "patient",
    "TRAIN": "training",
    "HRESCH": "research",
    "BIORCH": "research",
    "CLINTRCH": "research",
    "CLINTRCHPC": "research",
    "CLINTRCHNPC": "research",
    "DSRCH": "research",
    "POARCH": "research",
    "TRANSRCH": "research",
    "PRECLINTRCH": "research",
    "PUBLISH": "publication",
    "HQUALIMP": "legal",
    "PATSFTY": "legal",
    "HOPERAT": "legal",
    "HOUTCOMS": "legal",
    "PERFMSR": "legal",
    "HACCRED": "legal",
    "HCOMPL": "legal",
    "HLEGAL": "legal",
    "HPAYMT": "legal",
    "CLMATTCH": "legal",
    "COVERAGE": "legal",
    "GOV": "legal",
    "PATADMIN": "legal",
    "RECORDMGT": "legal",
    "PUBHLTH": "legal",
    "THREAT": "legal",
    "DISASTER": "legal",
    "HDECD": "legal",
    "HTEST": "test",
    "HMARKT": "marketing",
}

# Child -> parent: a domain approved for the parent is approved for the child.  Only where the child adds no new use.
PARENT: Final[Mapping[str, str]] = {
    "COC": "TREAT",
    "CAREMGT": "TREAT",
    "ETREAT": "TREAT",
    "ERTREAT": "ETREAT",
    "BTG": "ETREAT",
    "BIORCH": "HRESCH",
    "CLINTRCH": "HRESCH",
    "CLINTRCHPC": "CLINTRCH",
    "CLINTRCHNPC": "CLINTRCH",
    "DSRCH": "HRESCH",
    "POARCH": "HRESCH",
    "TRANSRCH": "HRESCH",
    "PRECLINTRCH": "HRESCH",
    "CLMATTCH": "HPAYMT",
    "COVERAGE": "HPAYMT",
}

# The scope a statement must name before the purpose is covered; other purposes need no more than ``record``.
SCOPE_NEEDED: Final[Mapping[str, str]] = {"training": "teaching", "research": "research", "publication": "publication"}

# Strictest first: which kind a message with several images is reported as.
KIND_ORDER: Final = (
    Kind.INTIMATE_CHILD,
    Kind.INTIMATE,
    Kind.CHILD,
    Kind.DECEASED,
    Kind.IDENTIFIABLE_PHOTO,
    Kind.DEIDENTIFIED_PHOTO,
    Kind.UNREADABLE,
    Kind.ROUTINE_IMAGING,
    Kind.DOCUMENT,
    Kind.NONE,
)


def covers(approved: frozenset[str], purpose: str) -> bool:
    """True if ``purpose`` or one of its parents is among the ``approved`` codes."""
    code: str | None = purpose
    while code is not None:
        if code in approved:
            return True
        code = PARENT.get(code)
    return False
