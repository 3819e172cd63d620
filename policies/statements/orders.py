"""Sentences that look like agreement and are none: an order or a plan ("consent pt for photos"), a patient who is well.

"Pt ok and photo attached" says how the patient is; "plan: verbal consent, refer" what is still to be done.
"""

from __future__ import annotations

import re
from typing import Final

_PEOPLE: Final = r"(?:pt|px|patient|client|him|her|them|mum|mom|mother|dad|father|parents?|family|both)"
_IMAGES: Final = r"(?:photo|photograph|picture|pic|image|pix|foto|video)s?"
# The verb of a plan or an order: "consent pt for photos", "then consent her and refer".
_TO_CONSENT: Final = re.compile(
    rf"(?:^|\b(?:and|then|to|please|pls|also|can|you|we|will|residents) )(?:please |pls )?"
    rf"consent (?:the |this |your |my )?{_PEOPLE}\b"
)
# The same as a tag would begin: "consent pt verbally for photos"; "consent pt verbal" is a tag.
_ORDERED: Final = re.compile(
    rf"\W*consent (?:the |this |your |my )?{_PEOPLE}(?: verbally| in writing| properly)?"
    r" (?:for|to|and|re|about|before|prior|then|when|at|asap|please|pls)\b",
    re.I,
)
# What heads a list of what should be, not of what is: "Plan: verbal consent, photo, refer".
_HEADS: Final = re.compile(
    r"(?:^|\s)(?:plans?|jobs?|to do|todo|actions?|tasks?|next|next steps?|needs?|aims?|reminder|remember|checklist|requirements?"
    r"|required|rules?|policy|protocol|guidance|requests?|requested|template|questions?|missing|outstanding|options?|instructions?"
    r"|example|eg|e g|ask|asks|wanted"
    r"|demo|test|testing|training|sample|dummy|mock|scenario|simulation|draft)(?: (?:is|are|for|before|from|with)(?: \w+)?)?$"
)
_WELL: Final = re.compile(
    r"\b(?:ok|okay|fine|happy|alright|all right|comfortable|content|well|keen|willing)(?: now| today)?"
    rf" (?:and (?:(?:the|a|some|her|his|this|these) )?{_IMAGES}\b(?! (?:consent|to be|can|being))"
    rf"|(?:(?:the|a|some|her|his) )?{_IMAGES} (?:is |are )?(?:attached|enclosed|below|here|of|from)\b)"
)
# Not sharing the picture: a form handed over, what the patient will do or thinks of the result, a transfer or referral of hers.
_ELSE: Final = re.compile(
    rf"^(?:and |so )?(?:you|u) (?:have|had|has|got|said|told|say)\b"
    rf"|\b(?:sent|emailed|posted|handed|texted|gave|offered) (?:the |this )?{_PEOPLE}"
    rf" (?:(?:a|the|our|{_IMAGES}) )*(?:consent form|consent for)\b"
    r"|\b(?:agreed|agrees|happy|willing|keen|consents|consented) to (?:send|email|forward|show|bring)\b"
    r"|\b(?:ok|okay|happy|fine|comfortable) with (?:this|it|that)$"
    rf"|\bhappy with (?:the |her |his |these |those )?{_IMAGES}$"
    r"|\b(?:use|using) (?:this|it)\b(?!.*\b(?:teach|train|lectur|publi|research|student|present))"
    r"|\b(?:share|sharing|send|sending|release) (?:of )?(?:(?:the|her|his|their|my|pt) )?(?:record|notes|chart|letter)\b"
    r"|\bin (?:19|20)\d\d\b"
    r"|^(?!.*\b(?:photo|pic|image|foto|pix|video|phto|img)).*(?:\btransfer|\bagree[ds]? (?:verbally )?(?:to|with)"
    r" (?:(?:the|a|this|that|my|our|your|her|his) )?(?:referral|referring|opinion|second opinion|2nd opinion|advice|review)\b)"
)
_BY_ME: Final = re.compile(r"\b(?:ok|okay|fine|agreed|approved) by (?:me|us)\b")  # the sender's own agreement
_ATTACHED: Final = re.compile(rf"\band (?:(?:the|a|some|her|his) )?{_IMAGES} (?:is |are )?(?:attached|enclosed|below|here)\b")

# Beside a statement these take it back: "(I think)", "or did she", "for notes only"; "I think it is cellulitis" does not.
_TAKES_BACK: Final = re.compile(
    r"(?:i|we) (?:think|believe|guess|assume|suppose|reckon|hope|presume|gather)"
    r"(?: so| (?:he|she|they|pt|mum|dad) (?:did|does|has|have|is|was))?"
    r"|or (?:did|has|have|is|does|was|not)\b.*|(?:apparently|allegedly|supposedly|reportedly|not sure|i hope so)"
    r"|(?:just |only )?for (?:(?:the|her|his|our|my|own) )?(?:notes|records?|chart|file|epr)(?: only)?|(?:notes|records?) only"
    rf"|(?:{_PEOPLE} )?(?:(?:is|was|very|quite|too|but) )*(?:confused|delirious|drunk|intoxicated|sedated|drowsy)\b.*"
    rf"|(?:but )?{_PEOPLE} (?:(?:is|was|very|quite|now) )*(?:unhappy|against|upset|disagrees|disagreed|hesitant|reluctant)\b.*"
)


def no_statement(words: str) -> bool:
    """True if a clause (lower case, single spaces) orders or plans consent, is the sender's, or says that somebody is well."""
    return any(pattern.search(words) is not None for pattern in (_TO_CONSENT, _WELL, _BY_ME, _ELSE))


def only_attached(words: str) -> bool:
    """True if a clause names the picture as what comes with the mail: "has consented and photo attached"."""
    return _ATTACHED.search(words) is not None


# Consent in these is not for a picture: "consent for treatment obtained, verbal".
_FOR_CARE: Final = re.compile(
    r"\W*consent (?:for|to) (?:(?:the|her|his|this|our|a) )?"
    r"(?:treatment|care|management|diagnosis|research|study|trial|audit|treating)\b",
    re.I,
)


def no_tag(text: str, start: int) -> bool:
    """True if what begins at ``start`` is no tag: the order to consent somebody, or consent in something else than a picture."""
    return _ORDERED.match(text, start) is not None or _FOR_CARE.match(text, start) is not None


def takes_back(words: str) -> bool:
    """True if a clause (lower case, single spaces) beside a statement says that it is only thought so."""
    return _TAKES_BACK.fullmatch(words) is not None


def heads_a_list(words: str) -> bool:
    """True if a clause (lower case, single spaces) says that what follows is still to be done."""
    return _HEADS.search(words) is not None
