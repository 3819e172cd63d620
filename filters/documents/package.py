"""What OOXML and ODF packages share: parts out of the ZIP, what they are, and the plan of what becomes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from filters.api import (
    Blocked,
    Budget,
    Encrypted,
    Fate,
    FilterError,
    Finding,
    Malformed,
    Member,
    OpaqueReason,
    TooBig,
    Unsupported,
)
from filters.archives import aside, zips
from filters.budget import RATIO_FREE
from filters.documents import blobs, markup, previews
from filters.documents.markup import Edit, Markup
from filters.sniff import sniff
from filters.sniffing.inside import carries
from filters.sniffing.wording import PLAIN
from filters.text import embedded

HIDDEN: Final = "ooxml.hidden-picture"
_DRAWN: Final = frozenset(("svg", "html"))  # roots of XML that is a file of its own
_KEY: Final = re.compile(r"part@([0-9]{1,9})(?:/blob@([0-9]{1,9}))?")  # of a member
_BOTH: Final = frozenset(("[content_types].xml", "content.xml", "meta-inf/manifest.xml"))  # programs would differ on what it is
_FLAT: Final = (b"<?mso-application", b"<office:document ", b'office/word/2003/wordml"', b'office/2006/xmlPackage"')
_HEAD: Final = 4096  # bytes in which these marks of a whole document in one file are looked for
_RUN: Final = 60  # characters of base64 in a row below which no file is looked for
_BASE64: Final = bytes(97 if (chr(code).isalnum() and code < 128) or code in b"+/" else 32 for code in range(256))


@dataclass(slots=True)
class Plan:
    """What becomes of the package: new contents, parts that go, and what is told of it."""

    edits: dict[int, list[Edit]] = field(default_factory=dict, repr=False)
    contents: dict[int, bytes] = field(default_factory=dict, repr=False)
    drop: set[int] = field(default_factory=set)
    notes: dict[tuple[str, int], Fate] = field(default_factory=dict)
    signed: str = ""  # code

    def note(self, code: str, index: int, fate: Fate = Fate.REMOVED) -> None:
        self.notes.setdefault((code, index), fate)

    def edit(self, code: str, index: int, *edits: Edit) -> None:
        self.edits.setdefault(index, []).extend(edits)
        if edits:
            self.note(code, index)

    def findings(self) -> Iterator[Finding]:
        """In a signed package nothing can be removed."""
        if self.signed:
            yield Finding(self.signed, "package", Fate.KEPT)
        for (code, index), fate in self.notes.items():
            yield Finding(code, f"part@{index}", Fate.STUCK if self.signed and fate is Fate.REMOVED else fate)


class _Pool(Budget):
    """A budget in which the ratio is that of the whole package: previews of blank pages compress a thousandfold."""

    def __init__(self, outer: Budget, stored: int) -> None:
        super().__init__(outer.limits)
        self._outer, self._stored, self._made = outer, stored, 0

    def grow(self, decoded: int, stored: int | None = None) -> None:
        self._outer.grow(decoded)
        self._made += decoded
        if self._made > RATIO_FREE and self._made > self._stored * self.limits.ratio:
            raise TooBig("limit of ratio")

    def tick(self) -> None:
        self._outer.tick()


class Package:
    """A ZIP package.  Names of parts are compared in lower case (ISO 29500-2 6.2.2.3).  Raises FilterError."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        self.archive = zips.read(data)
        self.budget = budget
        self._pool = _Pool(budget, len(data))
        self.files = tuple(entry for entry in self.archive.entries if not entry.directory)
        self.index = {entry.name.lower().replace("\\", "/").lstrip("/"): entry.index for entry in self.files}
        if len(self.index) != len(self.files):
            raise Malformed("two parts of one name")
        if any(entry.raw.isascii() and entry.raw.decode() != entry.name for entry in self.files):
            raise Malformed("a part with two names")  # Info-ZIP's Unicode path: some programs believe it, some do not
        if self.index.keys() >= _BOTH:
            raise Malformed("two kinds of package")
        self.names = {index: name for name, index in self.index.items()}
        self._markups: dict[int, Markup | None] = {}

    def content(self, index: int) -> bytes:
        return zips.decode(self.archive, self.archive.entries[index], self._pool)

    def markup(self, index: int) -> Markup | None:
        """The part as XML; None when it is none, or a drawing, page or document of its own."""
        if index not in self._markups:
            self._markups[index] = self._read(self.content(index))
        return self._markups[index]

    def fresh(self, index: int) -> Markup | None:
        """The same, not kept."""
        return self._markups[index] if index in self._markups else self._read(self.content(index))

    @staticmethod
    def _read(content: bytes) -> Markup | None:
        if not markup.looks(content) or markup.root(content) in _DRAWN or any(mark in content[:_HEAD] for mark in _FLAT):
            return None
        return markup.read(content)

    def part(self, name: str) -> Markup | None:
        """The XML of the part ``name`` (lower case), None when there is no such part."""
        index = self.index.get(name)
        return None if index is None else self.markup(index)

    # ---- members

    def member(self, index: int, media_type: str, inline: bool, codes: frozenset[str], known: bool) -> Member | None:
        """The part as a member, None when it is positively no picture.  ``known``: by its type it is nothing to look into."""
        entry = self.archive.entries[index]
        try:
            data = self.content(index)
        except TooBig:
            raise
        except FilterError as error:
            return Member(f"part@{index}", b"", entry.name, media_type, opaque=error.reason, inline=inline, codes=codes)
        found = sniff(data)
        nothing = found.opaque in (None, OpaqueReason.UNKNOWN) and found.format not in PLAIN and not found.codes
        if found.format == "empty" or (known and nothing):
            return None
        self.budget.member()
        return Member(f"part@{index}", data, entry.name, media_type, inline=inline, codes=codes)

    def preview(self, index: int) -> bool:
        """Whether a part called a thumbnail is one, and no picture that somebody else put there."""
        try:
            return self.archive.entries[index].size <= previews.MOST and previews.plain(self.content(index))
        except TooBig:
            raise
        except FilterError:
            return False

    def inside(self, index: int, text: Markup) -> Iterator[Member | Blocked]:
        """Files written into the XML of a part."""
        found = list(blobs.blobs(text, self.budget))
        for number, blob in enumerate(found):
            if worth(blob):
                self.budget.member()
                yield Member(f"part@{index}/blob@{number}", blob.data, inline=True)
        yield from hidden(text, found)

    def gaps(self) -> Iterator[Blocked]:
        """Pictures between the parts, where no office program looks and a rebuild is not sure to come."""
        if any(aside.worth(self.archive.data[start:end]) for start, end in self.archive.hidden):
            yield Blocked(HIDDEN)

    # ---- writing

    def write(self, plan: Plan, changes: Mapping[str, bytes]) -> bytes:
        """The package after the plan, with the members ``changes`` replaced."""
        if plan.signed:
            raise Unsupported("signed document")
        whole, inner = self._sorted(changes)
        for index, numbered in inner.items():
            text = self.markup(index)
            if text is None:
                raise Malformed("no such member")
            plan.edits.setdefault(index, []).extend(placed(text, numbered, self.budget))
        out = dict(plan.contents)
        for index, edits in plan.edits.items():
            text = self.markup(index)
            if edits and text is not None and index not in plan.drop and index not in out:
                out[index] = text.apply(edits)
        out.update(whole)
        plan.drop |= self._deserted(plan.drop)
        if not out and not plan.drop and not any(one.fate is Fate.REMOVED for one in self.archive.findings):
            return self.archive.data
        return zips.rewrite(self._stored(out), {i: new for i, new in out.items() if i not in plan.drop}, plan.drop)

    def _deserted(self, drop: set[int]) -> set[int]:
        """Folders in which nothing stands any more."""
        gone = {name.rpartition("/")[0] for index, name in self.names.items() if index in drop}
        left = {name.rpartition("/")[0] for index, name in self.names.items() if index not in drop}
        alive = {"/".join(folder.split("/")[: depth + 1]) for folder in left for depth in range(min(folder.count("/") + 1, 16))}
        folders = {one.name.lower().strip("/"): one.index for one in self.archive.entries if one.directory}
        return {index for name, index in folders.items() if name in gone - alive}

    def _sorted(self, changes: Mapping[str, bytes]) -> tuple[dict[int, bytes], dict[int, dict[int, bytes]]]:
        """Keys of members as (parts, blobs inside parts)."""
        whole: dict[int, bytes] = {}
        inner: dict[int, dict[int, bytes]] = {}
        for key, new in changes.items():
            found = _KEY.fullmatch(key)
            if found is None or int(found[1]) not in self.names:
                raise Malformed("no such member")
            if found[2] is None:
                whole[int(found[1])] = new
            else:
                inner.setdefault(int(found[1]), {})[int(found[2])] = new
        return whole, inner

    def _stored(self, changed: Mapping[int, bytes]) -> zips.Archive:
        """The archive with pictures that deflate did not make smaller called stored: they are not deflated anew."""
        entries = tuple(
            replace(one, method=0) if one.index in changed and one.stored * 10 > one.size * 9 else one
            for one in self.archive.entries
        )
        return replace(self.archive, entries=entries)


