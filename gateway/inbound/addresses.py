"""Paths of MAIL and RCPT, strictly (RFC 5321 4.1.2, 4.5.3.1; RFC 6531 3.3).  Pure.

Nothing that passes here holds CR, LF, NUL, another control character or a lone surrogate, so that an address can be
repeated to a next hop without forging a command.
"""

from __future__ import annotations

import ipaddress
import re

from gateway.inbound.replies import BAD_ADDRESS, NEEDS_UTF8, Refused

MAX_LOCAL = 64  # octets, RFC 5321 4.5.3.1.1
MAX_DOMAIN = 255  # octets, 4.5.3.1.2
MAX_PATH = 256  # octets with the angle brackets, 4.5.3.1.3
MAX_LABEL = 63  # octets, RFC 1035 2.3.4

_WORD = r"[^\x00-\x20\x7f-\xa0\ud800-\udfff()<>\[\]:;@\\,.\"]"
_QUOTED = r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff\"\\]"
# Underscores are no RFC 1123 names, but Windows hosts have them and every mail server takes them.
_LABEL = r"[^\x00-,./:-@\[-^`{-\xa0\ud800-\udfff]"
_DOT_STRING = re.compile(rf"{_WORD}+(?:\.{_WORD}+)*")
_QUOTED_STRING = re.compile(rf'"(?:{_QUOTED}|\\[\x20-\x7e])*"')
_DOMAIN = re.compile(rf"{_LABEL}+(?:\.{_LABEL}+)*")
_ROUTE = re.compile(rf"@{_DOMAIN.pattern}(?:,@{_DOMAIN.pattern})*:")
_HELO = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")


def parse_path(text: str) -> tuple[str, str]:
    """Split ``<path> rest`` into address and rest; a source route is dropped (RFC 5321 4.1.1.3).  "" is the null path.

    Raises Refused.  Whether non-ASCII is allowed is only known after the parameters: ask ``require_ascii`` then.
    """
    text = text.lstrip(" ")  # RFC 5321 forbids a blank after the colon; too many clients send one
    if not text.startswith("<"):
        raise Refused(BAD_ADDRESS)
    if text.startswith("<>"):
        return "", _rest(text[2:])
    start = 1
    if route := _ROUTE.match(text, start):
        start = route.end()
    end = _local_end(text, start)
    if text.startswith(">", end) and text[start:end].lower() == "postmaster":
        return text[start:end], _rest(text[end + 1 :])  # RFC 5321 4.5.1: the one name without a domain
    if not text.startswith("@", end):
        raise Refused(BAD_ADDRESS)
    close = text.find(">", end)
    if close < 0:
        raise Refused(BAD_ADDRESS)
    address = text[start:close]
    _check_domain(text[end + 1 : close])
    _check_lengths(text[start:end], text[end + 1 : close], address)
    return address, _rest(text[close + 1 :])


def require_ascii(address: str) -> None:
    """Raises Refused for an address that only SMTPUTF8 may carry (RFC 6531 3.1)."""
    if not address.isascii():
        raise Refused(NEEDS_UTF8)


def is_helo(name: str) -> bool:
    """True for what may stand in EHLO: it is repeated in ``Received``, so no blank, comment or quote."""
    return _HELO.fullmatch(name) is not None


def _local_end(text: str, start: int) -> int:
    match = (_QUOTED_STRING if text.startswith('"', start) else _DOT_STRING).match(text, start)
    if match is None:
        raise Refused(BAD_ADDRESS)
    return match.end()


def _rest(text: str) -> str:
    if text and not text.startswith(" "):
        raise Refused(BAD_ADDRESS)
    return text.strip(" ")


def _check_lengths(local: str, domain: str, address: str) -> None:
    for part, most in ((local, MAX_LOCAL), (domain, MAX_DOMAIN), (address, MAX_PATH - 2)):
        if len(part.encode()) > most:
            raise Refused(BAD_ADDRESS)


def _check_domain(domain: str) -> None:
    if domain.startswith("["):
        return _check_literal(domain)
    if not _DOMAIN.fullmatch(domain):
        raise Refused(BAD_ADDRESS)
    for label in domain.split("."):
        if label.startswith("-") or label.endswith("-") or (label.isascii() and len(label) > MAX_LABEL):
            raise Refused(BAD_ADDRESS)
    return None


def _check_literal(domain: str) -> None:
    inner = domain[1:-1]
    try:
        if not domain.endswith("]"):
            raise ValueError
        if inner[:5].lower() == "ipv6:":
            ipaddress.IPv6Address(inner[5:])
        else:
            ipaddress.IPv4Address(inner)
    except ValueError:
        raise Refused(BAD_ADDRESS) from None
