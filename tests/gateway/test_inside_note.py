"""R-1: inside a protected message the recipient reads what the picture is for, until when, and whom to tell if it went astray."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gateway.encryption.insidenote import inside_note
from policies.decide import decide
from policies.files.settings import SettingsModel
from policies.model import Carrier, Consent, ConsentStatus, Statement
from tests.support.policyfacts import facts, shipped, statement

pytestmark = pytest.mark.unit

OURS = SettingsModel.model_validate(
    {"own_domains": ["trust.example"], "ig": {"name": "IG team", "phone": "ext. 4400", "email": "ig@trust.example"}}
)


def note(cls: str, kind: str, stated: Statement | None, settings: SettingsModel = OURS) -> str:
    given = facts(cls, kind, stated)
    made = inside_note(given, decide(shipped(), given), settings)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("stated", "phrase"),
    [
        (statement("v", "P1"), "shared with the patient's verbal agreement and for the patient's care only."),
        (statement("w", "P4"), "shared with the patient's written agreement and for teaching only."),
        (
            statement("w", "P1", given_by="parental-responsibility", child=True),
            "shared with the written agreement of a person with parental responsibility and for the patient's care only.",
        ),
        (
            statement("emergency"),
            "shared in an emergency, in which the patient could not be asked, and for the patient's emergency",
        ),
        (statement("v", "P0"), "for the patient's care only."),
    ],
)
def test_agreement_and_purpose(stated: Statement, phrase: str) -> None:
    """How the patient agreed and to what; nothing wider."""
    assert phrase in note("A", "K3", stated)


def test_an_x_ray_without_a_statement_has_its_note_too() -> None:
    """It needs no agreement of its own, and is for care all the same."""
    made = note("A", "K1", None)
    assert made.startswith(
        "Clinical picture. It is shared by the team that looks after the patient and for the patient's care only."
    )


def test_until_when_and_whom_to_tell() -> None:
    """06 R-1: every part of it, each on a line of its own."""
    lines = note("A", "K3", statement("v", "P1", expires=date(2027, 3, 1))).split("\r\n")
    assert lines[1:] == [
        "Keep it in the patient's record or delete it. Do not forward it or use it for anything else without asking.",
        "The agreement is valid until 1 March 2027.",
        "Not for you? Please tell IG team, ext. 4400, ig@trust.example and delete it: we must report it.",
    ]
    assert "valid until" not in note("A", "K3", statement("v", "P1"))


def test_the_example_contact_is_nobodys() -> None:
    """The shipped policy's contact must not be printed: then the sender is whom to tell."""
    assert "Please tell the sender and delete it" in note("A", "K3", statement("v", "P1"), shipped().settings)


def test_mail_without_a_clinical_picture_has_none() -> None:
    """P3: nothing is added to what was not touched."""
    for kind in ("K0", "K8", "K9"):
        given = facts("A", kind)
        assert inside_note(given, decide(shipped(), given), OURS) is None


@pytest.mark.parametrize(
    "secret",
    [
        {"patient": "p-secret"}, {"record": "REC-secret"}, {"reason": "secret words"}, {"part": "secret.jpg"},
        {"form": "secret\r\nX: y"}, {"given_by": "secret"}, {"policy": "secret"},
    ],
)  # fmt: skip
def test_nothing_of_the_statement_but_its_kind_goes_in(secret: dict[str, Any]) -> None:
    """No reference, no free text, no word from outside."""
    stated = Statement(ConsentStatus.GIVEN, Carrier.HEADER, **{"form": "verbal", "purpose": "COC", **secret})
    given = facts("A", "K3", consent=Consent(stated))
    assert "secret" not in (inside_note(given, decide(shipped(), facts("A", "K3")), OURS) or "")
