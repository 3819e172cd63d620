"""The signature test (STYLE): messages whose every metadata field is a canary, through the gateway for every action.

Afterwards the next hop's bytes, logs at DEBUG, notices, journal, audit, metrics, records, ledger, snapshot, store and temporary
folders are searched.  Canaries in metadata (``CANARY-``) stand nowhere but in what observe let pass.  What people wrote in
subject, body, file names and statements (``KANARI-``) stands nowhere but in the mail of those who were to get it.
"""

from __future__ import annotations

import re
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import pytest

from gateway.demo.samples import COLLEAGUE, FILE_SHARE, HOSPICE, STRANGER
from tests.support.aftermath import all_said, incoming_empty
from tests.support.canaries import METADATA, WORDS, judge, stray
from tests.support.canary_images import jpeg_with_canaries, png_with_canaries
from tests.support.fussy import FussyMailbox
from tests.support.installation import Installation, until
from tests.support.mta import Queued, attempt
from tests.support.needs import needs
from tests.support.paths import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

OWN, WATCHED, ADVISED = "clinic.example", "watched.example", "advised.example"
NURSE, NOBODY = f"nurse@{OWN}", "dr.gone@royal-example.example"
STATEMENT = (
    "given; v=1; form=verbal; given-by=patient; purpose=COC; scope=record; patient=KANARI-patient; record=KANARI-record; "
    'policy=KANARI-policy; reason="KANARI-reason of Mrs Jones"; x-more="KANARI-parameter"; identifiable'
)


@dataclass(frozen=True)
class Action:
    """One way through the gateway."""

    name: str
    recipient: str
    subject: str = "KANARI-subject [consent verbal]"
    domain: str = OWN
    arrives: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    forwards: bool = False  # another message with a picture is attached

    @property
    def sender(self) -> str:
        return f"{self.name}@{self.domain}"


ACTIONS = (
    Action("deliver", NURSE, arrives=True),
    Action("route", COLLEAGUE, arrives=True),
    Action("header", COLLEAGUE, "KANARI-subject", headers={"Clinical-Image-Consent": STATEMENT}, arrives=True),
    Action("part", COLLEAGUE, "KANARI-s", headers={"Clinical-Image-Consent": f'{STATEMENT}; part="KANARI-file-0.jpg"'}),
    Action("smime", HOSPICE, arrives=True),
    Action("ask", COLLEAGUE, "KANARI-subject"),
    Action("forward", COLLEAGUE, forwards=True),
    Action("forward-own", NURSE, forwards=True, arrives=True),
    Action("misspelt", COLLEAGUE, "KANARI-subject [consent KANARI-word]"),
    Action(
        "unknown-purpose",
        COLLEAGUE,
        "KANARI-s",
        headers={"Clinical-Image-Consent": "given; purpose=KANARI-purpose; form=KANARI-form"},
    ),
    Action("unknown-status", COLLEAGUE, "KANARI-s", headers={"Clinical-Image-Consent": "KANARI-status"}),
    Action("quarantine", STRANGER),
    Action("refuse", FILE_SHARE),
    Action("refused-care", COLLEAGUE, "KANARI-subject [consent refused] KANARI-reason"),
    Action("emergency", COLLEAGUE, "[emergency: KANARI-reason airway at risk, team on call] KANARI-subject", arrives=True),
    Action("failed", NOBODY),
    Action("internal-error", COLLEAGUE, headers={"X-Sabotage": "decide raise"}),
    Action("lying", COLLEAGUE, headers={"X-Sabotage": "scrub lie"}),
    Action("poison", COLLEAGUE, headers={"X-Sabotage": "process die"}),
    Action("unpackable", COLLEAGUE, headers={"X-Sabotage": "record lie"}),
    Action("observe", STRANGER, domain=WATCHED, arrives=True),
    Action("advise", STRANGER, domain=ADVISED, arrives=True),
)


