"""What the pictures of a message are recognised by later, made in the sandbox while the message is worked on.

It never stops a mail: a picture that cannot be decoded, that kills the sandbox or takes too long has no fingerprint, and that is
counted.  Each picture of a message is looked at once, however often it stands in it.
"""

from __future__ import annotations

import time
from hashlib import sha256
from typing import Final

from filters.api import STRICT, Budget, FilterError, Malformed
from gateway.sandbox import Sandbox
from gateway.sandbox.parent import SandboxFailed, one_frame
from quarantine.ledger import fingerprint

PROBE_SECONDS: Final = 30.0


class Likenesses:
    """Of one message: at most ``most`` pictures, ``seconds`` for all of them together."""

    def __init__(self, sandbox: Sandbox, most: int, seconds: float) -> None:
        self._sandbox, self._most, self._end = sandbox, most, time.monotonic() + seconds
        self._seen: dict[str, bytes] = {}

    def __call__(self, data: bytes) -> bytes:
        """The likeness of one picture, b"" when it has none."""
        digest = sha256(data).hexdigest()
        if digest not in self._seen and len(self._seen) < self._most:
            self._seen[digest] = self._made(data)
        return self._seen.get(digest, b"")

    def _made(self, data: bytes) -> bytes:
        left = self._end - time.monotonic()
        try:
            return _forms(self._sandbox, data, "likeness", left)[0] if left > 0 else b""
        except (FilterError, SandboxFailed):
            return b""


def probe(sandbox: Sandbox, data: bytes) -> list[fingerprint.Fingerprint]:
    """What a picture at hand is looked for by.  Raises FilterError, SandboxFailed."""
    return fingerprint.probe(_forms(sandbox, data, "probe", PROBE_SECONDS))


def _forms(sandbox: Sandbox, data: bytes, job: str, seconds: float) -> list[bytes]:
    """Believed only when they are fingerprints."""
    _, blobs = one_frame(sandbox, job, data, STRICT, Budget(), seconds)
    try:
        fingerprint.probe(blobs)
    except fingerprint.NotAFingerprint:
        raise Malformed("the decoder failed") from None
    return blobs
