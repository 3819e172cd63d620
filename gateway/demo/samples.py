"""The demo's sample mails, built the way mail programs build them.  Every name and address is invented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from gateway.demo.documents import archive, encrypted_zip, old_word, pdf_letter, pdf_photo, word
from gateway.demo.pictures import SIZE, logo, photo

SENDER = "dr.adams@clinic.example"
COLLEAGUE = "dr.lee@royal-example.example"  # approved domain, protected route
HOSPICE = "dr.rao@hospice-example.example"  # approved domain, S/MIME
STRANGER = "jane@newclinic.example"  # no agreement
FILE_SHARE = "upload@fileshare.example"  # denied


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail: what it shows, who gets it, and how to build it."""

    name: str
    recipients: tuple[str, ...]
    subject: str
    body: str = "Dear colleague,\n\nplease see attached.\n\nDr Adams\n"
    attach: tuple[Callable[[EmailMessage], None], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    again_with_answer: bool = False  # send once more with the tag the notice told

    def build(self, subject: str | None = None) -> bytes:
        """The message as bytes, CRLF line ends."""
        message = EmailMessage()
        message["From"] = f"Dr Adams <{SENDER}>"
        message["To"] = ", ".join(self.recipients)
        message["Subject"] = self.subject if subject is None else subject
        message["Date"] = formatdate(localtime=True)
        message["Message-ID"] = make_msgid(domain="clinic.example")
        for name, value in self.headers.items():
            message[name] = value
        message.set_content(self.body)
        for add in self.attach:
            add(message)
        return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def picture(seed: int) -> Callable[[EmailMessage], None]:
    """A phone's photo with GPS position, owner and serial number in it."""
    return lambda message: message.add_attachment(photo(seed), "image", "jpeg", filename=f"IMG_{2040 + seed}.JPG")


def disguised(message: EmailMessage) -> None:
    message.add_attachment(photo(11), "application", "octet-stream", filename="notes.txt")


def signature_logo(message: EmailMessage) -> None:
    html = '<p>Clinic on Thursday is moved to room 4.</p><p>Dr Adams<br><img src="cid:logo@clinic.example" alt="Clinic"></p>'
    message.add_alternative(html, subtype="html")
    part = message.get_payload()[1]  # type: ignore[index]  # the alternative just added
    part.add_related(logo(), "image", "png", cid="<logo@clinic.example>", disposition="inline", filename="logo.png")  # type: ignore[union-attr]


def letter(message: EmailMessage) -> None:
    message.add_attachment(pdf_letter(), "application", "pdf", filename="letter.pdf")


def word_file(message: EmailMessage) -> None:
    kind = "vnd.openxmlformats-officedocument.wordprocessingml.document"
    message.add_attachment(word(photo(12)), "application", kind, filename="John Sample.docx")


def photo_in_pdf(message: EmailMessage) -> None:
    message.add_attachment(pdf_photo(photo(13), *SIZE), "application", "pdf", filename="wound.pdf")


def zipped(message: EmailMessage) -> None:
    files: dict[str, str | bytes] = {"John Sample 1.jpg": photo(14), "notes.txt": "two views", "John Sample 2.jpg": photo(15)}
    message.add_attachment(archive(files), "application", "zip", filename="photos.zip")


def old_word_file(message: EmailMessage) -> None:
    message.add_attachment(old_word(photo(16)), "application", "msword", filename="letter.doc")


def locked(message: EmailMessage) -> None:
    message.add_attachment(encrypted_zip(), "application", "zip", filename="files.zip")


CONSENT_HEADER = "given; v=1; form=verbal; given-by=patient; purpose=COC; scope=record; identifiable"

SAMPLES = (
    Sample(
        "photo, consent by header",
        (COLLEAGUE,),
        "Second opinion",
        attach=(picture(1),),
        headers={"Clinical-Image-Consent": CONSENT_HEADER},
    ),
    Sample("photo, consent by subject tag", (COLLEAGUE,), "Second opinion [consent verbal]", attach=(picture(2),)),
    Sample(
        "photo, consent in first line, typed on a phone",
        (COLLEAGUE,),
        "Rash for you to see",
        body="Consent verbal\n\nHi, what do you make of this?\n\nSent from my iPhone\n",
        attach=(picture(3),),
    ),
    Sample("photo, encrypted for the recipient (S/MIME)", (HOSPICE,), "Dressing [consent written]", attach=(picture(4),)),
    Sample(
        "photo, no consent; then again with the tag", (COLLEAGUE,), "What is this?", attach=(picture(5),), again_with_answer=True
    ),
    Sample("photo to an unapproved domain", (STRANGER,), "Second opinion [consent verbal]", attach=(picture(6),)),
    Sample("three recipients, three fates", (COLLEAGUE, STRANGER, FILE_SHARE), "Case [consent verbal]", attach=(picture(7),)),
    Sample(
        "signature logo only",
        (STRANGER,),
        "Room change",
        body="Clinic on Thursday is moved to room 4.\n",
        attach=(signature_logo,),
    ),
    Sample("plain text", (STRANGER,), "Lunch", body="Shall we meet at one?\n"),
    Sample("PDF letter", (COLLEAGUE,), "Clinic letter", attach=(letter,)),
    Sample("photo in a Word file", (COLLEAGUE,), "Clinic letter [consent verbal]", attach=(word_file,)),
    Sample("photo in a PDF", (COLLEAGUE,), "Wound [consent verbal]", attach=(photo_in_pdf,)),
    Sample("photos in a ZIP", (COLLEAGUE,), "Two views [consent verbal]", attach=(zipped,)),
    Sample("photo in an old Word file (.doc)", (COLLEAGUE,), "Letter [consent verbal]", attach=(old_word_file,)),
    Sample("encrypted ZIP", (COLLEAGUE,), "Files", attach=(locked,)),
    Sample("photo as octet-stream, named .txt", (COLLEAGUE,), "Notes [consent verbal]", attach=(disguised,)),
    Sample("emergency", (COLLEAGUE,), "[emergency: burn, airway at risk, team on call] please look now", attach=(picture(8),)),
    Sample("patient refused", (COLLEAGUE,), "Photo [consent refused]", attach=(picture(9),)),
    Sample("photo, no consent; waits for your answer", (COLLEAGUE,), "Which dressing?", attach=(picture(17),)),
)
