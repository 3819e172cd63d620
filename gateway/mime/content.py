"""What a part says about itself: type, boundary, encoding, disposition, name, id (RFC 2045, RFC 2183, RFC 2046 5.1.1)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from gateway.mime.header import Block
from gateway.mime.params import LIMIT, TOKEN, Params, Structured, joined, structured
from gateway.mime.part import IDENTITY
from gateway.mime.words import is_unsafe, safe_name, unfold

_NOTHING: Final = structured(b"")
_STRUCTURAL: Final = re.compile(r"multipart|message/|boundary", re.I)
_ONCE: Final = frozenset({b"reply-to", b"to", b"cc", b"date", b"message-id", b"mime-version"})
_SHOWN: Final = frozenset({b"from", b"sender", b"subject"})
_MIME: Final = (b"content-type", b"content-transfer-encoding", b"content-disposition")
_BCHARS = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]*")  # RFC 2046 5.1.1
_WORD = re.compile(rb"=\?[^?]+\?[BbQq]\?")
_HIDING = re.compile(  # not readable as ASCII, and not known to ``codecs`` under every name
    r"[\s'\"]*(?:(?:x-)?(?:unicode-1-1-)?utf-?7|unicode-1-1|utf-?7-imap|hz|hz-gb"
    r"|(?:cs|x-)?(?:cp|ibm)[-_]?(?:cp|ibm)?[-_]?0*(?:37|273|275|277|278|280|281|284|285|290|297|420|423|424|500|83[368]|87[015]|880"
    r"|905|918|924|93[013579]|1025|1026|1047|11(?:12|22|23|30|32|37|4[0-9]|5[3-8]|6[046])|1364|1371|1388|1390|1399|16684|16804|4971|5123|8482|12712)\b"
    r"|(?:cs|x-)?ebcdic|scsu|bocu|punycode|x-user-defined)",
    re.I,
)
_WIDE: Final = ("utf-16", "utf-32", "utf_16", "utf_32")  # told by their zeros, read as their label says in ``opening.leaves``
_ASCII: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 <>=\"'&:;,#+/-"  # what pages and base64 need
_PRINTABLE = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")  # single blanks inside are bchars
_UU: Final = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})
_ENCODINGS: Final = IDENTITY | {"base64", "quoted-printable"}


@dataclass(frozen=True, slots=True)
class Content:
    """The effective values, and the codes of how they were said."""

    type: str
    params: Mapping[str, str] = field(repr=False)
    boundary: bytes | None  # usable boundary of whatever type
    encoding: str
    name: str | None = field(repr=False)
    disposition: str | None
    content_id: str | None = field(repr=False)
    codes: frozenset[str]


def read_content(raw: bytes, block: Block, default: str) -> Content:
    """Read the MIME fields of one header block.  The first of two fields counts; that there are two is a code."""
    codes: set[str] = set()
    values = {key: _values(raw, block, key) for key in (*_MIME, b"content-id")}
    for key in _MIME:
        codes |= _repeated(values[key])
    parsed = structured(values[b"content-type"][0]) if values[b"content-type"] else _NOTHING
    params = joined(parsed.params)
    typed, type_codes = _content_type(values[b"content-type"], parsed, params, default)
    codes |= type_codes
    encoding, encoding_codes = _encoding(values[b"content-transfer-encoding"])
    codes |= encoding_codes
    disposition, disposed, disposition_codes = _disposition(values[b"content-disposition"])
    codes |= disposition_codes
    name, name_codes = _name(disposed, params)
    codes |= name_codes
    boundary, boundary_codes = _boundary(parsed, params)
    if typed.startswith("multipart/"):
        codes |= boundary_codes
    ids = values[b"content-id"]
    content_id = unfold(ids[0]).strip("<> \t") if ids else None
    return Content(typed, params.values, boundary, encoding, name, disposition, content_id, frozenset(codes))


def repeated_top(block: Block) -> set[str]:
    """Fields of a message that RFC 5322 3.6 allows once and that stand twice."""
    codes = set()
    for code, once in (("mime.duplicate-shown", _SHOWN), ("mime.duplicate-top", _ONCE)):
        keys = [one.key for one in block.fields if one.key in once]
        if len(keys) != len(set(keys)):
            codes.add(code)
    return codes


def _values(raw: bytes, block: Block, key: bytes) -> list[bytes]:
    return [raw[one.value_span[0] : one.value_span[1]] for one in block.fields if one.key == key]


def _repeated(values: list[bytes]) -> set[str]:
    if len(values) < 2:
        return set()
    same = len({b" ".join(value.split()) for value in values}) == 1
    return {"mime.duplicate-same"} if same else {"mime.duplicate-field"}


def _content_type(values: list[bytes], parsed: Structured, params: Params, default: str) -> tuple[str, set[str]]:
    if not values:
        return default, set()
    text = unfold(values[0][:LIMIT])
    structural = _STRUCTURAL.search(text) is not None
    codes = _form(text, parsed, structural)
    media = parsed.media
    if media is None:
        codes.add("mime.structure-form" if structural else "mime.content-type-form")
    if params.repeated:
        codes.add("mime.duplicate-param")
    if _hides(params.values.get("charset", "")):
        codes.add("mime.charset")
    if parsed.too_long:
        codes.add("mime.limit-header")
    return media or "text/plain", codes


@lru_cache(maxsize=256)
def _hides(charset: str) -> bool:
    """True if the charset writes ASCII in other octets than ASCII does, so that a page in it is not seen as one."""
    if not charset:
        return False
    try:
        name = codecs.lookup(charset.strip(" '\"")).name
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return _HIDING.match(charset) is not None
    if name.startswith(_WIDE):
        return False
    try:
        return _HIDING.match(charset) is not None or _ASCII.decode(name, "replace") != _ASCII.decode("ascii")
    except LookupError:  # a codec that is no charset ("rot13")
        return False


def _form(text: str, parsed: Structured, structural: bool) -> set[str]:
    codes = set()
    if parsed.comment:
        codes.add("mime.comment-structure" if structural else "mime.comment")
    if structural and not parsed.loose:
        codes.add("mime.structure-form")
    elif not parsed.clean:
        codes.add("mime.content-type-form")
    words = [p.value for p in parsed.params if p.key.startswith("boundary")]
    if "=?" in text.partition(";")[0] or any(_WORD.search(word) for word in words):
        codes.add("mime.encoded-word-structure")
    return codes


def _encoding(values: list[bytes]) -> tuple[str, set[str]]:
    if not values:
        return "7bit", set()
    word = unfold(values[0]).lower()
    if word in _ENCODINGS:
        return word, set()
    if not word:
        return "7bit", {"mime.cte-empty"}
    if word in _UU:
        return word, {"mime.cte-uuencode"}
    if TOKEN.fullmatch(word.encode("utf-8")):
        return word, {"mime.cte-unknown"}
    return word, {"mime.cte-form"}


def _disposition(values: list[bytes]) -> tuple[str | None, Params, set[str]]:
    if not values:
        return None, joined(()), set()
    parsed = structured(values[0])
    params = joined(parsed.params)
    codes = {"mime.comment"} if parsed.comment else set()
    if parsed.too_long:
        codes.add("mime.limit-header")
    if not parsed.clean:
        codes.add("mime.name-form")
    return parsed.word.decode("latin-1").lower(), params, codes


def _name(disposed: Params, typed: Params) -> tuple[str | None, set[str]]:
    """(the name shown, codes): Content-Disposition's ``filename`` before Content-Type's ``name`` (RFC 2183 2.3)."""
    given = [params.values[key] for params, key in ((disposed, "filename"), (typed, "name")) if key in params.values]
    codes = set()
    if "filename" in disposed.conflicting or "name" in typed.conflicting or len(set(given)) > 1:
        codes.add("mime.name-conflict")
    if "filename" in disposed.malformed | disposed.repeated or "name" in typed.malformed:
        codes.add("mime.name-form")
    if any(is_unsafe(one) for one in given):
        codes.add("mime.name-unsafe")
    return (safe_name(given[0]) if given else None), codes


def _boundary(parsed: Structured, params: Params) -> tuple[bytes | None, set[str]]:
    """(the boundary, codes).  None when there is none to split by."""
    text = params.values.get("boundary")
    if text is None:
        return None, {"mime.boundary-missing"}
    codes = _boundary_form(parsed, params, text)
    if not text.strip(" \t"):
        return None, codes | {"mime.boundary-empty"}
    return text.encode("utf-8", "replace"), codes


def _boundary_form(parsed: Structured, params: Params, text: str) -> set[str]:
    codes = set()
    if "boundary" in params.conflicting:
        codes.add("mime.duplicate-boundary")
    if "boundary" in params.extended:
        codes.add("mime.boundary-rfc2231")
    if len(text) > 70:
        codes.add("mime.boundary-long")
    written = [one for one in parsed.params if one.key == "boundary"]
    if any(one.escaped for one in written) or not _PRINTABLE.fullmatch(text):
        codes.add("mime.boundary-form")
    if any(not one.clean for one in written):
        loose = all(not one.quoted and re.fullmatch(rb"[0-9A-Za-z'+_\-./:=?]+", one.value) for one in written)
        codes.add("mime.boundary-unquoted" if loose else "mime.boundary-form")
    if not _BCHARS.fullmatch(text):
        codes.add("mime.boundary-unquoted")
    return codes
