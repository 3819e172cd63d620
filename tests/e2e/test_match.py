"""``clinigate match``: a picture that went through the gateway is found by itself, whatever another program made of it since."""

from __future__ import annotations

import email
import email.policy
import hashlib
import io
import json
import subprocess
import time
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from filters.likeness import likeness
from gateway.demo.pictures import photo
from gateway.demo.samples import COLLEAGUE, HOSPICE, SENDER
from gateway.evidence.likeness import Likenesses, probe
from gateway.sandbox import Sandbox
from quarantine.ledger.fingerprint import read
from quarantine.ledger.matching import How, judged
from tests.support.installation import Installation, until
from tests.support.needs import needs
from tests.support.sabotage.likeness import CRASH, EAT, HANG
from tests.support.wounds import shot, skin

pytestmark = pytest.mark.e2e


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


@cache
def wound() -> bytes:
    return jpeg(shot(skin(4), 4, 0.0))


@cache
def moment() -> bytes:
    """The same wound, photographed again."""
    return jpeg(shot(skin(4), 5, 0.03))


@cache
def other() -> bytes:
    return jpeg(shot(skin(8), 8, 0.0))


def mail(picture: bytes, subject: str, to: str = COLLEAGUE) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, to, subject
    message["Message-ID"] = f"<{hashlib.sha256(picture + subject.encode()).hexdigest()[:20]}@clinic.example>"
    message.set_content("Please see the picture.")
    message.add_attachment(picture, "image", "jpeg", filename="wound.jpg")
    return message.as_bytes(policy=SMTP)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("match")) as made:
        for picture in (wound(), other()):
            assert made.send(mail(picture, "Opinion? [consent verbal]"))[0] == 250
        until(
            lambda: (
                json.loads(made.cli("disclosures", "--json").splitlines()[0])
                and len(made.cli("disclosures", "--json").splitlines()) == 2
            ),
            "the ledger",
        )
        yield made


def match(site: Installation, path: Path) -> list[dict[str, Any]]:
    return list(json.loads(site.cli("match", str(path), "--json"))["matches"])


