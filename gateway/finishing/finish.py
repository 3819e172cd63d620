"""Steps 7, 9 and 10 for bytes that recipients may share: splice what must change, sign it, check it.

One ``Finisher`` per message.  Each scrubbed image and each variant of the message is made once, whoever gets it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from filters.api import FilterError
from filters.tree import Cleaned, Namer, Node, clean, examine
from gateway.carriers import BodyLine
from gateway.context import Context
from gateway.dkim import drop_broken
from gateway.encryption.api import CannotProtect
from gateway.encryption.smime import Protected
from gateway.exitcheck import Ciphertext, Clearance, Cleared, Manifest, check, fingerprint
from gateway.facts import Opened
from gateway.finishing import capture
from gateway.finishing.edits import outgoing_edits, received_line
from gateway.finishing.names import neutral_name
from gateway.message import Edit, decode, parse, replace_body, replace_name, splice
from gateway.model import Received
from gateway.opening import winmail
from gateway.opening.leaves import Leaf
from policies.model import Consent, Decision
from policies.statements.header import write_header


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
    """What scrubbing the clinical images changes in the message.

    ``hashes``: SHA-256 of each image as received -> as sent; ``leaves``: of each changed leaf as sent; ``within``: of what stands
    unchanged beside the images in containers, and why it may.
    """

    edits: tuple[Edit, ...] = field(repr=False)
    hashes: Mapping[str, str]
    leaves: Mapping[str, Clearance]
    within: Mapping[str, Clearance]


class Finisher:
    """Makes the variants of one message.  A method may raise ``Leak`` (the exit check) or ``CannotProtect`` (the scrubber)."""

    def __init__(self, context: Context, received: Received, opened: Opened) -> None:
        self._context, self._received, self._opened = context, received, opened
        self._images: dict[bool, _Scrubbed] = {}
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
            leaves = {leaf.sha256: _unchanged(leaf.node) for leaf in self._opened.leaves}
            self._as_came = Finished(check(self.untouched(), Manifest(leaves, self._accepted())))
        return self._as_came

    def plain(self, decision: Decision, consent: Consent) -> Finished:
        """Scrubbed, the consent statement as the decision says, traced, signed, cleared."""
        statement = Outward.of(decision, consent)
        if statement not in self._plain:
            data = self.sign(drop_broken(self._received.raw, self._splice(statement, self._trace())))
            self._plain[statement] = self._finished(data, statement)
        return self._plain[statement]

    def inner(self) -> Finished:
        """Scrubbed, statement taken out, without trace and signature, cleared: what goes inside a ciphertext."""
        if self._inner is None:
            note = self._capture_note()
            self._inner = self._finished(self._splice(REMOVED, note=note), REMOVED, note)
        return self._inner

    def _finished(self, data: bytes, statement: Outward, note: Edit | None = None) -> Finished:
        manifest = self._manifest(statement)
        if note is not None:
            added = sha256(note.data.partition(self._opened.message.newline * 2)[2]).hexdigest()
            manifest = replace(manifest, leaves={**manifest.leaves, added: Clearance.ALLOWED})
        cleared = check(data, manifest, tools=self._context.tools, budget=self._context.budget())
        return Finished(cleared, self._scrubbed(not statement.keep).hashes)

    def encrypted(self, inner: Finished, made: Protected) -> Finished:
        """A message encrypted from ``inner``: traced, signed, cleared."""
        declared = Ciphertext(made.ciphertext_sha256, made.recipient_ids, fingerprint(inner.cleared))
        return Finished(
            check(self.sign(self._trace() + made.data), Manifest({}, ciphertext=declared), inner.cleared),
            inner.scrubbed,
        )

    def sign(self, data: bytes) -> bytes:
        """DKIM for vouched senders of configured domains; anybody else's message goes unsigned."""
        domain = self._received.envelope.sender.rpartition("@")[2].lower()
        signer = self._context.signers.get(domain)
        if signer is None or not self._opened.identity.vouched:
            return data
        return signer.sign(data, at=self._received.at)

    # -- step 7 ------------------------------------------------------------------------------------------------------

    def _capture_note(self) -> Edit | None:
        """Day and side of the pictures as a part of its own, where the policy wants that."""
        if not self._context.policy.settings.capture_date_in_text:
            return None
        named = [
            (self._name(leaf.node, number) if self._neutral else leaf.part.name or f"picture {number}", leaf)
            for number, leaf in enumerate(self._opened.clinical, 1)
        ]
        text = capture.words(named)
        return capture.insertion(self._opened.message, text) if text else None

    def _splice(self, statement: Outward, top: bytes = b"", note: Edit | None = None) -> bytes:
        """``top``, and the message with what the rules name changed and nothing else (P3).  One copy, however much changes."""
        carried = self._opened.carried
        edits: list[Edit] = outgoing_edits(
            self._opened.message,
            own_id=self._context.spec.hostname,
            subject_spans=() if statement.keep else carried.subject_spans,
            body_line=None if statement.keep else self._line_elsewhere(),
            remove_consent=not statement.keep,
            consent_header=statement.reduced,
            remove_trace=True,
        )
        scrubbed = self._scrubbed(not statement.keep)
        added = [note] if note is not None else []
        return splice(self._received.raw, [*([Edit(0, 0, top)] if top else ()), *edits, *scrubbed.edits, *added])

    def _line_elsewhere(self) -> BodyLine | None:
        """The consent line where it stands in parts that are not written anew anyhow."""
        line = self._opened.carried.body_line
        own = {leaf.part.path for leaf in self._opened.clinical}
        return line and replace(line, cuts=tuple(cut for cut in line.cuts if cut[0] not in own))

    def _scrubbed(self, cutting: bool) -> _Scrubbed:
        """Every clinical leaf cleaned and encoded, once.  The cleaned bytes are not kept: they would be one copy more.

        ``cutting``: the consent line goes from those leaves as well.
        """
        line = self._opened.carried.body_line
        cutting = cutting and line is not None and self._line_elsewhere() != line
        if cutting not in self._images:
            self._images[cutting] = self._scrub_all(dict(line.cuts) if cutting and line else {})
        return self._images[cutting]

    def _scrub_all(self, cuts: Mapping[str, tuple[tuple[int, int], ...]]) -> _Scrubbed:
        message, clinical = self._opened.message, self._opened.clinical
        edits: list[Edit] = []
        hashes: dict[str, str] = {}
        leaves: dict[str, Clearance] = {}
        within: dict[str, Clearance] = {}
        for number, leaf in enumerate(clinical, 1):
            if leaf.part.in_signed:
                raise CannotProtect("mail.signed-image")
            made = self._clean(leaf, cuts.get(leaf.part.path, ()), number)
            hashes |= made.hashes
            leaves[sha256(made.data).hexdigest()] = Clearance.SCRUBBED
            within |= {node.sha256: _unchanged(node) for node in leaf.node.walk() if not node.clinical and not node.children}
            if made.data is not leaf.body and leaf.sniffed.format == winmail.NAME:
                edits += winmail.replace_part(message, leaf.part, made.data)
                leaves |= _entity_leaves(made.data, leaf.node)
                continue
            if made.data is not leaf.body:
                edits += replace_body(message, leaf.part, made.data)
            if self._neutral:
                edits += replace_name(message, leaf.part, self._name(leaf.node, number))
        return _Scrubbed(tuple(edits), hashes, leaves, within)

    def _clean(self, leaf: Leaf, cuts: tuple[tuple[int, int], ...], number: int) -> Cleaned:
        """The leaf without its metadata; its very own bytes when there was none.  Raises CannotProtect."""
        tools, body, node = self._context.tools, leaf.body, leaf.node
        try:
            if cuts:
                body = _without(body, cuts)
                known = {one.sha256: one.decorative for one in node.walk()}
                # It was judged, and looked at, where it came.
                tools = replace(tools, judge=lambda one, data: known.get(one.sha256), look=None, likeness=None)
                node = examine(body, tools, self._context.budget(), leaf.node.label)
            return clean(body, node, tools, self._context.budget(), self._namer(number) if self._neutral else None)
        except FilterError:
            raise CannotProtect("scrub.failed") from None

    @property
    def _neutral(self) -> bool:
        return self._context.policy.settings.names == "neutral"

    def _name(self, node: Node, number: int, member: int = 0) -> str:
        count, picture = len(self._opened.clinical), node.info is not None
        return neutral_name(self._reference(), number, count, node.sniffed.format, picture, member)

    def _namer(self, number: int) -> Namer:
        """Names for the members of an archive: those of the leaf, counted on."""
        count = itertools.count(1)
        return lambda node: self._name(node, number, next(count))

    def _reference(self) -> str:
        """Names this message for the sending organisation, and for nobody without its key (domain S4-10)."""
        return self._context.hashes.of(f"message:{self._received.key}")

    # -- step 10 -----------------------------------------------------------------------------------------------------

    def _manifest(self, statement: Outward) -> Manifest:
        """What may stand in a scrubbed variant."""
        line = None if statement.keep else self._opened.carried.body_line
        cut = dict(line.cuts) if line else {}
        scrubbed = self._scrubbed(not statement.keep)
        leaves: dict[str, Clearance] = {}
        for leaf in self._opened.leaves:
            if leaf.clinical:
                continue
            digest = leaf.sha256
            if leaf.part.path in cut and not leaf.part.in_signed:
                digest = sha256(_without(decode(self._opened.message, leaf.part), cut[leaf.part.path])).hexdigest()
            leaves[digest] = _unchanged(leaf.node)
        leaves |= scrubbed.leaves
        within = dict(scrubbed.within) | dict.fromkeys(scrubbed.hashes.values(), Clearance.SCRUBBED)
        unread = any(node.opaque and node.children for leaf in self._opened.clinical for node in leaf.node.walk())
        return Manifest(leaves, self._accepted(), within=within, unread=unread)

    def _accepted(self) -> frozenset[str]:
        """The decision has seen these codes and let the message go all the same; anything new is ours and a leak."""
        return self._opened.message.codes.union(*(leaf.codes for leaf in self._opened.leaves))

    def _trace(self) -> bytes:
        envelope, host = self._received.envelope, self._context.spec.hostname
        return received_line(f"{host} (Clinigate)", envelope, self._reference()[:12].upper(), self._received.at)


def _entity_leaves(entity: bytes, node: Node) -> dict[str, Clearance]:
    """The leaves of the MIME entity that a winmail.dat became: what held no picture is there as it was."""
    as_was = {one.sha256: _unchanged(one) for one in node.walk() if not one.holds_clinical}
    message = parse(entity)
    digests = (sha256(decode(message, part)).hexdigest() for part in message.leaves())
    return {digest: as_was.get(digest, Clearance.SCRUBBED) for digest in digests}


def _unchanged(node: Node) -> Clearance:
    if node.decorative:
        return Clearance.DECORATIVE
    return Clearance.ALLOWED if node.opaque is None else Clearance.RELEASED


def _without(data: bytes, cuts: tuple[tuple[int, int], ...]) -> bytes:
    """``data`` without the byte spans ``cuts``."""
    kept, at = [], 0
    for start, stop in sorted(cuts):
        kept.append(data[at:start])
        at = max(at, stop)
    return b"".join([*kept, data[at:]])
