"""Step 6, first half: everything a decision depends on, gathered once (P7).

The only translation between the vocabularies of mail, filters and policies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import getaddresses
from typing import Final

from filters.identify.numbers import find, loose
from filters.tree import Node
from gateway.carriers import Carried
from gateway.evidence.aggregation import Alike, Gone, aggregated, resembling
from gateway.evidence.provenance import provenance
from gateway.evidence.wording import NOTHING, Wording
from gateway.identity import Identity
from gateway.message import Message
from gateway.mime.codes import AMBIGUOUS
from gateway.mime.owntext import seen
from gateway.mime.words import to_text
from gateway.model import Received, Recipient
from gateway.opening.leaves import Leaf, Picture
from gateway.releases import ReleaseTerms
from policies.consent import combine
from policies.domains.recipients import findings, neighbours, open_list, other_names
from policies.load import Policy
from policies.model import Facts, ImageFacts, Kind, OnFile, RecipientClass, RecipientFacts
from policies.onfile import combined, uses
from quarantine.consents.model import Standing

Methods = Callable[[Recipient, RecipientFacts, datetime], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the snapshot knows; every answer may be None = unknown."""

    disclosed: Callable[[str, str], bool | None]  # (image sha256, recipient address)
    first_written_to: Callable[[str, Iterable[str]], str | None]  # (sender, addresses): "" none of them
    withdrawn: Callable[[Sequence[str]], bool | None]  # patient identifiers found in the message
    said: Callable[[Sequence[str]], Sequence[Standing] | None] = lambda _: ()  # the consent register, for such identifiers
    said_of_image: Callable[[str], Sequence[Standing] | None] = lambda _: ()  # and for one picture (sha256)
    gone: Gone = lambda _numbers, _recipient, _since: ()  # pictures that went before
    said_of_likeness: Callable[[bytes], Sequence[Standing] | None] = lambda _: ()  # and for pictures that look like one
    disclosed_again: Callable[[bytes, str], bool | None] = lambda _likeness, _recipient: False  # the picture as another file
    gone_alike: Alike = lambda _likeness, _recipient, _since: ()  # what went before and looks nearly the same


