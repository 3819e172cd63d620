"""``--patient``: a number from the keyboard or standard input, so that it stands in no shell history; hashed at once."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.commands.consent.patientname import named_patients
from gateway.commands.options import fail
from quarantine.keyedhash import KeyedHash

PatientOption = Annotated[
    str | None,
    typer.Option(
        "--patient",
        metavar="NUMBER|-",
        help="The patient's number (NHS, CHI, IHI, Medicare), or reference as `consent show` prints it; `-` asks for it or reads"
        " a line of standard input, and keeps it out of the shell's history.",
    ),
]


def patient_hash(given: str, hashes: KeyedHash) -> str:
    """The keyed hash of the number that is meant; nothing repeats it.  Ends with an advice when there is not one number."""
    found = named_patients([given], hashes)
    if len(found) > 1:
        fail("more than one number was given: search for one patient at a time")
    return found[0]
