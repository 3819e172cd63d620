"""Links to file shares, referrals, messengers, cameras, many emails about one patient: as a clinician's mail program sends them.

One installation, mail submitted with swaks, results in the recipients' and the sender's mailboxes and in the journal.
"""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import piexif
import pytest
from PIL import Image

from gateway.demo.pictures import photo
from gateway.demo.samples import COLLEAGUE, HOSPICE, SENDER, STRANGER
from tests.support.installation import Installation, until
from tests.support.needs import needs

pytestmark = pytest.mark.e2e

SECRET = "vanilla-canary"  # in every link: it may stand in no record
CARE = f"Dear Sam,\n\ncould you look at this wound? https://www.dropbox.com/s/{SECRET}/leg.jpg?dl=0\n\nJo\n"
NHS = "943 476 5919"  # a number that passes its check and belongs to nobody


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    needs("swaks")
    with Installation(tmp_path_factory.mktemp("side"), quarantine={"snapshot_every": "1s", "merge_window": "0s"}) as made:
        yield made


def taken_with(make: str, model: str, serial: str = "", seed: int = 1) -> bytes:
    """A photograph that names its camera."""
    exif = {piexif.ExifIFD.BodySerialNumber: serial.encode()} if serial else {}
    zeroth = {piexif.ImageIFD.Make: make.encode(), piexif.ImageIFD.Model: model.encode()} if make else {}
    out = io.BytesIO()
    with Image.open(io.BytesIO(photo(seed))) as picture:
        picture.save(
            out, "JPEG", quality=88, exif=piexif.dump({"0th": zeroth, "Exif": exif, "GPS": {}, "1st": {}, "thumbnail": None})
        )
    return out.getvalue()


