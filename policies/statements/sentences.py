"""Consent in plain sentences: "Hi, pt has given verbal consent for this photo."

A clause (``clauses``) states consent only if every word in it is known, its roles fit one of a few patterns, nothing in the
sentence negates, doubts or asks, and what follows "for" or "to" is the picture, sharing or its use.  Whatever else is silence:
the sender is asked.  Linear: every phrase is looked up once, every pattern runs over one clause of at most ``LONGEST_TEXT``
letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from policies.model import Carrier, ConsentStatus, Problem, Reading, Statement
from policies.statements.beside import to_choose
from policies.statements.clauses import Clause, split_clauses, split_sentences
from policies.statements.clausewords import FOREIGN_NO, INCAPACITY, NOT_PATIENT, NOT_PATIENT_AFTER, PROCEDURES, TALK
from policies.statements.found import Found, apply, judge, take_age, take_dates
from policies.statements.manner import says_how
from policies.statements.orders import heads_a_list, no_statement, only_attached, takes_back
from policies.statements.requests import trimmed
from policies.statements.speakers import by_staff, of_another, quoted, repeated

# Without any of these no sentence says anything here: ordinary text is passed over quickly.
_HINT: Final = re.compile(
    r"con|cns|cos|cno|agre|happ|perm|auth|\bok|fine|refu|ref?sue|decl|withd|wtihd|obje|sa[iy]|\bvc\b|emerg|clinical|patient|\bpt"
    r"|asked|want|willing|comfort|alright|mind|\bv/c\b|wish|revoke|rescind|withh|go ahead|thumbs",
    re.I,
)
LONGEST_SENTENCE: Final = 400  # characters; a longer one is no statement a person typed on the way

# "?cellulitis" asks about the disease; any other question mark asks about the consent.
_ASKING: Final = re.compile(
    r"\?(?=\W|$)|\?(?=\s*(?:verbal|written|con[a-z]{3,6}|agreed|happy|refused|declined|permission))", re.I
)
_ASKS: Final = frozenset(
    ("has", "have", "had", "did", "does", "do", "is", "was", "are", "were", "can", "could", "would", "will", "shall", "should",
     "may", "might", "am")
)  # fmt: skip
_PERFECT: Final = frozenset(("has", "have", "had"))
# What a clause of known words must look like to say that consent was given.
_SAYS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"f[dko]*c",  # verbal (photo) consent
        r"c[dogpeblkstm]*[fxhz]",  # consent (for photo) obtained, consent on file
        r"c[do]*g",  # consent from dad
        r"x[dfogil]*c",  # obtained consent, gave verbal consent
        r"g[dfo]*c",  # the patient's consent
        r"b[dfogx]*c",  # with consent
        r"v",  # consented
        r"g[db]*ce[deg]*[os]",  # parents consent to sharing
        r"g[dbf]*[ah](?:[de]*p[d]*[ah])?[dbeifglh]*[os]",  # happy for the photo to be shared
        r"O[d]*g[d]*e?[degs]*o",  # no objection from the patient to sharing
        r"^[dkyt]*g[d]*a[df]*$",  # mum agreed
    )
)
_HANDED: Final = frozenset(("given", "gave", "gives", "provided", "got"))
_PAPER: Final = re.compile(r"q[dgeo]*[fxz]|[fxz][dgo]*q")
_OTHER_END: Final = re.compile(r"e[degbifxlt]*(?:[^degbifxltosp]|$)")
_FOR_CARE: Final = re.compile(r"m[d]*[cq]|[cq]e[degbifxlt]*m")  # "signed research consent", "consent form for treatment"
# "Happy for photos in the notes": to keep, not to share.
_FOR_NOTES: Final = re.compile(r"^[^cvqs]*[ah][dbeifglT]*o[d]*z[dt]*$|o[d]*z[dt]*l")
_CORE: Final = re.compile(r"[cvahqO]")
_REFUSES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"c[dxgo]*(?P<how>[rw])",  # consent (was) refused
        r"(?<![njNi])(?<![njNi]d)(?P<how>[rw])[dgbef]*[cosv]",  # declined to have the photo shared, withdrew consent
        r"N[cv]",  # does not consent
        r"N[d]*[ahW][dbegif]*[os]",  # does not agree to photos
        r"g[dbf]*n[d]*[vah][dbegif]*[os]",  # has not consented to sharing, is not happy with photo
        r"g[dbf]*[ah][dbeifglhoxT]*j[d]*ne[deog]*s",  # happy with photo being taken but not for it to be emailed
        r"g[dbfx]*[avc][dbeifglosxc]*jd*M[debos]*$",  # agreed but has changed her mind
        r"g[dbf]*h[dbeifgl]*[os][dbeifglosx]*jd*M[debos]*$",  # was happy for the photo but has changed her mind
    )
)
_BARE_REFUSAL: Final = re.compile(r"^[do]*(?:g[do]*)?(?P<how>[rw])[d]*$")
_STOPS: Final = re.compile(r"[njNrwM]")
_TAKES: Final = re.compile(r"[^T]*[ahH][dbeifgl]*T[dbegilo]*s[^T]*")  # fine to take the photo and send it
# "photo to be sent to tvn", "for us to send the pic to derm": where it goes is no other use of the consent.
_SENT_TO: Final = re.compile(r"(?:o(?:ed{0,3}|d{0,2})s|(?:ed+e?|od+|He?)sd{0,3}o{1,2}d{0,2})(?P<to>e[dt]{1,6})$")
_THEY_SAID: Final = re.compile(  # nobody else
    r"\b(?:he|she|they|pt|px|client|patient|mum|mom|mother|dad|father|parents?)"
    r" (?:(?:has|have) )?(?:said|says|asked|wants|wanted|requested)\b"
)
# "happy to be sent to derm, photo attached", "asked us to send her home": the patient is sent, not the picture.
_PERSON_SENT: Final = re.compile(
    r"\b(?:happy|agreed|agrees|ok|okay|fine|willing|consented|consents|objection|mind) (?:(?:with|to|for|about) )?(?:be|being)"
    r" (?:sent|shown|transferred|forwarded|emailed|used)\b"
    r"|\b(?:send|sending|forward|forwarding|transfer|show|showing) (?:the )?(?:him|her|them|pt|px|patient)"
    r" (?:to|for|in|home|back|up|over|at|on|with)\b"
)
_CHANGED_MIND: Final = re.compile(r"\bchanged\s+(?:(?:her|his|their|its)\s+)?minds?\b", re.I)
_OWN_CONSENT: Final = re.compile(r"i[db]*v(?![dbf]*g)")  # "I consented" is the sender's own, "I consented the patient" is not
# In front of a clause: an order ("send with consent") or its subject ("re verbal consent").
_ORDERS: Final = frozenset(("share", "send", "forward", "email", "use", "show", "transfer", "re", "about", "regarding"))


def read_sentences(text: str, carrier: Carrier, start: int = 0) -> Reading:
    """Every statement that the sentences of ``text`` make.  ``text`` is plain (see ``tags``); spans are its characters."""
    statements: list[Statement] = []
    problems: list[Problem] = []
    spans: list[tuple[int, int]] = []
    quotes = quoted(text)
    for sentence in split_sentences(text, start):
        begin, end, asked = trimmed(text, *sentence)
        if end - begin > LONGEST_SENTENCE or _HINT.search(text, begin, end) is None:
            continue
        reading = _sentence(text, begin, end, asked, carrier)
        if reading is not None and not (_permits(reading) and _nobodys(text, (begin, end), reading, quotes)):
            statements += reading.statements
            problems += reading.problems
            spans += reading.spans
    if _CHANGED_MIND.search(text) and any(one.status is ConsentStatus.GIVEN for one in statements):
        return Reading(carrier)  # "Mum agreed. She has changed her mind": the sender is asked
    return Reading(carrier, tuple(statements), tuple(problems), tuple(sorted(spans)))


def _permits(reading: Reading) -> bool:
    return any(one.status in (ConsentStatus.GIVEN, ConsentStatus.LIMITED) for one in reading.statements)


def _nobodys(text: str, sentence: tuple[int, int], reading: Reading, quotes: Sequence[tuple[int, int]]) -> bool:
    """Does it quote ("the patient \"consented\"", "she wrote: pt agreed"), offer a choice or tell of another's agreement?"""
    start, end = sentence
    said = text[start:end]
    if any(of_another(text, span) for span in reading.spans):
        return True
    return any(begin < end and start < stop for begin, stop in quotes) or repeated(said) or to_choose(said)


