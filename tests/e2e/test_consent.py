"""A patient says no: gateway, quarantine service, command line and mailbox, as they run."""

from __future__ import annotations

import email
import email.policy
import io
import json
import subprocess
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from gateway.demo.pictures import photo
from gateway.demo.samples import COLLEAGUE, HOSPICE, SENDER, STRANGER, Sample, picture
from tests.support.installation import Installation, until

pytestmark = pytest.mark.e2e

NHS = "943 476 5919"
SECONDS = 15.0  # from the end of the command to the first mail stopped, on a machine that has other things to do; it takes none


def mail(seed: int, subject: str, *to: str, number: str = f"NHS {NHS}", **options: Any) -> bytes:
    """A photograph, with the patient's number in the text unless there is none."""
    return Sample(
        "", to or (COLLEAGUE,), subject, f"Dear colleague,\n\nplease see attached. {number}\n", (picture(seed),), **options
    ).build()


def saved_anew(data: bytes) -> bytes:
    """As a messenger saves it: smaller, without its hidden data."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(data)) as picture:
        small = ImageOps.exif_transpose(picture).convert("RGB")
        small.resize((small.width // 2, small.height // 2)).save(out, "JPEG", quality=80)
    return out.getvalue()


def with_picture(data: bytes, subject: str) -> bytes:
    """An email that bears this picture and no number."""

    def attach(message: EmailMessage) -> None:
        message.add_attachment(data, "image", "jpeg", filename="IMG-20261123-WA0001.jpg")

    return Sample("", (COLLEAGUE,), subject, "Dear colleague,\n\nplease see attached.\n", (attach,)).build()


def consent(site: Installation, *words: str, text: str = NHS) -> Any:
    """``clinigate consent ... --json``; the number goes in as a person types it."""
    command = site._command("consent", *words, "--json")
    done = subprocess.run(
        command, input=text + "\n", capture_output=True, text=True, timeout=60, env=site._env(None), cwd=site.folder
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def letter(path: Path) -> EmailMessage:
    found = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_a_no_stops_mail_within_seconds_and_a_yes_lets_it_go_again(tmp_path: Path) -> None:
    """Whatever the header says; the held mail is refused with N-4; who has pictures is written to after approval."""
    with Installation(tmp_path / "site") as site:
        assert site.send(mail(1, "[consent verbal] rash", COLLEAGUE, HOSPICE), (COLLEAGUE, HOSPICE))[0] == 250
        assert site.send(mail(2, "rash"))[0] == 250
        (hold,) = site.holds(1)
        until(lambda: len(consent(site, "show")["disclosures"]) == 2, "the disclosures in the ledger")

        made = consent(site, "withdraw", "--since", "2026-11-12")
        noted, stopped = time.monotonic(), 0.0
        assert made["in_force"] is True
        assert made["refused"] == [hold["ref"]]
        assert sorted(one["to"] for one in made["recalls"]) == [COLLEAGUE, HOSPICE]
        for message, to in (
            (
                mail(3, "rash", headers={"Clinical-Image-Consent": 'given; v=1; form=written; purpose=COC; date="2026-11-20"'}),
                COLLEAGUE,
            ),
            (mail(4, "[emergency: unconscious, burns unit on call] rash"), COLLEAGUE),
            (mail(1, "[consent verbal] rash", STRANGER, number=""), STRANGER),  # that very picture, without the number
            (mail(2, "[not a patient image] rash", number=""), COLLEAGUE),
            (with_picture(saved_anew(photo(1)), "[consent verbal] rash"), COLLEAGUE),  # it again, as another file
        ):
            site.send(message, (to,))
            stopped = stopped or time.monotonic()
        assert stopped - noted < SECONDS
        fates = [one["state"] for event in site.events()[-5:] for one in event["recipients"]]
        assert set(fates) <= {"refused", "held"} and fates[2] == "refused"
        assert len(site.mails(COLLEAGUE)) == 1 and site.mails(STRANGER) == []

        told = until(
            lambda: [
                n for n in map(letter, site.mails(SENDER)) if hold["ref"] in str(n["Subject"]) and "Not sent" in n["Subject"]
            ],
            "N-4",
        )
        text = " ".join(told[0].get_body(("plain",)).get_content().split())  # type: ignore[union-attr]  # it has a text
        assert "The patient has said no, or has taken back their agreement. They said so on 12 November 2026." in text
        assert "We kept no copy" in text
        until(lambda: not list((site.folder / "store").rglob(f"{hold['id']}*")), "the copy of the held mail erased")

        chosen = next(one for one in made["recalls"] if one["to"] == HOSPICE)
        assert consent(site, "approve", chosen["ref"])[0]["state"] == "approved"
        (recall,) = [one for one in map(letter, site.mails(HOSPICE, 2)) if "stop using" in str(one["Subject"])]
        assert recall["Reply-To"] == "ig@clinic.example" and recall["Return-Path"] == "<>"
        until(
            lambda: consent(site, "show")["recalls"][0]["sent"] or consent(site, "show")["recalls"][1]["sent"], "the letter sent"
        )
        assert consent(site, "confirmed", chosen["ref"])[0]["state"] == "confirmed"

        assert consent(site, "restore")["in_force"] is True
        assert site.send(mail(1, "[consent verbal] rash"))[0] == 250
        assert len(site.mails(COLLEAGUE, 2)) == 2
        assert site.events()[-1]["recipients"][0]["state"] == "delivered"
        shown = consent(site, "show")
        assert [one["status"] for one in shown["patients"][0]["history"]] == ["withdrawn", "restored"]
        assert {fate for one in shown["statements"] for fate in one["fates"]} >= {"delivered", "held", "refused"}
        for path in site.folder.rglob("*"):
            if path.is_file() and "mailbox" not in path.parts:
                assert b"9434765919" not in path.read_bytes() and NHS.encode() not in path.read_bytes(), path


def test_a_limit_leaves_care_and_holds_teaching(tmp_path: Path) -> None:
    """The patient wants it in the record and nowhere else (S3-7); IG can let it go all the same."""
    with Installation(tmp_path / "site") as site:
        assert consent(site, "limit", "--scope", "record")["in_force"] is True
        assert site.send(mail(1, "[consent verbal] rash"))[0] == 250
        assert site.events()[-1]["recipients"][0]["state"] == "delivered"
        site.send(mail(2, "[consent written, teaching] slides"))
        (hold,) = site.holds(1)
        assert (hold["rule"], hold["releases"]) == ("LIMITED-USE", "ig")
