"""The reply address of a hold, and links that open a reply with the word filled in."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from quarantine.answers.model import REPLY
from quarantine.answers.secrets import Secrets, reply_address
from quarantine.keys import load_secret
from quarantine.model import HoldRow, State
from quarantine.settings import QuarantineSettings


def replier(options: QuarantineSettings) -> Callable[[HoldRow], str]:
    """Makes the reply address of a hold; "" where there is none, or nothing to answer.  Raises KeyFileError, OSError."""
    domain = options.replies.domain
    if not domain:
        return lambda row: ""
    secrets = Secrets(load_secret(options.release_key))

    def address(row: HoldRow) -> str:
        asked = row.state is State.ASKED and row.sender_kind == "person" and bool(row.sender)
        return reply_address(secrets.make(row.id, row.sender, REPLY), domain) if asked else ""

    return address


def mailto(address: str, word: str, needs: str) -> str:
    """A link (RFC 6068) that opens a reply with the word in it; where something must stand beside, the cursor waits behind it."""
    body = quote(f"{word} " if needs else word, safe="")
    return f"mailto:{quote(address, safe='@')}?subject={quote(word, safe='')}&body={body}"
