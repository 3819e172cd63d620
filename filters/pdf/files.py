"""Files inside a PDF: attachments, media and 3D assets, form data (ISO 32000-2, 7.11.4, 12.5.6.15, 12.7.8, 13.6)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import pikepdf

from filters.api import Budget, Member, OpaqueReason
from filters.errors import Malformed
from filters.pdf import reader
from filters.pdf.reader import Document, Id, Object
from filters.sniffing.inside import carries

_NAMES: Final = ("/UF", "/F", "/Unix", "/DOS", "/Mac")
_TREE_NODES: Final = 10_000
_MODELS: Final = frozenset(("U3D", "PRC"))


@dataclass(slots=True)
class Embedded:
    """One embedded file's stream, and the file specifications that name it."""

    ident: Id
    name: str = field(default="", repr=False)
    holders: list[Object] = field(default_factory=list, repr=False)

    @property
    def key(self) -> str:
        return f"file {self.ident[0]} {self.ident[1]}"


def collect(document: Document) -> dict[str, Embedded]:
    """All embedded files by key."""
    found: dict[Id, Embedded] = {}
    for ident in document.mentioning(b"/EF "):
        for holder in _specifications(document.objects[ident]):
            _note(found, holder)
    for ident in document.streams:
        stream = document.objects[ident]
        kind = reader.name(reader.entry(stream, "/Type"))
        model = kind == "3D" and reader.name(reader.entry(stream, "/Subtype")) in _MODELS
        if ident not in found and (kind == "EmbeddedFile" or model):
            found[ident] = Embedded(ident)
    return {one.key: one for one in found.values()}


