"""The tables of the templates: which placeholders, which files, which parts.  ``docs/notices.md`` repeats them, tested."""

from __future__ import annotations

from dataclasses import dataclass

# What the web form asks whether the patient was told; the words of ``informed`` in a consent statement (S0-14, S1-10).
TICKS = ("purpose", "people", "storage", "period", "other-use", "withdrawal", "reassured")
SENDER = frozenset({"N-1", "N-1r", "N-2", "N-3", "N-4", "N-5", "N-6", "N-7", "answer"})
INTERNAL = frozenset({"N-8", "weekly", "register", "alert", "desk", "emergency", "damaged", "alarm", "review", "recall"})
OUTSIDE = frozenset({"R-4"})
EVERY = SENDER | INTERNAL | OUTSIDE | {"frame", "digest", "dsn", "form"}


@dataclass(frozen=True, slots=True)
class Placeholder:
    """``optional``: a template line is left out when it has nothing to say.  ``many``: stands alone on its line, makes a list."""

    meaning: str
    where: frozenset[str]
    optional: bool = False
    many: bool = False


_TOLD = SENDER | {"frame", "dsn"}
_FIGURES = frozenset({"N-8", "weekly"})
_LISTED = frozenset({"frame", "digest", "dsn", "register"}) | OUTSIDE

PLACEHOLDERS: dict[str, Placeholder] = {
    "sent": Placeholder(
        "when the email came to us: 14:02, with the date if that was not today",
        _TOLD | {"emergency", "digest", "form", "register"} | OUTSIDE,
    ),
    "ref": Placeholder("the reference people quote on the phone: H7Q2-93KD", _TOLD | {"digest", "form"} | OUTSIDE),
    "total": Placeholder("how many people the email was for", _TOLD),
    "count": Placeholder("how many of them this part is about", _TOLD | {"digest"} | OUTSIDE),
    "people": Placeholder("their addresses; for a patient \"the patient's address\"", _TOLD | {"form"}),
    "to": Placeholder("the address, or how many people: for subject lines", SENDER),
    "sender": Placeholder("the address the email came from", frozenset({"frame"}) | OUTSIDE),
    "organisation": Placeholder("the name of your organisation", EVERY, optional=True),
    "feedback": Placeholder("where to say that a notice was not clear, as set by you", _TOLD, optional=True),
    "law": Placeholder("the law about intimate pictures, only where one is seen or named", SENDER, optional=True),
    "ig_contact": Placeholder("how to reach the IG team, as set by you", EVERY),
    "on_call": Placeholder("whom to phone when it cannot wait, as set by you", EVERY, optional=True),
    "alternatives": Placeholder("other ways your organisation offers, as set by you", SENDER, optional=True),
    "review_hours": Placeholder(
        "how soon the IG team decides; only if you promise it", SENDER | {"frame", "form"}, optional=True
    ),
    "why": Placeholder("why, in one or two sentences; they come with the policy's rule", SENDER | {"form"}),
    "help": Placeholder("one more sentence of help that came with the rule", SENDER | {"form"}, optional=True),
    "did_you_mean": Placeholder(
        "the domain or address the sender may have meant; never a patient's", SENDER, optional=True
    ),
    "advice": Placeholder("one thing to know beside, whatever became of the email", SENDER, optional=True),
    "who": Placeholder("who decides about the waiting email (the frame's parts \"who …\")", SENDER | {"form"}, optional=True),
    "answers": Placeholder("the words the sender may add, each with its meaning; all are proved to work", SENDER, many=True),
    "words": Placeholder("the words to reply with, each with its meaning", SENDER, many=True),
    "tag": Placeholder("one of the tags that the sender may add when sending again", SENDER, optional=True),
    "link": Placeholder("the page on which the sender can answer; stands alone on its line", SENDER, optional=True),
    "emergency": Placeholder("the emergency word, if it works for this email", SENDER, optional=True),
    "deadline": Placeholder("when the waiting ends, with weekday and date", SENDER | {"form"}),
    "remind_at": Placeholder("when we remind the sender; only if set", SENDER | {"form"}, optional=True),
    "time": Placeholder("when it was passed on: 14:05, with the date if that was not today", SENDER),
    "systems": Placeholder("the receiving mail systems: \"royal-example.nhs.uk's mail system\"", SENDER),
    "domains": Placeholder("the domains of the addresses", SENDER | {"dsn", "digest"}),
    "code": Placeholder("the answer code of the receiving mail system: 550", SENDER | {"dsn"}, optional=True),
    "list": Placeholder("one line for each person or email, with what happened", _LISTED, many=True),
    "clock": Placeholder("hours and minutes", frozenset({"frame"})),
    "weekday": Placeholder("day of the week", frozenset({"frame"})),
    "day": Placeholder("day of the month", frozenset({"frame"})),
    "month": Placeholder("name of the month", frozenset({"frame"})),
    "domain": Placeholder("one domain", frozenset({"frame"})),
    "number": Placeholder("how many", INTERNAL | {"digest"} | OUTSIDE),
    "ids": Placeholder("references of the holds, one a line", INTERNAL, many=True),
    "codes": Placeholder("reason codes, no words", INTERNAL, optional=True),
    "urgency": Placeholder("routine or urgent", INTERNAL, optional=True),
    "oldest": Placeholder("since when the oldest waits", INTERNAL, optional=True),
    "minutes": Placeholder("how many minutes the oldest has waited", INTERNAL, optional=True),
    "due": Placeholder("by when it must be reviewed", frozenset({"emergency", "review"}), optional=True),
    "one_day": Placeholder("the day it tells of, if it is one", frozenset({"N-8"}), optional=True),
    "first_day": Placeholder("the first day it tells of, if there are more", frozenset({"N-8"}), optional=True),
    "last_day": Placeholder("the last day it tells of, if there are more", frozenset({"N-8"}), optional=True),
    "until_day": Placeholder("the last day it tells of", frozenset({"N-8"})),
    "week": Placeholder("the week, as 2026-W47", frozenset({"weekly"})),
    "folder": Placeholder("where the report's files are", frozenset({"weekly"})),
    "waiting": Placeholder("how many emails are held now", frozenset({"N-8"}), optional=True),
    "held": Placeholder("how many were held in that time", _FIGURES, optional=True),
    "released": Placeholder("how many held emails were released", frozenset({"N-8"}), optional=True),
    "expired": Placeholder("how many held emails were not sent because their time was over", _FIGURES, optional=True),
    "emergencies": Placeholder("how often the emergency word was used", frozenset({"weekly"}), optional=True),
    "reviews": Placeholder("how many emergencies nobody has reviewed", frozenset({"N-8"}), optional=True),
    "overdue": Placeholder("how many of them are overdue", _FIGURES, optional=True),
    "domains_due": Placeholder("how many things are due in the register", frozenset({"N-8"}), optional=True),
    "located": Placeholder("how many senders, or pictures, with a position (GPS)", _FIGURES, optional=True),
    "first_time": Placeholder("how many recipients were written to for the first time", _FIGURES, optional=True),
    "pictures": Placeholder("how many emails had pictures", frozenset({"weekly"}), optional=True),
    "failures": Placeholder("how many emails could not be checked", _FIGURES, optional=True),
}

