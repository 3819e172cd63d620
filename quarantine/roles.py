"""Who may decide what (docs: "Who may release what").

Technical reasons → mail admin, from facts alone; consent, domain and kind reasons → IG; sender's answers → the sender;
intimate and child kinds → two people.  The policy names the role with the hold; this table is a floor no rule can go below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SENDER, MAIL_ADMIN, IG, TWO_PERSON, SYSTEM = "sender", "mail-admin", "ig", "two-person", "system"
UNPROTECTED = "protect.no-method"  # accepting it sends pictures unprotected: IG's alone, whoever may release the hold
_STRICTNESS = (SENDER, MAIL_ADMIN, IG, TWO_PERSON)

# The first word of a reason code (before the first dot) → who decides.  A reason that is not here is IG's.
REASON_ROLES: Mapping[str, str] = {
    "opaque": MAIL_ADMIN,
    "mime": MAIL_ADMIN,
    "mail": MAIL_ADMIN,
    "malformed": MAIL_ADMIN,
    "protect": MAIL_ADMIN,
    "smime": MAIL_ADMIN,
    "route": MAIL_ADMIN,
    "key": MAIL_ADMIN,
    "scrub": MAIL_ADMIN,
    "exit": MAIL_ADMIN,
    "limit": MAIL_ADMIN,
    "poison": MAIL_ADMIN,
    "deferred": MAIL_ADMIN,
    "delivery": MAIL_ADMIN,
    "internal-error": MAIL_ADMIN,
    "next-hop-temporary": MAIL_ADMIN,
    "delivery-unknown": MAIL_ADMIN,
    "consent": IG,
    "domain": IG,
    "register": IG,
    "recipient": IG,
    "kind": IG,
    "ident": IG,
    "intimate": TWO_PERSON,
    "child": TWO_PERSON,
}
# Words anywhere in a code that make it a matter for two people: kind.intimate, consent.child, K4, K5, K6.
_TWO_PERSON_WORDS = frozenset({"intimate", "child", "k4", "k5", "k6"})

# What the hold asks for → the roles of users who may decide it.  IG may do what a sender or a mail admin may.
MAY_DECIDE: Mapping[str, frozenset[str]] = {
    SENDER: frozenset({SENDER, IG}),
    MAIL_ADMIN: frozenset({MAIL_ADMIN, IG}),
    IG: frozenset({IG}),
    TWO_PERSON: frozenset({IG}),
}


def role_of_reason(code: str) -> str:
    """Who decides about one reason code."""
    head, *tail = code.lower().split(".")
    words = {head, *(word for part in tail for word in part.split("-")), *head.split("-")}
    if words & _TWO_PERSON_WORDS:
        return TWO_PERSON
    return REASON_ROLES.get(head, IG)


def required(releases: str, reasons: Iterable[str]) -> str:
    """Who must release a hold: what its rule says, never less than its first reason asks; two people if any reason does."""
    codes = list(reasons)
    if releases not in _STRICTNESS:
        releases = IG
    if any(role_of_reason(code) == TWO_PERSON for code in codes):
        return TWO_PERSON
    if releases == SENDER or not codes:
        return releases
    return max(releases, role_of_reason(codes[0]), key=_STRICTNESS.index)


def for_terms(releases: str, reasons: Iterable[str], accepted: Iterable[str], stated: bool) -> str:
    """Who must release a hold on these terms: never less than the hold asks, nor than what is accepted beside its own reasons.

    ``stated``: a statement of consent is added, which is IG's word.
    """
    codes = list(reasons)
    asked = [required(releases, codes), *(role_of_reason(code) for code in accepted if code not in codes)]
    if stated or UNPROTECTED in accepted:
        asked.append(IG)
    return max(asked, key=_STRICTNESS.index)


def desk(releases: str, reasons: Iterable[str]) -> str:
    """Whose inbox a waiting decision belongs in."""
    return MAIL_ADMIN if required(releases, reasons) == MAIL_ADMIN else IG


def may_decide(role: str, releases: str, reasons: Iterable[str]) -> bool:
    """True if a user acting in ``role`` may decide such a hold."""
    return role in MAY_DECIDE[required(releases, reasons)]
