"""Looks for words in bytes as a curious person would: as they stand, in UTF-16, base64 and hexadecimal, inflated, unpacked."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

_WORD = re.compile(rb"CANARY-\d{5}")
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_RUN = re.compile(rb"[A-Za-z0-9+/\r\n\t ]{24,}=*")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}[\r\n\t ]*){12,}")
_DEEPEST = 6
_SHORT = 1024
_MOST = 1 << 26


def words(data: bytes) -> set[str]:
    """Every canary in ``data``, whatever it is wrapped in."""
    found: set[str] = set()
    _search(data, found, set(), 0)
    return found


def _search(data: bytes, found: set[str], seen: set[int], depth: int) -> None:
    if depth > _DEEPEST or hash(data) in seen:
        return
    seen.add(hash(data))
    found.update(match.decode() for match in _WORD.findall(data))
    found.update(match.decode() for order in (0, 1) for match in _WORD.findall(_narrowed(data, order)))
    for inner in _inside(data):
        _search(inner, found, seen, depth + 1)


def _narrowed(data: bytes, order: int) -> bytes:
    """Texts in UTF-16 as ASCII: the bytes of each pair that has a zero where one stands."""
    zero = rb"((?:[ -~]\0){8,})" if not order else rb"((?:\0[ -~]){8,})"
    return b"\n".join(run[order::2] for run in re.findall(zero, data))


def _inside(data: bytes) -> Iterator[bytes]:
    """Everything that something in ``data`` unpacks to."""
    for match in _ZLIB.finditer(data):
        yield from _inflated(data[match.start() :], 15)
    yield from _archives(data)
    for run in _RUN.findall(data):
        for block in re.split(rb"\r?\n\r?\n", run):
            yield from _decoded(re.sub(rb"[\s=]", b"", block))
    for run in _HEX.findall(data):
        yield bytes.fromhex(re.sub(rb"\s", b"", run).decode())


def _decoded(text: bytes) -> Iterator[bytes]:
    """Base64 from its beginning; what is short, from wherever words in front of it may end."""
    for skip in range(4 if len(text) < _SHORT else 1):
        piece = text[skip : len(text) - ((len(text) - skip) % 4 == 1)]
        yield base64.b64decode(piece + b"=" * (-len(piece) % 4))


def _inflated(data: bytes, bits: int) -> Iterator[bytes]:
    try:
        made = zlib.decompressobj(bits).decompress(data, _MOST)
    except zlib.error:
        return
    if len(made) > 8:
        yield made


def _archives(data: bytes) -> Iterator[bytes]:
    try:
        if b"PK\3\4" in data[:64]:
            yield from _zipped(data)
        elif data[:2] == b"\x1f\x8b":
            yield gzip.decompress(data)
        elif data[:3] == b"BZh":
            yield bz2.decompress(data)
        elif data[:6] == b"\xfd7zXZ\0":
            yield lzma.decompress(data)
        elif data[257:262] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                yield from (archive.extractfile(one).read() for one in archive if one.isfile())  # type: ignore[union-attr]
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error, tarfile.TarError, zipfile.BadZipFile, NotImplementedError):
        return


def _zipped(data: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for one in archive.infolist():
            yield archive.read(one)