def placed(text: Markup, numbered: Mapping[int, bytes], budget: Budget) -> list[Edit]:
    """The edits that put new files in the places of the blobs of these numbers.  Raises Malformed."""
    found = list(blobs.blobs(text, budget))
    if any(number >= len(found) for number in numbered):
        raise Malformed("no such member")
    return [blobs.edit(text, found[number], new) for number, new in numbered.items()]


def worth(blob: blobs.Blob) -> bool:
    """Whether a file inside XML may hold a picture.  Word's copies of its own shapes rarely do."""
    if not blob.shape:
        return bool(blob.data)
    try:
        archive = zips.read(blob.data)
    except (Malformed, Unsupported, Encrypted, TooBig):
        return True
    return any(not one.directory and not one.name.lower().endswith((".xml", ".rels")) for one in archive.entries)


def hidden(text: Markup, found: list[blobs.Blob]) -> Iterator[Blocked]:
    """Pictures in the text of a document that cannot be written back."""
    plain = _without(text.text, found)
    if b"data:" in plain or plain.translate(_BASE64).find(b"a" * _RUN) >= 0:
        for one in embedded(plain, html=b"data:" in plain):
            if one.opaque:
                yield Blocked(one.code, OpaqueReason(one.opaque))
    if not _is_text(plain) and carries(plain):
        yield Blocked(HIDDEN)


def _without(text: bytes, found: list[blobs.Blob]) -> bytes:
    parts, at = [], 0
    for blob in sorted(found, key=lambda one: one.start):
        parts.append(text[at : blob.start])
        at = blob.end
    return b"".join((*parts, text[at:])) if parts else text


def _is_text(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