@dataclass(frozen=True, slots=True)
class Patients:
    """Patient numbers of a message, and codes saying where they stand."""

    numbers: tuple[str, ...] = field(repr=False)
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Opened:
    """Steps 2-5 of one message."""

    message: Message
    leaves: tuple[Leaf, ...]
    carried: Carried
    identity: Identity
    sender_kind: str
    patients: Patients
    wording: Wording = NOTHING

    @property
    def clinical(self) -> tuple[Leaf, ...]:
        return tuple(leaf for leaf in self.leaves if leaf.clinical)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every leaf and everything in it, at any depth."""
        return tuple(picture for leaf in self.leaves for picture in leaf.pictures)

    @property
    def recorded(self) -> tuple[Picture, ...]:
        """What is kept on record when it leaves: clinical images and encrypted parts."""
        return tuple(picture for picture in self.pictures if picture.node.clinical or picture.sealed)


def gather(policy: Policy, received: Received, opened: Opened, memory: Memory, methods: Methods) -> tuple[Facts, ...]:
    """One Facts per recipient, in the order of the envelope."""
    envelope = received.envelope
    at = datetime.fromtimestamp(received.at, UTC)
    group = policy.group_of(envelope.sender)
    release = ReleaseTerms.of(envelope)
    codes = set(opened.patients.codes | opened.message.codes | opened.identity.codes | opened.wording.codes)
    if opened.message.codes & AMBIGUOUS:
        codes |= {"mime.ambiguous"}
    if any(leaf.clinical and leaf.part.in_signed for leaf in opened.leaves):
        codes |= {"mail.signed-image"}
    if any(_attached(leaf) for leaf in opened.leaves):
        codes |= {"mail.attachment"}
    withdrawn = memory.withdrawn(opened.patients.numbers) if opened.patients.numbers else False
    on_file = standing(memory.said(opened.patients.numbers) if opened.patients.numbers else ())
    pictures = opened.pictures
    clinical = [one.node.sha256 for one in pictures if one.node.clinical]
    origins = {one.path: provenance(one, policy.devices, at.date()) for one in pictures}
    likenesses = [one.node.likeness for one in pictures if one.node.likeness]
    many = len(envelope.recipients) > policy.settings.many_recipients
    looked_at = any(one.kind is not Kind.NONE for one in pictures)  # mail of words alone is not compared with what went before
    visible = _visible(opened.message) if looked_at else []
    open_to = open_list([address for _, address in visible], policy.register, at.date())
    misnamed = other_names(visible)

    def of(recipient: Recipient) -> Facts:
        known = policy.register.match(recipient.address, sender=envelope.sender, today=at.date())
        written_to = memory.first_written_to(envelope.sender, [recipient.address])
        first_time = None if written_to is None else not written_to
        if first_time and looked_at and len(envelope.recipients) <= _COMPARED and known.cls not in _NOT_COMPARED:
            known = replace(known, similar_to=memory.first_written_to(envelope.sender, neighbours(recipient.address)) or "")
        found = findings(
            known,
            first_time=first_time,
            many=many,
            open_to=open_to,
            similar=bool(known.similar_to),
            other_name=recipient.address.lower() in misnamed,
        )
        found |= aggregated(
            memory.gone, policy.settings.aggregation, opened.patients.numbers, clinical, recipient.address, known.cls, received.at
        )
        found |= resembling(memory.gone_alike, policy.settings.aggregation, likenesses, recipient.address, known.cls, received.at)
        shown_or_decorative = [one for one in pictures if one.kind is not Kind.NONE or one.node.decorative]
        images = tuple(
            _image(one, memory, recipient, origins[one.path], policy.settings.recognise_resaved) for one in shown_or_decorative
        )
        shown = [image for image in images if not image.decorative]
        covered = _all(image.disclosed for image in shown)
        return Facts(
            at=at,
            mode=policy.mode_of(group, known.domain, certain=opened.identity.certain),
            sender_domain=envelope.sender.rpartition("@")[2].lower(),
            sender_group=group,
            sender_kind=opened.sender_kind,
            vouched=opened.identity.vouched,
            recipient=known,
            recipients=len(envelope.recipients),
            consent=combine(
                opened.carried.readings,
                today=at.date(),
                vouched=opened.identity.vouched,
                thread=opened.carried.thread,
                images_covered=covered,
            ),
            images=images,
            codes=frozenset(codes | found),
            methods=methods(recipient, known, at),
            thread=opened.carried.thread,
            register_version=policy.register.version,
            withdrawn=withdrawn,
            on_file=on_file,
            first_time=first_time,
            released=release.accepted,
            hold_ref=release.hold,
        )

    return tuple(of(recipient) for recipient in envelope.recipients)


_COMPARED: Final = 5  # with more recipients, addresses are not compared with those the sender has written to before
_NOT_COMPARED: Final = (RecipientClass.OWN, RecipientClass.ARCHIVE, RecipientClass.DENIED)


def _visible(message: Message) -> list[tuple[str, str]]:
    """Every (name, address) of To and Cc."""
    texts = [message.text(one) for name in ("To", "Cc") for one in message.fields(name)]
    return [pair for pair in getaddresses(texts) if "@" in pair[1]]


def _image(picture: Picture, memory: Memory, recipient: Recipient, origin: frozenset[str], resaved: bool) -> ImageFacts:
    node = picture.node
    info = node.info
    said = _said(picture, memory)
    return ImageFacts(
        part=picture.path,
        kind=picture.kind,
        sha256=node.sha256,
        format=node.sniffed.format,
        codes=node.codes | origin,
        opaque=node.opaque.value if node.opaque else None,
        decorative=node.decorative,
        disclosed=_disclosed(node, memory, recipient.address, resaved) if node.clinical else None,
        pixels=info.width * info.height if info else 0,
        modality=(info.modality or None) if info else None,
        name=picture.name,
        inside=picture.inside,
        taken=capture_day(info.taken) if info else "",
        laterality=info.laterality if info else "",
        on_file=standing(said),
        looked_up=said is not None,
    )


def _said(picture: Picture, memory: Memory) -> Sequence[Standing] | None:
    """What stands for the file in the register; if nothing does, for what looks like it."""
    if not (picture.node.clinical or picture.sealed):
        return ()
    said = memory.said_of_image(picture.node.sha256)
    return memory.said_of_likeness(picture.node.likeness) if said is not None and not said and picture.node.likeness else said


def _disclosed(node: Node, memory: Memory, recipient: str, resaved: bool) -> bool | None:
    """Already disclosed under live consent: the file, or by policy the very picture saved anew.  Unknown stays unknown."""
    known = memory.disclosed(node.sha256, recipient)
    if known is not False or not resaved or not node.likeness:
        return known
    return memory.disclosed_again(node.likeness, recipient) is True


def standing(found: Sequence[Standing] | None) -> OnFile | None:
    """The register's words in the policy's: all that stands for a message's patients, or for one picture, as one."""
    return combined(
        OnFile(one.status, datetime.fromtimestamp(one.since, UTC).date(), uses(one.scope, one.purposes)) for one in found or ()
    )


