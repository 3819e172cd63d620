"""``clinigate demo``: every sample has the fate its name promises, and nothing stays behind."""

from __future__ import annotations

import email
import email.policy
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from gateway.demo.documents import encrypted_zip, pdf_letter
from gateway.demo.pictures import photo
from gateway.demo.samples import COLLEAGUE, FILE_SHARE, HOSPICE, SAMPLES, SENDER, STRANGER
from tests.support.installation import until
from tests.support.needs import needs
from tests.support.paths import ROOT

pytestmark = pytest.mark.e2e

MARK = f"CLINIGATE_TEST_{uuid4().hex}"
AGAIN = "… the same, with the tag the notice told"
ROUTE, SMIME, PLAIN = "delivered over the secure route", "delivered, encrypted (S/MIME)", "delivered as it came"
EXPECTED = [
    ("photo, consent by header", COLLEAGUE, ROUTE),
    ("photo, consent by subject tag", COLLEAGUE, ROUTE),
    ("photo, consent in first line, typed on a phone", COLLEAGUE, ROUTE),
    ("photo, encrypted for the recipient (S/MIME)", HOSPICE, SMIME),
    ("photo, no consent; then again with the tag", COLLEAGUE, "held (ask)"),
    (AGAIN, COLLEAGUE, ROUTE),
    ("photo to an unapproved domain", STRANGER, "held (quarantine)"),
    ("three recipients, three fates", COLLEAGUE, ROUTE),
    ("three recipients, three fates", STRANGER, "held (quarantine)"),
    ("three recipients, three fates", FILE_SHARE, "refused (250)"),
    ("signature logo only", STRANGER, PLAIN),
    ("plain text", STRANGER, PLAIN),
    ("PDF letter", COLLEAGUE, PLAIN),
    ("photo in a Word file", COLLEAGUE, ROUTE),
    ("photo in a PDF", COLLEAGUE, ROUTE),
    ("photos in a ZIP", COLLEAGUE, ROUTE),
    ("photo in an old Word file (.doc)", COLLEAGUE, "held (quarantine)"),
    ("encrypted ZIP", COLLEAGUE, "held (ask)"),
    ("photo as octet-stream, named .txt", COLLEAGUE, ROUTE),
    ("emergency", COLLEAGUE, ROUTE),
    ("patient refused", COLLEAGUE, "refused (550)"),
    ("photo, no consent; waits for your answer", COLLEAGUE, "held (ask)"),
]


@dataclass(frozen=True)
class Row:
    """One row of the printed table, blanks taken out: the table breaks words."""

    sample: str
    recipient: str
    happened: str
    why: str
    changed: str
    look: str


def squeezed(text: str) -> str:
    return "".join(text.split())


def rows(printed: str) -> list[Row]:
    """What the table says, read as a person reads it."""
    found: list[list[str]] = []
    fresh = True
    for line in printed.splitlines():
        if not line.startswith("│"):
            fresh = True
            continue
        cells = [squeezed(cell) for cell in line.strip("│").split("│")]
        if fresh:
            found.append(cells)
        else:
            found[-1] = [before + after for before, after in zip(found[-1], cells, strict=True)]
        fresh = False
    return [Row(*cells) for cells in found]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway.cli", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), MARK: "1"}