# Named here only to say no with a reason: a notice is read on lock screens and forwarded.
FORBIDDEN = frozenset({
    "subject", "filename", "file", "file_name", "attachment", "attachments", "name", "display_name", "reason", "reason_text",
    "statement", "text", "body", "content", "message", "patient", "patient_name", "nhs_number", "identifier", "dob", "record",
    "thumbnail", "image", "picture", "word", "hash",
})  # fmt: skip

_FIRST = ("subject", "first one", "first some", "first all", "line", "head", "text")
_ASK = ("why", "answers", "no answers", "after")

# file -> variants ("" = none).  A part of a variant is written [variant: part]; it falls back to [part].
VARIANTS: dict[str, tuple[str, ...]] = {
    "N-3": ("", "advice", "note", "plain"),
    "N-5": ("released", "word", "refused", "expired", "deleted", "again", "late"),
    "review": ("due", "overdue", "often"),
    "register": ("due", "policy", "lists"),
    "R-4": ("", "reminder"),
    "N-7": ("retry", "stuck", "lost", "failed", "unsure"),
    "answer": ("unclear", "missing", "help", "asked", "again", "stopped", "spent", "late", "refused"),
    "form": ("sending", "sent", "asked", "deleted", "refused", "expired", "over", "unknown", "slow", "stale", "trouble"),
}
# file -> parts every variant must have, here or in the part without a variant.
REQUIRED: dict[str, tuple[str, ...]] = {
    "N-1": (*_FIRST, *_ASK, "emergency"),
    "N-1r": (*_FIRST, *_ASK, "emergency"),
    "N-2": (*_FIRST, *_ASK, "emergency"),
    "N-3": _FIRST,
    "N-4": (*_FIRST, "why", "answers", "no answers"),
    "N-5": _FIRST,
    "N-6": _FIRST,
    "N-7": (*_FIRST, "why"),
    "answer": (*_FIRST, "why", "reply", "after"),
    "frame": (
        "organisation", "list", "reference", "urgent",
        "questions", "manners", "owner", "nobody", "and", "people many", "people count", "address word",
        "patient address",
        "system", "system patient", "time short", "time full", "weekdays", "months",
        "who sender", "who ig", "who mail-admin", "who two-person",
    ),
    "answers": ("meanings",),
    "form": (
        "ask title", "sent", "people", "why", "urgent", "choose", "choose hint", "only", "partly", "no offers", "ask ig",
        "delete", "emergency", "reason", "address", "number", "from", "from hint", "told", "told hint",
        *(f"told {code}" for code in TICKS), "send",
        "after", "inside", "offsite", "privacy", "questions", "wrong", "wrong choice", "wrong reason", "wrong address",
        "wrong number", "wrong from", "title", "text", "once", "left", "again",
    ),
    "alert": ("subject", "text"),
    "desk": ("subject", "text"),
    "emergency": ("subject", "text"),
    "review": ("subject", "text"),
    "N-8": ("subject", "text"),
    "weekly": ("subject", "text"),
    "register": ("subject", "text"),
    "recall": ("subject", "text"),
    "R-4": ("subject", "text", "line"),
    "damaged": ("subject", "text"),
    "alarm": ("subject", "text"),
    "digest": ("subject", "text", "line"),
    "dsn": ("subject", "failed", "delayed", "relayed"),
}  # fmt: skip
# file -> parts that may be there.
# Files a language may have: the policy's sentences for reasons in another language, "code = sentence".
OPTIONAL_FILES: dict[str, tuple[str, ...]] = {"reasons": ("sentences",)}
HELPS = "helps"  # part of the same file: the one step that helps with a reason
OPTIONAL: dict[str, tuple[str, ...]] = {
    "reasons": (HELPS,),
    "frame": ("questions word", "beside reason", "beside address", "beside number"),
    "N-1": ("first single", "needed", "reply", "reply emergency", "link", "subject no answers", "beside"),
    "N-1r": ("first single", "reply", "reply emergency", "link", "subject no answers"),
    "N-2": ("first single", "reply", "reply emergency", "link", "beside"),
    "N-3": ("first single", "why", "method *", "housekeeping", "keep", "answers", "beside", "dated"),
    "N-4": ("first single", "beside",),
    "N-5": ("first single", "why", "after", "beside", "housekeeping", "keep"),
    "N-6": ("first single", "after", "beside"),
    "N-7": ("first single", "reply", "reply emergency", "link", "after", "answers", "no answers", "emergency", "beside"),
}
_NONE: frozenset[str] = frozenset()
_CONTACTS = frozenset({"organisation", "ig_contact", "on_call"})
_ALL_DIGEST = frozenset({"organisation", "ig_contact", "on_call", "number"})
_LETTER = frozenset({"organisation", "ig_contact", "number"})
# (file, part) -> the only placeholders that have a value there; parts that are not here take all of their file.
PARTS: dict[tuple[str, str], frozenset[str]] = {
    **{
        ("frame", part): frozenset(
            {"sent", "ref", "total", "sender", "organisation", "ig_contact", "on_call", "review_hours", "feedback"}
        )
        for part in (*REQUIRED["frame"], "questions word")
    },
    **{
        ("frame", part): _NONE
        for part in (
            "beside reason", "beside address", "beside number", "organisation", "and", "address word", "patient address",
            "system patient", "weekdays", "months",
        )
    },
    **{("form", part): _CONTACTS for part in REQUIRED["form"]},
    ("form", "sent"): frozenset({"sent", "ref"}),
    ("form", "why"): frozenset({"why", "help"}),
    ("form", "only"): _CONTACTS | {"people"},
    ("form", "no offers"): _CONTACTS | {"who"},
    ("form", "ask ig"): _CONTACTS | {"review_hours"},
    ("form", "text"): _CONTACTS | {"review_hours"},
    ("form", "after"): frozenset({"deadline", "remind_at"}),
    ("frame", "list"): frozenset({"list", "sent", "ref", "total", "organisation"}),
    ("frame", "people many"): frozenset({"count"}),
    ("frame", "people count"): frozenset({"count"}),
    ("frame", "system"): frozenset({"domain"}),
    ("frame", "time short"): frozenset({"clock"}),
    ("frame", "time full"): frozenset({"clock", "weekday", "day", "month"}),
    ("R-4", "subject"): _LETTER,
    ("R-4", "text"): _LETTER | {"list"},
    ("R-4", "line"): frozenset({"sent", "count", "ref", "sender"}),
    ("digest", "subject"): _ALL_DIGEST,
    ("digest", "text"): _ALL_DIGEST | {"list"},
    ("digest", "line"): frozenset({"organisation", "sent", "ref", "count", "domains"}),
}
LINES = {"weekdays": 7, "months": 12}  # parts of the frame with this many lines
