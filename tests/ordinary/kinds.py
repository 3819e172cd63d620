"""Ordinary mail: kinds of messages that hold no clinical picture and no container anybody would have to open.

``KINDS`` is a literal registry; a kind is a function of a seeded ``Random`` and the recipients.  The same
seed makes the same bytes.
"""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

import numpy as np

from tests.ordinary.mime import attached, crlf, inline, many, message, part
from tests.ordinary.pictures import flat_logo, icon, soft_logo, spacer

OWN: Final = "clinic.example"
SENDER: Final = f"dr.adams@{OWN}"
RECIPIENTS: Final = (
    f"sister.jones@{OWN}", "dr.lee@royal-example.example", "dr.rao@hospice-example.example", "jane@newclinic.example",
    "office@council.example", "mary.smith@gmail.com", "pat42@outlook.com", "upload@fileshare.example",
)  # fmt: skip
WORDS: Final = (
    "clinic", "on", "Thursday", "moves", "to", "room", "four", "please", "see", "the", "rota", "and", "tell", "me", "whether",
    "you", "can", "come", "thanks", "meeting", "minutes", "agenda", "result", "scan", "patient", "photo", "consent", "policy",
    "training", "referral", "letter", "tomorrow", "bed", "ward",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mail:
    """One message with its envelope.  ``raw`` is as it stands on the wire."""

    kind: str
    raw: bytes = field(repr=False)
    sender: str = SENDER
    recipients: tuple[str, ...] = ()


def prose(rng: Random, lines: int = 6) -> str:
    return "\n".join(" ".join(rng.choices(WORDS, k=rng.randrange(3, 12))) + "." for _ in range(lines)) + "\n"


def subject(rng: Random) -> str:
    return rng.choice(("", "", "Re: ", "RE: ", "Fw: ")) + " ".join(rng.choices(WORDS, k=rng.randrange(2, 6)))


def quoted(rng: Random) -> str:
    return "On Mon, 16 Nov 2026 at 09:00, Dr Lee <dr.lee@royal-example.example> wrote:\n" + "".join(
        f"> {line}\n" for line in prose(rng, 4).splitlines()
    )


def html(rng: Random, extra: str = "") -> str:
    body = "".join(f"<p class=MsoNormal>{line}</p>\n" for line in prose(rng).splitlines())
    return f'<html><head><meta charset="utf-8"><style>p {{margin:0}}</style></head><body>{body}{extra}</body></html>\n'


def both(rng: Random, extra: str = "", more: str = "") -> bytes:
    """Text and HTML alternatives."""
    how = rng.choice(("quoted-printable", "base64"))
    return many(
        rng,
        "alternative",
        part("text/plain; charset=utf-8", prose(rng) + more, how),
        part("text/html; charset=utf-8", html(rng, extra), how),
    )


def plain(rng: Random, to: tuple[str, ...]) -> bytes:
    """A few lines, in one of several charsets and encodings, flowed or not."""
    text = prose(rng) + rng.choice(("", "Grüße, Zoë – naïve café\n", "よろしくお願いします\n"))
    charset = rng.choice([name for name in ("utf-8", "utf-8", "iso-2022-jp", "windows-1252") if _writes(text, name)])
    how = rng.choice(("8bit", "quoted-printable", "base64"))
    flowed = rng.choice(("", "; format=flowed", "; format=flowed; delsp=yes"))
    return message(rng, SENDER, to, subject(rng), part(f"text/plain; charset={charset}{flowed}", text.encode(charset), how))


def _writes(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def invitation(rng: Random, to: tuple[str, ...]) -> bytes:
    """A meeting request, change or cancellation, as Outlook and Google write them."""
    method = rng.choice(("REQUEST", "CANCEL", "REPLY"))
    calendar = (
        f"BEGIN:VCALENDAR\nPRODID:-//Mail//EN\nVERSION:2.0\nMETHOD:{method}\nBEGIN:VEVENT\nUID:{rng.getrandbits(64):x}\n"
        f"DTSTART:20261120T100000Z\nDTEND:20261120T110000Z\nSUMMARY:{subject(rng)}\nORGANIZER:mailto:{SENDER}\n"
        f"DESCRIPTION:{' '.join(rng.choices(WORDS, k=20))}\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    event = part(f'text/calendar; charset="utf-8"; method={method}', calendar, "base64")
    body = many(
        rng, "alternative", part("text/plain; charset=utf-8", prose(rng)), part("text/html; charset=utf-8", html(rng)), event
    )
    if rng.random() < 0.5:
        body = many(rng, "mixed", body, attached("application/ics", "invite.ics", calendar))
    return message(rng, SENDER, to, f"Invitation: {subject(rng)}", body, "Content-Class: urn:content-classes:calendarmessage")


def receipt(rng: Random, to: tuple[str, ...]) -> bytes:
    """An order or parking receipt: an HTML table with remote pictures."""
    rows = "".join(f"<tr><td>Item {i}</td><td>£{rng.randrange(1, 90)}.00</td></tr>" for i in range(rng.randrange(2, 9)))
    remote = f'<img src="https://shop.example/logo.png" width="120"><table>{rows}</table><img src="https://t.example/o?{rng.getrandbits(32)}">'
    return message(rng, f"noreply@{OWN}", to, f"Your receipt {rng.randrange(10**6)}", both(rng, remote), "X-Mailer: Shop 2.1")


def newsletter(rng: Random, to: tuple[str, ...], kind: str = "PNG") -> bytes:
    """A communications team's newsletter: remote pictures, social icons and a spacer as inline pictures."""
    word, count = kind.lower(), rng.randrange(2, 6)
    icons = [inline(f"image/{word}", f"icon{i}.{word}", f"icon{i}@n", icon(rng, kind)) for i in range(count)]
    icons.append(inline(f"image/{word}", f"spacer.{word}", "spacer@n", spacer(kind)))
    shown = (
        "".join(f'<img src="cid:icon{i}@n">' for i in range(count))
        + '<img src="cid:spacer@n"><img src="https://n.example/a.jpg">'
    )
    body = many(rng, "related", part("text/html; charset=utf-8", html(rng, shown), "quoted-printable"), *icons)
    fields = ("List-Unsubscribe: <https://n.example/u>", "Precedence: bulk", "List-Id: News <news.clinic.example>")
    return message(rng, f"communications@{OWN}", to, f"News {rng.randrange(60)}", body, *fields)


def signed_off(rng: Random, to: tuple[str, ...]) -> bytes:
    """A reply from Outlook with a small flat logo in the signature, and in the quoted ones below."""
    logos = [flat_logo(rng) for _ in range(rng.randrange(1, 4))]
    names = [f"image{i + 1:03}.png@01DC{rng.getrandbits(32):08X}.{rng.getrandbits(32):08X}" for i in range(len(logos))]
    shown = "".join(f'<p><img width=160 height=44 src="cid:{name}"></p>' for name in names)
    parts = [inline("image/png", name.partition("@")[0], name, data) for name, data in zip(names, logos, strict=True)]
    body = many(rng, "related", both(rng, shown, quoted(rng)), *parts, extra='; type="multipart/alternative"')
    return message(rng, SENDER, to, f"RE: {subject(rng)}", body, "X-Mailer: Microsoft Outlook 16.0", "In-Reply-To: <a@b.example>")


def table(rng: Random, to: tuple[str, ...]) -> bytes:
    """A CSV of a rota or stock list, under one of the types programs give it."""
    rows = "\n".join(",".join(str(rng.randrange(1000)) for _ in range(6)) for _ in range(rng.randrange(5, 80)))
    kind = rng.choice(("text/csv", "application/vnd.ms-excel", "application/octet-stream", "text/plain"))
    data = ("\ufeff" if rng.random() < 0.3 else "") + "ward,beds,mon,tue,wed,thu\n" + rows + "\n"
    body = many(rng, "mixed", part("text/plain; charset=utf-8", prose(rng)), attached(kind, "rota.csv", data))
    return message(rng, SENDER, to, subject(rng), body)


def card(rng: Random, to: tuple[str, ...]) -> bytes:
    """A vCard without a photograph."""
    text = f"BEGIN:VCARD\nVERSION:3.0\nN:Adams;Jo;;Dr;\nFN:Dr Jo Adams\nTEL:{rng.randrange(10**9)}\nEMAIL:{SENDER}\nEND:VCARD\n"
    kind = rng.choice(("text/vcard", "text/x-vcard; charset=utf-8", "text/directory"))
    body = many(
        rng,
        "mixed",
        part("text/plain; charset=utf-8", prose(rng)),
        attached(kind, "adams.vcf", text, rng.choice(("7bit", "base64"))),
    )
    return message(rng, SENDER, to, subject(rng), body)


def data_file(rng: Random, to: tuple[str, ...]) -> bytes:
    """JSON, XML, HL7 v2 or a log: text that machines read."""
    values = {rng.choice(WORDS): rng.randrange(10**6) for _ in range(30)}
    xml = "".join(f"<{key}>{value}</{key}>" for key, value in values.items())
    hl7 = "MSH|^~\\&|LAB|H|EPR|H|20261116||ORU^R01|1|P|2.4\rOBX|1|NM|K^Potassium||4.1|mmol/L\r"
    name, kind, text = rng.choice((
        ("export.json", "application/json", json.dumps(values, indent=1)),
        ("export.xml", "application/xml", f"<?xml version='1.0'?><r>{xml}</r>"),
        ("result.hl7", "application/octet-stream", hl7),
        ("app.log", "text/plain", prose(rng, 40)),
    ))  # fmt: skip
    return message(rng, SENDER, to, subject(rng), many(rng, "mixed", part("text/plain", prose(rng)), attached(kind, name, text)))


def voicemail(rng: Random, to: tuple[str, ...], loudness: int = 6000) -> bytes:
    """A telephone system's recording: some seconds of 16-bit WAV at 8 kHz."""
    count = 8000 * rng.randrange(4, 15)
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, loudness / 8, count)
    samples = loudness * np.sin(np.arange(count) * 0.2) * np.sin(np.arange(count) * 0.0003) + noise
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(samples.astype("<i2").tobytes())
    body = many(
        rng, "mixed", part("text/plain", "You have a new message.\n"), attached("audio/wav", "msg0001.wav", out.getvalue())
    )
    return message(rng, f"telephone@{OWN}", to, "Voice message", body)


def quiet_voicemail(rng: Random, to: tuple[str, ...]) -> bytes:
    """A caller who speaks low: samples near zero, many bytes FF and 00."""
    return voicemail(rng, to, 600)


def der(tag: int, *inside: bytes) -> bytes:
    """One ASN.1 item in DER (X.690 8.1)."""
    content = b"".join(inside)
    size = len(content)
    length = bytes((size,)) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes((tag,)) + (length if size < 128 or size > 255 else b"\x81" + bytes((size,))) + content


def signature(rng: Random) -> bytes:
    """A detached SignedData with a certificate and one signer (RFC 5652 5.1); the numbers in it are random."""
    sha256 = der(0x30, der(0x06, bytes.fromhex("608648016503040201")))
    rsa = der(0x30, der(0x06, bytes.fromhex("2a864886f70d010101")), der(0x05))
    name = der(0x30, der(0x31, der(0x30, der(0x06, b"\x55\x04\x03"), der(0x0C, b"Dr Adams"))))
    serial, number = der(0x02, b"\x01" + rng.randbytes(8)), rng.randbytes(256)
    dates = der(0x30, der(0x17, b"260101000000Z"), der(0x17, b"280101000000Z"))
    key = der(0x30, rsa, der(0x03, b"\0", der(0x30, der(0x02, b"\x01" + number), der(0x02, b"\x01\x00\x01"))))
    body = der(0x30, der(0xA0, der(0x02, b"\x02")), serial, rsa, name, dates, name, key)
    certificate = der(0x30, body, rsa, der(0x03, b"\0", rng.randbytes(256)))
    signer = der(0x30, der(0x02, b"\x01"), der(0x30, name, serial), sha256, rsa, der(0x04, rng.randbytes(256)))
    content = der(0x30, der(0x06, bytes.fromhex("2a864886f70d010701")))
    data = der(0x30, der(0x02, b"\x01"), der(0x31, sha256), content, der(0xA0, certificate), der(0x31, signer))
    return der(0x30, der(0x06, bytes.fromhex("2a864886f70d010702")), der(0xA0, data))


def signed(rng: Random, to: tuple[str, ...]) -> bytes:
    """Text signed with S/MIME or OpenPGP, detached: any change would break it."""
    inner = part("text/plain; charset=utf-8", prose(rng), "quoted-printable")
    if rng.random() < 0.5:
        seal = attached("application/pkcs7-signature", "smime.p7s", signature(rng))
        extra = '; protocol="application/pkcs7-signature"; micalg=sha-256'
    else:
        armour = base64.encodebytes(rng.randbytes(400)).decode()
        seal = part("application/pgp-signature", f"-----BEGIN PGP SIGNATURE-----\n\n{armour}-----END PGP SIGNATURE-----\n")
        extra = '; protocol="application/pgp-signature"; micalg=pgp-sha256'
    return message(rng, SENDER, to, subject(rng), many(rng, "signed", inner, seal, extra=extra))


def delivery_report(rng: Random, to: tuple[str, ...]) -> bytes:
    """A bounce (RFC 3464) with the header of a mail that carried a picture."""
    status = (
        "Reporting-MTA: dns; mx.clinic.example\n\nFinal-Recipient: rfc822; nobody@clinic.example\nAction: failed\nStatus: 5.1.1\n"
    )
    original = f"From: {to[0]}\nTo: nobody@clinic.example\nSubject: {subject(rng)}\nContent-Type: image/jpeg; name=IMG_1.JPG\n"
    body = many(
        rng, "report", part("text/plain", prose(rng, 3)), part("message/delivery-status", status),
        part("text/rfc822-headers", original), extra="; report-type=delivery-status",
    )  # fmt: skip
    return message(rng, f"mailer-daemon@{OWN}", to, "Undelivered Mail Returned to Sender", body, "Auto-Submitted: auto-replied")


def read_receipt(rng: Random, to: tuple[str, ...]) -> bytes:
    """A disposition notification (RFC 8098)."""
    status = f"Reporting-UA: clinic.example; Mail 1\nFinal-Recipient: rfc822;{SENDER}\n"
    status += "Disposition: manual-action/MDN-sent-manually; displayed\n"
    body = many(
        rng, "report", part("text/plain", "Your message was displayed.\n"), part("message/disposition-notification", status),
        extra="; report-type=disposition-notification",
    )  # fmt: skip
    return message(rng, SENDER, to, f"Read: {subject(rng)}", body)


def forwarded(rng: Random, to: tuple[str, ...]) -> bytes:
    """A mail of text forwarded as an attachment."""
    inner = message(rng, "dr.lee@royal-example.example", (SENDER,), subject(rng), both(rng))
    wrapped = crlf("Content-Type: message/rfc822\nContent-Disposition: attachment\n\n") + inner
    return message(rng, SENDER, to, f"Fwd: {subject(rng)}", many(rng, "mixed", part("text/plain", prose(rng, 2)), wrapped))


def away(rng: Random, to: tuple[str, ...]) -> bytes:
    """An automatic reply."""
    return message(
        rng,
        SENDER,
        to,
        f"Automatic reply: {subject(rng)}",
        both(rng),
        "Auto-Submitted: auto-replied",
        "X-Auto-Response-Suppress: All",
    )


def thread(rng: Random, to: tuple[str, ...]) -> bytes:
    """A long quoted thread from a phone: plain text, flowed."""
    text = prose(rng, 2) + "\nSent from my iPhone\n\n" + "".join(quoted(rng) for _ in range(rng.randrange(1, 8)))
    body = part("text/plain; charset=utf-8; format=flowed", text, rng.choice(("8bit", "quoted-printable")))
    return message(
        rng, SENDER, to, f"Re: {subject(rng)}", body, "X-Mailer: iPhone Mail (23A355)", "References: <a@b.example> <c@d.example>"
    )


def digest(rng: Random, to: tuple[str, ...]) -> bytes:
    """A mailing list's digest (RFC 2046 5.1.5)."""
    inside = [crlf("Content-Type: message/rfc822\n\n") + plain(rng, to) for _ in range(rng.randrange(2, 6))]
    body = many(rng, "mixed", part("text/plain", prose(rng, 2)), many(rng, "digest", *inside))
    return message(rng, f"list@{OWN}", to, "Digest", body, "List-Id: <list.clinic.example>")


def newsletter_gif(rng: Random, to: tuple[str, ...]) -> bytes:
    """The same with GIF icons."""
    return newsletter(rng, to, "GIF")


def photo_logo(rng: Random, to: tuple[str, ...]) -> bytes:
    """A signature with a soft JPEG logo that the site has not listed."""
    name = f"image001.jpg@01DC{rng.getrandbits(32):08X}.00000000"
    body = many(rng, "related", both(rng, f'<img src="cid:{name}">'), inline("image/jpeg", "image001.jpg", name, soft_logo(rng)))
    return message(rng, SENDER, to, subject(rng), body)


def listed(rng: Random, to: tuple[str, ...]) -> bytes:
    """Text with an uploaded key or certificate, as IT people send them."""
    pem = f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(rng.randbytes(500)).decode()}-----END CERTIFICATE-----\n"
    return message(
        rng,
        SENDER,
        to,
        subject(rng),
        many(rng, "mixed", part("text/plain", prose(rng)), attached("application/x-pem-file", "ours.pem", pem)),
    )


KINDS: Final[Mapping[str, Callable[[Random, tuple[str, ...]], bytes]]] = {
    "plain text": plain,
    "quiet voicemail": quiet_voicemail,
    "calendar invitation": invitation,
    "receipt": receipt,
    "newsletter with PNG icons": newsletter,
    "reply with logos": signed_off,
    "CSV": table,
    "vCard": card,
    "data file": data_file,
    "voicemail": voicemail,
    "signed mail": signed,
    "delivery report": delivery_report,
    "read receipt": read_receipt,
    "forwarded as attachment": forwarded,
    "automatic reply": away,
    "phone thread": thread,
    "list digest": digest,
    "certificate": listed,
}
# Ordinary, too, and stopped today: measured and told, so that the figure is known, and moved up when it is mended.
STOPPED: Final[Mapping[str, Callable[[Random, tuple[str, ...]], bytes]]] = {
    "newsletter with GIF icons": newsletter_gif,  # GIF cannot be opened yet
    "unlisted JPEG logo": photo_logo,  # at its first sight; settings: known_logos lists it
}
NULL_SENDER: Final = frozenset({"delivery report", "read receipt", "automatic reply"})


def mails(seed: int, each: int, kinds: Mapping[str, Callable[[Random, tuple[str, ...]], bytes]] = KINDS) -> list[Mail]:
    """``each`` mails of every kind, to one to three of ``RECIPIENTS``.  The same for the same seed."""
    made = []
    for kind, build in kinds.items():
        rng = Random(f"{seed}:{kind}")
        for _ in range(each):
            to = tuple(rng.sample(RECIPIENTS, rng.choice((1, 1, 1, 2, 3))))
            raw = build(rng, to)
            sender = "" if kind in NULL_SENDER else SENDER
            made.append(Mail(kind, raw, sender, to))
    return made
