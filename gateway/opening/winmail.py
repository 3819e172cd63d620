"""``winmail.dat`` (TNEF) as ordinary MIME parts: only Outlook can show the one, everybody the other.

A leaf that must change is replaced whole by a multipart with the same bodies and attachments; one without a clinical picture
stays as it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from filters.api import STRICT, Budget, Cleaning, Seen
from filters.compound.tnef import TNEF, Attachment, Contents, contents
from gateway.message import Edit, Message, Part, encode_base64

NAME: Final = "tnef"
_LINE: Final = b"\r\n"


class Winmail:
    """The opener for TNEF that rebuilds: ``rebuild`` gives a MIME entity (RFC 2045), header and body."""

    name, native, rebuilds = NAME, False, True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """As ``filters.compound.tnef``."""
        return TNEF.open(data, budget, cleaning)

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """What the recipient would have seen, with what changed.  Drawings and properties of Outlook go.  Raises FilterError."""
        shown = contents(data, budget)
        boundary = b"=_" + sha256(data).hexdigest()[:40].encode()
        parts = [_body(shown, changes, boundary + b"a")]
        parts += [
            _attached(one, changes.get(f"attachment@{number}"), names.get(f"attachment@{number}"))
            for number, one in enumerate(shown.attachments, 1)
        ]
        return _multipart(b"mixed", boundary, [part for part in parts if part])


def replace_part(message: Message, part: Part, entity: bytes) -> list[Edit]:
    """Edits that put a MIME entity in place of a part: its own Content-* fields go with its body."""
    header, _, body = entity.partition(_LINE * 2)
    fields = [one for one in part.headers if one.key.startswith(b"content-")]
    new = header + _LINE
    if not fields:
        edits = [Edit(part.header[0], part.header[0], new)]
    else:
        edits = [Edit(*fields[0].span, new), *(Edit(*one.span, b"") for one in fields[1:])]
    return [*edits, Edit(*part.body, body)]


def _body(shown: Contents, changes: Mapping[str, bytes], boundary: bytes) -> bytes:
    """The text, the page, or both as alternatives; rich text only where there is neither."""
    html = changes.get("body.html", shown.body_html)
    texts = []
    if shown.body_text:
        texts.append(_part(b"text/plain; charset=utf-8", shown.body_text.encode("utf-8", "replace")))
    if html:
        texts.append(_part(b"text/html; charset=" + shown.html_charset.encode(), html))
    if shown.body_rtf and (not texts or rb"\pict" in shown.body_rtf):  # with pictures that its words elsewhere do not show
        texts.append(_part(b"text/rtf", changes.get("body.rtf", shown.body_rtf)))
    return texts[0] if len(texts) == 1 else _multipart(b"alternative", boundary, texts) if texts else b""


def _attached(one: Attachment, changed: bytes | None, name: str | None) -> bytes:
    kind = one.media_type if _plain_type(one.media_type) else "application/octet-stream"
    data = one.data if changed is None else changed
    if kind == "application/ms-tnef" and changed is not None:  # a message in the message: now a MIME entity
        return b"Content-Type: message/rfc822\r\n\r\n" + changed
    lines = [kind.encode(), _disposition("inline" if one.content_id else "attachment", name or one.name)]
    if one.content_id.isascii() and one.content_id.isprintable() and one.content_id:
        lines.append(b"Content-ID: <" + one.content_id.strip("<> ").encode() + b">")
    return _part(lines[0], data, lines[1:])


def _plain_type(media_type: str) -> bool:
    kind, slash, rest = media_type.partition("/")
    words = (kind + rest).replace("-", "").replace("+", "").replace(".", "")
    return bool(slash and kind and rest) and words.isascii() and words.isalnum() and kind not in ("multipart", "message")


def _disposition(what: str, name: str) -> bytes:
    """RFC 2231 for whatever is not plain ASCII."""
    line = b"Content-Disposition: " + what.encode()
    if not name:
        return line
    if name.isascii() and all(c.isalnum() or c in " ._-()" for c in name):
        return line + b'; filename="' + name.encode()[:200] + b'"'
    return line + b"; filename*=utf-8''" + quote(name[:100], safe="").encode()


def _part(kind: bytes, data: bytes, more: list[bytes] | None = None) -> bytes:
    head = [b"Content-Type: " + kind, *(more or []), b"Content-Transfer-Encoding: base64"]
    return _LINE.join(head) + _LINE * 2 + encode_base64(data)


def _multipart(kind: bytes, boundary: bytes, parts: list[bytes]) -> bytes:
    head = b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"' + _LINE * 2
    body = b"".join(b"--" + boundary + _LINE + part + _LINE for part in parts)
    return head + body + b"--" + boundary + b"--"


OPENER: Final = Winmail()
