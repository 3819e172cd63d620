"""Everything inside a file, and everything inside that: look at it, clean it, look again.

``examine`` makes a ``Node`` of every file and of every member of every container.  ``clean`` scrubs the clinical pictures in it,
however deep, and rebuilds the containers around them; what did not change keeps its bytes.  Not checked is a value of a node,
never an absence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from filters.api import (
    STRICT,
    Blocked,
    Budget,
    Cleaning,
    Fate,
    FilterError,
    Finding,
    ImageInfo,
    Member,
    OpaqueReason,
    Opener,
    Scrubber,
    Sniffed,
)
from filters.looks import Looks, worth_a_look
from filters.registry import DRAWINGS, OPENERS, SCRUBBERS
from filters.sniff import sniff
from filters.sniffing.wording import CARRIERS, PLAIN
from filters.text import embedded

READ_ONLY, SIGNED = "container.read-only", "container.signed"
_NAMING: Final = frozenset(("zip", "tar", "eml", "mhtml", "tnef"))  # containers whose members have names of their own
_MESSAGES: Final = ("message/rfc822", "message/global", "message/news")
_MAILS: Final = (".eml", ".mht", ".mhtml", ".emlx", ".mime")
_PAGES: Final = (".htm", ".html", ".xhtml", ".xht", ".shtml", ".hta", ".svg", ".xml", ".mht")

_WRITTEN: Final = PLAIN | CARRIERS | {"rtf"}  # in letters all through: their openers look at every one of them
_RAW: Final = "text.raw-image"  # in a picture or archive there are pictures

# No rule lets the first three go; an encrypted part may go when the sender says that no patient's picture is in it.
_STRICTNESS: Final = (
    OpaqueReason.NOT_SUPPORTED,
    OpaqueReason.CORRUPT,
    OpaqueReason.LIMIT,
    OpaqueReason.ENCRYPTED,
    OpaqueReason.UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Label:
    """How whatever holds a file presents it.  ``text``: how a program that believes the charset reads the bytes."""

    name: str = field(default="", repr=False)
    media_type: str = ""
    inline: bool = False
    codes: frozenset[str] = frozenset()
    text: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Node:
    """One file, at whatever depth."""

    where: str  # "" the file that was examined, "2" its second member, "2/1" that one's first
    key: str  # of the member in its container
    sha256: str
    sniffed: Sniffed
    size: int
    label: Label = field(default=Label(), repr=False)
    opaque: OpaqueReason | None = None
    info: ImageInfo | None = None
    decorative: str | None = None
    codes: frozenset[str] = frozenset()
    clean: bool = False  # a picture in which nothing is left to remove
    metadata: bool = False  # a container with metadata of its own that a rebuild removes
    fixed: str = ""  # code why a container cannot be written anew
    children: tuple[Node, ...] = ()
    look: str = field(default="", repr=False)  # perceptual hash, where the picture was looked at
    likeness: bytes = field(default=b"", repr=False)  # what a clinical picture is recognised by, where that was asked for

    @property
    def clinical(self) -> bool:
        """A picture that can be cleaned and is not positively known to be decorative."""
        return self.info is not None and self.opaque is None and self.decorative is None

    def walk(self) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def holds_clinical(self) -> bool:
        return any(node.clinical for node in self.walk())


Judge = Callable[[Node, bytes], str | None]  # why a picture is decoration, None when it is not known to be


@dataclass(frozen=True, slots=True)
class Tools:
    """What files are looked into with.  The gateway puts its sandbox in place of what decodes with C code."""

    scrubbers: Mapping[str, Scrubber] = field(default_factory=lambda: SCRUBBERS)
    openers: Mapping[str, Opener] = field(default_factory=lambda: OPENERS)
    cleaning: Cleaning = STRICT
    judge: Judge = lambda node, data: None
    look: Callable[[bytes], Looks] | None = None  # None: nothing is decoded to pixels
    likeness: Callable[[bytes], bytes] | None = None  # None: nobody wants to recognise pictures; never raises
    thorough: bool = False  # metadata goes from containers without a clinical picture too


def examine(data: bytes, tools: Tools, budget: Budget, label: Label = Label()) -> Node:
    """Everything in ``data``.  Never raises a FilterError: what cannot be looked into is an opaque node."""
    return _Examiner(tools, budget).node(data, label, "", "")


class _Examiner:
    def __init__(self, tools: Tools, budget: Budget) -> None:
        self.tools, self.budget = tools, budget

    def node(self, data: bytes, label: Label, where: str, key: str) -> Node:
        sniffed = sniff(data)
        name = _called(label, sniffed) or sniffed.format
        if name != sniffed.format:
            sniffed = replace(sniffed, format=name, opaque=OpaqueReason.NOT_SUPPORTED, harmless=False)
        if label.text is not None and sniffed.opaque is OpaqueReason.UNKNOWN:
            sniffed = sniff(label.text)
        node = Node(where, key, sha256(data).hexdigest(), sniffed, len(data), label, codes=label.codes | sniffed.codes)
        if name in self.tools.scrubbers:
            return _as_shown(self._picture(node, data), data)
        sealed = sniffed.opaque is OpaqueReason.ENCRYPTED
        if name in self.tools.openers and not sealed and not sniffed.codes and label.text is None:
            return _as_shown(self._container(node, data, self.tools.openers[name]), data)
        if sniffed.opaque not in (None, OpaqueReason.UNKNOWN, OpaqueReason.ENCRYPTED):
            return self._judged(replace(node, opaque=sniffed.opaque), data)
        return _text(node, data if label.text is None else label.text)

    def _judged(self, node: Node, data: bytes) -> Node:
        """Decoration, positively known: nothing more is asked of it."""
        why = None if node.opaque is OpaqueReason.ENCRYPTED else self.tools.judge(node, data)
        return node if why is None else replace(node, decorative=why, opaque=None)

    # ---- pictures

    def _picture(self, node: Node, data: bytes) -> Node:
        scrubber = self.tools.scrubbers[node.sniffed.format]
        try:
            info = scrubber.inspect(data)
            self.budget.pixels(info.width * info.height)
            self.budget.tick()
        except FilterError as error:
            return self._judged(replace(node, opaque=error.reason), data)
        node = self._judged(self._looked(replace(node, info=info, codes=node.codes | info.codes), info, data), data)
        if node.clinical and self.tools.likeness is not None:
            node = replace(node, likeness=self.tools.likeness(data))
        if node.decorative or not node.where:
            return node  # a picture by itself is scrubbed whatever it holds
        return replace(node, clean=not scrubber.residue(data, self.tools.cleaning))

    def _looked(self, node: Node, info: ImageInfo, data: bytes) -> Node:
        """With what its pixels say.  What Pillow does not decode stays a photograph."""
        if self.tools.look is None or not worth_a_look(info):
            return node
        try:
            looks = self.tools.look(data)
        except FilterError:
            return node
        codes = ({"image.flat"} if looks.flat else set()) | ({"image.page"} if looks.page else set())
        return replace(node, look=looks.hash, codes=node.codes | codes, info=replace(info, codes=info.codes | codes))

    # ---- containers

    def _container(self, node: Node, data: bytes, opener: Opener) -> Node:
        children: list[Node] = []
        codes, reasons = set(node.codes), set[OpaqueReason]()
        metadata = signed = False
        try:
            with self.budget.deeper():
                for seen in opener.open(data, self.budget, self.tools.cleaning):
                    if isinstance(seen, Member):
                        children.append(self._member(node, seen, len(children) + 1))
                        continue
                    codes.add(seen.code)
                    if isinstance(seen, Blocked):
                        reasons.add(seen.reason)
                    else:
                        metadata = metadata or seen.fate is not Fate.KEPT
                        signed = signed or seen.code.endswith(".signed")
        except FilterError as error:
            reasons.add(error.reason)
        node = replace(
            node, opaque=_strictest(reasons), codes=frozenset(codes), metadata=metadata, children=tuple(children)
        )
        node = self._drawing(node, data)
        if signed or not opener.rebuilds:
            return _unchangeable(replace(node, fixed=SIGNED if signed else READ_ONLY))
        return node

    def _member(self, parent: Node, member: Member, number: int) -> Node:
        where = f"{parent.where}/{number}".lstrip("/")
        label = Label(member.name, member.media_type, member.inline, member.codes)
        if member.opaque is not None:
            # without bytes of its own it must not be taken for another one: what was asked about is remembered by its hash
            digest = sha256(member.data or f"{parent.sha256} {member.key}".encode()).hexdigest()
            return Node(where, member.key, digest, Sniffed(""), len(member.data), label, member.opaque, codes=member.codes)
        if member.info is None:
            return self.node(member.data, label, where, member.key)
        codes = member.codes | member.info.codes
        digest = sha256(member.data).hexdigest()
        node = Node(where, member.key, digest, Sniffed("samples"), len(member.data), label, None, member.info, codes=codes)
        return replace(self._judged(node, member.data), clean=True)

    def _drawing(self, node: Node, data: bytes) -> Node:
        """A drawing is a picture as well as a container of the pictures in it."""
        if node.opaque is not None or node.sniffed.format not in DRAWINGS:
            return node
        try:
            info = DRAWINGS[node.sniffed.format](data)
        except FilterError as error:
            return replace(node, opaque=error.reason)
        return replace(self._judged(replace(node, info=info), data), clean=not node.metadata)


def _called(label: Label, sniffed: Sniffed) -> str:
    """What a text is by its label: header fields do not tell a message from a text that quotes them, nor words a page."""
    called = label.media_type in _MESSAGES or label.name.lower().endswith(_MAILS)
    if called and sniffed.format in PLAIN:
        return "eml"
    return "html" if sniffed.format == "text" and label.media_type in ("text/html", "application/xhtml+xml") else ""


def _text(node: Node, text: bytes) -> Node:
    """Whatever the first bytes say: a program that trusts the label, or skips what it does not know, may show what is behind."""
    hidden = embedded(text, html=node.sniffed.format == "html" or _page(node.label))
    reasons = {OpaqueReason(one.opaque) for one in hidden if one.opaque}
    if node.sniffed.opaque is not None:
        reasons.add(node.sniffed.opaque)
    if OpaqueReason.UNKNOWN in reasons and node.label.media_type.startswith("image/"):
        reasons.add(OpaqueReason.CORRUPT)  # called a picture and none that we know
    return replace(node, opaque=_strictest(reasons), codes=node.codes | {one.code for one in hidden})


def _page(label: Label) -> bool:
    return label.name.lower().endswith(_PAGES) or "html" in label.media_type


def _as_shown(node: Node, data: bytes) -> Node:
    """A picture or archive that its label calls a page or text: what goes by the label shows the letters in it."""
    if node.sniffed.format in _WRITTEN or not (_page(node.label) or node.label.media_type.startswith("text/")):
        return node
    hidden = [one for one in embedded(data, html=_page(node.label)) if one.opaque and one.code != _RAW]
    if not hidden:
        return node
    reasons = {OpaqueReason(one.opaque) for one in hidden if one.opaque} | ({node.opaque} if node.opaque else set())
    return replace(node, opaque=_strictest(reasons), codes=node.codes | {one.code for one in hidden})


def _strictest(reasons: Collection[OpaqueReason]) -> OpaqueReason | None:
    return next((reason for reason in _STRICTNESS if reason in reasons), None)


def _unchangeable(node: Node) -> Node:
    """In a container that cannot be rebuilt, a clinical picture that would have to be cleaned cannot be handled."""
    return _frozen(node, node.fixed) if changes(node) else node


def _frozen(node: Node, code: str) -> Node:
    children = tuple(_frozen(child, code) for child in node.children)
    if node.clinical:
        return replace(node, children=children, opaque=OpaqueReason.NOT_SUPPORTED, codes=node.codes | {code})
    return replace(node, children=children)


def undecorated(node: Node, reason: str) -> Node:
    """``node`` and all below it, as if no picture had been called decoration for ``reason``."""
    children = tuple(undecorated(child, reason) for child in node.children)
    node = replace(node, children=children)
    if node.decorative == reason:
        node = replace(node, decorative=None, opaque=OpaqueReason.NOT_SUPPORTED if node.info is None else None)
    return _unchangeable(node) if node.fixed else node


# ---- cleaning


def changes(node: Node, thorough: bool = False) -> bool:
    """Whether cleaning changes the bytes of ``node``: a picture with something to remove, or metadata around a clinical one.

    ``thorough``: metadata of containers without a clinical picture too.
    """
    if node.metadata and (thorough or node.holds_clinical):
        return True
    return (node.clinical and not node.clean) or any(changes(child, thorough) for child in node.children)


@dataclass(slots=True)
class Cleaned:
    """``hashes``: SHA-256 of each clinical picture as received -> as it stands now; ``removed``: (node's ``where``, what)."""

    data: bytes = field(repr=False)
    hashes: dict[str, str] = field(default_factory=dict)
    removed: list[tuple[str, Finding]] = field(default_factory=list)


Namer = Callable[[Node], str | None]


def clean(data: bytes, node: Node, tools: Tools, budget: Budget, namer: Namer | None = None) -> Cleaned:
    """``data``, of which ``node`` was made, with every clinical picture scrubbed and the containers around them cleaned.

    ``namer`` gives members of archives a new file name (None: as it was).  The very same object when nothing changes.
    Raises FilterError.
    """
    done = Cleaned(data)
    done.data = _Cleaner(tools, budget, namer, done).node(data, node)
    return done


class _Cleaner:
    def __init__(self, tools: Tools, budget: Budget, namer: Namer | None, done: Cleaned) -> None:
        self.tools, self.budget, self.namer, self.done = tools, budget, namer, done

    def node(self, data: bytes, node: Node) -> bytes:
        if node.clinical and node.sniffed.format in self.tools.scrubbers:
            data = self._picture(data, node)
        elif self._due(node):
            data = self._container(data, node)
        if node.clinical:
            self.done.hashes[node.sha256] = node.sha256 if not self._due(node) else sha256(data).hexdigest()
        return data

    def _due(self, node: Node) -> bool:
        renamed = self.namer is not None and node.sniffed.format in _NAMING and node.holds_clinical
        return renamed or changes(node, self.tools.thorough) or any(self._due(child) for child in node.children)

    def _picture(self, data: bytes, node: Node) -> bytes:
        scrubbed = self.tools.scrubbers[node.sniffed.format].scrub(data, self.tools.cleaning)
        self.done.removed += [(node.where, one) for one in scrubbed.findings if one.fate is Fate.REMOVED]
        return scrubbed.data

    def _container(self, data: bytes, node: Node) -> bytes:
        opener = self.tools.openers[node.sniffed.format]
        children = {child.key: child for child in node.children}
        made: dict[str, bytes] = {}
        names: dict[str, str] = {}
        with self.budget.deeper():
            for seen in opener.open(data, self.budget, self.tools.cleaning):
                if isinstance(seen, Finding) and seen.fate is Fate.REMOVED:
                    self.done.removed.append((node.where, seen))
                if not isinstance(seen, Member):
                    continue
                child = children[seen.key]
                if not child.holds_clinical and not self._due(child):
                    continue
                if (new := self.node(seen.data, child)) is not seen.data:
                    made[seen.key] = new
                if self.namer is not None and child.holds_clinical and (name := self.namer(child)) is not None:
                    names[seen.key] = name
            return opener.rebuild(data, made, names, self.budget, self.tools.cleaning)


def leftover(data: bytes, node: Node, tools: Tools) -> bool:
    """Whether a second cleaning would still change ``data``, of which ``node`` was made.  For the exit check."""
    if node.sniffed.format in tools.scrubbers and not node.children:
        return bool(tools.scrubbers[node.sniffed.format].residue(data, tools.cleaning))
    return changes(node, tools.thorough)
