"""A mail that may go to the wrong person: findings about one recipient, each a code that a rule can name under ``codes:``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from policies.domains.slips import mixed_up, slips
from policies.model import RecipientClass, RecipientFacts
from policies.register import Register, split_address

CODES: Final[Mapping[str, str]] = {
    "recipient.first-time": "The sender writes to this recipient for the first time.",
    "recipient.lookalike-domain": "The domain looks very like one that is approved or your own.",
    "recipient.lookalike-address": "The address is a slip of the finger away from one the sender has written to before.",
    "recipient.own-private": "The address looks like the sender's own private one.",
    "recipient.many": "The mail goes to more recipients than the policy's settings allow without a second look.",
    "recipient.open-list": "Patients, private people or several outside organisations see each other's addresses in To and Cc.",
    "recipient.mailbox": "The organisation is approved, but not for this mailbox.",
    "recipient.other-name": "The name shown beside the address is itself an email address, and another one.",
}
_MOST_VISIBLE: Final = 200  # addresses of To and Cc that are looked at
_NAMED: Final = re.compile(r"[a-z0-9._%+'-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}")  # an address in a shown name
_OUTSIDE: Final = 3  # so many outside organisations in one To or Cc are an open list


def neighbours(address: str) -> Iterator[str]:
    """Every address one slip away, the likelier first: one that the sender has written to before is what may have been meant."""
    local, domain = split_address(address.lower())
    for one in dict.fromkeys((*slips(local), *mixed_up(local))):
        yield f"{one}@{domain}"
    for one in slips(domain):
        yield f"{local}@{one}"


def open_list(visible: Iterable[str], register: Register, today: date) -> bool:
    """Do patients or private people, or several outside organisations, see each other in To and Cc?"""
    private: set[str] = set()
    outside: set[str] = set()
    for address in list(dict.fromkeys(one.lower() for one in visible))[:_MOST_VISIBLE]:
        known = register.match(address, today=today)
        if known.cls in (RecipientClass.PATIENT, RecipientClass.PRIVATE):
            private.add(address)
        elif known.cls not in (RecipientClass.OWN, RecipientClass.ARCHIVE):
            outside.add(known.domain)
    return len(private) > 1 or (bool(private) and bool(outside)) or len(outside) >= _OUTSIDE


def other_names(shown: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Of (name, address) pairs as To and Cc show them the addresses, in lower case, whose name is another address.

    Programs that fill in addresses by themselves put the one that was meant in front of the one that is used.
    """
    found = set()
    for name, address in shown:
        named = _NAMED.search(name.lower())
        if named is not None and named[0] != address.lower():
            found.add(address.lower())
    return frozenset(found)


def findings(
    known: RecipientFacts, *, first_time: bool | None, many: bool, open_to: bool, similar: bool, other_name: bool = False
) -> frozenset[str]:
    """The codes about one recipient."""
    outside = known.cls not in (RecipientClass.OWN, RecipientClass.ARCHIVE)
    told = {
        "recipient.first-time": first_time is True and outside,
        "recipient.lookalike-domain": known.lookalike_of is not None,
        "recipient.lookalike-address": similar,
        "recipient.own-private": known.own_private,
        "recipient.many": many and outside,
        "recipient.open-list": open_to and outside,
        "recipient.mailbox": known.entry is not None and known.standing == "" and known.cls is RecipientClass.UNKNOWN,
        "recipient.other-name": other_name and outside,
    }
    return frozenset(code for code, found in told.items() if found)


def did_you_mean(known: RecipientFacts, register: Register, today: date) -> str:
    """What the sender's notice may ask: the domain that was perhaps meant, or the address the sender has written to before.

    "" for nothing to ask.  Of a patient's or private person's address no more than the domain, and that only if it differs.
    """
    if known.lookalike_of is not None:
        return known.lookalike_of
    if not known.similar_to:
        return ""
    if register.match(known.similar_to, today=today).cls not in _PRIVATE and known.cls not in _PRIVATE:
        return known.similar_to
    meant = split_address(known.similar_to)[1]
    return meant if meant != known.domain else ""


_PRIVATE: Final = (RecipientClass.PATIENT, RecipientClass.PRIVATE)
