"""One mail for each kind of container with a photograph full of canaries, through the whole gateway to an approved recipient."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from gateway.demo.samples import COLLEAGUE
from tests.support.aftermath import of_sender, sealed
from tests.support.canaries import METADATA, judge
from tests.support.canary_images import jpeg_with_canaries
from tests.support.installation import Installation, until
from tests.support.leftovers import words
from tests.support.letters import DOMAIN
from tests.support.samples_all import CONTAINERS, EXTENSIONS, Canaries

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

READ_ONLY = frozenset(("msg", "doc-object"))  # held: a picture in them cannot be cleaned
TYPES = {"eml": ("message", "rfc822"), "html": ("text", "html"), "pdf": ("application", "pdf"), "dat": ("application", "ms-tnef")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(
        tmp_path_factory.mktemp("containers"), limits={"compute_processes": 2}, quarantine={"merge_window": 0.5, "poll": 0.1}
    ) as made:
        yield made


def photograph() -> bytes:
    """Too large for a logo."""
    return jpeg_with_canaries("CANARY-00000", size=(640, 480), progressive=False)


def mail(sender: str, kind: str, data: bytes) -> bytes:
    """One message with the container attached and consent stated."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = f"<{sender}>", COLLEAGUE, "Second opinion [consent verbal]"
    made["Message-ID"] = f"<{sender}>"
    made.set_content("Dear colleague\n")
    main, sub = TYPES.get(EXTENSIONS[kind], ("application", "octet-stream"))
    name = "winmail.dat" if kind.startswith("tnef") else f"case.{EXTENSIONS[kind]}"
    part = EmailMessage(policy=SMTP)
    part.set_content(data, "application", "octet-stream", filename=name, disposition="attachment", cte="base64")
    if main != "message":
        part.replace_header("Content-Type", f"{main}/{sub}")
    made.make_mixed()
    made.attach(part)
    return made.as_bytes()


@pytest.mark.parametrize("kind", CONTAINERS)
def test_no_word_of_metadata_reaches_the_next_hop(site: Installation, kind: str) -> None:
    """P2: it arrives clean, or it is held for a reason; and only what cannot be written anew is held."""
    sender, canaries = f"{kind}@{DOMAIN}", Canaries()
    data = CONTAINERS[kind](photograph(), "jpg", canaries.of(kind))
    raw = mail(sender, kind, data)
    assert words(raw)
    assert site.send(raw, (COLLEAGUE,), sender)[0] == 250
    assert site.mailbox is not None
    mailbox = site.mailbox

    def ended() -> tuple[list[bytes], list[str]] | None:
        came = [one.read_bytes() for one in mailbox.mails(COLLEAGUE)]
        mine = [one for one in came if f"From: <{sender}>".encode() in one]
        reasons = [reason for held in of_sender(sealed(site), sender) for reason in held.meta["reasons"]]
        return (mine, reasons) if mine or reasons else None

    mine, reasons = until(ended, "the end of it")
    for one in mine:
        assert {canaries.places.get(word, word) for word in words(one)} == set()
        assert judge(METADATA)(one) is None
    assert (kind in READ_ONLY) == bool(reasons), reasons
