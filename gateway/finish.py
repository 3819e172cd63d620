"""Steps 7, 9 and 10 for bytes that recipients may share: splice what must change, sign it, check it.

One ``Finisher`` per message.  Each scrubbed image and each variant of the message is made once, whoever gets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from filters.api import FilterError
from filters.registry import SCRUBBERS
from gateway.context import Context
from gateway.dkim import drop_broken
from gateway.edits import outgoing_edits, received_line
from gateway.encryption.api import CannotProtect
from gateway.encryption.smime import Protected
from gateway.exitcheck import Ciphertext, Clearance, Cleared, Manifest, check, fingerprint
from gateway.facts import Opened
from gateway.leaves import Leaf
from gateway.message import Edit, decode, replace_body, replace_name, splice
from gateway.model import Received
from gateway.names import neutral_name
from policies.header import write_header
from policies.model import Consent, Decision


@dataclass(frozen=True, slots=True)
class Finished:
    """Cleared bytes, and which image became which (SHA-256 as received -> as sent)."""

    cleared: Cleared
    scrubbed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outward:
    """What becomes of the consent statement outside (domain/03 3.7): taken out, kept as it is, or a reduced field instead."""

    keep: bool = False
    reduced: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, decision: Decision, consent: Consent) -> Outward:
        """As the decision says; ``inside`` is for protected bodies and means taken out here."""
        if decision.consent_out == "pseudonymise" and consent.statement is not None:
            return cls(reduced=write_header(consent.statement, private=False))
        return cls(keep=decision.consent_out == "keep")


REMOVED: Final = Outward()


@dataclass(frozen=True, slots=True)
class _Scrubbed:
    """What scrubbing the clinical images changes in the message, and SHA-256 of each as received -> as sent."""

    edits: tuple[Edit, ...] = field(repr=False)
    hashes: Mapping[str, str]


class Finisher:
    """Makes the variants of one message.  A method may raise ``Leak`` (the exit check) or ``CannotProtect`` (the scrubber)."""

    def __init__(self, context: Context, received: Received, opened: Opened) -> None:
        self._context, self._received, self._opened = context, received, opened
        self._images: _Scrubbed | None = None
        self._as_came: Finished | None = None
        self._plain: dict[Outward, Finished] = {}
        self._inner: Finished | None = None
        self._untouched: bytes | None = None

    def untouched(self) -> bytes:
        """The message as it came, under our Received line.  Never fails."""
        if self._untouched is None:
            self._untouched = self._trace() + self._received.raw
        return self._untouched

    def as_came(self) -> Finished:
        """``untouched``, cleared: the decision allowed every leaf as it is."""
        if self._as_came is None:
            leaves = {leaf.sha256: _unchanged(leaf) for leaf in self._opened.leaves}
            self._as_came = Finished(check(self.untouched(), Manifest(leaves, self._accepted())))
        return self._as_came

    def plain(self, decision: Decision, consent: Consent) -> Finished:
        """Scrubbed, the consent statement as the decision says, traced, signed, cleared."""
        statement = Outward.of(decision, consent)
        if statement not in self._plain:
            data = self.sign(drop_broken(self._received.raw, self._splice(statement, self._trace())))
            self._plain[statement] = Finished(check(data, self._manifest(statement)), self._scrubbed().hashes)
        return self._plain[statement]

    def inner(self) -> Finished:
        """Scrubbed, statement taken out, without trace and signature, cleared: what goes inside a ciphertext."""
        if self._inner is None:
            self._inner = Finished(check(self._splice(REMOVED), self._manifest(REMOVED)), self._scrubbed().hashes)
        return self._inner

    def encrypted(self, inner: Finished, made: Protected) -> Finished:
        """A message encrypted from ``inner``: traced, signed, cleared."""
        declared = Ciphertext(made.ciphertext_sha256, made.recipient_ids, fingerprint(inner.cleared))
        return Finished(
            check(self.sign(self._trace() + made.data), Manifest({}, ciphertext=declared), inner.cleared), inner.scrubbed
        )

    def sign(self, data: bytes) -> bytes:
        """DKIM for vouched senders of configured domains; anybody else's message goes unsigned."""
        domain = self._received.envelope.sender.rpartition("@")[2].lower()
        signer = self._context.signers.get(domain)
        if signer is None or not self._opened.identity.vouched:
            return data
        return signer.sign(data, at=self._received.at)

    # -- step 7 ------------------------------------------------------------------------------------------------------

    def _splice(self, statement: Outward, top: bytes = b"") -> bytes:
        """``top``, and the message with what the rules name changed and nothing else (P3).  One copy, however much changes."""
        carried = self._opened.carried
        edits: list[Edit] = outgoing_edits(
            self._opened.message,
            own_id=self._context.spec.hostname,
            subject_spans=() if statement.keep else carried.subject_spans,
            body_line=None if statement.keep else carried.body_line,
            remove_consent=not statement.keep,
            consent_header=statement.reduced,
            remove_trace=True,
        )
        return splice(self._received.raw, [*([Edit(0, 0, top)] if top else ()), *edits, *self._scrubbed().edits])

    def _scrubbed(self) -> _Scrubbed:
        """Every clinical image scrubbed and encoded, once.  The scrubbed bytes are not kept: they would be one copy more."""
        if self._images is None:
            message, clinical = self._opened.message, self._opened.clinical
            edits: list[Edit] = []
            hashes: dict[str, str] = {}
            for number, leaf in enumerate(clinical, 1):
                data = _scrub(leaf)
                if leaf.part.in_signed:
                    raise CannotProtect("mail.signed-image")
                hashes[leaf.sha256] = leaf.sha256 if data is leaf.body else sha256(data).hexdigest()
                if data is not leaf.body:
                    edits += replace_body(message, leaf.part, data)
                if self._context.policy.settings.names == "neutral":
                    name = neutral_name(self._reference(), number, len(clinical), leaf.sniffed.format)
                    edits += replace_name(message, leaf.part, name)
            self._images = _Scrubbed(tuple(edits), hashes)
        return self._images

    def _reference(self) -> str:
        """Names this message for the sending organisation, and for nobody without its key (domain S4-10)."""
        return self._context.hashes.of(f"message:{self._received.key}")

    # -- step 10 -----------------------------------------------------------------------------------------------------

    def _manifest(self, statement: Outward) -> Manifest:
        """What may stand in a scrubbed variant."""
        line = None if statement.keep else self._opened.carried.body_line
        cut = dict(line.cuts) if line else {}
        leaves: dict[str, Clearance] = {}
        for leaf in self._opened.leaves:
            if leaf.clinical:
                continue
            digest = leaf.sha256
            if leaf.part.path in cut and not leaf.part.in_signed:
                digest = sha256(_without(decode(self._opened.message, leaf.part), cut[leaf.part.path])).hexdigest()
            leaves[digest] = _unchanged(leaf)
        leaves |= dict.fromkeys(self._scrubbed().hashes.values(), Clearance.SCRUBBED)
        return Manifest(leaves, self._accepted())

    def _accepted(self) -> frozenset[str]:
        """The decision has seen these codes and let the message go all the same; anything new is ours and a leak."""
        return self._opened.message.codes.union(*(leaf.codes for leaf in self._opened.leaves))

    def _trace(self) -> bytes:
        envelope, host = self._received.envelope, self._context.spec.hostname
        return received_line(f"{host} (Clinigate)", envelope, self._reference()[:12].upper(), self._received.at)


def _scrub(leaf: Leaf) -> bytes:
    """The image without its metadata; the very same object when there was none.  Raises CannotProtect."""
    try:
        return SCRUBBERS[leaf.sniffed.format].scrub(leaf.body).data
    except FilterError:
        raise CannotProtect("scrub.failed") from None


def _unchanged(leaf: Leaf) -> Clearance:
    if leaf.decorative:
        return Clearance.DECORATIVE
    return Clearance.ALLOWED if leaf.opaque is None else Clearance.RELEASED


def _without(data: bytes, cuts: tuple[tuple[int, int], ...]) -> bytes:
    """``data`` without the byte spans ``cuts``."""
    kept, at = [], 0
    for start, stop in sorted(cuts):
        kept.append(data[at:start])
        at = max(at, stop)
    return b"".join([*kept, data[at:]])
