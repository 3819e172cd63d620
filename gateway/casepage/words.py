"""Codes in words that a patient can read: short, common, no blame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FORMS: Final[Mapping[str, str]] = {
    "written": "in writing",
    "electronic": "on a screen",
    "verbal": "by word of mouth",
    "telephone": "on the telephone",
    "implied": "by coming for care",
}
GIVERS: Final[Mapping[str, str]] = {
    "patient": "the patient",
    "parental-responsibility": "a parent or guardian",
    "attorney": "a person with power of attorney",
    "deputy": "a deputy of the court",
    "guardian": "a guardian",
    "executor": "the executor",
    "family": "the family",
    "best-interests": "the care team, in the patient's best interests",
    "substitute-decision-maker": "a person who may decide for the patient",
}
USES: Final[Mapping[str, str]] = {
    "care": "for care",
    "emergency": "in an emergency",
    "patient": "because the patient or the family asked",
    "training": "for teaching",
    "research": "for research",
    "publication": "to publish it",
    "legal": "to check and run the service",
    "marketing": "for advertising",
    "test": "as a test",
}
SCOPES: Final[Mapping[str, str]] = {
    "record": "the patient's record",
    "teaching": "teaching",
    "research": "research",
    "publication": "publishing",
}
INFORMED: Final[Mapping[str, str]] = {
    "purpose": "what it is for",
    "people": "who will see it",
    "storage": "where it is kept",
    "period": "how long it is kept",
    "other-use": "what else it may be used for",
    "withdrawal": "how to take agreement back",
    "reassured": "that care does not depend on it",
}
CARRIERS: Final[Mapping[str, str]] = {
    "header": "by the sender's program",
    "part": "beside the picture",
    "body": "in the first line of the email",
    "subject": "in the subject line",
    "release": "when the email was let go",
    "default": "as the sender's usual setting",
}
STATUSES: Final[Mapping[str, str]] = {
    "given": "The sender wrote that {who} agreed",
    "limited": "The sender wrote that {who} agreed, with limits",
    "refused": "The sender wrote that {who} said no",
    "withdrawn": "The sender wrote that {who} took the agreement back",
    "pending": "The sender wrote that nobody had been asked yet",
    "bypassed": "The sender wrote that there was no time to ask",
    "not-required": "The sender wrote that no agreement was needed",
}
BASES: Final[Mapping[str, str]] = {
    "not-patient": "the picture does not show a patient",
    "teaching": "the pictures are teaching slides without patients",
    "document": "it is a page of text",
    "no-patient-picture": "no picture of a patient is in it",
    "legal": "the law asks for it",
    "gmc-10": "guidance of the General Medical Council, part 10",
    "gmc-17": "guidance of the General Medical Council, part 17",
    "hipaa-treatment": "it is for treatment",
    "test": "it is a test",
}
STATES: Final[Mapping[str, str]] = {
    "delivered": "It was passed on to the mail system of {domain}. We cannot see whether it was read.",
    "held": "It has not gone. It waits for a decision.",
    "deferred": "It has not gone yet. We try again by ourselves.",
    "refused": "It was stopped. It did not go.",
    "unknown": "We do not know whether it got there: the answer of the other mail system was lost.",
    "failed": "It did not get there: the other mail system did not take it.",
    "expired": "It did not go: nobody answered in time.",
    "deleted": "It did not go: it was taken back.",
    "answered": "This copy did not go: the sender sent the email again with an answer.",
}
# Findings of files, in the order of what people worry about; several codes may say one thing.
FINDINGS: Final[Mapping[str, str]] = {
    "exif.gps": "the place where the picture was taken (GPS)",
    "exif.owner": "the name of the camera's owner",
    "exif.datetime": "the date and time of the picture",
    "exif.thumbnail": "a small second copy of the picture",
    "jpeg.trailer-image": "a second picture hidden in the file",
    "jpeg.second-picture": "a second picture hidden in the file",
    "exif.text": "words written into the file",
    "jpeg.comment": "words written into the file",
    "png.text": "words written into the file",
    "exif.serial": "a number of the camera, its lens or this very picture",
    "exif.make": "the make of the camera",
    "exif.model": "the make of the camera",
    "exif.software": "the name of a program",
    "exif.maker-note": "hidden notes of the camera",
}
KEPT: Final = frozenset({"exif.orientation", "exif.block", "icc.profile"})  # no loss and no secret: not worth a patient's time
EVENTS: Final[Mapping[str, str]] = {
    "release": "decided that it may go",
    "approve": "was the first of two to agree that it may go",
    "retry": "tried again",
    "sent": "passed it on",
    "held-again": "stopped it again after one more check",
    "later": "could not pass it on yet",
    "put-off": "could not pass it on yet",
    "failed": "could not pass it on",
    "refuse": "decided that it does not go",
    "delete": "took it back",
    "resent": "closed it: the sender sent the email again",
    "expire": "closed it: the time was over",
    "ask-ig": "asked the information-governance team",
}
ROLES: Final[Mapping[str, str]] = {
    "ig": "information governance",
    "mail-admin": "mail administrator",
    "sender": "the sender",
    "system": "by itself",
    "two-person": "two people",
    "on-call": "the person on call",
    "owner": "the owner of the sending machine",
    "postmaster": "the postmaster",
}
NOTICES: Final[Mapping[str, str]] = {
    "N-1": "that the email waits and what would help",
    "N-1r": "once more that the email waits",
    "N-2": "that the email waits for a reviewer",
    "N-3": "that the email was passed on",
    "N-4": "that the email was stopped",
    "N-5": "how the waiting ended",
    "N-6": "that the email went as an emergency",
    "N-7": "that the email had not gone yet, or could not",
    "digest": "a weekly list of emails that were passed on",
    "dsn": "a failure report",
    "alert": "that somebody had to act",
    "desk": "that a decision was waiting",
    "emergency": "that the emergency word was used",
    "damaged": "that a stored email could not be read",
    "R-4": "a request to delete the pictures",
    "R-4r": "a reminder to delete the pictures",
}
LETTERS: Final[Mapping[str, str]] = {
    "draft": "is written and waits for approval",
    "approved": "was approved",
    "dropped": "was not sent",
    "confirmed": "was answered: the pictures are deleted or not used any more",
}
ON_FILE: Final[Mapping[str, str]] = {
    "withdrawn": "{who} took the agreement back",
    "refused": "{who} said no",
    "limited": "{who} agreed to some uses only ({uses})",
    "restored": "the earlier word was taken back, and nothing stands any more",
}
VERDICTS: Final[Mapping[str, str]] = {
    "justified": "It was right to send it without asking.",
    "not-justified": "It was not right to send it without asking.",
    "": "Nobody has reviewed it yet.",
}
LOOKS: Final[Mapping[str, str]] = {
    "shown": "the stopped email's record",
    "emergency-shown": "the review of the emergency",
    "consent-shown": "what the patient has said",
    "form-shown": "the answer page",
    "looked": "the list of what went to whom",
    "case": "this page",
}
MISSING: Final[Mapping[str, str]] = {
    "names-erased": "The names of sender and recipients have been erased, as our rules for keeping records say.",
    "content-erased": "The stopped email itself has been erased. Only these notes of it are left.",
    "older-version": "Parts were noted by an older version of the program, which wrote down less.",
    "audit-not-readable": "We could not read who has looked at this record. Ask the mail administrator.",
    "rule-gone": "The words of the rule as it then was are not kept here any more.",
    "nothing": "Nothing is missing.",
}