def _sentence(text: str, start: int, end: int, asked: bool, carrier: Carrier) -> Reading | None:
    clauses = [clause for clause in split_clauses(text, start, end) if clause.letters]
    if not clauses or _asks(clauses):
        return None
    urgent = _emergency(clauses, text[start:end], carrier, asked)
    if urgent is not None:
        return replace(urgent, spans=((start, end),))
    if asked or _ASKING.search(text, start, end):
        return None
    for read in (_refusal, _no_patient, _consent):
        reading = read(clauses, text[start:end], carrier)
        if reading is not None:
            return reading
    return None


def _asks(clauses: Sequence[Clause]) -> bool:
    """ "Has the patient consented": a question, with or without its mark; or a condition."""
    words = clauses[0].text.split()
    asking = bool(words) and words[0] in _ASKS
    if asking and words[0] in _PERFECT:  # "has consented" states, "has she consented" asks
        asking = "g" in clauses[0].letters[1:3] or bool({"you", "we", "i", "the", "there"} & set(words[1:2]))
    return asking or any({"if", "whether", "unless"} & set(clause.text.split()) for clause in clauses)


def _refusal(clauses: Sequence[Clause], text: str, carrier: Carrier) -> Reading | None:
    for clause in clauses:
        for pattern in _REFUSES if len(clauses) != 1 else (*_REFUSES, _BARE_REFUSAL):
            match = pattern.search(clause.letters.replace("H", "h"))
            if match is None:
                continue
            how = match.groupdict().get("how") or "r"
            found = _gathered([clause], text)
            found.forms.clear()
            found.statuses = {"withdrawn" if how == "w" else "refused"}
            statement, _ = judge(found, carrier)
            spans = (clause.spans[0][0], clause.spans[-1][1])
            return Reading(carrier, (statement,) if statement else (), (), (spans,))
    return None


