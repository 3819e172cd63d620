"""What is left when everything has happened: sealed objects, rows, mails, notices.  Read from disk, past our own reports."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from quarantine.keys import load_private
from quarantine.model import ObjectKind, SealedObject
from quarantine.seal import unseal
from tests.support.installation import Installation, until

PLACES = ("incoming", "held", "damaged")


def sealed(site: Installation, kind: ObjectKind = ObjectKind.HOLD) -> list[SealedObject]:
    """Every object of a kind in the store, opened with the private keys; the same id at two places counts once."""
    keys = load_private(site.folder / "keys" / "quarantine")
    found: dict[str, SealedObject] = {}
    for place in PLACES:
        for path in (site.folder / "store" / place).glob(f"*.{kind.value}"):
            with contextlib.suppress(FileNotFoundError):  # the service moved it this very moment
                opened = unseal(path.read_bytes(), keys)
                if not {"note", "release"} & set(opened.meta):  # moves and releases are noted as outcome objects, too
                    found[opened.id] = opened
    return list(found.values())


def addresses(obj: SealedObject) -> list[str]:
    return [str(one["address"]) for one in obj.meta["envelope"]["recipients"]]


def of_sender(objects: Iterable[SealedObject], sender: str) -> list[SealedObject]:
    return [obj for obj in objects if obj.meta.get("envelope", {}).get("sender") == sender]


def query(database: Path, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of an SQLite file that another process writes."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as db:
        return db.execute(statement, values).fetchall()


def records(site: Installation, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    return query(site.folder / "quarantine" / "records.sqlite", statement, *values)


def incoming_empty(site: Installation) -> bool:
    """The quarantine service has taken everything in."""
    return not any((site.folder / "store" / "incoming").glob("[0-9a-f]*"))


def all_said(site: Installation, sender: str) -> bool:
    """Everything is taken in, and nothing that was promised to ``sender`` for the next minute is waiting."""
    waiting = "SELECT COUNT(*) FROM outbox WHERE recipient = ? AND state = 'pending' AND due < ?"
    return incoming_empty(site) and records(site, waiting, sender, time.time() + 60) == [(0,)]


def notices(site: Installation, sender: str, count: int = 1) -> list[Path]:
    """The notices ``sender`` got, once there are ``count`` and nothing more is waiting."""
    assert site.mailbox is not None
    mailbox = site.mailbox
    until(lambda: len(mailbox.mails(sender)) >= count and all_said(site, sender), f"{count} notices and no more")
    return mailbox.mails(sender)


def both_listeners(site: Installation, smtp: int, lmtp: int, kind: str = "relay") -> dict[str, int]:
    """Configure one SMTP and one LMTP listener behind an MTA; protocol -> port."""
    common = {"kind": kind, "vouches": "envelope-sender", "host": "127.0.0.1"}
    site.configure(
        listeners=[
            {"name": "mta-smtp", "protocol": "SMTP", "port": smtp, **common},
            {"name": "mta-lmtp", "protocol": "LMTP", "port": lmtp, **common},
        ]
    )
    return {"SMTP": smtp, "LMTP": lmtp}
