"""The words people write for consent, in subjects, first lines and answers.

``docs/policy.md`` prints this table; a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple


class Word(NamedTuple):
    """One word or phrase of a tag: which parameter it sets, to what.  ``alone``: it makes a tag without the word consent."""

    sets: str
    value: str
    alone: bool = False


def _words(sets: str, table: str, alone: bool = False) -> dict[str, Word]:
    """Read ``value: phrase, phrase, ...`` lines; an indented line goes on with the one before; ``-`` is the empty value."""
    entries = re.findall(r"^\s*([\w-]+): ((?:.|\n(?!\s*[\w-]+: ))*)", table, re.M)
    return {
        " ".join(phrase.split()): Word(sets, "" if value == "-" else value, alone)
        for value, phrases in entries
        for phrase in phrases.split(",")
    }


# Lower case, single spaces, plain apostrophes, no hyphens.  A phrase of several words wins over its parts.
WORDS: Final[Mapping[str, Word]] = {
    **_words(
        "consent",
        """
        -: consent, consent form, consent forms, consented, consents, consenting, concent, consnet, conset, consert, consented to
        """,
    ),
    **_words(
        "form",
        """
        verbal: verbal, verbally, oral, orally, spoken, herbal, verbals, verble, verbal ok, said yes, agreed verbally,
          in person, face to face, mündlich, mündliche, muendlich, ustna, ustnie, ustne, verbale, verbalmente, oralmente,
          verbalement, oralement, orale, a voce, verbală, verbala, orală, orala
        telephone: telephone, phone, by phone, telephoned, phoned, by telephone, on the phone, over the phone, over phone,
          via phone, tel
        written: written, writen, writing, in writing, signed, form, forms, paper, on paper, signed
          form, form signed, schriftlich, schriftliche, pisemna, pisemnie, pisemne, na piśmie, na pismie, por escrito,
          escrito, escrita, par écrit, par ecrit, écrit, ecrit, scritto, scritta, per iscritto, în scris, in scris, scris,
          scrisă, scrisa
        electronic: electronic, electronically, email, e mail, by email, by text, text message, by text message,
          sms, online, app, e form, eform, e
          consent, econsent, e signed
        implied: implied, implicit, assumed
        """,
    ),
    **_words(
        "status",
        """
        refused: refused, refuses, refuse, declined, declines, decline, denied, withheld, objects, objected,
          objection, does not consent, did not consent, doesn't consent, didn't consent, not consented, said no,
          consent refused, refused consent, consent declined, declined consent, patient refused, patient declined
        withdrawn: withdrawn, withdrew, withdraws, revoked, rescinded, consent withdrawn, withdrawn consent, withdrew
          consent
        """,
        alone=True,
    ),
    **_words(
        "status",
        """
        pending: pending, awaiting, awaited, not sought, not asked, not obtained, not given, not taken, not yet, no,
          not, none, without, unable, never, to follow, tbc, unknown, unsure, asked, requested, needed, required, will
          get, to be obtained
        limited: limited
        """,
    ),
    **_words(
        "given_by",
        """
        patient: patient, pt, px, client, patients, patient's, self, herself, himself, themselves, from patient, by patient
        parental-responsibility: parent, parents, parental, mum, mom, mother, dad, father, mummy, daddy, mam,
          parent's, mum's, dad's, parental responsibility
        guardian: guardian, legal guardian
        attorney: attorney, lpa, poa, power of attorney
        deputy: deputy
        executor: executor
        family: family, next of kin, nok, relative, wife, husband, partner, son, daughter
        best-interests: best interests, best interest
        """,
    ),
    **_words(
        "purpose",
        """
        COC: referral, referred, refer, second opinion, 2nd opinion, opinion, advice, advice and guidance, colleague,
          handover, transfer, mdt, mdm, discussion
        TREAT: treatment, care, direct care, treating, clinical care, clinical, management, review, diagnosis
        ETREAT: emergency treatment
        PATRQT: patient request, at patient's request, patient's request, patient asked
        TRAIN: teaching, training, education, lecture, presentation, student lecture, student teaching, tutorial
        HRESCH: research, study, trial
        PUBLISH: publication, publishing, publish, journal, case report, website, social media
        HQUALIMP: audit, quality improvement
        PATSFTY: incident, patient safety
        HLEGAL: legal, solicitor, court, police
        HPAYMT: insurance, insurer, payment
        PUBHLTH: public health
        """,
    ),
    **_words(
        "flag",
        """
        intimate: intimate, intimate image, intimate area, intimate picture, genital, genitals, genitalia, breast,
          breasts
        """,
        alone=True,
    ),
    **_words(
        "flag",
        """
        child: child, children, minor, under 16, under 18, baby, infant, paediatric, toddler
        """,
        alone=True,
    ),
    **_words(
        "flag",
        """
        deceased: deceased, died, dead, late patient
        """,
    ),
    **_words(
        "flag",
        """
        anonymous: not identifiable, anonymised, anonymized, anonymous, deidentified, de identified, unidentifiable
        """,
    ),
    **_words(
        "capacity",
        """
        gillick: gillick, gillick competent
        lacks: lacks capacity, no capacity, without capacity
        """,
    ),
    **_words(
        "basis",
        """
        not-patient: not a patient image, not a patient picture, not a patient photo, not patient, not a patient, not
          patient image, not patient picture, not a patient's image, not patient related, not a clinical image, not a
          clinical photo, not clinical, no patient, no patient image, no patient photo, isn't a patient image, is not
          a patient image, not a pt image, not pt, not a pt,
          non patient image, non patient, non clinical image, non clinical, nonclinical
        teaching: teaching no patients, teaching no patient, teaching no patient images, teaching without patients,
          teaching slides no patients
        document: document, documents, doc, letter, paperwork, scanned document, document only, documents only, letter
          only, just a letter
        no-patient-picture: no patient picture, no patient pictures, no patient images, no patient photos, no
          patients, no pictures, no picture, no photos, no clinical images, no clinical photos, contains no patient
          pictures, no patient pics
        """,
        alone=True,
    ),
    **_words(
        "bypass",
        """
        emergency: emergency, emergancy, emergency use, break glass
        """,
        alone=True,
    ),
    **_words(
        "checked",
        """
        yes: right address, right addresses, right person, right people, right recipient, right recipients, correct address,
          correct addresses, correct person, correct people, correct recipient, correct recipients, address right, address
          correct, addresses correct, addresses right, address ok, address checked, addresses checked, address confirmed,
          recipient checked, recipients checked, recipient correct, recipients correct, recipient confirmed, recipients
          confirmed, checked address, checked addresses, checked recipient, checked recipients, confirmed address,
          confirmed recipient, right adress, right addres, correct adress, correct addres, rightaddress, address is right,
          address is correct, addresses are right, addresses are correct, address is ok, checked the address, checked the
          addresses
        """,
        alone=True,
    ),
    **_words(
        "to_patient",
        """
        yes: to patient, to the patient, for the patient, for patient, patient copy, sent to patient
        """,
        alone=True,
    ),
    **_words(
        "filler",
        """
        -: given, yes, ok, okay, obtained, taken, got, gained, received, recorded, noted, documented, has, have, had,
          is, was, been, be, by, from, the, a, an, of, on, for, to, with, and, in, via, at, her, his, their, my,
          agreed, agrees, agreement, granted, confirmed, full, informed, explicit, today, yesterday, this morning,
          image, images, photo, photos, photograph, photographs, picture, pictures, pic, pics, share, sharing, send,
          sending, sent, only, use, used, purpose, purposes, status, form of, type, see notes, in notes, notes,
          record, adult, please, all, gave, clinician, doctor, nurse, date, dated, it, this, that, she, he, they, we,
          i, person, also, both, s, written in notes,
          written in the notes, oral photo, oral photos, oral image, oral images, oral picture, oral pictures
        """,
    ),
}

LONGEST: Final = max(phrase.count(" ") + 1 for phrase in WORDS)

# Form words too common in ordinary subjects ("Consent form for ...") to count where no bracket or colon marks a tag.
NEED_BRACKET: Final = frozenset(
    {
        "form",
        "forms",
        "consent form",
        "paper",
        "email",
        "e mail",
        "online",
        "app",
        "sms",
        "writing",
        "assumed",
        "tel",
        "phone",
        "signed form",
    }
)
