"""ESMTP parameters of MAIL and RCPT and the attributes of XFORWARD, each rule one line of a table.  Pure.

Values keep the case and the encoding the client sent: ENVID and ORCPT are handed on as they are (RFC 3461 4.2, 4.4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.inbound.replies import BAD_PARAMETER, UNKNOWN_PARAMETER, Refused

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")  # RFC 3461 4: hexchars are upper case
_UTF8_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2}|[^\x00-\xa0\ud800-\udfff])*")  # RFC 6533 3, utf-8-addr-unitext
_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")  # RFC 5321 4.1.2, esmtp-keyword
_VALUE = re.compile(r"[^\x00-\x20=\x7f-\x9f\ud800-\udfff]+")  # esmtp-value, with RFC 6531 3.3's UTF-8
_HEX = re.compile(r"\+([0-9A-F]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NOTIFY = frozenset({"SUCCESS", "FAILURE", "DELAY"})
_IDENT = re.compile(r"[!-~]{1,255}")

XFORWARD = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")
_UNKNOWN = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})  # XFORWARD_README: the client does not know


@dataclass(frozen=True, slots=True)
class MailParameters:
    """What stood behind the path of MAIL."""

    size: int | None = None
    body: str | None = None  # 7BIT | 8BITMIME
    smtputf8: bool = False
    ret: str | None = None  # FULL | HDRS
    envid: str | None = field(default=None, repr=False)
    release: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RcptParameters:
    """What stood behind the path of RCPT."""

    notify: str | None = None
    orcpt: str | None = field(default=None, repr=False)


# parameter -> the extension that must have been announced; AUTH= is harmless and wanted by none (RFC 4954 5)
MAIL_NEEDS: Mapping[str, str | None] = {
    "SIZE": "SIZE",
    "BODY": "8BITMIME",
    "SMTPUTF8": "SMTPUTF8",
    "RET": "DSN",
    "ENVID": "DSN",
    "AUTH": None,
    "CLINIGATE-RELEASE": "CLINIGATE-RELEASE",
}
RCPT_NEEDS: Mapping[str, str | None] = {"NOTIFY": "DSN", "ORCPT": "DSN"}


def mail_parameters(text: str, announced: frozenset[str]) -> MailParameters:
    """Parse MAIL's parameters against what EHLO ``announced``.  Raises Refused."""
    given = _split(text, MAIL_NEEDS, announced)
    if given.get("SMTPUTF8") is not None:
        raise Refused(BAD_PARAMETER)
    _xtext("AUTH", given, 500)  # judged, then ignored: who vouches for the sender is the listener's setting
    return MailParameters(
        size=_size(given.get("SIZE")) if "SIZE" in given else None,
        body=_one_of("BODY", given, ("7BIT", "8BITMIME")),
        smtputf8="SMTPUTF8" in given,
        ret=_one_of("RET", given, ("FULL", "HDRS")),
        envid=_xtext("ENVID", given, 100),
        release=_needed("CLINIGATE-RELEASE", given),
    )


def rcpt_parameters(text: str, announced: frozenset[str], utf8: bool) -> RcptParameters:
    """Parse RCPT's parameters.  Raises Refused."""
    given = _split(text, RCPT_NEEDS, announced)
    return RcptParameters(notify=_notify(given), orcpt=_orcpt(given, utf8))


def xforward(text: str) -> dict[str, str]:
    """Parse the attributes of XFORWARD: decoded values; what the client does not know is "".  Raises Refused."""
    found: dict[str, str] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        name = name.upper()
        if name not in XFORWARD:
            raise Refused(BAD_PARAMETER)
        plain = unxtext(value) if _XTEXT.fullmatch(value) else None
        if plain is None or len(value) > 255:
            raise Refused(BAD_PARAMETER)
        found[name] = "" if plain.upper() in _UNKNOWN else plain
    if not found or (found.get("IDENT") and not _IDENT.fullmatch(found["IDENT"])):
        raise Refused(BAD_PARAMETER)
    return found


def unxtext(value: str) -> str | None:
    """Decode RFC 3461 xtext whose bytes are UTF-8; None if they are not or if a control character comes out."""
    data = _HEX.sub(lambda match: chr(int(match[1], 16)), value).encode("latin-1", "replace")
    try:
        plain = data.decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(plain) else plain


def _split(text: str, needs: Mapping[str, str | None], announced: frozenset[str]) -> dict[str, str | None]:
    given: dict[str, str | None] = {}
    for word in text.split(" ") if text else ():
        if not word:
            continue
        name, equals, value = word.partition("=")
        # AUTH=<> and its kind: RFC 4954's value is xtext, where "=" is encoded
        if not _KEYWORD.fullmatch(name) or (equals and not _VALUE.fullmatch(value)):
            raise Refused(BAD_PARAMETER)
        name = name.upper()
        need = needs.get(name, "")
        if need is not None and need not in announced:
            raise Refused(UNKNOWN_PARAMETER)
        if name in given:
            raise Refused(BAD_PARAMETER)
        given[name] = value if equals else None
    return given


def _needed(name: str, given: Mapping[str, str | None]) -> str | None:
    if name in given and given[name] is None:
        raise Refused(BAD_PARAMETER)
    return given.get(name)


def _size(value: str | None) -> int:
    if value is None or not (value.isascii() and value.isdecimal() and len(value) <= 20):  # RFC 1870 4
        raise Refused(BAD_PARAMETER)
    return int(value)


def _one_of(name: str, given: Mapping[str, str | None], allowed: tuple[str, ...]) -> str | None:
    value = _needed(name, given)
    if value is None:
        return None
    if value.upper() not in allowed:
        raise Refused(BAD_PARAMETER)
    return value.upper()


def _xtext(name: str, given: Mapping[str, str | None], most: int) -> str | None:
    value = _needed(name, given)
    if value is not None and not (len(value) <= most and _XTEXT.fullmatch(value)):
        raise Refused(BAD_PARAMETER)
    return value


def _notify(given: Mapping[str, str | None]) -> str | None:
    value = _needed("NOTIFY", given)
    if value is None:
        return None
    words = value.upper().split(",")
    if words != ["NEVER"] and (len(set(words)) != len(words) or not _NOTIFY.issuperset(words)):
        raise Refused(BAD_PARAMETER)
    return ",".join(words)


def _orcpt(given: Mapping[str, str | None], utf8: bool) -> str | None:
    value = _needed("ORCPT", given)
    if value is None:
        return None
    kind, semicolon, address = value.partition(";")
    grammar = _UTF8_XTEXT if utf8 else _XTEXT
    if not (semicolon and address and _KEYWORD.fullmatch(kind) and grammar.fullmatch(address) and len(value) <= 500):
        raise Refused(BAD_PARAMETER)
    return value
