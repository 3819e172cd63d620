"""Messages in files, read by the parser of the message itself."""

from __future__ import annotations

from filters.api import Budget, FilterError, Member, OpaqueReason
from gateway.opening.attached import OPENERS
from tests.support.samples import mail, tnef

_TINY = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(64))
_KINDS = ("eml", "mbox")
_JPEG, _FILE, _MAIL = "image/jpeg", b"application/octet-stream", b"message/rfc822"


def seeds() -> list[bytes]:
    """One small sample of each variant, a mail in a mail, and one with a winmail.dat."""
    made = [make(_TINY, "jpg", lambda what: what) for make in mail.CONTAINERS.values()]
    nested = mail.message(b"From: a@b.example\r\nSubject: inner\r\n\r\nx\r\n", "eml").replace(
        b"application/octet-stream", b"message/rfc822"
    )
    winmail = tnef.CONTAINERS["tnef"](_TINY, "jpg", lambda what: what)
    quoted = b"From: a@b.example\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=E9=\r\n\r\n"
    return [*made, nested, mail.message(winmail, "dat"), quoted]


def one(data: bytes) -> None:
    """Only FilterError is raised; a member put back changed is read again as it was put; nothing changed keeps the object."""
    for kind in _KINDS:
        opener = OPENERS[kind]
        try:
            members = [seen for seen in opener.open(data, Budget()) if isinstance(seen, Member)]
            assert opener.rebuild(data, {}, {}, Budget()) == data
            chosen = next(
                (one for one in members if one.opaque is None and kind == "eml" and one.media_type == "image/jpeg"), None
            )
            if chosen is None:
                continue
            made = opener.rebuild(data, {chosen.key: b"\xff\xd8new"}, {chosen.key: "neutral.jpg"}, Budget())
        except FilterError:
            continue
        again = [seen for seen in opener.open(made, Budget()) if isinstance(seen, Member) and seen.key == chosen.key]
        assert [(one.data, one.opaque) for one in again] == [(b"\xff\xd8new", None)] or OpaqueReason.CORRUPT in {
            one.opaque for one in again
        }