def message(action: Action) -> bytes:
    """One message full of canaries; both formats, and pictures inline, attached, in an attached message and mislabelled."""
    mail = EmailMessage()
    mail["From"] = f"KANARI-name Jones <{action.sender}>"
    mail["To"] = f"KANARI-to <{action.recipient}>"
    mail["Subject"] = action.subject
    mail["Message-ID"] = f"<{action.name}@{action.domain}>"
    mail["X-Mailer"] = "KANARI-mailer 1.0"
    mail["Thread-Topic"] = "KANARI-topic"
    for name, value in action.headers.items():
        mail[name] = value
    # Somebody else refuses: what one patient refused is not released for that patient in another mail.
    number = "401 023 2137" if action.name.startswith("refuse") else "943 476 5919"
    mail.set_content(f"KANARI-body: Mrs Jones, born 1950-03-12, NHS {number}, see the rash.\n")
    seed = 31 if action.name.startswith("refuse") else 7  # nor what looks like the picture that was refused
    jpeg = jpeg_with_canaries(f"CANARY-jpeg-{action.name}", seed, size=(640, 480))
    png = png_with_canaries(f"CANARY-png-{action.name}", seed, size=(320, 240))
    mail.add_attachment(jpeg, "image", "jpeg", filename="KANARI-file-0.jpg")
    mail.add_attachment(png, "image", "png", filename="KANARI-file-1.png", disposition="inline", cid="<KANARI-cid@x>")
    mail.add_attachment(jpeg, "application", "octet-stream", filename="KANARI-file-2.txt")
    if action.forwards:
        inner = EmailMessage()
        inner["From"] = "KANARI-inner <old@royal-example.example>"
        inner["Subject"] = "KANARI-inner-subject"
        inner.set_content("KANARI-inner-body\n")
        inner.add_attachment(jpeg, "image", "jpeg", filename="KANARI-file-3.jpg")
        mail.add_attachment(inner)
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@dataclass
class World:
    """The installation after everything was sent and said."""

    site: Installation
    sent: dict[str, bytes]
    answers: dict[str, int]
    pages: list[bytes]

    def mails(self, address: str) -> list[bytes]:
        assert self.site.mailbox is not None
        return [mail.read_bytes() for mail in self.site.mailbox.mails(address)]

    def arrived(self, action: Action) -> list[bytes]:
        mark = f"<{action.sender}>".encode()
        return [mail for mail in self.mails(action.recipient) if mark in mail.partition(b"\r\n\r\n")[0]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("canary")
    (folder / "tmp").mkdir()
    site = Installation(
        folder,
        mailbox=False,
        env={"PYTHONPATH": f"{ROOT / 'tests' / 'support' / 'sabotage'}:{ROOT}", "TMPDIR": str(folder / "tmp")},
        log_level="DEBUG",
        limits={"compute_processes": 2},
        quarantine={"merge_window": 0.5, "poll": 0.1},
    )
    site.configure(listeners=[{**site.settings()["listeners"][0], "kind": "relay"}])
    site.policy(
        settings={"own_domains": [OWN, WATCHED, ADVISED]},
        sender_groups={"watched": {"domains": [WATCHED]}, "advised": {"domains": [ADVISED]}},
        modes={"default": "enforce", "groups": {"watched": "observe", "advised": "advise"}},
    )
    site.mailbox = FussyMailbox(folder / "mailbox", site.ports.mailbox)
    site.mailbox.answers = {NOBODY: "550 5.1.1 no such user"}
    with site:
        sent = {action.name: message(action) for action in ACTIONS}
        answers = {}
        for action in ACTIONS:
            queued = Queued(f"Q{action.name}", action.sender, (action.recipient,), sent[action.name])
            answers[action.name] = attempt(site.port, "SMTP", queued)[action.recipient]
        until(lambda: incoming_empty(site) and all(all_said(site, action.sender) for action in ACTIONS), "all is said")
        _decide(site)
        pages = []
        for name in ("metrics", "healthz"):
            with urllib.request.urlopen(f"http://127.0.0.1:{site.ports.metrics}/{name}", timeout=5) as page:
                pages.append(page.read())
        pages += [site.cli(*command).encode() for command in (("hold", "list", "--all"), ("report", "observe"))]
        site.stop("quarantine")
        yield World(site, sent, answers, pages)


def _decide(site: Installation) -> None:
    """People act, too: they look, release, refuse and delete; their words are canaries where the command takes words."""
    holds = {hold["sender"].partition("@")[0]: hold for hold in site.holds()}
    for name in ("quarantine", "ask", "poison", "misspelt"):
        site.cli("hold", "show", holds[name]["ref"])
    reasons = [word for code in (*holds["quarantine"]["reasons"], "protect.no-method") for word in ("--accept", code)]
    site.cli("hold", "release", holds["quarantine"]["ref"], *reasons)
    given = "given; v=1; form=verbal; purpose=COC; patient=KANARI-released"
    site.cli("hold", "release", holds["ask"]["ref"], "--statement", given, check=False)
    site.cli("hold", "refuse", holds["misspelt"]["ref"], "consent.missing")
    site.cli("hold", "delete", holds["internal-error"]["ref"])
    until(lambda: all(all_said(site, f"{name}@{OWN}") for name in holds), "all is said")


def test_the_judge_sees_the_canaries_that_were_sent(world: World) -> None:
    """A test that could not fail would prove nothing."""
    for action in ACTIONS:
        assert judge(METADATA)(world.sent[action.name]) is not None
        assert judge(WORDS)(world.sent[action.name]) is not None
    (passed,) = world.arrived(next(action for action in ACTIONS if action.name == "observe"))
    assert judge(METADATA)(passed) is not None, "observe passes the original"


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_ends_as_it_should(world: World, action: Action) -> None:
    assert world.answers[action.name] == (550 if action.name == "failed" else 250)
    released = action.name in ("quarantine", "ask")
    assert len(world.arrived(action)) == (1 if action.arrives or released else 0)


@pytest.mark.parametrize("action", [one for one in ACTIONS if one.name != "observe"], ids=lambda action: action.name)
def test_no_metadata_reaches_anybody(world: World, action: Action) -> None:
    """P2: the next hop's bytes, for every action that sends any; ciphertext is opened by its recipient first."""
    for mail in world.arrived(action):
        assert judge(METADATA)(mail) is None
        assert judge(WORDS)(_without(mail, b"KANARI-file")) is not None or action.name == "smime", "the words are to arrive"
        assert b"KANARI-file" not in mail, "file names are neutral"
        for word in (
            b"KANARI-patient",
            b"KANARI-record",
            b"KANARI-policy",
            b"KANARI-reason",
            b"KANARI-mailer",
            b"KANARI-parameter",
        ):
            assert word not in mail


def _without(mail: bytes, word: bytes) -> bytes:
    return mail.replace(word, b"")


def test_the_ciphertext_holds_the_scrubbed_message_and_only_the_recipient_can_see_it(world: World, tmp_path: Path) -> None:
    """openssl opens it; subject and pictures stand inside, and no canary of metadata does."""
    needs("openssl")
    (mail,) = world.arrived(next(action for action in ACTIONS if action.name == "smime"))
    outer = mail.partition(b"\r\n\r\n")[0]
    assert b"KANARI-subject" not in outer
    assert judge(WORDS)(mail.partition(b"\r\n\r\n")[2]) is None
    smime = world.site.folder / "smime"
    (tmp_path / "mail.eml").write_bytes(re.sub(rb"^Return-Path:[^\n]*\n", b"", mail))
    opened = subprocess.run(
        ["openssl", "cms", "-decrypt", "-in", tmp_path / "mail.eml", "-inkey", smime / "hospice.key", "-recip",
         smime / "certificates" / "hospice.pem"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    inside = subprocess.run(
        ["openssl", "cms", "-verify", "-noverify", "-in", "/dev/stdin"], input=opened, capture_output=True, check=True
    ).stdout
    assert b"KANARI-subject" in inside
    assert judge(METADATA)(opened) is None
    assert judge(METADATA)(inside) is None


def test_nothing_that_stays_on_disk_holds_a_canary(world: World) -> None:
    """P5: logs at DEBUG, journal, ledger, attempts, audit, records, snapshot, sealed store, temporary folders."""
    site = world.site
    ours = [
        site.folder / name
        for name in ("gateway.log", "quarantine.log", "gateway", "quarantine", "store", "snapshot", "run", "tmp")
    ]
    assert all(path.exists() for path in ours)
    assert any((site.folder / "store").rglob("*.hold"))
    assert stray(ours, METADATA) == []
    assert stray(ours, WORDS) == []


def test_what_programs_show_holds_no_canary(world: World) -> None:
    """Metrics, health, lists and reports: numbers, ids, codes and addresses."""
    for page in world.pages:
        assert page
        assert judge(METADATA)(page) is None
        assert judge(WORDS)(page) is None
        assert b"Jones" not in page


def test_notices_alerts_and_reports_quote_nothing(world: World) -> None:
    """What senders, IG, mail admins and the person on call are written holds no subject, file name, reason or metadata."""
    assert world.site.mailbox is not None
    folder = world.site.mailbox.folder
    recipients = {action.recipient for action in ACTIONS}
    boxes = [box for box in folder.iterdir() if box.name not in recipients]
    assert {action.sender for action in ACTIONS if action.name in ("ask", "quarantine", "refuse", "poison")} <= {
        b.name for b in boxes
    }
    assert len(boxes) > 10
    assert stray(boxes, METADATA) == []
    assert stray(boxes, WORDS) == []
    assert not any(b"Jones" in mail.read_bytes() for box in boxes for mail in box.iterdir())


def test_logs_name_no_address_and_no_exception_text(world: World) -> None:
    """P5: ids, codes, domains and keyed hashes."""
    for name in ("gateway", "quarantine"):
        log = world.site.log(name)
        assert "Traceback" not in log
        assert "Jones" not in log
        for action in ACTIONS:
            assert action.recipient not in log
            assert action.sender not in log