def _gathered(clauses: Sequence[Clause], text: str) -> Found:
    found = Found(consent=True)
    take_dates(text, found)
    take_age(text, found)
    for clause in clauses:
        for index, role in enumerate(clause.roles):
            if role.word is None or role.word.sets == "consent" or (role.word.sets == "form" and not says_how(clause, index)):
                continue
            apply(found, role.word)
    return found


def _no_patient(clauses: Sequence[Clause], text: str, carrier: Carrier) -> Reading | None:
    """A first clause that says exactly that no patient is in the picture."""
    said = clauses[0]
    if len(clauses) == 2 and _PICTURE_OF.match(said.text) and not set(said.letters) - set("odeu"):
        said = clauses[1] if clauses[1].text in NOT_PATIENT_AFTER else said
    if said.text not in NOT_PATIENT and said is clauses[0]:
        return None
    statement = Statement(ConsentStatus.NOT_REQUIRED, carrier, basis="not-patient")
    return Reading(carrier, (statement,), (), ((said.spans[0][0], said.spans[-1][1]),))


_PICTURE_OF: Final = re.compile(r"(?:a )?(?:photo|picture|pic|image)s? of (?!.*\bpatient)")
_WHY: Final = "|".join(map(re.escape, INCAPACITY))
_INCAPABLE: Final = re.compile(rf"(?<!not )(?<!no longer )(?<!never )\b(?:{_WHY})\b")
_PERSON: Final = r"(?:(?:the |this |my |our )?(?:pt|patient|he|she|child|man|woman) (?:(?:is|was) )?)"
_URGENT: Final = re.compile(
    rf"\W{{0,3}}(?:emergency|emergancy)\b\s*(?:[:;,.!-]\W*|(?={_WHY})|(?P<person>(?={_PERSON}(?:{_WHY}))))(?P<why>\S.*)",
    re.I | re.S,
)