def _specifications(one: Object) -> Iterator[Object]:
    """The dictionaries with /EF in one object; they may stand directly in an array or in another dictionary."""
    waiting = [(one, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, pikepdf.Stream):
            continue
        if isinstance(value, pikepdf.Dictionary):
            if isinstance(reader.entry(value, "/EF"), pikepdf.Dictionary):
                yield value
            inner = list(value.values())
        elif isinstance(value, pikepdf.Array):
            inner = list(value)
        else:
            continue
        if depth < 8:
            waiting += [(each, depth + 1) for each in inner if not getattr(each, "is_indirect", True)]


def _note(found: dict[Id, Embedded], holder: Object) -> None:
    name = next((text(holder[key]) for key in _NAMES if isinstance(reader.entry(holder, key), pikepdf.String)), "")
    for stream in holder["/EF"].values():
        if isinstance(stream, pikepdf.Stream):
            one = found.setdefault(stream.objgen, Embedded(stream.objgen, name))
            if not any(holder.is_same_object_as(other) for other in one.holders):
                one.holders.append(holder)


def text(value: Object) -> str:
    """A text string (ISO 32000-2, 7.9.2.2)."""
    return str(value).replace("\0", "")


def member(document: Document, one: Embedded, budget: Budget) -> Member:
    """The file as a member; opaque when its filters cannot be undone."""
    stream = document.objects[one.ident]
    try:
        data = reader.content(stream, budget)
    except Malformed as error:
        return Member(one.key, b"", one.name, opaque=error.reason)
    media_type = reader.name(reader.entry(stream, "/Subtype")).lower()
    if reader.filters(stream) and carries(bytes(stream.read_raw_bytes())):
        return Member(one.key, data, one.name, opaque=OpaqueReason.NOT_SUPPORTED)  # as it is stored: its filters lie
    return Member(one.key, data, one.name, media_type if "/" in media_type else "")


def put(document: Document, one: Embedded, data: bytes) -> None:
    """The new file in place of the old one."""
    stream = document.objects[one.ident]
    stream.write(data)
    parameters = reader.entry(stream, "/Params")
    if isinstance(parameters, pikepdf.Dictionary):
        parameters["/Size"] = len(data)
        for key in ("/CheckSum",):
            if key in parameters:
                del parameters[key]


def rename(document: Document, one: Embedded, name: str) -> None:
    """A new name wherever the old one stood: file specifications and the tree of names."""
    for holder in one.holders:
        for key in _NAMES:
            if isinstance(reader.entry(holder, key), pikepdf.String):
                holder[key] = pikepdf.String(name)
    _rename_in_tree(document, {text_bytes(one.name): name})


def text_bytes(name: str) -> bytes:
    """A text string as pikepdf writes it."""
    return bytes(pikepdf.String(name))


def _rename_in_tree(document: Document, names: Mapping[bytes, str]) -> None:
    """The tree of embedded files, written as one sorted leaf when one of its keys is a name that goes."""
    tree = reader.entry(reader.entry(document.pdf.Root, "/Names"), "/EmbeddedFiles")
    pairs = list(_pairs(tree))
    if not any(bytes(key) in names for key, _ in pairs):
        return
    renamed = [(pikepdf.String(names[bytes(key)]) if bytes(key) in names else key, value) for key, value in pairs]
    renamed.sort(key=lambda pair: bytes(pair[0]))
    leaf = pikepdf.Array([each for pair in renamed for each in pair])
    document.pdf.Root.Names.EmbeddedFiles = pikepdf.Dictionary(Names=leaf)


def _pairs(tree: Object) -> Iterator[tuple[Object, Object]]:
    waiting, seen = [tree], set[Id]()
    while waiting:
        node = waiting.pop()
        if not isinstance(node, pikepdf.Dictionary):
            continue
        if node.is_indirect:
            if node.objgen in seen:
                raise Malformed("loop in the tree of names")
            seen.add(node.objgen)
        if len(seen) > _TREE_NODES:
            raise Malformed("tree of names too large")
        kids, pairs = reader.entry(node, "/Kids"), reader.entry(node, "/Names")
        waiting += list(kids) if isinstance(kids, pikepdf.Array) else []
        flat = list(pairs) if isinstance(pairs, pikepdf.Array) else []
        yield from ((key, value) for key, value in zip(flat[::2], flat[1::2], strict=False) if isinstance(key, pikepdf.String))


# ---- text that may hold pictures

_PREVIEW = re.compile(rb"xmpGImg:image(?:>|\s{0,4}=\s{0,4}[\"'])([A-Za-z0-9+/=\s&#;]{64,})")
_ENTITY = re.compile(rb"&#x?[0-9A-Fa-f]{1,4};|[^A-Za-z0-9+/]")
_PREVIEWS: Final = 50  # in one packet


def packet_previews(document: Document, budget: Budget) -> Iterator[Member]:
    """Small views of pages inside XMP packets (xmp:Thumbnails, XMP part 2, 8.4)."""
    for ident in document.streams:
        stream = document.objects[ident]
        if reader.name(reader.entry(stream, "/Type")) != "Metadata":
            continue
        for count, data in enumerate(previews(_readable(stream, budget))):
            budget.member()
            budget.grow(len(data))
            yield Member(
                f"packet {ident[0]} {ident[1]} {count}", data, media_type="image/jpeg", codes=frozenset(("pdf.page-thumbnail",))
            )


def previews(packet: bytes) -> Iterator[bytes]:
    """The pictures in one packet."""
    for found in islice(_PREVIEW.finditer(packet), _PREVIEWS):
        digits = _ENTITY.sub(b"", found[1])
        whole = digits[: len(digits) - (len(digits) % 4 == 1)]  # one digit alone says nothing
        yield binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def scripts(document: Document, budget: Budget) -> bytes:
    """All scripts, one after the other."""
    parts: list[bytes] = []
    for ident in document.mentioning(b"/JS "):
        parts += _scripts_of(document.objects[ident], budget)
    return b"\n".join(parts)


def _scripts_of(one: Object, budget: Budget) -> Iterator[bytes]:
    waiting = [(one, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, pikepdf.Dictionary | pikepdf.Stream):
            script = reader.entry(value, "/JS")
            if isinstance(script, pikepdf.String):
                yield text(script).encode("utf-8", "replace")
            elif isinstance(script, pikepdf.Stream):
                yield _readable(script, budget)
            inner = list(value.values())
        elif isinstance(value, pikepdf.Array):
            inner = list(value)
        else:
            continue
        if depth < 8:
            waiting += [(each, depth + 1) for each in inner if not getattr(each, "is_indirect", True)]


def _readable(stream: Object, budget: Budget) -> bytes:
    try:
        return reader.content(stream, budget)
    except Malformed:
        return b""


def form_data(document: Document, budget: Budget) -> bytes:
    """The packets of an XFA form, put together (ISO 32000-2, 12.7.8)."""
    packets = reader.entry(reader.entry(document.pdf.Root, "/AcroForm"), "/XFA")
    streams = list(packets) if isinstance(packets, pikepdf.Array) else [packets]
    return b"".join(_readable(one, budget) for one in streams if isinstance(one, pikepdf.Stream))
