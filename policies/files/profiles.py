"""Profiles: the sets of cells of the matrix that a site chooses by one line, ``profile:`` at the top of policy.yaml.

A rule that names a profile holds only where that profile is in force; a rule that names none holds everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

# The law or guidance a site works under: exactly one.
BASES: Final[Mapping[str, str]] = {
    "uk-strict": "the patient says yes before any photograph goes to a colleague (the default)",
    "uk-care-team": "within the direct care team agreement may be implied (GMC Confidentiality 27, MDU, NHS England)",
    "au": "agreement may be what the patient would reasonably expect (OAIC, AMA); every approved domain says where data are kept",
    "us": "a photograph for treatment needs no agreement, but its purpose and protection (45 CFR 164.506)",
    "test": "a test installation: only pictures stated as test data (purpose HTEST) leave",
}
# De-identified photographs (K2) for teaching and research: one of the two; mdu-strict where none is named.
SECONDARY: Final[Mapping[str, str]] = {
    "mdu-strict": "ask the patient, whether or not anybody can be recognised (MDU)",
    "gmc-17": "no agreement needed once nobody can be recognised (GMC recordings 17)",
}
EXTRA: Final[Mapping[str, str]] = {
    "small-practice": "one named person approves a domain, somebody from outside countersigns the next day",
}
# What a notice says of the law where an intimate picture is seen or named (S1-11); a site writes its own (settings.intimate_law).
LAWS: Final[Mapping[str, str]] = {
    "uk-strict": "In England and Wales section 66B of the Sexual Offences Act 2003 covers the sharing of intimate pictures: "
    "send one only if the patient has said yes. In doubt, your medical defence organisation advises.",
    "au": "The Online Safety Act 2021 covers the sharing of intimate pictures: send one only if the patient has said yes. "
    "In doubt, your medical defence organisation advises.",
    "us": "State and federal law covers the sharing of intimate pictures: send one only if the patient has said yes. "
    "In doubt, ask your privacy officer.",
}
LAWS_OF: Final[Mapping[str, str]] = {"uk-care-team": "uk-strict"}
PROFILES: Final = (*BASES, *SECONDARY, *EXTRA)
DEFAULT: Final = ("uk-strict", "mdu-strict")


def in_force(chosen: Iterable[str]) -> frozenset[str]:
    """The profiles that hold where ``chosen`` stand in the file: the default of each choice that is left open is added."""
    found = frozenset(chosen)
    for choice, default in ((BASES, DEFAULT[0]), (SECONDARY, DEFAULT[1])):
        if not found & choice.keys():
            found |= {default}
    return found


def law_of(profiles: Iterable[str]) -> str:
    """What a notice says of the law on intimate pictures under these profiles; "" for none."""
    return next((LAWS[name] for one in sorted(profiles) if (name := LAWS_OF.get(one, one)) in LAWS), "")


def fault(chosen: Iterable[str]) -> str | None:
    """What is wrong with a choice of profiles, each of which exists; None if nothing is."""
    found = list(chosen)
    for choice in (BASES, SECONDARY):
        both = [name for name in found if name in choice]
        if len(both) > 1:
            return f"{' and '.join(both)} exclude each other; choose one of {', '.join(choice)}"
    return None if len(set(found)) == len(found) else "a profile stands twice; keep one"
