"""Which words of a sentence say how somebody agreed: "verbal consent", not "oral photo", "written referral", "sent by email".

A form that was not said would release what the sender would have been asked about, so a word counts only where it belongs to
the agreement.
"""

from __future__ import annotations

import re
from typing import Final

from policies.statements.clauses import Clause
from policies.statements.speakers import DEPARTMENTS, STAFF

_ADJECTIVES: Final = frozenset(("verbal", "oral", "spoken", "written", "signed", "telephone", "electronic", "digital"))
_DEVICE: Final = frozenset(("on phone", "on the phone"))  # "photo on the phone" is where the picture is
_BY_WIRE: Final = frozenset(("telephone", "electronic"))  # "sent by email" is how the picture goes
_OTHERS: Final = frozenset((*STAFF, *DEPARTMENTS))  # "phoned derm"
_IN_FRONT: Final = re.compile(r"[fdoktg]*[cqvahH]")  # verbal (photo) consent, verbally happy
_NEXT: Final = re.compile(r"[fd]*[cqvahH]")  # "oral photo consent" may be about the mouth
_NOUN: Final = re.compile(r"[pmotu]")
_AGREEMENT: Final = re.compile(r"[cqvahHO]")
_ALONE: Final = re.compile(r"[fdtgxzi]+")  # a clause of its own: "verbally today", "(verbal, mum)"


def says_how(clause: Clause, index: int) -> bool:
    """Does the word of form at ``index`` (of the roles) say how somebody agreed?"""
    if len(clause.roles[index].letters) > 1:  # "verbally agreed", "vc obtained"
        return True
    at = clause.owners.index(index)
    before, after = clause.letters[:at], clause.letters[at + 1 :]
    word, form = clause.words[index], clause.roles[index].word
    if word == "written" and after[:1] == "z":  # "written in the notes" is where it is recorded
        return False
    if _ALONE.fullmatch(clause.letters):
        return _OTHERS.isdisjoint(clause.text.split())
    if (_NEXT if word == "oral" else _IN_FRONT).match(after):
        return True
    if word in _ADJECTIVES and _NOUN.match(after):
        return False
    if word in _DEVICE and "o" in before:
        return False
    agreed = _AGREEMENT.search(before)
    by_wire = form is not None and form.value in _BY_WIRE
    return agreed is not None and not (by_wire and "s" in before[agreed.end() :])
