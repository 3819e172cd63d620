"""Ordinary mail with attachments.  The registries are like that of ``tests.ordinary.kinds``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from tests.ordinary import artwork, papers
from tests.ordinary.kinds import KINDS, OWN, SENDER, both, newsletter_gif, photo_logo, prose, subject
from tests.ordinary.mime import attached, inline, many, message, part
from tests.ordinary.pictures import saved
from tests.support.samples import bmff, tnef

Build = Callable[[Random, tuple[str, ...]], bytes]
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"


def _with(rng: Random, to: tuple[str, ...], kind: str, name: str, data: bytes, sender: str = SENDER, *fields: str) -> bytes:
    body = many(rng, "mixed", both(rng), attached(kind, name, data))
    return message(rng, sender, to, subject(rng), body, *fields)


def pdf_letter(rng: Random, to: tuple[str, ...]) -> bytes:
    """A typed letter with the logo of the letterhead."""
    return _with(rng, to, "application/pdf", "letter.pdf", papers.letter_pdf(rng))


def signed_pdf(rng: Random, to: tuple[str, ...]) -> bytes:
    """The same with a digital signature."""
    return _with(rng, to, "application/pdf", "signed.pdf", papers.letter_pdf(rng, signed=True))


def scan_bilevel(rng: Random, to: tuple[str, ...]) -> bytes:
    """A letter through a fax or scanner in black and white, as PDF or TIFF."""
    if rng.random() < 0.7:
        return _with(rng, to, "application/pdf", "scan.pdf", papers.scan_pdf(rng, bilevel=True))
    page = artwork.letter(rng, 150).point(lambda level: 255 * (level > 140)).convert("1")
    return _with(rng, to, "image/tiff", "fax.tif", saved(page, "TIFF"))


def scan_grey(rng: Random, to: tuple[str, ...]) -> bytes:
    """A letter scanned in grey or colour: JPEG in a PDF, or loose."""
    if rng.random() < 0.7:
        return _with(rng, to, "application/pdf", "scan.pdf", papers.scan_pdf(rng, bilevel=False))
    return _with(rng, to, "image/jpeg", "scan.jpg", artwork.jpeg(artwork.scanned(rng, 100, tint=True), 75))


def scanner(rng: Random, to: tuple[str, ...]) -> bytes:
    """What the machine in the corridor sends by itself."""
    data = papers.scan_pdf(rng, bilevel=rng.random() < 0.5)
    name = f"SKM_C250i{rng.randrange(10**9):09}.pdf"
    return _with(rng, to, "application/pdf", name, data, f"scanner@{OWN}", "X-Mailer: KONICA MINOLTA bizhub C250i")


def word_letter(rng: Random, to: tuple[str, ...]) -> bytes:
    """A Word file with a logo in its header, sometimes a chart."""
    return _with(rng, to, DOCX, "letter.docx", papers.word(rng))


def talk(rng: Random, to: tuple[str, ...]) -> bytes:
    """Slides with logos and charts."""
    pictures = [saved(artwork.chart(rng), "PNG") for _ in range(rng.randrange(1, 4))]
    return _with(rng, to, PPTX, "talk.pptx", papers.slides(rng, *pictures))


def clip_art(rng: Random, to: tuple[str, ...]) -> bytes:
    """Charts and clip art in the text."""
    names = [f"image{i:03}.png@01DC" for i in range(rng.randrange(1, 4))]
    shown = "".join(f'<img src="cid:{name}">' for name in names)
    parts = [
        inline("image/png", "image.png", name, saved(rng.choice((artwork.chart, artwork.logo))(rng), "PNG")) for name in names
    ]
    return message(rng, SENDER, to, subject(rng), many(rng, "related", both(rng, shown), *parts))


def screen(rng: Random, to: tuple[str, ...]) -> bytes:
    """A screenshot of a program's window, pasted or attached."""
    data = saved(artwork.screenshot(rng), "PNG")
    if rng.random() < 0.5:
        return _with(rng, to, "image/png", "Screenshot 2026-11-16.png", data)
    body = many(rng, "related", both(rng, '<img src="cid:s@1">'), inline("image/png", "image.png", "s@1", data))
    return message(rng, SENDER, to, subject(rng), body)


def payroll(rng: Random, to: tuple[str, ...], password: bytes = b"") -> bytes:
    """A ZIP of the finance department."""
    rows = "".join(f"{number},{rng.randrange(9000)}.00\n" for number in range(40))
    files = {
        "payroll.csv": b"staff,gross\n" + rows.encode(),
        "summary.xlsx": papers.sheet(rng),
        "slip.pdf": papers.letter_pdf(rng),
    }
    return _with(rng, to, "application/zip", "payroll.zip", papers.archive(files, password), f"payroll@{OWN}")


def locked_payroll(rng: Random, to: tuple[str, ...]) -> bytes:
    """The same with a password."""
    return payroll(rng, to, b"secret")


