"""A winmail.dat with a clinical picture leaves as ordinary parts, cleaned; one without leaves as it came."""

from __future__ import annotations

import email
from email import policy as email_policy
from email.message import EmailMessage

import pytest

from gateway.demo.pictures import photo
from gateway.demo.samples import SENDER
from gateway.pipeline import plan
from tests.gateway.test_pipeline import TAGGED, only, pixels
from tests.support.contexts import COLLEAGUE, context, received
from tests.support.samples import tnef

pytestmark = pytest.mark.unit


def carrying(data: bytes, subject: str = TAGGED) -> bytes:
    message = EmailMessage(policy=email_policy.SMTP)
    message["From"], message["To"], message["Subject"] = SENDER, COLLEAGUE, subject
    message.set_content("See attached.\n")
    message.add_attachment(data, "application", "ms-tnef", filename="winmail.dat")
    return message.as_bytes()


def winmail(*files: tuple[str, bytes]) -> bytes:
    attachments = [tnef.attached(data, name) for name, data in files]
    return tnef.tnef(*attachments, properties=[tnef.prop(0x1F, 0x1000, tnef.wide("Dear colleague"))])


def test_a_photo_in_it_leaves_clean_beside_its_text() -> None:
    data = only(plan(context(), received(carrying(winmail(("John Smith.jpg", photo()), ("notes.csv", b"1,2\n3,4\n5,6\n"))))))
    message = email.message_from_bytes(data, policy=email_policy.SMTP)
    parts = [part for part in message.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts][1:2] == ["text/plain"]
    assert "Dear colleague" in parts[1].get_content()
    assert b"winmail" not in data
    assert b"Smith" not in data
    picture, table = parts[2:]
    sent = picture.get_payload(decode=True)
    assert b"Sample Owner" not in sent
    assert pixels(sent) == pixels(photo())
    assert (table.get_filename(), table.get_payload(decode=True)) == ("notes.csv", b"1,2\n3,4\n5,6\n")


def test_one_without_a_picture_passes_byte_for_byte() -> None:
    raw = carrying(winmail(("notes.csv", b"1,2\n3,4\n5,6\n")), subject="Figures")
    assert only(plan(context(), received(raw))).endswith(raw)


def test_one_that_is_damaged_is_held() -> None:
    raw = carrying(winmail(("a.jpg", photo()))[:-500])
    made = plan(context(), received(raw))
    assert not made.copies
    assert made.holds
