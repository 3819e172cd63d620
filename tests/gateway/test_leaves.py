"""Steps 3 and 4: every leaf is opened by its bytes; what could not be looked into is a value with its reason."""

from __future__ import annotations

import base64

import pytest

from filters.api import Budget, OpaqueReason
from filters.decorative import DEFAULTS
from filters.tree import Tools
from gateway.demo.documents import encrypted_zip
from gateway.demo.pictures import logo, photo
from gateway.message import parse
from gateway.opening.leaves import Decoration, Leaf, open_leaves
from policies.model import Kind

pytestmark = pytest.mark.unit

NEVER = Decoration(DEFAULTS, frozenset(), lambda digest: None)
TEXT = b"Dear colleague,\r\nplease see attached.\r\n"


def part(body: bytes, head: bytes = b"image/jpeg", *more: bytes) -> bytes:
    lines = (b"Content-Type: " + head, b"Content-Transfer-Encoding: base64", *more)
    return b"\r\n".join(lines) + b"\r\n\r\n" + base64.encodebytes(body).replace(b"\n", b"\r\n")


def opened(*parts: bytes, decoration: Decoration = NEVER, accepted: tuple[str, ...] = ()) -> tuple[Leaf, ...]:
    head = b'From: a@x.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    raw = head + b"".join(b"--b\r\n" + one + b"\r\n" for one in parts) + b"--b--\r\n"
    return open_leaves(parse(raw), Tools(), Budget(), decoration, accepted)


def only(*parts: bytes, **options: object) -> Leaf:
    (leaf,) = opened(*parts, **options)  # type: ignore[arg-type]  # test options
    return leaf


def kind(leaf: Leaf) -> Kind:
    """Of the leaf itself."""
    return leaf.pictures[0].kind


@pytest.mark.parametrize("label", [b"image/jpeg", b"text/plain", b"application/octet-stream", b"image/png", b"application/pdf"])
def test_a_photo_is_a_photo_under_any_label(label: bytes) -> None:
    leaf = only(part(photo(), label))
    assert (kind(leaf), leaf.clinical, leaf.opaque, leaf.sniffed.format) == (Kind.IDENTIFIABLE_PHOTO, True, None, "jpeg")
    assert {"exif.gps", "exif.serial"} <= leaf.codes


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (photo()[:5000], OpaqueReason.CORRUPT),
        (photo()[: photo().rfind(b"\xff\xda") + 40], OpaqueReason.CORRUPT),
        (encrypted_zip(), OpaqueReason.ENCRYPTED),
        (b"8BPS\0\1" + bytes(90), OpaqueReason.NOT_SUPPORTED),
        (b"\x00\x01strange bytes\xfe" * 40, OpaqueReason.UNKNOWN),
    ],
    ids=["truncated", "cut in the scan", "encrypted", "psd", "unknown"],
)
def test_what_cannot_be_looked_into_says_why_and_is_unreadable(body: bytes, reason: OpaqueReason) -> None:
    leaf = only(part(body, b"application/octet-stream"))
    assert (leaf.opaque, kind(leaf), leaf.clinical) == (reason, Kind.UNREADABLE, False)
    assert leaf.body == body


def test_unknown_bytes_called_a_picture_are_a_damaged_picture() -> None:
    """A program that trusts the label may still show something: no rule lets it go as merely unknown."""
    assert only(part(b"\x00\x01strange bytes\xfe" * 40, b"image/x-odd")).opaque is OpaqueReason.CORRUPT


def test_a_body_that_no_two_programs_decode_alike_is_corrupt_under_its_code() -> None:
    broken = part(photo()).replace(b"/9j/", b"/9*j/", 1)
    leaf = only(broken)
    assert leaf.opaque is OpaqueReason.CORRUPT
    (code,) = [one for one in leaf.codes if one.startswith("mime.b64-")]
    released = only(broken, accepted=(code,))
    assert released.opaque is None, "a reviewer accepted this very code"
    assert only(broken, accepted=("mime.other",)).opaque is OpaqueReason.CORRUPT


def test_text_is_no_picture_and_is_read_for_pictures() -> None:
    plain, hidden = opened(
        part(TEXT, b"text/plain"),
        part(b"<img src='data:image/jpeg;base64," + base64.b64encode(photo()) + b"'>", b"text/html"),
    )
    assert (kind(plain), plain.opaque, plain.codes) == (Kind.NONE, None, frozenset())
    assert (hidden.opaque, kind(hidden), hidden.clinical) == (None, Kind.NONE, True)
    assert [(one.path, one.kind) for one in hidden.pictures] == [("1.2", Kind.NONE), ("1.2/1", Kind.IDENTIFIABLE_PHOTO)]


def test_a_logo_is_decorative_where_it_is_inline_and_recurs_or_is_known() -> None:
    """The same picture: attached for the first time it is clinical, like any other."""
    inline = part(logo(), b"image/png", b"Content-Disposition: inline", b"Content-ID: <logo@x>")
    attached = part(logo(), b"image/png", b"Content-Disposition: attachment")
    digest = only(attached).sha256
    known = Decoration(DEFAULTS, frozenset({digest}), lambda _: None)
    recurs = Decoration(DEFAULTS, frozenset(), lambda seen: seen == digest)
    assert only(inline).inline
    assert not only(attached).inline
    assert only(attached, decoration=known).decorative
    assert only(inline, decoration=recurs).decorative
    assert kind(only(attached, decoration=known)) is Kind.NONE
    assert not only(part(photo()), decoration=Decoration(DEFAULTS, frozenset(), lambda _: True)).decorative


def test_every_leaf_of_every_nesting_is_there_once() -> None:
    inner = b'Content-Type: multipart/mixed; boundary="i"\r\n\r\n--i\r\n' + part(photo(1)) + b"\r\n--i\r\n" + part(photo(2)) + b"\r\n--i--\r\n"  # fmt: skip # noqa: E501 - one MIME part reads better on one line
    attached = b"Content-Type: message/rfc822\r\n\r\nFrom: b@x.example\r\nMIME-Version: 1.0\r\n" + part(photo(3))
    leaves = opened(part(TEXT, b"text/plain"), inner, attached)
    assert [leaf.part.path for leaf in leaves] == ["1.1", "1.2.1", "1.2.2", "1.3.1"]
    assert [leaf.clinical for leaf in leaves] == [False, True, True, True]
    assert len({leaf.sha256 for leaf in leaves}) == 4


def test_no_content_and_no_name_stands_in_a_repr() -> None:
    """P5."""
    leaf = only(part(photo(), b'image/jpeg; name="Mrs Jones.jpg"'))
    assert leaf.part.name == "Mrs Jones.jpg"
    assert "Jones" not in repr(leaf)
    assert "Sample Owner" not in repr(leaf)