def dictation(rng: Random, to: tuple[str, ...]) -> bytes:
    """A letter to be typed: M4A, MP3, or the format of a dictation machine."""
    mp3 = b"".join(b"\xff\xfb\x90\x00" + rng.randbytes(413) for _ in range(200))
    kind, name, data = rng.choice((
        ("audio/mp4", "dictation.m4a", bmff.song(lambda what: what, cover=False)),
        ("audio/mpeg", "dictation.mp3", b"ID3\x03\0\0\0\0\0\x0aTIT2\0\0\0\0\0\0" + mp3),
        ("application/octet-stream", "DS330012.DS2", b"\x03ds2" + bytes(508) + rng.randbytes(40_000)),
        ("application/octet-stream", "DS330012.DSS", b"\x02dss" + bytes(508) + rng.randbytes(40_000)),
    ))  # fmt: skip
    return _with(rng, to, kind, name, data)


def winmail(rng: Random, to: tuple[str, ...]) -> bytes:
    """Rich text of Outlook, with a document in it."""
    inner = (
        tnef.attached(papers.word(rng), "letter.docx") if rng.random() < 0.5 else tnef.attached(prose(rng).encode(), "note.txt")
    )
    data = tnef.tnef(inner, body=prose(rng).encode("ascii", "replace"))
    body = many(rng, "mixed", part("text/plain", prose(rng)), attached("application/ms-tnef", "winmail.dat", data))
    return message(rng, SENDER, to, subject(rng), body)


def signed_with_file(rng: Random, to: tuple[str, ...]) -> bytes:
    """A signed mail with a letter attached: any change would break the signature."""
    letter = attached("application/pdf", "letter.pdf", papers.letter_pdf(rng))
    inner = many(rng, "mixed", part("text/plain; charset=utf-8", prose(rng), "quoted-printable"), letter)
    seal = part("application/pgp-signature", "-----BEGIN PGP SIGNATURE-----\n\naGVsbG8=\n-----END PGP SIGNATURE-----\n")
    extra = '; protocol="application/pgp-signature"; micalg=pgp-sha256'
    return message(rng, SENDER, to, subject(rng), many(rng, "signed", inner, seal, extra=extra))


def deep_thread(rng: Random, to: tuple[str, ...]) -> bytes:
    """A thread forwarded as attachments, one inside the other, logos in each."""
    raw = message(rng, "dr.lee@royal-example.example", (SENDER,), subject(rng), both(rng))
    for level in range(rng.randrange(2, 6)):
        mark = inline("image/png", "logo.png", f"l{level}@t", saved(artwork.logo(rng), "PNG"))
        wrapped = b"Content-Type: message/rfc822\r\n\r\n" + raw
        body = many(rng, "mixed", many(rng, "related", both(rng, f'<img src="cid:l{level}@t">'), mark), wrapped)
        raw = message(rng, SENDER, to, f"Fwd: {subject(rng)}", body)
    return raw


def stock_photos(rng: Random, to: tuple[str, ...]) -> bytes:
    """Slides with pictures of an agency."""
    return _with(rng, to, PPTX, "talk.pptx", papers.slides(rng, artwork.photograph(rng)))


def staff_photo(rng: Random, to: tuple[str, ...]) -> bytes:
    """A signature with a portrait."""
    face = inline("image/jpeg", "jo.jpg", "jo@s", artwork.photograph(rng, (120, 150)))
    return message(rng, SENDER, to, subject(rng), many(rng, "related", both(rng, '<img src="cid:jo@s">'), face))


# No clinical picture and no page.
ATTACHED: Final[Mapping[str, Build]] = {
    "PDF letter with logo": pdf_letter,
    "signed PDF": signed_pdf,
    "Word with logo and chart": word_letter,
    "slides with logos and charts": talk,
    "clip art and charts": clip_art,
    "screenshot": screen,
    "payroll ZIP": payroll,
    "dictation": dictation,
    "winmail.dat": winmail,
    "signed mail with a PDF": signed_with_file,
    "deep thread with logos": deep_thread,
    "newsletter with GIF icons": newsletter_gif,
}
# Scanned pages: a document (K9), protected to partners, and one word is asked for elsewhere.
PAGES: Final[Mapping[str, Build]] = {
    "scanned letter, bilevel": scan_bilevel,
    "scanned letter, grey or colour": scan_grey,
    "scanner output": scanner,
}
# A photograph, or nothing that can be seen: what is in it no program knows.
UNSURE: Final[Mapping[str, Build]] = {
    "slides with stock photos": stock_photos,
    "signature with a staff photo": staff_photo,
    "unlisted soft JPEG logo": photo_logo,
    "payroll ZIP with a password": locked_payroll,
}
ORDINARY: Final[Mapping[str, Build]] = {**KINDS, **ATTACHED}
ALL: Final[Mapping[str, Build]] = {**ORDINARY, **PAGES, **UNSURE}
