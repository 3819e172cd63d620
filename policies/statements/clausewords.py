"""The roles of words in a sentence about consent: what a reader of plain sentences needs beside ``policies.statements.words``.

Each word or phrase has a role, one letter (some have two).  A clause is then a short string of letters, and what counts as a
statement is a pattern over them (``policies.statements.sentences``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from policies.statements.beside import MARKS
from policies.statements.phrases import PHRASES
from policies.statements.speakers import DEPARTMENTS, STAFF
from policies.statements.words import NEED_BRACKET, WORDS, Word

ROLES: Final[Mapping[str, str]] = {
    "c": "consent as a noun",
    "v": "consented",
    "a": "agreed: only with a giver",
    "h": "happy, fine: only with a giver and what for",
    "H": "said that it was fine, asked us to: as h, and it is the sender who sends",
    "O": "no objection from: only with a giver and what for",
    "W": "wants: only after a negation",
    "f": "how",
    "g": "who",
    "x": "obtained, given, documented",
    "z": "where it is kept",
    "q": "consent form: a paper that may be blank",
    "o": "the picture",
    "s": "sharing",
    "p": "a use that sharing serves",
    "e": "for, to: what follows must be the picture, sharing or its use",
    "b": "with",
    "i": "I, we",
    "k": "what is in the picture",
    "y": "capacity",
    "l": "limited, only",
    "m": "treatment: consent for it is not consent for the picture",
    "t": "what a picture shows, ages, numbers",
    "d": "says nothing",
    "r": "refused",
    "w": "withdrawn",
    "n": "not, never",
    "j": "a doubt, a wish, a condition, what is still to come",
    "N": "does not, no longer",
    "M": "changed her mind",
    "T": "take the picture: only where sharing follows",
    "u": "not known",
}


class Role(NamedTuple):
    """The letters of a word or phrase, and what it sets in the statement."""

    letters: str
    word: Word | None = None


def _roles(letters: str, phrases: str, word: Word | None = None) -> dict[str, Role]:
    return {" ".join(phrase.split()): Role(letters, word) for phrase in phrases.split(",")}


_FORM: Final = {value: Word("form", value) for value in ("verbal", "telephone", "written", "electronic")}
_MOTHER: Final = Word("given_by", "parental-responsibility")
_CHILD: Final = Word("flag", "child", True)

_WHO: Final = (
    "patient", "pt", "px", "client", "he", "she", "they", "mum", "mom", "mother", "dad", "father", "parents", "him", "her",
    "them",
)  # fmt: skip
_SAID: Final = ("said", "says", "said it was", "said it is", "said that is", "says it is", "says that is")
_ASKS_US: Final = (
    "asked me to", "asked us to", "asked that i", "asked that we", "requested i", "requested we",
    "requested that i", "requested that we", "has asked me to", "has asked us to", "wants me to", "wants us to", "wanted me to",
)  # fmt: skip

# Roles of this reader; they win over the roles that ``policies.statements.words`` gives.
_OWN: Final[Mapping[str, Role]] = {
    **_roles("c", "consent, permission, agreement, authorisation, authorization, go ahead, consents given"),
    **_roles("v", "consented, consents, consented to, consents to"),
    **_roles("v", "has consented, have consented, given the ok, given the go ahead"),
    **_roles("a", "agreed, agrees, agreeable, said yes, says yes, agreed to, has agreed, approved, approves"),
    **_roles("h", "happy, ok, okay, fine, willing, comfortable, alright, all right, ok with, fine with, happy with"),
    **_roles("W", "want, wants, wish, like"),
    **_roles("x", "obtained, given, gave, gives, gained, taken"),
    **_roles("x", "got, received, documented, recorded, confirmed, granted"),
    **_roles("x", "doc'd, docd, noted, done, yes, secured, provided, sought and obtained"),
    **_roles("x", "sought and given, \U0001f44d, ✅, ✔, ☑, ✓"),
    **_roles("z", "on file, in notes, in the notes, in record, in the record"),
    **_roles("z", "in records, completed, filled in, scanned, uploaded"),
    **_roles("z", "scanned to notes, scanned to the notes, scanned into notes, scanned into the notes"),
    **_roles("z", "on chart, in chart, on the chart, in the chart, scanned to chart, scanned to the chart, scanned into chart"),
    **_roles("z", "scanned to record, scanned to the record, uploaded to notes, uploaded to the notes"),
    **_roles("h", "ok'd, okd, okay'd, oked, okayed, does not mind, do not mind, did not mind"),
    **_roles("h", "no objection, no objections, no objection to, no objections to"),
    **_roles("O", "no objection from, no objections from, no objection by, no objections by"),
    **{f"{said} {fine}": Role("H") for said in _SAID for fine in ("fine", "ok", "okay")},
    **{f"{who} {asks}": Role("gH", WORDS.get(who)) for who in _WHO for asks in _ASKS_US},
    **{f"{no} by {who}": Role("r", WORDS["refused"]) for no in ("refused", "declined") for who in _WHO},
    **{f"{no} by the {who}": Role("r", WORDS["refused"]) for no in ("refused", "declined") for who in _WHO},
    **{phrase: Role(*role) for phrase, role in PHRASES.items()},
    **_roles("s", "being discussed, be discussed, include, included"),
    **_roles("h", "keen"),
    **_roles("T", "take, taking"),
    **_roles("M", "changed her mind, changed his mind, changed their mind, changed their minds, changed mind"),
    **_roles("q", "photography form, photo form, photograph form, clinical photography form, medical photography form"),
    **_roles("q", "consent form, consent forms, photo consent form, photography consent form"),
    **_roles("fc", "consentverbal, verbalconsent", _FORM["verbal"]),
    **_roles("fcx", "vc obtained, vc given, vc gained, vc taken, vc documented, vc got", _FORM["verbal"]),
    **_roles("f", "verbal, verbally, verb, oral, orally, spoken, by mouth", _FORM["verbal"]),
    **_roles("vf", "agreed verbally, verbally agreed, consented verbally", _FORM["verbal"]),
    **_roles("vf", "verbally consented, consented orally", _FORM["verbal"]),
    **_roles("f", "by video, over the telephone, over phone, via phone, on phone, by tel", _FORM["telephone"]),
    **_roles("f", "via accurx text, by accurx text, via text message", _FORM["electronic"]),
    **_roles("f", "via text, via accurx, accurx, by accurx, via sms", _FORM["electronic"]),
    **_roles("f", "by sms, via email, digitally, digital", _FORM["electronic"]),
    **_roles("f", "signed, written, in writing", _FORM["written"]),
    **_roles("g", "he, she, they, pts, pt's, him", None),
    **_roles("g", "this patient, the patient, my patient, our patient, my pt, our pt", None),
    **_roles("g", "mothers, fathers, parents', mums, dads", _MOTHER),
    **_roles("k", "child's, child, kid, kid's, baby's, toddler's, infant's, newborn, neonate", _CHILD),
    **_roles("o", "photo, photos, photograph, photographs, photographed"),
    **_roles("o", "photography, photographing, image, images, imaging"),
    **_roles("o", "picture, pictures, pic, pics, video, videos, this"),
    **_roles("o", "foto, fotos, phto, phtos, poto, pohto, photso, pix, piccy, piccies, img, imgs"),  # as thumbs type them
    **_roles("o", "these, it, screenshot, attachment, clinical image, clinical photo"),
    **_roles("o", "clinical photos, clinical images, clinical photography"),
    **_roles("o", "medical photography, image sharing, photo sharing"),
    **_roles("s", "share, shared, shares, sharing, send, sent, sending"),
    **_roles("s", "fwd, fwded, fwding"),
    **_roles("s", "sends, email, emailed, emailing, forward, forwarded, forwarding"),
    **_roles("s", "use, used, using, transfer, transferred, transmission"),
    **_roles("s", "show, shown, showing, pass on, passed on, disclosure"),
    **_roles("p", "direct care, advice, review, your review, your opinion, your advice"),
    **_roles("e", "for, to, re, about, regarding, towards"),
    **_roles("eg", "for patient, for the patient, to patient, to the patient"),
    **_roles("b", "with, w"),
    **_roles("i", "i, we, i've, me and"),
    **_roles("l", "only, limited, limited to"),
    **_roles("m", "research, study, trial, treatment, care, treating"),
    **_roles("m", "clinical care, management, diagnosis, audit, incident"),
    **_roles(
        "d",
        """the, a, an, of, on, in, at, has, have, had, is, was, were, been, be, being, and, also, both, all, me, us, you, him,
        them, i confirm, we confirm, i can confirm, attach, i attach, enclose, enclosed, please see, your team, your department,
        her, his, their, full, fully, informed, explicit, expressed, express, today, yesterday, this morning,
        this afternoon, this evening, tonight, just now, now, already, since, via, from, by, that, aware, adult, attached,
        pls see, same, date, dated, purpose, purposes, purpose of, record, notes, as, well, as well, chart,
        directly, securely, secure, epr, emis, systmone, health, legal, in clinic, duly, over, here, where, which,
        present, incl, including, has capacity, with capacity, has full capacity, on call, before appt,
        before appointment, before clinic, at appt,
        own, very, quite, totally, kindly, thru, u, x, and has, thanks""",
    ),
    **_roles("d", ", ".join((*STAFF, *DEPARTMENTS))),  # their agreement is none: see ``speakers``
    **_roles(
        "t",
        """rash, rashes, lesion, lesions, burn, burns, wound, wounds, ulcer, ulcers, mole, moles, skin, naevus, nevus, melanoma,
        bcc, scc, eczema, psoriasis, cellulitis, bruise, bruising, bite, cut, laceration, fracture, swelling, lump, cyst,
        abscess, scar, injury, injuries, infection, sore, pressure sore, pressure ulcer, blister, blisters, hands, feet, legs,
        arms, nail, face, facial, arm, forearm, hand, finger, thumb, wrist, elbow, shoulder, leg, shin, calf, knee, ankle,
        foot, toe, heel, hip, thigh, back, chest, abdomen, neck, scalp, ear, eye, nose, mouth, lip, tongue, left, right, l, r,
        lt, rt, bilateral, upper, lower, itchy, red, urgent, derm opinion, year old, yr old, years old, yo, male, female, man,
        woman, lady, gentleman, gynae, gynaecology, ent, ophthalmology, ortho, orthopaedics, vascular, paeds, paediatrics, maxfax,
        urology, podiatry, tissue viability, tvn, neurology, ed, a and e, community, nurse led, yo, y,
        yr, yrs, year, years, m, f, intraoral, extraoral, dental, tooth, gum, oral med, oral medicine, oral surgery,
        crisis team, camhs, cmht, crisis, liaison, palliative, intensive care, icu, itu, cardiology, oncology, haematology,
        rheumatology, gastro, respiratory, renal, endocrine, radiology, orthodontics, restorative, slide, slides,
        oral ulcer, oral ulcers, oral lesion, oral lesions, oral cavity, oral mucosa, endo, perio, omfs, max fax""",
    ),
    **_roles("n", "not, never"),
    **_roles("j", "to be consented, be consented, to consent, to be obtained"),
    **_roles("j", "to be taken, to be confirmed, to follow, to get"),
    **_roles("j", "to be signed, to be completed, to be filled in, to be scanned, to be uploaded, to be given"),
    **_roles("j", "to be documented, to be recorded, to be noted, to be done, to be got, to be gained, to be received"),
    **_roles("j", "to be provided, to be granted, to be secured, to be sought"),
    **_roles("j", "to obtain, no, nobody, nor, neither, none, without, unable"),
    **_roles("j", "cannot, pending, awaiting, awaited, awaits, tbc, tba"),
    **_roles("j", "unclear, unsure, unconfirmed, uncertain, denies, denied"),
    **_roles("j", "denying, attempted, failed, forgot, forgotten, but"),
    **_roles("j", "however, except, although, though, lacking, lacks consent"),
    **_roles("j", "if, unless, until, whether, assuming, presumably"),
    **_roles("j", "presumed, hopefully, probably, possibly, perhaps, maybe, once, when"),
    **_roles("j", "will, would, should, could, might, may, must"),
    **_roles("j", "shall, no patient"),
    **_roles("j", ", ".join(MARKS)),
    **_roles("j", "no patients, isn't, expired, invalid, refusal, my consent, your consent"),
    **_roles("N", "does not, did not, do not, no longer, not willing to"),
    **_roles("Nc", "not consenting, not consent"),
    **_roles("r", "said no, says no, saying no, refused to, declined to"),
    **_roles("r", "declines to, refuses to, objects to, objected to"),
    **_roles("ce", "consent to"),
    **_roles("fc", "e consent, econsent, e form, eform, e consent form, econsent form", _FORM["electronic"]),
    **_roles("u", "consenting, refuse, decline, no photos, no pictures, no picture"),
    **_roles("u", "sought, asked, requested, needed, required"),
    **_roles("u", "implicit, assumed, self, person, type, status, image only, please, pls, my, our, your, confirm"),
}

_BY_SETS: Final[Mapping[str, str]] = {
    "consent": "c", "form": "f", "given_by": "g", "flag": "k", "capacity": "y", "filler": "d", "purpose": "p", "bypass": "u",
    "to_patient": "u", "basis": "u",
}  # fmt: skip
_SILENT: Final = ("filler", "bypass", "to_patient", "basis")
_STATUS: Final[Mapping[str, str]] = {"refused": "r", "withdrawn": "w", "pending": "j", "limited": "l"}
_CARE: Final = frozenset({"TREAT", "HRESCH", "HQUALIMP", "PATSFTY", "HLEGAL", "HPAYMT", "PUBHLTH", "ETREAT"})


def _from_words() -> dict[str, Role]:
    """What the words of tags are in a sentence.  Phrases of a tag that hold a refusal are read word by word here."""
    roles: dict[str, Role] = {}
    for phrase, word in WORDS.items():
        if (phrase in NEED_BRACKET and word.sets == "form") or word.sets == "checked":  # the latter is said in a tag only
            continue
        if word.sets == "status":
            if " " not in phrase:
                roles[phrase] = Role(_STATUS[word.value], word)
        elif word.sets == "purpose" and word.value in _CARE:
            roles[phrase] = Role("m")
        else:
            roles[phrase] = Role(_BY_SETS[word.sets], None if word.sets in _SILENT else word)
    return roles


def _own() -> dict[str, Role]:
    """The roles above, with what the same phrase sets as a tag word (who, how, what for)."""
    kept = {}
    for phrase, role in _OWN.items():
        word = WORDS.get(phrase)
        telling = word is not None and word.sets in ("given_by", "form", "purpose", "capacity") and role.letters in "gfpy"
        kept[phrase] = Role(role.letters, word) if telling and role.word is None else role
    return kept


ROLE_OF: Final[Mapping[str, Role]] = {**_from_words(), **_own()}
LONGEST_PHRASE: Final = max(phrase.count(" ") + 1 for phrase in ROLE_OF)

# Words of a sentence that say a procedure is meant: consent in it is for that, unless the clause names the picture.
PROCEDURES: Final = frozenset(
    """surgery operation op ops theatre theatres procedure procedures biopsy excision excised transfusion anaesthetic anaesthesia
    anesthesia sedation admission vaccine vaccination immunisation chemo chemotherapy radiotherapy colonoscopy endoscopy
    gastroscopy ogd laparoscopy injection lp puncture hysterectomy caesarean section amputation grafting repair removal suturing
    treatment trial listed hysteroscopy catheter cannulation dialysis intubation reduction manipulation fixation testing pm
    postmortem screening blood bloods hiv ect dnacpr""".split()  # noqa: SIM905 - a table of words
)
# What follows here makes another thing of the words before: "written consent template".
COMPOUNDS: Final = frozenset(
    """template templates policy policies guidance guideline guidelines form forms training audit course lecture teaching leaflet
    leaflets process procedure session meeting query question issue issues problem problems discussion discussions law rules sop
    standard requirements checklist app module clinic clinics list workshop project pack statement wording section""".split()  # noqa: SIM905 - a table of words
)
# "No" in the languages whose words for verbal and written are known: a statement with one of these is none.
FOREIGN_NO: Final = frozenset(
    """nicht kein keine keinen ohne noch nie niemals nein brak bez odmowa sin nunca jamás ningun ningún ninguna pas sans jamais
    aucun aucune non senza nessun nessuno nessuna não nao sem fără fara nu niciun nicio verweigert abgelehnt""".split()  # noqa: SIM905 - a table of words
)
# What makes of "emergency patient cannot consent" a subject to talk about.
TALK: Final = frozenset(
    """policy policies guidance guideline guidelines training audit course lecture teaching leaflet leaflets sop meeting module
    workshop question law template""".split()  # noqa: SIM905 - a table of words
)
# Why a patient cannot be asked in an emergency.
INCAPACITY: Final = (
    "unconscious", "not conscious", "no capacity", "lacks capacity", "lack of capacity", "without capacity", "cannot consent",
    "can't consent", "cant consent", "unable to consent", "intubated", "ventilated", "sedated", "anaesthetised", "gcs", "arrest",
    "collapsed", "obtunded", "unresponsive", "seizing", "comatose", "coma", "could not ask", "cannot ask", "can't ask",
)  # fmt: skip
# A clause that is exactly this says that the picture shows no patient.
NOT_PATIENT: Final = frozenset(
    f"{start}{no} {patient}{image}"
    for start in ("", "this is ", "it is ", "this photo is ", "these are ", "photo is ", "image is ")
    for no in ("not a", "not", "non", "not of a", "no", "not an actual")
    for patient in ("patient", "pt", "clinical")
    for image in (
        "", " image", " photo", " picture", " pic", " images", " photos", " pictures", " photograph", " in picture", " in photo",
        " in the picture", " in the photo", " in image", " in the image", " in this picture", " in this photo", " s image",
    )
    if not (no == "no" and image == "") and not (patient == "clinical" and (image == "" or no == "no"))
) | frozenset(
    f"{picture} {no} of a {patient}"
    for picture in ("photo", "picture", "pic", "image", "photo is", "picture is", "pic is", "image is", "photos", "pics")
    for no in ("not", "are not")
    for patient in ("patient", "pt")
)  # fmt: skip
# Behind the name of what is in the picture ("pic of the new theatre light, not a patient") only these say it.
NOT_PATIENT_AFTER: Final = frozenset(
    ("not a patient", "not a pt", "no patient in it", "not a patient image", "no patient in picture")
)
