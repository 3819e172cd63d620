"""A next hop that keeps what it takes and says no on request, recipient by recipient."""

from __future__ import annotations

from aiosmtpd.smtp import SMTP, Envelope, Session

from gateway.demo.mailbox import Mailbox


class FussyMailbox(Mailbox):
    """``answers``: recipient -> what RCPT is answered instead of 250."""

    answers: dict[str, str] | None = None

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if (answer := (self.answers or {}).get(address)) is not None:
            return answer
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 ok"
