"""Every reason code of a decision, and the one plain sentence people read (reading age about 12; no patient, no file name).

``REASONS`` is for everybody; ``told`` picks of a hold's reasons those that its sender needs, ``HELP`` is the one step that helps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

REASONS: Final[Mapping[str, str]] = {
    "policy.floor": "No rule fits this email, so a reviewer must look at it.",
    "release.accepted": "A reviewer has looked at this email and accepted the reason it was held for.",
    # consent
    "consent.missing": "We could not see whether the patient agreed.",
    "consent.stated": "The patient's agreement is stated.",
    "consent.implied": "The patient's agreement was only taken for granted; for a photograph it must be asked for.",
    "consent.no-form": "The email says that the patient agreed but not how: in conversation or in writing.",
    "consent.form": "For this use the patient's written agreement is needed.",
    "consent.research-ref": "For research we need written agreement and the number of the ethics approval.",
    "consent.publication": "Pictures for publication may only go to an approved publisher.",
    "consent.out-of-scope": "The patient agreed to another use than the one this email is for.",
    "consent.purpose-missing": "We could not see what the picture is for.",
    "consent.refused": "The patient has said no, or has taken back their agreement.",
    "consent.limited-on-file": "The patient has agreed to some uses of their pictures only, and this is not one of them.",
    "consent.withdrawal-unknown": "We could not check whether this patient has taken back their agreement.",
    "consent.giver": "The person named cannot agree for this patient.",
    "consent.capacity": "For a patient who cannot decide we need to know who decided and where it is recorded.",
    "consent.limited": "The agreement is limited, but the email does not say to what.",
    "consent.basis": "The reason given why no agreement is needed does not hold for this kind of picture.",
    "consent.judgement": "Sending on your own judgement without asking the patient needs a reviewer.",
    "consent.not-patient": "The email says that this is not a picture of a patient.",
    "consent.not-patient-check": "You said that it is no picture of a patient. If it is one, tell the IG team now.",
    "consent.not-patient-contradicted": "The email says that this is no picture of a patient, but the file or email names one.",
    "consent.not-vouched": "We could not be sure who sent this email, so its consent words do not count.",
    "consent.inherited-tag": "The consent words stand after Re: or Fw:, so they may come from an earlier email.",
    "consent.bare-tag": "The email speaks of consent but does not say how the patient agreed.",
    "consent.unknown-word": "Some of the words about consent were not understood.",
    "consent.unknown-status": "The first word of the consent statement was not understood.",
    "consent.unknown-form": "How the patient agreed was not understood.",
    "consent.unknown-giver": "Who agreed was not understood.",
    "consent.unknown-purpose": "What the picture is for was not understood.",
    "consent.unknown-version": "The consent statement is written in a newer form than we know.",
    "consent.bad-date": "A date in the consent statement is not a date.",
    "consent.future-date": "The date of the consent lies in the future.",
    "consent.expired": "The consent has run out.",
    "consent.malformed": "The consent statement could not be read.",
    "consent.too-long": "The consent statement is too long.",
    "consent.too-many": "There are too many consent statements.",
    "consent.identifier": "A patient's number stood in the consent words. Use a reference that names nobody.",
    "consent.contradiction": "Two words of the consent statement cannot both be true.",
    "consent.no-bypass-reason": "The email says that consent was not asked for but not why.",
    "consent.emergency": "The email says that this is an emergency.",
    "consent.emergency-reason": "An emergency needs a short reason of at least ten letters.",
    "consent.emergency-many": "An emergency email may go to one person or team, not to a list of people.",
    "consent.parent": "For a child we need the agreement of a parent or guardian, or of a child who is able to decide.",
    "consent.young-person": "The agreement for this child is old. Please ask again, and ask the young person too.",
    "consent.care-team": "Within the team that cares for the patient, agreement may be taken for granted.",
    "consent.not-needed": "For treatment no agreement is needed; the picture goes protected.",
    "purpose.inferred": "No use was named; the recipient is an approved clinical service, so we took it to be for care.",
    "purpose.review": "Pictures for this use are looked at by a reviewer first.",
    "purpose.private": "Pictures for this use may not go to a private address.",
    "purpose.marketing": "Pictures of patients for advertising are always looked at by a reviewer.",
    "purpose.test": "The email says that this is test data.",
    "purpose.test-only": "This is a test installation: only pictures stated as test data may leave it.",
    "mail.scope": "Your organisation looks at email to organisations it has no agreement with before it goes.",
    # recipients
    "domain.own": "The recipient is in your own organisation.",
    "domain.archive": "This is your organisation's own archive.",
    "domain.unknown": "We have no agreement with the recipient's organisation for patient pictures.",
    "domain.private": "The recipient has a private email address.",
    "domain.own-private": "Pictures of patients may not go to your own private address.",
    "domain.denied": "Pictures of patients may not go to this kind of address, because nobody can get them back.",
    "domain.purpose": "The recipient's organisation is approved, but not for this use.",
    "domain.expired": "The agreement with the recipient's organisation has run out.",
    "domain.grace": "The agreement with the recipient's organisation has just run out and must be renewed.",
    "domain.suspended": "The recipient's organisation is suspended.",
    "domain.proposed": "The recipient's organisation is not approved yet.",
    "domain.changed": "The terms with the recipient's organisation were changed and must be approved again.",
    "domain.invalid": "The recipient's address is not a proper email address.",
    "domain.lookalike": "The recipient's address looks very like one of an approved organisation. Check the spelling.",
    "domain.children": "The recipient's organisation is not approved for pictures of children.",
    "domain.specialist": "The recipient is not one of the specialist services that may get such pictures.",
    "recipient.too-many": "The email goes to more people than this organisation may get at once.",
    "recipient.lookalike-address": "The address is new, and very like one that was written to before. Check the spelling.",
    "recipient.other-name": "Another email address is shown as the name of this one. Check which of the two is right.",
    "recipient.many": "The email goes to a large number of people. Check that each of them needs the picture.",
    "recipient.open-list": "People from several places, or patients, would see each other's addresses in To and Cc.",
    "recipient.mailbox": "The recipient's organisation is approved, but not for this mailbox.",
    "recipient.first-time": "It was the first email to this address. If that is the wrong person, tell the IG team now.",
    "recipient.check-now": "The address is very like one that was written to before. If it is wrong, tell the IG team now.",
    "recipient.seen-by-all": "People from several places could see each other's addresses. Next time put them in Bcc.",
    "recipient.address-unconfirmed": "To send to a patient, write the patient's address once more in the tag.",
    # kinds
    "kind.none": "The email has no clinical picture.",
    "kind.routine-imaging": "An X-ray, scan or similar needs no separate agreement for the patient's care.",
    "kind.deidentified": "The email says that nobody can be recognised, and nothing we found speaks against that.",
    "kind.document": "This is a page of text, not a photograph.",
    "kind.document-outside": "This looks like a scanned page, and the recipient is not an approved organisation.",
    "kind.intimate": "Intimate pictures are looked at by two people first.",
    "kind.child": "Pictures of children are looked at by two people first.",
    "kind.intimate-child": "Intimate pictures of children do not go by email. The person on call has been told.",
    "kind.deceased": "A picture of a patient who has died needs the family's or executor's written agreement to be published.",
    "image.burned-in": "A name or face may stand in the picture itself, so it does not count as anonymous.",
    "image.disclosed": "This recipient already has this picture with the patient's agreement.",
    # words, names and cameras
    "link.file-share": (
        "The email links to a file share and seems to be about a patient. Send its pictures as attachments: we can protect those."
    ),
    "mail.referral": "This looks like a referral. The e-Referral Service (Advice and Guidance) can carry the picture, too.",
    "name.messenger": "A picture seems to have come by a messenger such as WhatsApp, which keeps copies. Please delete it there.",
    "device.not-clinical": "A picture was not taken with one of your organisation's clinical cameras.",
    "device.personal": "A picture was taken with a phone of a private kind. Where there is a clinical camera, please use it.",
    "device.unregistered": "A picture was taken with a camera that is not on your organisation's list of clinical cameras.",
    # what could not be read
    "opaque.encrypted": "A file is locked, so we could not look inside.",
    "opaque.not-inspected": "A file was passed without being looked into.",
    "opaque.no-picture": "The email says that the locked file has no picture of a patient.",
    "opaque.corrupt": "A file is damaged, so we could not look inside.",
    "opaque.limit": "A file is too large or too deeply packed to look inside.",
    "opaque.image-not-supported": "A file is of a kind that can hold pictures and that we cannot clean yet.",
    "opaque.fixed": "A picture stands in a file that we cannot change, so its hidden data cannot be taken out.",
    "opaque.unknown-type": "A file is of a kind that we do not know.",
    "mime.ambiguous": "The email is built so that two mail programs could show different things.",
    "mail.signed": "The email is digitally signed, and cleaning its picture would break the signature.",
    # protection and people
    "release.unprotected": "A reviewer let it go without protection, because there was no other way.",
    "protect.no-method": "There is no way to protect the pictures for this recipient yet.",
    "sender.cannot-answer": "The sender is a machine or list that cannot answer a question.",
    "ask.no-answer": "No answer of the sender could let this email go, so a reviewer must decide.",
    "guard": "A safeguard that no rule can switch off stopped this email.",
    # what later steps of the gateway report
    "internal-error": "Something went wrong on our side.",
    "poison": "The gateway could not finish this email three times in a row.",
    "malformed": "The email could not be read.",
    "withdrawn": "The patient took back their agreement while the email was on its way.",
    "scrub.failed": "The hidden data in a picture could not be taken out.",
    "mail.signed-image": "The email is digitally signed, and cleaning its picture would break the signature.",
    "next-hop-temporary": "The next mail server could not take the email just then.",
    "delivery-unknown": "The next mail server did not say whether it took the email, twice.",
    "deadline": "There was no time left to hand the email on.",
    "exit.unknown-leaf": "The finished email held a part that was not cleared, so it did not leave.",
    "exit.residue": "The finished email still held hidden data, so it did not leave.",
    "exit.not-opened": "A file in the finished email could not be opened again to check it, so it did not leave.",
    "exit.not-an-image": "The finished email held a part that was not cleared, so it did not leave.",
    "exit.not-only-ciphertext": "The encrypted email held something readable, so it did not leave.",
    "exit.ciphertext-of-other-bytes": "The encrypted email was not made from what had been cleared, so it did not leave.",
    "exit.other-recipient": "The encrypted email was not for this recipient alone, so it did not leave.",
    "route.none": "No secure route is set for the recipient's organisation.",
    "route.weaker": "The secure route set for the recipient's organisation does not promise what the register asks of it.",
    "route.unknown": "The secure route set for the recipient's organisation is not set up here.",
    "smime.not-configured": "Encryption by certificate is not set up here.",
    "smime.no-certificate": "We have no certificate to encrypt to this recipient.",
    "smime.wrong-address": "The certificate filed for this recipient is for another address.",
    "smime.unsupported-key": "The recipient's certificate has a kind of key that we cannot use yet.",
    "smime.weak": "The recipient's certificate is too weak to be safe.",
    "smime.wrong-usage": "The recipient's certificate is not made for encrypting email.",
    "smime.not-yet-valid": "The recipient's certificate is not valid yet.",
    "smime.expired": "The recipient's certificate has run out.",
    "smime.untrusted": "The recipient's certificate does not come from anybody we trust.",
    "smime.crl-stale": "We cannot tell whether the recipient's certificate was revoked.",
    "smime.revoked": "The recipient's certificate was revoked.",
    "smime.signer-expired": "Our own signing certificate has run out.",
    "smime.signer-not-yet-valid": "Our own signing certificate is not valid yet.",
    "smime.keyring-unavailable": "The folder with recipients' certificates could not be read.",
}

# What the sender can do about a reason; where nothing stands, nothing but waiting or phoning helps.
HELP: Final[Mapping[str, str]] = {
    "consent.inherited-tag": "Put the words at the very start of the subject line, before Re: or Fw:.",
    "consent.unknown-word": "Check the spelling.",
    "consent.capacity": (
        "Write who decided, and the number of the note that says so: [consent: best interests, lacks capacity, ref NOTE-1]."
    ),
    "consent.not-vouched": "Send it from your own work account, with your own address as the sender.",
    "consent.limited-on-file": "Ask the patient. If they agree to this use too, tell the information governance team first.",
    "consent.emergency-many": "Send it to one person or team only.",
    "recipient.too-many": "Send it to fewer people.",
    "recipient.open-list": "Put the addresses in Bcc, or send one email to each person.",
    "recipient.mailbox": "Send it to the mailbox that this organisation has named for pictures; the IG team knows it.",
    "domain.denied": "Send it to the person's own work address instead.",
    "domain.own-private": "Open it from your work account instead, or put it in the patient's record.",
    "purpose.private": "Send it to the person's work address instead.",
    "consent.refused": (
        "Do not send it another way. If the patient says yes after all, or your email said no by mistake, tell the information "
        "governance team."
    ),
    "kind.intimate-child": "Call the service directly. It will tell you a safe way.",
    "opaque.encrypted": "If it holds a picture of a patient, send it again without the password: we protect it on the way.",
    "opaque.corrupt": "Open the file, save it under a new name, and attach that one to a new email.",
    "opaque.limit": "Send fewer or smaller files in one email, and do not pack them inside one another.",
    "opaque.image-not-supported": "Save a picture as JPEG or a document as PDF, and send that one.",
    "opaque.fixed": "Attach the picture by itself, not inside an archive or a signed document.",
    "mime.ambiguous": "Write a new email and attach the file to it, rather than forward this one.",
    "mail.signed": "Send it again without the digital signature.",
    "mail.signed-image": "Send it again without the digital signature.",
    "internal-error": "You can send it once more; if that waits too, phone.",
    "delivery-unknown": "The person may have it already: phone and ask before you send it again.",
    "scrub.failed": "Open the picture, save it as a new JPEG file, and send that one.",
}
# What speaks for sending, and what the notice says in other words anyway: true, but no reason why an email waits.
_FOR_SENDING: Final = frozenset(
    {"consent.stated", "purpose.inferred", "kind.routine-imaging", "kind.document", "domain.own", "image.disclosed",
     "consent.not-patient", "kind.deidentified", "consent.care-team", "consent.not-needed", "purpose.test",
     "opaque.no-picture", "opaque.not-inspected", "release.accepted", "ask.no-answer"}
)  # fmt: skip
_PROTECTION: Final = ("protect.", "route.", "smime.", "pickup.")


def told(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Of the reasons why an email did not go those that its sender needs, in order; never none where there was one.

    Where only protection lacks, that alone.  "We could not see whether the patient agreed" gives way to what was wrong with the
    statement.
    """
    if codes[:1] == ("protect.no-method",):
        return tuple(code for code in codes if code.startswith(_PROTECTION))
    said = {code for code in codes if code.startswith("consent.")} - _FOR_SENDING - {"consent.missing", "consent.emergency"}
    vague = {"consent.missing"} if said else set()
    return tuple(code for code in codes if code not in _FOR_SENDING | vague) or codes


def holding(codes: Iterable[str]) -> tuple[str, ...]:
    """Those that can be why an email waits; () where all of them speak for sending."""
    return tuple(code for code in codes if code not in _FOR_SENDING)


def helps(codes: tuple[str, ...]) -> str:
    """What the sender can do about the first reason that anything can be done about; "" for nothing."""
    return next((HELP[code] for code in codes if code in HELP), "")