def started() -> list[int]:
    """Every process of any demo of this test run that is still alive."""
    found = []
    for one in psutil.process_iter():
        try:
            if MARK in one.environ() and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one.pid)
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "kept"


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    """One run with --once; what it printed."""
    done = subprocess.run(
        command("demo", "--once", "--folder", str(folder)), capture_output=True, text=True, timeout=110, env=environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert started() == []
    return done.stdout


@pytest.fixture(scope="module")
def table(printed: str) -> list[Row]:
    return rows(printed)


def test_each_sample_has_its_fate_in_its_order(table: list[Row]) -> None:
    assert [(row.sample, row.recipient, row.happened) for row in table] == [tuple(map(squeezed, one)) for one in EXPECTED]


def test_every_sample_is_in_the_expectation() -> None:
    assert {sample.name for sample in SAMPLES} == {name for name, _, _ in EXPECTED} - {AGAIN}


def test_every_row_names_a_rule_and_says_why_in_words(table: list[Row]) -> None:
    for row in table:
        rule, _, words = row.why.partition(":")
        assert re.fullmatch(r"[A-Z0-9-]+", rule), row
        assert words.endswith("."), row


def test_the_mailbox_holds_what_the_table_says(table: list[Row], folder: Path) -> None:
    """Each delivered row's file is there; where metadata was removed, none is left of what the phone hid."""
    delivered = [row for row in table if row.happened.startswith("delivered")]
    for row in delivered:
        raw = (folder / row.look).read_bytes()
        message = email.message_from_bytes(raw, policy=email.policy.SMTP)
        assert row.recipient in row.look
        assert (row.changed == "nothing") == (row.happened == squeezed(PLAIN))
        pictures = [part.get_payload(decode=True) for part in message.walk() if part.get_content_maintype() == "image"]
        if row.happened == squeezed(ROUTE):
            assert "onsent" not in str(message["Subject"])
            assert message["Clinical-Image-Consent"] is None
            for secret in (b"Sample Owner", b"SN0000", b"left forearm"):
                assert not any(secret in picture for picture in pictures)
        everything = b"".join(part.get_payload(decode=True) or b"" for part in message.walk())
        assert photo(11) not in everything
    kept = {str(path.relative_to(folder)) for path in (folder / "mailbox").rglob("*.eml")}
    told = {row.look for row in delivered}
    assert told <= kept
    own = {f"{role}@clinic.example" for role in ("dr.adams", "ig", "mail-admin", "on-call")}
    assert {Path(one).parent.name for one in kept - told} <= own, "only notices beside"
    assert not (folder / "mailbox" / FILE_SHARE).exists()


def test_what_was_held_is_held_sealed_and_can_be_shown(table: list[Row], folder: Path) -> None:
    listed = json.loads(
        subprocess.run(
            command("hold", "list", "--all", "--json", "--config", str(folder / "clinigate.yaml")),
            capture_output=True,
            text=True,
            check=True,
            env=environment(),
        ).stdout
    )
    refs = [squeezed(f"clinigate hold show {one['ref']}") for one in listed]
    assert sorted(refs) == sorted(row.look for row in table if row.happened.startswith("held"))
    for path in (folder / "store").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(secret in data for secret in (b"Sample Owner", pdf_letter()[:200], encrypted_zip()[:60], b"files.zip"))


def test_notices_tell_the_sender_what_happened(folder: Path, table: list[Row]) -> None:
    notices = [path.read_text("utf-8", "replace") for path in sorted((folder / "mailbox" / SENDER).glob("*.eml"))]
    assert any("[consent verbal]" in text for text in notices)
    assert any(FILE_SHARE in text for text in notices)
    assert any(STRANGER in text for text in notices)
    assert not any("left forearm" in text or "Sample Owner" in text for text in notices)


def test_the_smime_sample_opens_with_openssl_and_the_recipients_key(table: list[Row], folder: Path, tmp_path: Path) -> None:
    needs("openssl")
    (row,) = [row for row in table if row.happened == squeezed(SMIME)]
    certificate, key = folder / "smime" / "certificates" / "hospice.pem", folder / "smime" / "hospice.key"
    opened = tmp_path / "opened"
    arguments = ["-in", str(folder / row.look), "-recip", str(certificate), "-inkey", str(key), "-out", str(opened)]
    subprocess.run(["openssl", "cms", "-decrypt", *arguments], check=True, capture_output=True)
    done = subprocess.run(["openssl", "cms", "-verify", "-noverify", "-in", str(opened)], check=True, capture_output=True)
    message = email.message_from_bytes(done.stdout, policy=email.policy.SMTP)
    pictures = [part.get_payload(decode=True) for part in message.walk() if part.get_content_maintype() == "image"]
    assert len(pictures) == 1
    assert pictures[0].startswith(b"\xff\xd8")
    assert b"Sample Owner" not in pictures[0]
    assert b"Dressing" not in (folder / row.look).read_bytes()


def test_no_secret_of_the_samples_stands_in_a_log(printed: str, folder: Path) -> None:
    for name in ("gateway.log", "quarantine.log"):
        text = (folder / name).read_text("utf-8", "replace")
        assert "Traceback" not in text
        for secret in ("Sample Owner", "IMG_20", "dr.adams", "forearm", "Second opinion", STRANGER):
            assert secret not in text


@pytest.fixture
def staying(printed: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A second run in the same folder, without --once."""
    with (folder.parent / "second.txt").open("wb") as out:
        program = subprocess.Popen(command("demo", "--folder", str(folder)), stdout=out, stderr=out, env=environment())
    yield program
    if program.poll() is None:
        program.kill()
        program.wait()


def test_a_second_run_in_the_same_folder_stays_up_until_told_and_leaves_nothing(
    staying: subprocess.Popen[bytes], folder: Path, table: list[Row]
) -> None:
    """The table is the same; a third run in the folder is refused while it stands; SIGTERM ends all of it."""
    printed = folder.parent / "second.txt"
    until(lambda: staying.poll() is not None or "metrics, health" in printed.read_text(), "the second run's last words", 90)
    assert staying.poll() is None, printed.read_text()
    assert [(row.sample, row.happened) for row in rows(printed.read_text())] == [(row.sample, row.happened) for row in table]
    third = subprocess.run(
        command("demo", "--once", "--folder", str(folder)), capture_output=True, text=True, timeout=60, env=environment()
    )
    assert third.returncode == 1
    assert "a demo is running in" in third.stderr
    staying.send_signal(signal.SIGTERM)
    assert staying.wait(30) == 0
    end = time.monotonic() + 5
    while started() and time.monotonic() < end:
        time.sleep(0.05)
    assert started() == []


@pytest.mark.parametrize("name", ["notes.txt", "clinigate.yaml"])
def test_a_folder_that_is_not_a_demos_is_left_alone(tmp_path: Path, name: str) -> None:
    """Symptom: ``clinigate demo --folder /etc/clinigate`` would have deleted the installation's configuration.
    Cause: a clinigate.yaml was taken for the mark of a demo."""
    (tmp_path / name).write_text("precious")
    done = subprocess.run(
        command("demo", "--once", "--folder", str(tmp_path)), capture_output=True, text=True, timeout=60, env=environment()
    )
    assert done.returncode == 1
    assert "is not empty and not a demo's folder" in done.stderr
    assert (tmp_path / name).read_text() == "precious"
