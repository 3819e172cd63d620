"""File names that went out although the image itself was renamed."""

from __future__ import annotations

import base64

import pytest

from gateway.message import parse
from gateway.pipeline import plan
from tests.support.canary_images import photo_jpeg
from tests.support.contexts import COLLEAGUE, context, received

pytestmark = pytest.mark.unit

NAME = b"Jones_Mary_19500312"
HEAD = b"From: dr.adams@clinic.example\r\nTo: x@y.example\r\nSubject: Results [consent verbal]\r\nMIME-Version: 1.0\r\n"
BODY = b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(photo_jpeg(1, (120, 90))).replace(b"\n", b"\r\n")

FIELDS = {
    "Outlook": b'Content-Type: image/jpeg; name="%s.jpg"\r\nContent-Description: %s.jpg\r\nContent-Disposition: attachment;\r\n'
    b' filename="%s.jpg"; size=1234;\r\n creation-date="Wed, 12 Feb 1997 16:29:51 GMT"\r\n' % (NAME, NAME, NAME),
    "a description and no name": b"Content-Type: image/jpeg\r\nContent-Description: %s\r\n" % NAME,
    "a folded description in encoded-words": b"Content-Type: image/jpeg\r\n"
    b"Content-Description:\r\n =?utf-8?q?%s?=\r\n =?utf-8?q?%s?=\r\n" % (NAME, NAME),
    "a location": b'Content-Type: image/jpeg; name="%s.jpg"\r\nContent-Location: %s.jpg\r\n' % (NAME, NAME),
    "private fields": b'Content-Type: image/jpeg; name="%s.jpg"\r\nX-Attachment-Id: %s\r\nX-File-Name: other-1950\r\n'
    % (NAME, NAME),
    "private parameters": b'Content-Type: image/jpeg; x-apple-part-url="%s"; x-name=%s; name=a.jpg\r\n' % (NAME, NAME),
    "the wrong parameter": b'Content-Type: image/jpeg; filename=%s\r\nContent-Disposition: attachment; name="%s"\r\n'
    % (NAME, NAME),
    "a comment": b"Content-Type: image/jpeg; name=a.jpg (%s)\r\nContent-Disposition: attachment (%s)\r\n" % (NAME, NAME),
}


CASES = [
    pytest.param(fields, alone, id=f"{name}, {'alone' if alone else 'in a multipart'}")
    for name, fields in FIELDS.items()
    for alone in (True, False)
    if not (alone and b"X-" in fields)  # a message's own X- fields are not its image's
]


@pytest.mark.parametrize(("fields", "alone"), CASES)
def test_no_field_of_an_image_repeats_its_name(fields: bytes, alone: bool) -> None:
    """Symptom: a photograph called after its patient left as img-...jpg, with the patient's name in Content-Description beside
    it.

    Cause: only the parameters ``name`` and ``filename`` were rewritten.  Analysis: Outlook repeats the file name in
    Content-Description with every attachment, Content-Disposition tells date and size of the original, others have parameters
    and fields of their own.  The image's header block is one thing: whatever in it names the file or tells of its past goes.
    """
    part = fields + BODY
    raw = HEAD + (part if alone else b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + part + b"--b--\r\n")
    (copy,) = plan(context(), received(raw, COLLEAGUE)).copies
    for word in (NAME, b"Jones", b"1950", b"1997", b"1234"):
        assert word not in copy.data.data.split(b"\r\n/9j/")[0]
    image = parse(copy.data.data).parts[0 if alone else 1]
    assert image.content_type == "image/jpeg"
    assert image.name is None or image.name.startswith("img-")
    assert b"Subject: Results\r\n" in copy.data.data


def test_an_image_with_nothing_to_hide_keeps_its_header() -> None:
    """The other side (P3): where no field names the file, the header block stays byte for byte."""
    fields = (
        b"Content-Type:  image/jpeg ; x-mac-type=4A504547\r\nContent-Disposition: INLINE\r\nContent-ID: <a@b>\r\nX-Other: 1\r\n"
    )
    raw = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + fields + BODY + b"--b--\r\n"
    (copy,) = plan(context(), received(raw, COLLEAGUE)).copies
    assert fields in copy.data.data
