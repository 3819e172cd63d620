"""``clinigate case``: one page about one email, for a complaint.  For the information-governance team; every look is recorded."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.casepage.page import page
from gateway.casepage.rules import RuleBook
from gateway.casepage.show import html, text
from gateway.commands.disclosed.disclosures import TROUBLE, image_digest, private_file, said, writable
from gateway.commands.disclosed.patientnumber import PatientOption, patient_hash
from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, fail, settings, user
from gateway.commands.policy.source import versions
from quarantine import ops
from quarantine.keyedhash import KeyedHash
from quarantine.ledger import casefile
from quarantine.ledger.access import looking

MOST = 50  # emails on one page; of more, a list is wanted (`clinigate disclosures`)


def case(
    ref: Annotated[str | None, typer.Argument(help="Reference of the email or hold, as a notice gives it (H7Q2-93KD).")] = None,
    patient: PatientOption = None,
    image: Annotated[
        str | None, typer.Option(metavar="FILE|SHA256", help="A picture, or its SHA-256, as it was sent to us or as it left.")
    ] = None,
    as_html: Annotated[bool, typer.Option("--html", help="A page for a browser or printer.")] = False,
    as_json: JsonOption = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this new file, readable by you alone.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """One page for a complaint: who sent which pictures to whom, what was stated, decided, protected, told and looked at.

    Plain words for the patient first, codes for the file second.  Only the information-governance team may read it; that you
    looked is recorded.
    """
    if sum(one is not None for one in (ref, patient, image)) != 1:
        fail("name one: a reference, --patient or --image")
    if as_html and as_json:
        fail("write one of --html and --json")
    told = settings(config).quarantine
    try:
        hashes = KeyedHash.load(told.hash_key)
        asked: dict[str, Any] = {
            "ref": ref.strip().upper() if ref is not None else None,
            "patient": patient_hash(patient, hashes) if patient is not None else None,
            "images": (image_digest(image),) if image is not None else (),
        }
        desk = ops.open_desk(told)
        looking(desk, user(), "case", {name: value for name, value in asked.items() if value})
        keys = casefile.messages(desk.records, **asked)
        if len(keys) > MOST:
            fail(f"{len(keys)} emails fit, more than a page holds: name one by its reference (`clinigate disclosures`)", code=1)
        mails = casefile.gather(desk, hashes, keys)
        stopped = casefile.stopped(desk.records, asked["patient"], mails) if patient is not None else []
        if not mails and not stopped:
            other = "a cut or re-saved picture is found by `clinigate match`" if image else "search with `clinigate disclosures`"
            named = "picture" if image else "number" if patient else "reference"
            fail(f"nothing is noted about this: look at the {named}, or {other}", code=1)
        made = page(mails, RuleBook(versions(config)), time.time(), user(), stopped)
        if as_json:
            content = json.dumps({"emails": [asdict(mail) for mail in mails], "stopped": stopped}, indent=2) + "\n"
        else:
            content = html(made) if as_html else "\n".join(text(made)) + "\n"
        if output is None:
            typer.echo(writable(content), nl=False)
            return
        private_file(output, [content])
        typer.echo(f"{output} is written; it names people: keep it as safe as a patient's record.", err=True)
    except TROUBLE as error:
        fail(said(error), code=1)
