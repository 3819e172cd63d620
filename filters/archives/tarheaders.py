"""The records of a tar file (POSIX.1-2024 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"), by offset.

Read: old tar, ustar, GNU long names, pax.  What programs take differently (sizes of links, sparse files, several volumes,
unknown types) is Malformed or Unsupported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from filters.api import Budget, Malformed, TooBig, Unsupported

BLOCK = 512
MAX_RECORDS = 20_000
_LONGEST_NOTE, _ALL_NOTES = 1 << 20, 4 << 20  # bytes of long names and pax headers
_POSIX, _GNU = b"ustar\x0000", b"ustar  \0"
FILE, HARD, LINK, CHARACTER, DEVICE, FOLDER, FIFO = b"0", b"1", b"2", b"3", b"4", b"5", b"6"
_FILES = frozenset((b"0", b"\0", b"7"))
_LONG_NAME, _LONG_LINK, _PAX, _PAX_OLD, _PAX_ALL, _VOLUME = b"L", b"K", b"x", b"X", b"g", b"V"
_KINDS = _FILES | {HARD, LINK, CHARACTER, DEVICE, FOLDER, FIFO}
_NOTES = frozenset((_LONG_NAME, _LONG_LINK, _PAX, _PAX_OLD, _PAX_ALL, _VOLUME))
_SHAPE = frozenset(("path", "linkpath", "size"))  # pax keywords that say what the file is; all others tell about it


@dataclass(frozen=True, slots=True)
class Record:
    """One file, folder or link.  ``start``..``end`` are whole blocks with the notes before it."""

    index: int
    kind: bytes
    name: bytes = field(repr=False)
    link: bytes = field(repr=False)
    body: int
    size: int
    start: int
    end: int
    mode: int
    owned: bool  # owner's name or number stands in the header
    dated: bool
    noted: bool  # pax keywords beside the shape
    padded: bool  # something stands behind the file in its last block

    @property
    def is_file(self) -> bool:
        return self.kind == FILE


@dataclass(slots=True)
class _Notes:
    """What the records before a file say about it."""

    name: bytes | None = field(default=None, repr=False)
    link: bytes | None = field(default=None, repr=False)
    size: int | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """All records; ``end`` is where the end mark begins; ``global_notes`` where notes about all files stand."""

    records: tuple[Record, ...]
    end: int
    global_notes: tuple[int, ...] = ()
    note_spans: tuple[tuple[int, int], ...] = ()


def read(data: bytes, budget: Budget) -> Listing:
    """Raises Malformed, Unsupported, TooBig."""
    records: list[Record] = []
    for_all: list[int] = []
    spans: list[tuple[int, int]] = []
    notes, start, at, noted = _Notes(), 0, 0, 0
    while at < len(data) and not _blank(data, at):
        budget.tick()
        if len(records) + len(spans) > MAX_RECORDS:
            raise TooBig("limit of members")
        kind, size = _head(data, at)
        body = at + BLOCK
        if kind in _NOTES:
            after = _whole(data, body, size)
            spans.append((body, after))
            noted += size
            if noted > _ALL_NOTES:
                raise TooBig("tar notes")
            if kind in (_PAX_ALL, _VOLUME):
                for_all.append(at)
            if kind != _VOLUME:
                _note(notes, kind, data[body : body + size])
            at = after
            continue
        record = _record(data, len(records), kind, start, at, notes)
        records.append(record)
        notes, start, at = _Notes(), record.end, record.end
    if start != at and not for_all:
        raise Malformed("tar note without a file")
    return Listing(tuple(records), at, tuple(for_all), tuple(spans))


def _blank(data: bytes, at: int) -> bool:
    return not data[at] and data.count(0, at, at + BLOCK) == len(data[at : at + BLOCK])


def second(data: bytes, end: int) -> int | None:
    """Where another archive begins behind the end mark at ``end``: some programs read on."""
    at = end
    while at < len(data) and _blank(data, at):
        at += BLOCK
    return at if data[at + 257 : at + 262] == b"ustar" else None


def _head(data: bytes, at: int) -> tuple[bytes, int]:
    """(type, size) of the header, its checksum verified."""
    if at + BLOCK > len(data):
        raise Malformed("tar header")
    block = data[at : at + BLOCK]
    bare = block[:148] + b" " * 8 + block[156:]
    total = sum(bare)
    if _number(block[148:156]) not in (total, total - 256 * sum(byte > 127 for byte in bare)):  # old programs add signed bytes
        raise Malformed("tar checksum")
    kind = block[156:157]
    if kind not in _KINDS and kind not in _NOTES:
        raise Unsupported("tar type")
    return kind, _number(block[124:136])


def _number(raw: bytes) -> int:
    """Octal with blanks or NULs around it, or GNU's base 256.  Raises Malformed."""
    if raw[0] & 0x80:
        if raw[0] != 0x80:
            raise Malformed("tar number below zero")
        return int.from_bytes(raw[1:], "big")
    word = raw.partition(b"\0")[0].strip(b" ")
    if word.strip(b"01234567"):
        raise Malformed("tar number")
    return int(word, 8) if word else 0


