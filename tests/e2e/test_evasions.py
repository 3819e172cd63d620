"""Messages that carry a picture past careless gateways, and messages that are odd, through the real gateway in enforce.

P2: what the next hop gets never holds the canary, judged by the shared oracle.  P1: every message has an end.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import SMTP

import aiosmtpd.smtp
import pytest

from gateway.demo.samples import COLLEAGUE, SENDER
from tests.support.aftermath import both_listeners, of_sender, sealed
from tests.support.canaries import judge
from tests.support.installation import Installation, free_port
from tests.support.mta import Queued, attempt
from tests.support.needs import missing
from tests.support.paths import CORPUS

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FOLDER = CORPUS / "mail" / "evasions"
IMAGE = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n|/9j/|iVBORw0KGgo|GIF8[79]a|R0lGOD")


def listed() -> list[dict[str, str]]:
    manifest = FOLDER / "manifest.tsv"
    if not manifest.exists():
        return []
    with manifest.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


EVASIONS = listed()


@dataclass(frozen=True)
class End:
    """What became of one message."""

    answer: int
    arrived: list[bytes]
    holds: list[bytes]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Enforced; bare newlines are normalised, as for clients known to send them, so that no message is spared the parser."""
    made = Installation(tmp_path_factory.mktemp("evasions"))
    both_listeners(made, made.ports.gateway, free_port())
    listeners = [{**one, "bare_newlines": "normalise"} for one in made.settings()["listeners"]]
    made.configure(listeners=listeners)
    if not EVASIONS:
        missing("the shared corpus of mail")
    assert made.mailbox is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aiosmtpd.smtp.SMTP, "line_length_limit", 1 << 20)  # the mailbox refuses none of them
        made.mailbox.start()
        try:
            made.start("gateway")
            yield made
        finally:
            made.close()


def consenting(raw: bytes) -> bytes:
    """The message with a sender and a statement that count: whatever is then held is held for what it is."""
    raw = re.sub(rb"\r?\n", b"\r\n", raw) if b"\r\n" in raw[:400] else raw
    end = b"\r\n" if b"\r\n" in raw[:400] else b"\n"
    head, gap, body = raw.partition(end + end)
    head = re.sub(rb"(?im)^(From|Sender|Clinical-Image-Consent):[^\n]*(\n[ \t][^\n]*)*\n", b"", head + end).removesuffix(end)
    added = b"From: <%s>%sClinical-Image-Consent: given; v=1; form=verbal; purpose=COC%s" % (SENDER.encode(), end, end)
    return added + head + gap + body


def send(site: Installation, name: str, data: bytes) -> End:
    assert site.mailbox is not None
    before, known = len(site.mailbox.mails(COLLEAGUE)), {hold.id for hold in sealed(site)}
    answer = attempt(site.port, "SMTP", Queued(f"Q{name}", SENDER, (COLLEAGUE,), data))[COLLEAGUE]
    arrived = [mail.read_bytes() for mail in site.mailbox.mails(COLLEAGUE)[before:]]
    holds = [hold.content for hold in of_sender(sealed(site), SENDER) if hold.id not in known]
    return End(answer, arrived, holds)


@pytest.mark.parametrize("row", EVASIONS, ids=lambda row: row["file"].removesuffix(".eml"))
def test_no_evasion_reaches_the_next_hop_with_the_canary(site: Installation, row: dict[str, str]) -> None:
    """``strip``: delivered clean.  ``either``: clean or held.  ``quarantine``: held.  ``untouched``: signed bytes stay."""
    end = send(site, row["file"].removesuffix(".eml"), consenting((FOLDER / row["file"]).read_bytes()))
    leaks = [judge()(mail) for mail in end.arrived]
    assert leaks in ([], [None]), f"{row['what']}: {leaks}"
    assert end.answer in (250, 550), "neither taken nor refused"
    assert len(end.arrived) + len(end.holds) == (1 if end.answer == 250 else 0), "one end, and only one"
    if row["expect"] == "strip":
        assert end.arrived, "held, though it can be cleaned"
        pictures = [part for part in message_from_bytes(end.arrived[0], policy=SMTP).walk() if not part.is_multipart()]
        assert any((part.get_payload(decode=True) or b"").startswith(b"\xff\xd8\xff") for part in pictures), "the picture is gone"
    if row["expect"] == "quarantine":
        assert not end.arrived, f"{row['what']}: delivered"
    if row["expect"] == "untouched" and end.arrived:
        assert end.arrived[0].endswith((FOLDER / row["file"]).read_bytes().partition(b"\n\n")[2][-200:])


def test_every_odd_message_has_one_end_and_none_passes_with_a_picture_unseen(site: Installation) -> None:
    """All of the corpus of mail, to an approved domain, without a statement that counts: no picture leaves as it came."""
    wrong = []
    for path in sorted((CORPUS / "mail").glob("*.eml")):
        raw = path.read_bytes()
        end = send(site, path.stem, raw)
        if end.answer not in (250, 550) or len(end.arrived) + len(end.holds) != (end.answer == 250):
            wrong.append((path.name, "lost", end.answer, len(end.arrived), len(end.holds)))
        if end.arrived and _pictures(raw):
            events = site.events()
            decided = events[-1]["record"]["recipients"][0]
            if decided["rule"] not in ("NO-PICTURE", "DECORATIVE", "K9-APPROVED"):
                wrong.append((path.name, decided["rule"]))
    assert wrong == []


def _pictures(raw: bytes) -> bool:
    return bool(IMAGE.search(raw))
