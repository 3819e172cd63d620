"""A message inside a file is opened by the same parser as the message around it, and spliced, never written anew."""

from __future__ import annotations

import base64

import pytest

from filters.api import Blocked, Budget, Finding, Member, TooBig
from filters.budget import Limits
from filters.registry import SCRUBBERS
from filters.tree import Label, Tools, clean, examine
from gateway.demo.pictures import photo
from gateway.message import decode, parse
from gateway.opening.attached import OPENERS

pytestmark = pytest.mark.unit
TOOLS = Tools(openers=OPENERS)
EML = Label("case.eml", "application/octet-stream")


def mail(*parts: bytes, head: bytes = b"") -> bytes:
    top = b'From: a@x.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n' + head
    return top + b"\r\n" + b"".join(b"--b\r\n" + one + b"\r\n" for one in parts) + b"--b--\r\n"


def picture(name: bytes = b"John Smith.jpg") -> bytes:
    lines = (b"Content-Type: image/jpeg; name=\"%s\"" % name, b"Content-Transfer-Encoding: base64")
    return b"\r\n".join(lines) + b"\r\n\r\n" + base64.encodebytes(photo()).replace(b"\n", b"\r\n")


TEXT = b"Content-Type: text/plain\r\n\r\nDear colleague\r\n"


def test_its_pictures_are_found_cleaned_and_renamed_and_nothing_else_changes() -> None:
    raw = mail(TEXT, picture())
    node = examine(raw, TOOLS, Budget(), EML)
    (child,) = [one for one in node.walk() if one.clinical]
    assert (child.where, child.sniffed.format, node.opaque) == ("2", "jpeg", None)
    done = clean(raw, node, TOOLS, Budget(), lambda one: "img-X.jpg")
    message = parse(done.data)
    after = decode(message, message.part("1.2"))
    assert done.hashes[child.sha256] == examine(after, TOOLS, Budget()).sha256
    assert SCRUBBERS["jpeg"].residue(after) == ()
    assert b"John Smith" not in done.data
    assert done.data.startswith(raw[: raw.index(b"image/jpeg")])
    assert not any(one.clinical and not one.clean for one in examine(done.data, TOOLS, Budget(), EML).walk())


def test_a_message_without_a_picture_stays_the_very_same_object() -> None:
    raw = mail(TEXT)
    node = examine(raw, TOOLS, Budget(), EML)
    assert (node.sniffed.format, node.holds_clinical, node.opaque) == ("eml", False, None)
    assert clean(raw, node, TOOLS, Budget()).data is raw


def test_a_text_that_quotes_header_fields_is_a_text() -> None:
    """Only a label calls something a message that does not look like an encoded one."""
    assert examine(mail(TEXT), TOOLS, Budget(), Label("notes.txt", "text/plain")).sniffed.format == "text"


def test_what_two_programs_read_differently_blocks_it() -> None:
    seen = list(OPENERS["eml"].open(mail(TEXT).replace(b"From:", b"From :"), Budget()))
    assert Blocked("mime.space-before-colon", "corrupt") in seen  # type: ignore[arg-type]  # the reason's value
    assert any(isinstance(one, Member) for one in seen)


def test_an_undecodable_part_is_an_opaque_member() -> None:
    bad = b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!\r\n"
    (member,) = [one for one in OPENERS["eml"].open(mail(bad), Budget()) if isinstance(one, Member)]
    assert member.opaque == "corrupt"
    assert "mime.b64-garbage" in member.codes


def test_a_signed_message_says_so() -> None:
    raw = mail(TEXT).replace(b"multipart/mixed", b"multipart/signed")
    assert any(isinstance(one, Finding) and one.code == "mail.signed" for one in OPENERS["eml"].open(raw, Budget()))
    node = examine(mail(TEXT, picture()).replace(b"multipart/mixed", b"multipart/signed"), TOOLS, Budget(), EML)
    assert {one.opaque for one in node.walk() if one.info} == {"image-not-supported"}
    assert any("container.signed" in one.codes for one in node.walk())


def test_a_mailbox_is_its_messages() -> None:
    box = b"From a@x.example Mon\r\n" + mail(TEXT) + b"From b@x.example Tue\r\n" + mail(TEXT, picture())
    tools = Tools(openers=OPENERS)
    node = examine(box, tools, Budget(), Label("old.mbox"))
    assert node.sniffed.format == "mbox"
    assert [one.where for one in node.walk() if one.clinical] == ["2/2"]
    done = clean(box, node, tools, Budget(), lambda one: None)
    assert done.data.startswith(b"From a@x.example Mon\r\n" + mail(TEXT) + b"From b@x.example Tue\r\n")
    assert not any(one.clinical and not one.clean for one in examine(done.data, tools, Budget(), Label("old.mbox")).walk())


def test_messages_in_messages_end_at_the_limit() -> None:
    raw = mail(TEXT, picture())
    for _ in range(10):
        head = b'Content-Type: application/octet-stream; name="x.eml"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        raw = mail(head + base64.encodebytes(raw).replace(b"\n", b"\r\n"))
    node = examine(raw, TOOLS, Budget(), EML)
    assert "limit" in {one.opaque for one in node.walk()}
    with pytest.raises(TooBig):
        list(OPENERS["eml"].open(mail(TEXT, TEXT), Budget(Limits(members=1))))
