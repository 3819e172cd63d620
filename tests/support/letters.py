"""Messages for the tests of whole programs: photographs whose every metadata field is a canary, and plain text."""

from __future__ import annotations

from email.message import EmailMessage
from functools import cache

from tests.support.canary_images import jpeg_with_canaries

DOMAIN = "clinic.example"  # the demo's own


@cache
def canary_photo(canary: str = "CANARY-chaos") -> bytes:
    """A photograph too large for a logo, with ``canary`` in every metadata container of JPEG."""
    return jpeg_with_canaries(canary, size=(640, 480), progressive=False)


def letter(
    sender: str,
    recipients: tuple[str, ...],
    subject: str = "Second opinion [consent verbal]",
    *,
    pictures: tuple[bytes, ...] = (),
    body: str = "Dear colleague,\n\nplease see attached.\n",
    message_id: str = "",
    headers: dict[str, str] | None = None,
) -> bytes:
    """One message as a mail program writes it; the same bytes for the same arguments."""
    message = EmailMessage()
    message["From"] = f"<{sender}>" if sender else "<mailer-daemon@clinic.example>"
    message["To"] = ", ".join(recipients)
    message["Subject"] = subject
    message["Date"] = "Mon, 02 Nov 2026 10:00:00 +0000"
    message["Message-ID"] = message_id or f"<{sender.partition('@')[0] or 'null'}@{DOMAIN}>"
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(body)
    for number, picture in enumerate(pictures):
        message.add_attachment(picture, "image", "jpeg", filename=f"IMG_{number:04}.JPG")
    message_boundary(message)
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def message_boundary(message: EmailMessage) -> None:
    """The same boundary each time: a message that is sent again is the same message."""
    if message.is_multipart():
        message.set_boundary("=_clinic_example_1")