def _emergency(clauses: Sequence[Clause], text: str, carrier: Carrier, asked: bool) -> Reading | None:
    """ "Emergency: unconscious, burns advice now": without brackets it counts only where it says why nobody could be asked."""
    match = _URGENT.fullmatch(text)
    if match is None:
        return None
    why = " ".join(match["why"].split())
    told = clauses[:-1] if asked else clauses  # "cannot consent, compartment syndrome?" asks about the disease
    if match["person"] is not None and any(TALK & set(clause.text.split()) for clause in clauses):
        return None  # "Emergency patient cannot consent: teaching session"
    if len(why) < 10 or not any(_INCAPABLE.search(clause.text) for clause in told):
        return None
    flags = {role.word.value for clause in clauses for role in clause.roles if role.word is not None}
    statement = Statement(
        status=ConsentStatus.BYPASSED,
        carrier=carrier,
        purpose="ETREAT",
        bypass="emergency",
        reason=why[:200],
        intimate="intimate" in flags,
        child="child" in flags,
    )
    return Reading(carrier, (statement,))


def _consent(clauses: Sequence[Clause], text: str, carrier: Carrier) -> Reading | None:
    if any(_STOPS.search(clause.letters) for clause in clauses):
        return None
    chosen = next((clause for clause in clauses if clause.known and _states(clause)), None)
    if chosen is None:
        return _not_understood(clauses, carrier)
    if any(takes_back(clause.text) for clause in clauses) or any(
        heads_a_list(clause.text) for clause in clauses[: clauses.index(chosen)]
    ):
        return None
    words = {word for clause in clauses for word in clause.text.split()}
    if words & FOREIGN_NO:
        return None
    if words & PROCEDURES and (only_attached(chosen.text) or not re.search(r"[os]", chosen.letters)):
        return None
    used = [clause for clause in clauses if clause is chosen or (clause.known and re.search(r"[fgkylpq]", clause.letters))]
    found = _gathered(used, text)
    if "q" in chosen.letters:
        found.forms.add("written")
    statement, problems = judge(found, carrier, stated=True)
    spans = tuple(_span(clause) for clause in used) if statement is not None else ()
    return Reading(carrier, (statement,) if statement else (), problems, spans)


def _no_agreement(clause: Clause) -> bool:
    """An order, the agreement of the sender or of staff, or a patient who is sent instead of a picture."""
    words = clause.text
    if words.partition(" ")[0] in _ORDERS or no_statement(words):
        return True
    if _OWN_CONSENT.search(clause.letters) or by_staff(words) or _PERSON_SENT.search(words):
        return True
    return ("H" in clause.letters or "said it" in words) and _THEY_SAID.search(words) is None


def _states(clause: Clause) -> bool:
    letters = clause.letters
    if _no_agreement(clause):
        return False
    if "T" in letters and _TAKES.fullmatch(letters) is None:
        return False
    letters = _told(letters.replace("T", "d")).replace("H", "h")
    if _FOR_CARE.search(letters) or _FOR_NOTES.search(letters):
        return False
    if "q" in letters and _HANDED.intersection(clause.words) and not set(letters) & set("fz"):
        return False  # "gave pt a consent form": a blank one
    if "q" in letters:
        return bool(_PAPER.search(letters)) and not {"verbal", "implied"} & {r.word.value for r in clause.roles if r.word}
    if not any(pattern.search(letters) for pattern in _SAYS):
        return False
    core = _CORE.search(letters)
    return core is not None and _OTHER_END.search(letters, core.start()) is None


def _told(letters: str) -> str:
    """Without where the picture is sent to at the end."""
    match = _SENT_TO.search(letters)
    return letters[: match.start("to")] if match is not None else letters


def _span(clause: Clause) -> tuple[int, int]:
    """From the first to the last word that is about consent; words about the picture at either end stay."""
    about = [at for at, letter in enumerate(clause.letters) if letter not in "tmuod"]
    first, last = clause.owners[about[0]], clause.owners[about[-1]]
    return clause.spans[first][0], clause.spans[last][1]


def _not_understood(clauses: Sequence[Clause], carrier: Carrier) -> Reading | None:
    """A clause about consent with one word that is not known: the sender is told that there was one."""
    for clause in clauses:
        unknown = [index for index, role in enumerate(clause.roles) if role.letters == "u"]
        if len(unknown) == 1 and any(p.search(clause.letters.replace("u", "")) for p in _SAYS[:8]):
            word = clause.text.split()
            return Reading(carrier, (), (Problem("consent.unknown-word", word[min(unknown[0], len(word) - 1)]),))
    return None