def swaks(
    site: Installation, folder: Path, to: str, subject: str, body: str, picture: bytes | None = None, name: str = ""
) -> None:
    """Submit one mail; the gateway must take it."""
    arguments = ["--server", f"127.0.0.1:{site.port}", "--from", SENDER, "--to", to, "--h-Subject", subject, "--body", body]
    arguments += ["--h-From", SENDER, "--h-To", to]
    if picture is not None:
        (folder / name).write_bytes(picture)
        arguments += ["--attach-type", "image/jpeg", "--attach-name", name, "--attach", f"@{folder / name}"]
    done = subprocess.run(["swaks", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:]


def last(site: Installation, seen: int) -> dict[str, Any]:
    """The record of the message sent after ``seen`` events."""
    return dict(site.event(seen)["record"])


def notices(site: Installation) -> list[str]:
    """Subject and text of each notice in the sender's mailbox."""
    found = []
    for path in site.mails(SENDER):
        mail = message_from_bytes(path.read_bytes(), policy=default)
        body = mail.get_body(("plain",))
        found.append(f"{str(mail['Subject']).strip()}\n{body.get_content() if body is not None else ''}")
    return found


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_link_to_a_patients_pictures_is_told_once_and_the_mail_goes_as_it_came(site: Installation, tmp_path: Path) -> None:
    """P3: byte for byte; the sender gets one note, not a second one the same month; the link stands in no record."""
    seen, before = len(site.events()), len(site.mails(STRANGER))
    swaks(site, tmp_path, STRANGER, "for your opinion", CARE)
    mail = site.mails(STRANGER, before + 1)[-1].read_bytes()
    assert SECRET.encode() in mail
    record = last(site, seen)
    assert "link.file-share" in record["recipients"][0]["facts"]["codes"]
    assert record["shares"] == ["dropbox"]
    until(lambda: any("with a note" in one for one in notices(site)), "the note")
    note = next(one for one in notices(site) if "with a note" in one)
    assert "links to a file share" in flat(note)
    assert SECRET not in note and "dropbox" not in note.lower()
    seen = len(site.events())
    swaks(site, tmp_path, STRANGER, "once more", CARE)
    swaks(site, tmp_path, HOSPICE, "and once more", CARE)
    site.event(seen + 1)
    swaks(site, tmp_path, COLLEAGUE, "a mail with its notice [consent verbal]", "see attached", photo(2), "a.jpg")
    until(lambda: any(one.startswith("Sent: ") for one in notices(site)), "a later notice")
    assert sum("with a note" in one for one in notices(site)) == 1
    for path in (site.folder / "gateway" / "journal").glob("*"):
        assert SECRET.encode() not in path.read_bytes()
    for name in ("gateway", "quarantine"):
        assert SECRET not in site.log(name)


def test_a_link_without_words_of_care_is_only_noted(site: Installation, tmp_path: Path) -> None:
    seen = len(site.events())
    swaks(site, tmp_path, STRANGER, "party", f"Menu and seating plan: https://we.tl/t-{SECRET}\n")
    codes = last(site, seen)["recipients"][0]["facts"]["codes"]
    assert "link.share-only" in codes and "link.file-share" not in codes


def test_advice_stands_in_the_notice_about_a_picture(site: Installation, tmp_path: Path) -> None:
    """A referral to a service that takes them electronically, from WhatsApp, by a private phone: three lines, nothing held."""
    register = site.folder / "policies" / "domains.yaml"
    entry = "- domain: royal-example.example\n"
    register.write_text(register.read_text().replace(entry, f"{entry}  e_referral: true\n"))
    loaded = site.log("gateway").count("policy.loaded")
    until(lambda: site.log("gateway").count("policy.loaded") > loaded, "the new register")
    seen, told = len(site.events()), len(notices(site))
    name = "IMG-20260304-WA0012.jpg"
    swaks(
        site,
        tmp_path,
        COLLEAGUE,
        "2ww referral [consent verbal]",
        "Please see this patient.",
        taken_with("Apple", "iPhone 15"),
        name,
    )
    line = last(site, seen)["recipients"][0]
    assert line["action"] == "PROTECT"
    assert {"mail.referral", "name.messenger", "device.personal"} <= set(line["advised"])
    until(lambda: len(notices(site)) > told, "the notice")
    text = flat(notices(site)[-1])
    for words in ("e-Referral Service", "messenger such as WhatsApp", "phone of a private kind"):
        assert words in text


def test_a_registered_camera_is_known_and_its_number_never_leaves(site: Installation, tmp_path: Path) -> None:
    camera = tmp_path / "camera.jpg"
    camera.write_bytes(taken_with("Canon", "Canon EOS 850D", "0330217701234", 3))
    assert "is registered" in site.cli("device", "add", "derm-1", "--owner", "Illustration", "--picture", str(camera))
    loaded = site.log("gateway").count("policy.loaded")
    until(lambda: site.log("gateway").count("policy.loaded") > loaded, "the new register")
    seen = len(site.events())
    swaks(site, tmp_path, COLLEAGUE, "photo [consent verbal]", "see attached", camera.read_bytes(), "c.jpg")
    record = last(site, seen)
    assert "device.registered" in record["images"][0]["codes"]
    assert re.fullmatch(r"[0-9a-f]{16,64}", record["images"][0]["device"])
    seen = len(site.events())
    swaks(site, tmp_path, COLLEAGUE, "photo [consent verbal]", "see attached", taken_with("Canon", "EOS 90D", "55", 4), "d.jpg")
    record = last(site, seen)
    assert "device.unregistered" in record["images"][0]["codes"]
    assert "device.unregistered" in record["recipients"][0]["advised"]
    assert record["recipients"][0]["action"] == "PROTECT"
    for path in [*(site.folder / "gateway").rglob("*"), *(site.folder / "quarantine").rglob("*")]:
        assert not path.is_file() or b"0330217701234" not in path.read_bytes(), path.name


def test_the_third_mail_about_one_patient_is_a_finding(site: Installation, tmp_path: Path) -> None:
    """Three mails with new pictures to one partner; the same picture again adds nothing; another recipient starts at one."""

    def send(to: str, seed: int) -> set[str]:
        seen = len(site.events())
        swaks(site, tmp_path, to, f"NHS number {NHS} [consent verbal]", "see attached", photo(seed), f"{seed}.jpg")
        codes = set(last(site, seen)["recipients"][0]["facts"]["codes"])
        record = site.folder / "snapshot" / "snapshot.sqlite"
        stamp = record.stat().st_mtime_ns
        until(lambda: record.stat().st_mtime_ns > stamp, "a new snapshot")
        stamp = record.stat().st_mtime_ns
        until(lambda: record.stat().st_mtime_ns >= stamp, "a new snapshot")
        return codes

    found = [send(COLLEAGUE, 11), send(COLLEAGUE, 12), send(COLLEAGUE, 12), send(HOSPICE, 13), send(COLLEAGUE, 13)]
    assert ["disclosure.aggregate" in codes for codes in found] == [False, False, False, False, True]


def test_a_profile_or_setting_holds_what_is_else_advised(site: Installation, tmp_path: Path) -> None:
    """By policy a link waits for the sender's word, and a private phone for a reviewer; the word lets it go."""
    loaded = site.log("gateway").count("policy.loaded")
    site.policy(settings={"file_links": {"then": "hold"}, "devices": {"personal": "hold"}})
    until(lambda: site.log("gateway").count("policy.loaded") > loaded, "the new policy")
    held = {hold["id"] for hold in site.holds()}
    swaks(site, tmp_path, STRANGER, "for your opinion", CARE)
    fresh = until(lambda: [hold for hold in site.holds() if hold["id"] not in held], "the hold")
    assert [hold["state"] for hold in fresh] == ["ASKED"]
    before = len(site.mails(STRANGER))
    swaks(site, tmp_path, STRANGER, "[no patient picture] for your opinion", CARE)
    assert site.mails(STRANGER, before + 1)
    held = {hold["id"] for hold in site.holds()}
    phone = taken_with("Apple", "iPhone 15", seed=5)
    swaks(site, tmp_path, COLLEAGUE, "photo [consent verbal]", "see attached", phone, "e.jpg")
    fresh = until(lambda: [hold for hold in site.holds() if hold["id"] not in held], "the hold")
    assert [(hold["state"], hold["reasons"][0]) for hold in fresh] == [("QUARANTINED", "device.not-clinical")]
