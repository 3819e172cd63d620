"""The ledger's codes in plain words, for people who were not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# K0–K9 of the policy matrix.
KINDS: Final[Mapping[str, str]] = {
    "K0": "no picture",
    "K1": "scan or X-ray",
    "K2": "photo that shows nobody",
    "K3": "photo",
    "K4": "intimate photo",
    "K5": "photo of a child",
    "K6": "intimate photo of a child",
    "K7": "photo of a person who has died",
    "K8": "file that could not be opened",
    "K9": "page of a document",
}
CONSENTS: Final[Mapping[str, str]] = {
    "given": "agreed",
    "limited": "agreed with limits",
    "refused": "refused",
    "pending": "not yet asked",
    "withdrawn": "withdrawn",
    "bypassed": "sent without asking",
    "not-required": "no consent needed",
}
# How it went: the method of protection, or the mode in which nothing is held.
HOW: Final[Mapping[str, str]] = {
    "none": "inside the organisation, or as the rule says",
    "route": "secure route",
    "smime": "encrypted (S/MIME)",
    "observe": "as it came (only watched)",
    "advise": "stripped where possible (only advised)",
    "release": "released",
}