CHANGES = {
    "small": (["-resize", "40%", "-quality", "70"], "jpg", {"picture"}),
    "webp": (["-quality", "80"], "webp", {"picture"}),
    "turned": (["-rotate", "90", "-quality", "85"], "jpg", {"picture", "very-likely"}),
    "cut small turned": (
        ["-crop", "65%x70%+250+150", "+repage", "-resize", "60%", "-rotate", "270", "-quality", "75"],
        "jpg",
        {"very-likely", "likely"},
    ),
    "screenshot": (["-background", "black", "-gravity", "center", "-extent", "1400x2600"], "png", {"very-likely", "likely"}),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_another_program_made_of_it_is_found(site: Installation, tmp_path: Path, change: str) -> None:
    needs("convert")
    arguments, suffix, hows = CHANGES[change]
    source, made = tmp_path / "wound.jpg", tmp_path / f"made.{suffix}"
    source.write_bytes(wound())
    subprocess.run(["convert", str(source), *arguments, str(made)], check=True)
    found = match(site, made)
    assert [one["image"] for one in found] == [hashlib.sha256(wound()).hexdigest()]
    assert found[0]["how"] in hows
    assert [one["recipient_address"] for one in found[0]["disclosures"]] == [COLLEAGUE]


def test_the_telephones_own_format_is_found_where_its_decoder_is_installed(site: Installation, tmp_path: Path) -> None:
    needs("heif-enc")
    source, made = tmp_path / "wound.jpg", tmp_path / "wound.heic"
    source.write_bytes(wound())
    subprocess.run(["heif-enc", str(source), "-o", str(made)], check=True, capture_output=True)
    assert [one["how"] for one in match(site, made)] == ["picture"]


def test_the_file_as_received_and_as_it_left_is_the_same_file(site: Installation, tmp_path: Path) -> None:
    (tmp_path / "received.jpg").write_bytes(wound())
    delivered = email.message_from_bytes(site.mails(COLLEAGUE, 1)[0].read_bytes(), policy=email.policy.default)
    (tmp_path / "sent.jpg").write_bytes(
        next(part.get_content() for part in delivered.walk() if part.get_content_maintype() == "image")
    )
    for name in ("received.jpg", "sent.jpg"):
        assert match(site, tmp_path / name)[0]["how"] == "file"


def test_another_photograph_of_the_wound_is_told_apart_and_another_wound_not_found(site: Installation, tmp_path: Path) -> None:
    (tmp_path / "moment.jpg").write_bytes(moment())
    assert [one["how"] for one in match(site, tmp_path / "moment.jpg")] == ["very-likely"]
    (tmp_path / "foreign.jpg").write_bytes(jpeg(shot(skin(13), 13, 0.0)))
    assert site.cli("match", str(tmp_path / "foreign.jpg")) == "This picture is not in the ledger.\n"


def test_a_file_that_is_no_picture_is_looked_for_by_its_octets_and_that_is_said(site: Installation, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("words")
    done = site.run("match", str(tmp_path / "words.txt"))
    assert done.returncode == 0
    assert "not in the ledger" in done.stdout
    assert "by its bytes only" in done.stderr


def test_that_somebody_looked_is_recorded_before_anything_is_shown(site: Installation, tmp_path: Path) -> None:
    (tmp_path / "wound.jpg").write_bytes(wound())
    match(site, tmp_path / "wound.jpg")
    audit = site.folder / "quarantine" / "audit.jsonl"
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    looked = [line for line in lines if line["event"] == "looked" and line["what"] == "match"]
    assert looked[-1]["asked"] == {"image": hashlib.sha256(wound()).hexdigest()}


def test_a_thread_is_not_asked_twice_about_a_picture_saved_anew_and_is_about_another(site: Installation) -> None:
    """Sent again without a word of consent: smaller, to the same person: goes.  Cut, new, or to somebody else: is asked about."""
    anew = jpeg(Image.open(io.BytesIO(wound())).resize((1000, 750)), 85)
    cut = jpeg(Image.open(io.BytesIO(wound())).crop((60, 60, 1300, 990)), 85)
    time.sleep(5)  # the snapshot is written within two seconds of a change

    def states(picture: bytes, to: str = COLLEAGUE) -> list[str]:
        seen = len(site.events())
        site.send(mail(picture, "Re: Opinion?", to), [to])
        until(lambda: len(site.events()) > seen, "the event")
        return [one["state"] for one in site.events()[-1]["recipients"]]

    assert states(anew) == ["delivered"]
    assert states(cut) == ["held"]
    assert states(moment()) == ["held"]
    assert states(anew, HOSPICE) == ["held"]


# -- the sandbox ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [CRASH, HANG, EAT])
def test_a_picture_that_kills_the_decoder_has_no_likeness_and_the_next_one_has(bad: bytes) -> None:
    sandbox = Sandbox(1_500_000_000, 3.0, "tests.support.sabotage.likeness")
    try:
        started = time.monotonic()
        assert Likenesses(sandbox, 9, 2.0)(bad) == b""
        assert time.monotonic() - started < 8
        assert Likenesses(sandbox, 9, 10.0)(wound())
    finally:
        sandbox.close()


def test_the_confined_sandbox_makes_the_likeness_that_is_made_outside() -> None:
    sandbox = Sandbox(1_500_000_000, 20.0)
    try:
        assert Likenesses(sandbox, 9, 20.0)(wound()) == likeness(wound())
        assert sandbox.confined
        assert judged(probe(sandbox, wound()), read(likeness(wound())))[0] is How.PICTURE
    finally:
        sandbox.close()


def test_the_demos_photographs_are_different_pictures() -> None:
    """Or its threads would be taken for one."""
    sandbox = Sandbox(1_500_000_000, 20.0)
    try:
        made = [read(Likenesses(sandbox, 9, 20.0)(photo(seed))) for seed in (1, 2, 3)]
        assert judged([made[0]], made[1])[0] is not How.PICTURE
        assert judged([made[1]], made[2])[0] is not How.PICTURE
    finally:
        sandbox.close()
