"""The filled policy matrix of tests/policies/matrix.md: its cells, and the facts each cell stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from policies.load import Policy, load_policy
from policies.model import Action, ConsentStatus, Facts, Kind, RecipientFacts, Statement
from tests.support.paths import ROOT
from tests.support.policyfacts import facts, files, image, recipient, statement

LETTERS = {"D": Action.DELIVER, "P": Action.PROTECT, "C": Action.ASK, "Q": Action.QUARANTINE, "X": Action.REFUSE}
DOCUMENT = ROOT / "tests" / "policies" / "matrix.md"
DEFAULT = "uk-strict"


class Key(NamedTuple):
    """One cell: kind, purpose, consent, column."""

    kind: str
    purpose: str
    consent: str
    column: str


@cache
def tables() -> Mapping[str, Mapping[Key, str]]:
    """Profile -> its own cells.  Raises ValueError for a cell that stands twice or holds no action."""
    found: dict[str, dict[Key, str]] = {DEFAULT: {}}
    profile, kind, columns = DEFAULT, "", list[str]()
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"# Profile (\S+)", line):
            profile = match[1]
            found[profile] = {}
        elif match := re.match(r"## (K\d)", line):
            kind = match[1]
        elif line.startswith("| purpose"):
            columns = [cell.strip() for cell in line.strip("|").split("|")][2:-1]
        elif line.startswith("| P"):
            purposes, consents, *cells, source = (cell.strip() for cell in line.strip("|").split("|"))
            if len(cells) != len(columns) or not source or not set(cells) <= LETTERS.keys():
                raise ValueError(f"not a row of the matrix: {line}")
            for purpose in purposes.split():
                for consent in consents.split():
                    for column, cell in zip(columns, cells, strict=True):
                        key = Key(kind, purpose, consent, column)
                        if key in found[profile]:
                            raise ValueError(f"stands twice: {key}")
                        found[profile][key] = cell
    return found


@cache
def cells(profile: str) -> Mapping[Key, str]:
    """Every cell that holds under a profile: those of the default with the profile's own in their place."""
    return {**tables()[DEFAULT], **tables()[profile]}


@cache
def policy(profile: str) -> Policy:
    """The shipped policy with this profile chosen."""
    given = files()
    text = given["policy.yaml"].replace(b"\nprofile: uk-strict\n", f"\nprofile: {profile}\n".encode())
    domains = given["domains.yaml"]
    if profile == "au":
        domains = domains.replace(b"    approved_on:", b"    jurisdiction: {law: APP, data_location: AU}\n    approved_on:")
        domains = domains.replace(b"\n    expires:", b"\n    agreement: {type: dsa}\n    expires:")
        domains = domains.replace(b"agreement: {", b"agreement: {privacy_policy_reviewed: 2026-02-20, ")
    return load_policy({**given, "policy.yaml": text, "domains.yaml": domains})


def facts_of(key: Key) -> Facts:
    """A message that stands for the cell."""
    return facts(
        key.column[0],
        key.kind,
        _statement(key),
        recipient=_recipient(key.column),
        images=() if key.kind == "K0" else (_image(key),),
    )


def _recipient(column: str) -> RecipientFacts:
    found = recipient(column[0])
    if column.endswith("+") and found.entry is not None:
        found = replace(found, entry=replace(found.entry, max_sensitivity="V", children_allowed=True, methods=("smime",)))
    return found


def _image(key: Key) -> Any:
    """K2 to K6 look like any photograph until something is stated; where nothing is, the evidence stands in the facts."""
    return image("K3" if key.kind == "K2" else key.kind)


_FLAGS: Mapping[str, Mapping[str, Any]] = {
    "K2": {"identifiable": False},
    "K4": {"intimate": True},
    "K5": {"child": True},
    "K6": {"intimate": True, "child": True},
    "K7": {"deceased": True},
}
_GIVERS: Mapping[str, Mapping[str, Any]] = {
    "p": {"given_by": "parental-responsibility"},
    "g": {"capacity": "gillick"},
    "x": {"given_by": "executor", "deceased": True},
}
_BASES: Mapping[str, str] = {"np": "not-patient", "doc": "document", "nopic": "no-patient-picture", "legal": "legal"}


def _statement(key: Key) -> Statement | None:
    flags = dict(_FLAGS.get(key.kind, {}))
    word, consent = key.consent, key.consent
    if word in _BASES:
        return statement("none", key.purpose, status=ConsentStatus.NOT_REQUIRED, basis=_BASES[word], **flags)
    if word == "n":
        basis = {"K1": "gmc-10"}.get(key.kind, "gmc-17")
        return statement("none", key.purpose, status=ConsentStatus.NOT_REQUIRED, basis=basis, **(flags | {"identifiable": False}))
    if word.endswith("+ref"):
        flags["record"], consent = "REC-1", word.removesuffix("+ref")
    if word == "old":
        flags["dated"], consent = date(2023, 11, 1), "pv"
    if word == "p":
        return statement("v", key.purpose, form=None, given_by="parental-responsibility", **flags)
    if consent[0] in _GIVERS and consent[1:] in ("v", "w"):
        flags |= _GIVERS[consent[0]]
        consent = consent[1:]
    if consent == "-":
        return statement("none", key.purpose, **(flags if key.kind == "K2" else {}))
    return statement({"no": "refused", "bypass": "emergency"}.get(consent, consent), key.purpose, **flags)


EVIDENT = frozenset(kind.value for kind in Kind)