def _whole(data: bytes, body: int, size: int) -> int:
    """Where the blocks of ``size`` bytes end; a last block may be cut short."""
    if size > len(data) - body:
        raise Malformed("tar member outside the file")
    if size > _LONGEST_NOTE:
        raise TooBig("tar note")
    return min(len(data), body + -(-size // BLOCK) * BLOCK)


def _note(notes: _Notes, kind: bytes, body: bytes) -> None:
    if kind == _LONG_NAME:
        notes.name = body.partition(b"\0")[0]
    elif kind == _LONG_LINK:
        notes.link = body.partition(b"\0")[0]
    else:
        for keyword, value in _keywords(body):
            _keyword(notes, keyword, value, kind == _PAX_ALL)


def _keywords(body: bytes) -> Iterator[tuple[str, bytes]]:
    """``length keyword=value`` lines of a pax header.  Raises Malformed."""
    at = 0
    while at < len(body) and body[at]:
        blank = body.find(b" ", at, at + 20)
        digits = body[at:blank]
        if blank < 0 or not digits.isdigit():
            raise Malformed("pax header")
        end = at + int(digits)
        line = body[blank + 1 : end]
        if end > len(body) or not line.endswith(b"\n") or b"=" not in line:
            raise Malformed("pax header")
        keyword, _, value = line[:-1].partition(b"=")
        yield keyword.decode("latin-1"), value
        at = end


def _keyword(notes: _Notes, keyword: str, value: bytes, for_all: bool) -> None:
    if keyword.startswith(("GNU.sparse", "SCHILY.realsize", "SUN.holesdata", "GNU.volume", "GNU.dumpdir")):
        raise Unsupported("sparse tar")
    if keyword in _SHAPE and for_all:
        raise Unsupported("pax header that names all files alike")
    if keyword == "path":
        notes.name = value
    elif keyword == "linkpath":
        notes.link = value
    elif keyword == "size":
        if not value.isdigit() or len(value) > 20:
            raise Malformed("pax header")
        notes.size = int(value)
    elif not for_all:
        notes.more = True


def _record(data: bytes, index: int, kind: bytes, start: int, at: int, notes: _Notes) -> Record:
    block = data[at : at + BLOCK]
    name = notes.name if notes.name is not None else _name(block)
    link = notes.link if notes.link is not None else block[157:257].partition(b"\0")[0]
    size = notes.size if notes.size is not None else _number(block[124:136])
    kind = FILE if kind in _FILES else kind
    if kind == FILE and name.endswith(b"/"):
        kind = FOLDER  # as old tar wrote them
    if kind != FILE and size:
        raise Malformed("size of what is no tar file")
    if b"\0" in name or b"\0" in link:
        raise Malformed("NUL in a name")
    body = at + BLOCK
    if size > len(data) - body:
        raise Malformed("tar member outside the file")
    end = min(len(data), body + -(-size // BLOCK) * BLOCK)
    return Record(
        index, kind, name, link, body, size, start, end, mode=_mode(block[100:108]), owned=_owned(block), dated=_dated(block),
        noted=notes.more, padded=data.count(0, body + size, end) != end - body - size,
    )  # fmt: skip


def _name(block: bytes) -> bytes:
    name = block[:100].partition(b"\0")[0]
    if block[257:263] != b"ustar\0":
        return name
    prefix = block[345 : 345 + (131 if block[508:512] == b"tar\0" else 155)].partition(b"\0")[0]  # star keeps times behind
    return prefix + b"/" + name if prefix else name


def _mode(raw: bytes) -> int:
    try:
        return _number(raw)
    except Malformed:
        return 0o644  # Windows programs leave rubbish there; nothing depends on it


def _owned(block: bytes) -> bool:
    return any(block[265:329]) or any(block[108:124].translate(None, b"0 \0"))


def _dated(block: bytes) -> bool:
    """A time of change, of GNU's access and creation, or anything behind the names that a plain header has not."""
    return any(block[136:148].translate(None, b"0 \0")) or (block[257:265] == _GNU and any(block[345:500])) or any(block[500:508])


# ---- writing


def write(record: Record, name: bytes, body: bytes | memoryview) -> list[bytes | memoryview]:
    """The record with a header that says nothing but name, kind, size and whether it may be run."""
    header = _header(record.kind, name, record.link, len(body), _plain(record))
    return [*_long(name, record.link), header, body, bytes(-len(body) % BLOCK)]


def _plain(record: Record) -> int:
    if record.kind == FOLDER:
        return 0o755
    return 0o777 if record.kind == LINK else 0o755 if record.mode & 0o111 else 0o644


def _long(name: bytes, link: bytes) -> Iterator[bytes]:
    """Notes for what a header cannot hold: pax where it is UTF-8 (every program agrees on it), else GNU's."""
    lines = b""
    for keyword, kind, value in ((b"path", _LONG_NAME, name), (b"linkpath", _LONG_LINK, link)):
        if len(value) <= 100 and value.isascii():
            continue
        if _utf8(value):
            lines += _line(keyword + b"=" + value + b"\n")
        elif len(value) > 100:
            yield _note_record(kind, b"././@LongLink", value + b"\0", _GNU)
    if lines:
        yield _note_record(_PAX, b"././@PaxHeader", lines, _POSIX)


def _note_record(kind: bytes, name: bytes, body: bytes, magic: bytes) -> bytes:
    return _header(kind, name, b"", len(body), 0o644, magic) + body + bytes(-len(body) % BLOCK)


def _utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _line(text: bytes) -> bytes:
    """A pax line: its length counts its own digits."""
    size = len(text) + 1
    total = size + len(str(size))
    total = size + len(str(total))
    return b"%d %s" % (total, text)


def _header(kind: bytes, name: bytes, link: bytes, size: int, mode: int, magic: bytes = _POSIX) -> bytes:
    if size >= 8**11:
        raise TooBig("tar member of 8 GiB")
    numbers = b"%07o\0" % mode + b"%07o\0" % 0 + b"%07o\0" % 0 + b"%011o\0" % size + b"%011o\0" % 0
    front = name[:100].ljust(100, b"\0") + numbers
    rest = (kind + link[:100].ljust(100, b"\0") + magic).ljust(BLOCK - 156, b"\0")
    return front + b"%06o\0 " % sum(front + b" " * 8 + rest) + rest