def _attached(leaf: Leaf) -> bool:
    """Anything but the words of the mail and the pictures shown in them."""
    if leaf.inline and leaf.part.content_type.startswith("image/"):
        return False
    return leaf.part.disposition == "attachment" or not leaf.part.content_type.startswith("text/")


def capture_day(taken: str) -> str:
    """"2026-03-04" of what EXIF or DICOM state as date and time, "" when that is no date."""
    found = _DAY.match(taken)
    return "-".join(found.groups()) if found else ""


_DAY: Final = re.compile(r"(\d{4})[:-]?(0[1-9]|1[0-2])[:-]?(0[1-9]|[12]\d|3[01])")


def patients(
    message: Message, leaves: Sequence[Leaf], stated: Sequence[str] = (), on_file: Callable[[str], bool] = lambda _: False
) -> Patients:
    """Strong identifiers in subject, file names, metadata and text, and those a consent statement names (``stated``).

    In the text of a mail between care teams one is normal (hazard H-03), so that place has a code no shipped rule acts on.
    Where a patient has said no, any way to write the number counts, among others too, in mail that bears anything but words:
    being ``on_file`` is proof enough.
    """
    subjects = [message.text(one) for one in message.fields("Subject")]
    pictures = [picture for leaf in leaves for picture in leaf.pictures]
    names = [picture.name for picture in pictures if picture.name]
    told = [text for picture in pictures if picture.node.info for text in picture.node.info.identifiers]
    worded = [leaf for leaf in leaves if leaf.sniffed.format in ("text", "html")]
    bodies = [_text(leaf) for leaf in worded]
    numbers: dict[str, None] = dict.fromkeys(stated)
    if any(picture.kind is not Kind.NONE for picture in pictures):
        bodies += [seen(text) for leaf, text in zip(worded, bodies, strict=True) if leaf.sniffed.format == "html"]
        numbers |= dict.fromkeys(one for text in (*subjects, *names, *told, *bodies) for one in loose(text) if on_file(one))
    codes: set[str] = set()
    for code, texts in (("ident.subject", subjects), ("ident.file-name", names), ("ident.metadata", told), (BODY, bodies)):
        found = {one.value for text in texts for one in find(text) if one.strong}
        if code != BODY or len(found) == 1:  # a text that names several patients says of none what it says
            numbers |= dict.fromkeys(sorted(found))
        codes |= {code} if found else set()
    return Patients(tuple(numbers), frozenset(codes))


def _text(leaf: Leaf) -> str:
    return to_text(leaf.body[:_BODY], leaf.part.params.get("charset", "utf-8"))


BODY: Final = "mail.patient-number"
_BODY: Final = 262_144  # bytes of one text that are read for identifiers


def _all(answers: Iterable[bool | None]) -> bool | None:
    """True if all are True, False if one is False, None when unknown or there is nothing to ask."""
    seen = list(answers)
    if not seen:
        return None
    if False in seen:
        return False
    return None if None in seen else True
