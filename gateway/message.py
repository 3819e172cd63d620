"""Parse a message into parts by offset, decode bodies strictly, splice edits.  The one door to everything MIME.

Total (no bytes make it raise), iterative, linear: a 20 MB message is scanned in a few milliseconds.  What two mail programs would
read differently is a code of ``gateway.mime.codes.AMBIGUOUS``; the parts are then one reading of several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.mime.content import Content, read_content, repeated_top
from gateway.mime.decode import decode
from gateway.mime.header import Block, read_block
from gateway.mime.leaf import is_message, leaf_codes
from gateway.mime.part import IDENTITY, Edit, Field, Message, MimeLimits, Part, Span, Undecodable
from gateway.mime.partnames import replace_name
from gateway.mime.splice import encode_base64, replace_body, splice
from gateway.mime.split import Cut, cut

__all__ = [
    "Edit",
    "Field",
    "Message",
    "MimeLimits",
    "Part",
    "Span",
    "Undecodable",
    "decode",
    "encode_base64",
    "parse",
    "replace_body",
    "replace_name",
    "splice",
]

_LIST_FIELDS: Final = frozenset({b"list-id", b"list-post", b"list-unsubscribe", b"mailing-list", b"x-mailing-list"})
_CHUNK: Final = 1 << 18  # octets compared at a time: stays in the processor's cache
_CRYPTED: Final = "multipart/encrypted"
_SIGNED: Final = "multipart/signed"


@dataclass(frozen=True, slots=True)
class _Task:
    """A span still to be read."""

    path: str
    parent: str | None
    span: Span
    default: str = "text/plain"
    message: bool = False  # a whole message, not a part of a multipart
    depth: int = 0
    boundaries: tuple[bytes, ...] = ()  # of all multiparts around it
    in_signed: bool = False


@dataclass(slots=True)
class _Run:
    """What is known of the whole message while it is read."""

    raw: bytes
    limits: MimeLimits
    bare_cr: bool
    lf_only: bool
    ascii: bool
    fields: int = 0
    queued: int = 1  # parts read or waiting


def parse(raw: bytes, limits: MimeLimits = MimeLimits()) -> Message:  # noqa: B008 - frozen value, safe as a default
    """All parts of ``raw``.  Never raises; at most ``limits.parts`` parts."""
    codes, newline, bare_cr = _whole(raw)
    run = _Run(raw, limits, bare_cr, newline == b"\n", raw.isascii())
    parts: list[Part] = []
    stack = [_Task("1", None, (0, len(raw)), message=True)]
    while stack:
        part, children = _read(run, stack.pop())
        parts.append(part)
        stack.extend(reversed(children))
    codes |= _top(parts[0])
    for part in parts:
        codes |= part.codes
    return Message(raw, tuple(parts), frozenset(codes), newline)


def _whole(raw: bytes) -> tuple[set[str], bytes, bool]:
    """(codes, line end in use, whether bare CRs stand anywhere)."""
    codes = {"mime.nul"} if raw.find(b"\0") >= 0 else set()
    if _only_pairs(raw):
        return codes, b"\r\n", False
    feeds, returns, pairs = raw.count(b"\n"), raw.count(b"\r"), raw.count(b"\r\n")
    if feeds and not returns:
        codes.add("mime.lf-only")
    elif feeds != pairs or returns != pairs:
        codes.add("mime.bare-newline")
    return codes, (b"\n" if feeds and not returns else b"\r\n"), returns != pairs


def _only_pairs(raw: bytes) -> bool:
    """True if every CR and LF belongs to a CRLF; 2 ms for 20 MB."""
    if raw[:1] == b"\n" or raw[-1:] == b"\r":
        return False
    octets = np.frombuffer(raw, np.uint8)
    return not any(
        ((octets[at : at + _CHUNK] == 0x0D)[: len(octets) - at - 1] != (octets[at + 1 : at + 1 + _CHUNK] == 0x0A)).any()
        for at in range(0, len(octets), _CHUNK)
    )


def _top(part: Part) -> set[str]:
    keys = {one.key for one in part.headers}
    codes = set()
    if keys & _LIST_FIELDS:
        codes.add("mail.list")
    if b"mime-version" not in keys and any(key.startswith(b"content-t") for key in keys):
        codes.add("mime.no-version")
    return codes


def _read(run: _Run, task: _Task) -> tuple[Part, list[_Task]]:
    """One part and the spans of its children."""
    raw, limits = run.raw, run.limits
    block = read_block(raw, *task.span, top=task.message, limit=limits.header, fields=max(limits.fields - run.fields, 0))
    run.fields += len(block.fields)
    content = read_content(raw, block, task.default)
    body = (block.span[1], task.span[1])
    codes = set(block.codes | content.codes)
    if task.message:
        codes |= repeated_top(block)
    elif task.span[0] == task.span[1]:
        codes.add("mime.empty-part")
    children: list[_Task] = []
    if content.type.startswith("multipart/"):
        children = _multipart(run, task, content, body, codes)
    elif is_message(content.type):
        children = _attached(run, task, content, body, codes)
    if not children:
        codes |= _leaf(run, content, body)
    run.queued += len(children)
    return _part(task, block, content, body, codes, leaf=not children), children


def _part(task: _Task, block: Block, content: Content, body: Span, codes: set[str], *, leaf: bool) -> Part:
    return Part(
        path=task.path,
        header=block.span,
        body=body,
        headers=block.fields,
        content_type=content.type,
        params=content.params,
        encoding=content.encoding,
        name=content.name,
        disposition=content.disposition,
        content_id=content.content_id,
        is_leaf=leaf,
        parent=task.parent,
        in_signed=task.in_signed or content.type == _SIGNED or (leaf and "mail.signed" in codes),
        codes=frozenset(codes),
    )


def _multipart(run: _Run, task: _Task, content: Content, body: Span, codes: set[str]) -> list[_Task]:
    if content.type == _SIGNED:
        codes.add("mail.signed")
    elif content.type == _CRYPTED:
        codes.add("mail.encrypted")
    if content.encoding not in IDENTITY:
        codes.add("mime.multipart-encoded")
    if content.boundary is None:
        return []
    if task.depth >= run.limits.depth:
        codes.add("mime.limit-depth")
        return []
    if any(outer.startswith(content.boundary) or content.boundary.startswith(outer) for outer in task.boundaries):
        codes.add("mime.boundary-reused")
    found = _cut(run, body, content.boundary)
    codes |= found.codes
    if found.parts and not found.closed:
        codes.add("mime.no-final-boundary" if task.path == "1" else "mime.no-final-boundary-inner")
    default = "message/rfc822" if content.type == "multipart/digest" else "text/plain"
    return [
        _Task(
            f"{task.path}.{index}",
            task.path,
            span,
            default,
            depth=task.depth + 1,
            boundaries=(*task.boundaries, content.boundary),
            in_signed=task.in_signed or content.type == _SIGNED,
        )
        for index, span in enumerate(found.parts, 1)
    ]


def _cut(run: _Run, body: Span, boundary: bytes) -> Cut:
    room = max(run.limits.parts - run.queued, 0)
    return cut(run.raw, body, boundary, parts=room, lines=run.limits.lines, bare_cr=run.bare_cr, lf_only=run.lf_only)


def _attached(run: _Run, task: _Task, content: Content, body: Span, codes: set[str]) -> list[_Task]:
    if content.encoding not in IDENTITY:
        codes.add("mime.encoded-message")
        return []
    if task.depth >= run.limits.depth:
        codes.add("mime.limit-depth")
        return []
    if run.queued >= run.limits.parts:
        codes.add("mime.limit-parts")
        return []
    return [
        _Task(
            f"{task.path}.1",
            task.path,
            body,
            message=True,
            depth=task.depth + 1,
            boundaries=task.boundaries,
            in_signed=task.in_signed,
        )
    ]


def _leaf(run: _Run, content: Content, body: Span) -> frozenset[str]:
    codes = set(leaf_codes(run.raw, body, content))
    if content.boundary is not None and not content.type.startswith("multipart/"):
        found = _cut(run, body, content.boundary)
        if "mime.boundary-not-found" not in found.codes:
            codes.add("mime.boundary-on-leaf")
    if not run.ascii and content.encoding == "7bit" and not run.raw[body[0] : body[1]].isascii():
        codes.add("mime.8bit-in-7bit")
    return frozenset(codes)
