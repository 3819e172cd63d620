"""Step 9: DKIM signatures (RFC 6376, 8301, 8463), ours made and those we broke removed.

dkimpy reads and canonicalises header fields; the body hash and the private key are not left to it, because its regular
expressions take 280 ms for a 20 MB message (here 20 ms) and its RSA is pure Python.  Tests let dkimpy, OpenDKIM and its
library judge the result.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import dkim
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from dkim.canonicalization import CanonicalizationPolicy, InvalidCanonicalizationPolicyError
from dkim.util import InvalidTagValueList, parse_tag_value

from gateway.mime.head import Head
from gateway.mime.part import Edit
from gateway.mime.splice import splice

# Only what the recipient sees or answers to.  Never trace fields, and never our own Clinical-Image-* fields, which the next
# gateway may take out (domain/03 section 3.5).
SIGNED: Final = (
    b"from", b"sender", b"reply-to", b"subject", b"date", b"message-id", b"to", b"cc", b"in-reply-to", b"references",
    b"mime-version", b"content-type", b"content-transfer-encoding", b"auto-submitted",
    b"list-id", b"list-post", b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
# Listed once more than they occur, so that nobody can add another one (RFC 6376 8.15).
SEALED: Final = (b"from", b"subject", b"to", b"cc", b"reply-to", b"content-type")
_BLOCK: Final = 256 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")

Fields = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one domain.  Whether the sender may have this signature is the caller's to decide."""

    domain: str
    selector: str
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = field(repr=False)

    @classmethod
    def load(cls, domain: str, selector: str, key: Path) -> Signer:
        """``key`` is a PEM file.  Raises OSError or ValueError."""
        private = load_pem_private_key(key.read_bytes(), None)
        if not isinstance(private, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
            raise ValueError(f"DKIM key of {domain} must be RSA or Ed25519")
        if isinstance(private, rsa.RSAPrivateKey) and private.key_size < 1024:
            raise ValueError(f"DKIM key of {domain} is shorter than 1024 bits (RFC 8301 section 3.2)")
        for name in (domain, selector):
            if not _NAME.fullmatch(name):
                raise ValueError("DKIM domain and selector must be ASCII host names")
        return cls(domain.lower(), selector, private)

    @property
    def algorithm(self) -> str:
        """The a= tag."""
        return "rsa-sha256" if isinstance(self.key, rsa.RSAPrivateKey) else "ed25519-sha256"

    def sign(self, message: bytes, *, at: float | None = None) -> bytes:
        """``message`` with a relaxed/relaxed signature on top; ``at`` (POSIX time) becomes t=.

        Raises ValueError when there is not exactly one From: nobody could say what the signature vouches for.
        """
        head = Head.of(message)
        names = _signed_names(head)
        tags = [
            f"v=1; a={self.algorithm}; c=relaxed/relaxed",
            f"d={self.domain}; s={self.selector}",
            *([f"t={int(at)}"] if at is not None else []),
            "h=" + ":\r\n\t ".join(_rows(names)),
            "bh=" + base64.b64encode(body_hash(message, head.body, "sha256")).decode("ascii"),
            "b=",
        ]
        value = " " + ";\r\n\t".join(tags)
        digest = _header_digest(_fields(head), names, value.encode("ascii"))
        signature = base64.b64encode(self._raw(digest)).decode("ascii")
        folded = "".join(f"\r\n\t {signature[at : at + 72]}" for at in range(0, len(signature), 72))
        return b"DKIM-Signature:" + (value + folded).encode("ascii") + b"\r\n" + message

    def _raw(self, signed: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(hashlib.sha256(signed).digest())  # RFC 8463 section 3: PureEdDSA over the hash


def _signed_names(head: Head) -> list[bytes]:
    present = [name for name, _ in head.fields]
    if present.count(b"from") != 1:
        raise ValueError("a message to be signed must have exactly one From")
    return [name for name in SIGNED for _ in range(present.count(name) + (name in SEALED))]


def _rows(names: list[bytes]) -> Iterator[str]:
    """h= in lines of at most 76 columns."""
    row = ""
    for name in (one.decode("ascii") for one in names):
        if len(row) + len(name) > 60:
            yield row
            row = ""
        row += f":{name}" if row else name
    yield row


def _fields(head: Head) -> Fields:
    """(name, value with its CRLF) as dkimpy takes them."""
    return [(text[: (colon := text.index(b":"))], text[colon + 1 :]) for _, text in head.fields]


def _header_digest(fields: Fields, names: list[bytes], value: bytes) -> bytes:
    """What is signed: the listed fields and our own with an empty b= (RFC 6376 3.7), relaxed."""
    relaxed = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")
    chosen = dkim.select_headers(relaxed.canonicalize_headers(fields), names)
    ((own, text),) = relaxed.canonicalize_headers([(b"DKIM-Signature", value)])
    signed: bytes = b"".join(name + b":" + content for name, content in chosen) + own + b":" + text.rstrip()
    return signed


# -- body ------------------------------------------------------------------------------------------------------------


def body_hash(message: bytes, start: int, algorithm: str, *, simple: bool = False, length: int | None = None) -> bytes:
    """The hash of the canonical body that begins at ``start``; of its first ``length`` octets where l= says so.

    Works through whole lines in blocks, so that no second copy of a large body is made.
    """
    hasher = hashlib.new(algorithm)
    room = len(message) + 2 if length is None else length
    pending, empty = 0, True  # line ends kept back: those at the very end do not count
    for block in _lines(message, start):
        canonical = block if simple else _relax(block)
        bare = canonical.rstrip(b"\r\n")
        ends = len(canonical) - len(bare)
        if bare:
            text = b"\r\n" * pending + bare
            hasher.update(text[:room])
            room -= min(room, len(text))
            pending, empty = ends // 2, False
        else:
            pending += ends // 2
    if not empty or simple:
        hasher.update(b"\r\n"[:room])
    return hasher.digest()


def _lines(message: bytes, start: int) -> Iterator[bytes]:
    """Blocks that end with a line end, but for the last."""
    end = len(message)
    while start < end:
        newline = message.find(b"\r\n", start + _BLOCK)
        stop = end if newline < 0 else newline + 2
        yield message[start:stop]
        start = stop


def _relax(block: bytes) -> bytes:
    """Runs of blanks become one space, blanks at line ends go (RFC 6376 3.4.4)."""
    if b"\t" in block:
        block = block.replace(b"\t", b" ")
    while b"  " in block:
        block = block.replace(b"  ", b" ")
    block = block.replace(b" \r\n", b"\r\n")
    return block.removesuffix(b" ")  # the very last line may lack its line end; it is sent with one


# -- signatures of others --------------------------------------------------------------------------------------------


def broken_signatures(original: bytes, changed: bytes) -> tuple[int, ...]:
    """Which DKIM-Signature fields of ``changed`` (0 = topmost) covered something that is no longer as in ``original``.

    Compared is what each signature signed, in its own canonical form; whether it was valid before needs DNS and is not asked.
    A signature that cannot be read is left alone: it was no signature before either.
    """
    before, after = Head.of(original), Head.of(changed)
    signatures = [text for name, text in after.fields if name == b"dkim-signature"]
    return tuple(index for index, one in enumerate(signatures) if _broken(one, original, before, changed, after))


def drop_broken(original: bytes, changed: bytes) -> bytes:
    """``changed`` without the signatures that the change broke; the same object when there are none."""
    broken = broken_signatures(original, changed)
    if not broken:
        return changed
    head = Head.of(changed)
    signatures = [span for (name, _), span in zip(head.fields, head.spans, strict=True) if name == b"dkim-signature"]
    return splice(changed, [Edit(*signatures[index], b"") for index in broken])


def _broken(signature: bytes, original: bytes, before: Head, changed: bytes, after: Head) -> bool:
    try:
        tags = parse_tag_value(signature.partition(b":")[2])
        policy = CanonicalizationPolicy.from_c_value(tags.get(b"c", b"simple/simple"))
        names = [name.strip().lower() for name in tags[b"h"].split(b":")]
        algorithm = tags[b"a"].rpartition(b"-")[2].decode("ascii")
        length = int(tags[b"l"]) if b"l" in tags else None
    except (InvalidTagValueList, InvalidCanonicalizationPolicyError, KeyError, ValueError):
        return False
    chosen = [dkim.select_headers(policy.canonicalize_headers(_fields(head)), names) for head in (before, after)]
    if chosen[0] != chosen[1]:
        return True
    simple = policy.to_c_value().endswith(b"simple")
    if algorithm not in ("sha1", "sha256"):
        algorithm = "sha256"  # only equality is asked
    bodies = [
        body_hash(data, head.body, algorithm, simple=simple, length=length)
        for data, head in ((original, before), (changed, after))
    ]
    return bodies[0] != bodies[1]
