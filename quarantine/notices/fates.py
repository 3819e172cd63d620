"""What became of each recipient of one message, from the outcomes of all its copies.

Input is the meta of OUTCOME objects (``quarantine.model.SealedObject``), possibly with what the holds say today laid over it.
Only gateway facts are taken: addresses, classes, states, codes and the sentences the policy wrote for reasons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PATIENT = "C"  # recipient class of patients: their address is never shown
UNTOLD = frozenset({"observe"})  # methods under which nobody is told anything

# state of an outcome's recipient, or of a held recipient later on -> what a notice calls it
STATES: Mapping[str, str] = {
    "delivered": "delivered",
    "held": "held",
    "deferred": "deferred",
    "refused": "refused",
    "failed": "failed",
    "released": "released",
    "late": "late",
    "not-released": "not-released",
    "expired": "expired",
    "deleted": "deleted",
    "answered": "answered",
    "lost": "lost",
}

# (what a notice calls it, the policy's notice or "*") -> (template, variant); the first match counts.
SECTIONS: tuple[tuple[str, str, str, str], ...] = (
    ("held", "N-2", "N-2", ""),
    ("held", "N-7", "N-7", "stuck"),
    ("held", "*", "N-1", ""),
    ("lost", "*", "N-7", "lost"),
    ("deferred", "*", "N-7", "retry"),
    ("failed", "*", "N-7", "failed"),
    ("refused", "*", "N-4", ""),
    ("delivered", "N-6", "N-6", ""),
    ("delivered", "N-3", "N-3", ""),
    ("delivered", "N-3-note", "N-3", "note"),
    ("delivered", "", "N-3", "plain"),
    ("delivered", "*", "N-3", "advice"),
    ("released", "N-6", "N-6", ""),
    ("released", "answered", "N-5", "word"),
    ("released", "*", "N-5", "released"),
    ("late", "*", "N-5", "late"),
    ("not-released", "*", "N-5", "refused"),
    ("expired", "*", "N-5", "expired"),
    ("deleted", "*", "N-5", "deleted"),
    ("answered", "*", "N-5", "again"),
    ("unsure", "*", "N-7", "unsure"),
)
# What a sender must act on comes first.
ORDER: tuple[tuple[str, str], ...] = (
    ("N-1", ""), ("N-2", ""), ("N-7", "unsure"), ("N-7", "lost"), ("N-7", "stuck"), ("N-7", "failed"), ("N-7", "retry"),
    ("N-4", ""), ("N-5", "expired"), ("N-5", "refused"), ("N-5", "deleted"), ("N-5", "released"), ("N-5", "word"),
    ("N-5", "late"), ("N-6", ""),
    ("N-3", "advice"), ("N-3", "note"), ("N-3", ""), ("N-5", "again"), ("N-3", "plain"),
)  # fmt: skip

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")  # surrogates: octets of an address that are no UTF-8
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}>")


@dataclass(frozen=True, slots=True)
class Fate:
    """One recipient and what became of it, in the words of the templates."""

    address: str = field(repr=False)
    cls: str
    template: str
    variant: str
    state: str
    at: float  # when the outcome was decided, POSIX
    why: str = ""
    help: str = ""
    advice: str = ""  # what is told beside, whatever became of the message
    advise_now: bool = False  # not in the weekly digest
    said: tuple[str, ...] = ()  # codes of ``why``
    advised: tuple[str, ...] = ()  # codes of ``advice``
    dated: bool = False  # the day the picture was taken stands in the text of this copy
    meant: str = field(default="", repr=False)  # "did you mean": a domain, or an address the sender has written to before
    answers: tuple[str, ...] = ()
    releases: str = ""
    deadline: float | None = None
    remind: float | None = None  # when a reminder will go
    asked: bool = False  # the sender may answer now
    reasons: tuple[str, ...] = ()  # codes
    method: str = ""
    code: str = ""
    hold: str = ""
    ref: str = ""
    notify: str | None = None
    orcpt: str | None = field(default=None, repr=False)

    @property
    def patient(self) -> bool:
        return self.cls == PATIENT

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()

    @property
    def gone(self) -> bool:
        """The receiving mail system has taken it."""
        return self.state in ("delivered", "released", "late")


@dataclass(frozen=True, slots=True)
class Told:
    """One message as its sender sees it: all copies merged, every recipient once."""

    sender: str = field(repr=False)
    sender_kind: str
    owner: str = field(repr=False)
    sent: float
    refs: tuple[str, ...]
    message_id: str = field(repr=False)
    envid: str | None = field(repr=False)
    fates: tuple[Fate, ...] = field(repr=False)
    contacts: Mapping[str, str] = field(default_factory=dict)  # on_call, ig, alternatives as the policy in force named them

    @property
    def all_gone(self) -> bool:
        return all(fate.gone for fate in self.fates)


def merge(outcomes: Sequence[Mapping[str, Any]]) -> Told:
    """The outcomes of all copies of one message as one.  The latest word about a recipient counts.  Raises ValueError on none."""
    if not outcomes:
        raise ValueError("no outcome to tell of")
    ordered = sorted(outcomes, key=lambda meta: float(meta.get("created", 0.0)))
    first = ordered[0]
    latest: dict[str, Fate] = {}
    for meta in ordered:
        for fate in _fates(meta):
            latest[fate.address.lower()] = fate
    envelope = first.get("envelope") or {}
    fates = tuple(sorted(latest.values(), key=lambda fate: ORDER.index((fate.template, fate.variant))))
    return Told(
        sender=str(envelope.get("sender") or ""),
        sender_kind=str(first.get("sender_kind") or "person"),
        owner=str(first.get("owner") or ""),
        sent=float(first.get("created", 0.0)),
        refs=tuple(dict.fromkeys(fate.ref for fate in fates if fate.ref)),
        message_id=_message_id(first.get("message_id")),
        envid=envelope.get("envid"),
        fates=fates,
        contacts={str(k): words(v) for k, v in (ordered[-1].get("contacts") or {}).items()},
    )


def _fates(meta: Mapping[str, Any]) -> Iterable[Fate]:
    dsn = {r.get("address"): r for r in (meta.get("envelope") or {}).get("recipients", ()) if isinstance(r, Mapping)}
    for one in meta.get("recipients", ()):
        state = STATES.get(str(one.get("state")), "unsure")
        method = str(one.get("method") or "")
        notice = "" if method in UNTOLD else str(one.get("notice") or "")
        template, variant = section(state, notice)
        asked = dsn.get(one.get("address"), {})
        yield Fate(
            address=clean(one.get("address")),
            cls=str(one.get("class") or ""),
            template=template,
            variant=variant,
            state=state,
            at=float(one.get("at") or meta.get("created") or 0.0),
            why=words(one.get("words")),
            help=words(one.get("help")),
            advice=words(one.get("advice")),
            advise_now=one.get("advise_now") is True,
            said=tuple(clean(code) for code in one.get("said") or one.get("reasons") or ()),
            advised=tuple(clean(code) for code in one.get("advised") or ()),
            dated=one.get("dated") is True,
            meant=clean(one.get("did_you_mean")),
            answers=tuple(clean(answer) for answer in one.get("answers") or ()),
            releases=str(one.get("releases") or ""),
            deadline=None if one.get("deadline") is None else float(one["deadline"]),
            remind=None if one.get("remind") is None else float(one["remind"]),
            asked=one.get("asked") is True,
            reasons=tuple(clean(code) for code in one.get("reasons") or ()),
            method=method,
            code=clean(one.get("code")),
            hold=str(one.get("hold") or ""),
            ref=clean(one.get("ref") or meta.get("ref")),
            notify=one.get("notify", asked.get("notify")),
            orcpt=one.get("orcpt", asked.get("orcpt")),
        )


def section(state: str, notice: str) -> tuple[str, str]:
    """Template and variant for a state and the notice the policy named ("" = none).  Total."""
    for known, wanted, template, variant in SECTIONS:
        if known == state and wanted in ("*", notice):
            return template, variant
    return "N-7", "unsure"  # a state we do not know: never call it sent


def clean(value: object) -> str:
    """A short value as one line of printable text."""
    return " ".join(_CONTROL.sub(" ", str(value)).split())[:320] if value is not None else ""


def words(value: object) -> str:
    """Sentences as given, one text or several, as one line."""
    if value is None:
        return ""
    sentences = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else [value]
    return " ".join(dict.fromkeys(" ".join(_CONTROL.sub(" ", str(one)).split()) for one in sentences if one))[:600]


def _message_id(value: object) -> str:
    """A Message-ID that may stand in a header of ours (RFC 5322 3.6.4), else ""."""
    text = str(value or "").strip()
    return text if _MESSAGE_ID.fullmatch(text) else ""
