"""Rich text with something written in every place that holds words about people."""

from __future__ import annotations

import struct
from collections.abc import Callable

Place = Callable[[str], str]
KINDS = {"jpg": b"jpegblip", "jpeg": b"jpegblip", "png": b"pngblip", "emf": b"emfblip", "wmf": b"wmetafile8"}


def document(*bodies: bytes, place: Place = lambda what: what) -> bytes:
    """A document with these pieces in its text."""
    head = (
        rb"{\rtf1\ansi\deff0{\fonttbl{\f0 Arial;}}{\*\generator " + place("generator").encode() + rb";}"
        rb"{\info{\title " + place("title").encode() + rb"}{\author " + place("author").encode() + rb"}}"
        rb"{\*\userprops{\propname a}\proptype30{\staticval " + place("property").encode() + rb"}}"
        rb"{\*\revtbl {Unknown;}{" + place("reviewer").encode() + rb";}}{\*\rsidtbl \rsid1234}"
        rb"{\*\datastore " + place("data").encode().hex().encode() + rb"}"
    )
    note = rb"{\*\atnid " + place("initials").encode() + rb"}{\*\atnauthor " + place("commenter").encode() + rb"}"
    return head + rb"\pard\insrsid1234 Dear colleague, \b please\b0  see \'fc." + note + b"".join(bodies) + rb"\par}"


def picture(data: bytes, kind: bytes = b"jpegblip", binary: bool = False) -> bytes:
    """A picture in hexadecimal, or as it is."""
    body = rb"\bin%d " % len(data) + data if binary else b"\r\n".join([b"", *_lines(data)])
    return rb"{\*\shppict{\pict{\*\picprop\shplid1{\sp{\sn a}{\sv b}}}\picw100\pich80\%s" % kind + body + b"}}"


def _lines(data: bytes) -> list[bytes]:
    digits = data.hex().encode()
    return [digits[at : at + 80] for at in range(0, len(digits), 80)]


def object_(data: bytes) -> bytes:
    """An embedded object."""
    body = struct.pack("<II", 0x501, 2) + struct.pack("<I", 8) + b"Package\0" + bytes(8) + struct.pack("<I", len(data)) + data
    return rb"{\object\objemb{\*\objdata " + body.hex().encode() + rb"}{\result{\par}}}"


CONTAINERS: dict[str, Callable[[bytes, str, Place], bytes]] = {
    "rtf": lambda inner, extension, place: document(picture(inner, KINDS.get(extension, b"jpegblip")), place=place),
    "rtf-binary": lambda inner, extension, place: document(picture(inner, binary=True), place=place),
}
PICTURES: dict[str, Callable[[Place], bytes]] = {}
EXTENSIONS: dict[str, str] = {"rtf": "rtf", "rtf-binary": "rtf"}
