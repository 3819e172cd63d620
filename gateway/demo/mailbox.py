"""The demo's next hop: an SMTP server that keeps every mail it takes as a file, one folder a recipient."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """Listens on loopback; ``folder/<recipient>/<number>.eml`` holds the bytes as they arrived."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._controller = Controller(
            self, hostname="127.0.0.1", port=port, data_size_limit=70_000_000, ready_timeout=10, enable_SMTPUTF8=True
        )

    @property
    def port(self) -> int:
        server = self._controller.server
        return int(server.sockets[0].getsockname()[1]) if isinstance(server, asyncio.base_events.Server) else 0

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop(no_assert=True)

    def mails(self, recipient: str) -> list[Path]:
        """Everything that arrived for one recipient, oldest first."""
        return sorted((self.folder / recipient.lower()).glob("*.eml"))

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        sender = "" if envelope.mail_from in (None, "<>") else envelope.mail_from  # the null sender comes as the string "<>"
        head = f"Return-Path: <{sender}>\r\n".encode()
        with self._lock:
            for recipient in envelope.rcpt_tos:
                box = self.folder / recipient.lower().replace("/", "_")
                box.mkdir(parents=True, exist_ok=True)
                whole = box / "arriving"  # nobody reads half an email
                whole.write_bytes(head + content)
                whole.rename(box / f"{len(list(box.glob('*.eml'))) + 1:04}.eml")
        return "250 2.0.0 kept"
