"""The ledger for others: CSV that no spreadsheet runs, FHIR R4 that an independent reader accepts."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.consent import Consent
from fhir.resources.R4B.provenance import Provenance
from hypothesis import given
from hypothesis import strategies as st

from policies.vocabulary import PURPOSES, STATUSES
from quarantine.ledger import csvtext, fhir
from quarantine.ledger.query import Entry
from tests.support.ledgerkit import entry
from tests.support.quarantine_kit import MONDAY, hex_id, image

pytestmark = pytest.mark.unit


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


# -- CSV -----------------------------------------------------------------------------------------------------------------


def test_the_csv_says_what_the_ledger_says() -> None:
    text = "".join(csvtext.lines([entry(), entry(released_by="ig1", released_role="ig", scrubbed="")]))
    first, second = read(text)
    assert (first["at"], first["sender"], first["recipient"]) == (
        "2026-11-23T12:00:00Z",
        "dr.lee@own.example",
        "dr.chen@royal.example",
    )
    assert (first["image_received_sha256"], first["image_sent_sha256"]) == (image("photo"), image("stripped"))
    assert (first["consent"], first["given_by"], first["purpose"], first["scope"]) == ("given", "patient", "COC", "record")
    assert (first["rule"], first["rule_source"], first["policy"], first["protection"]) == (
        "CARE",
        "GMC 10",
        "99" * 32,
        "route safe",
    )
    assert (second["released_by"], second["released_role"], second["image_sent_sha256"]) == ("ig1", "ig", image("photo"))
    assert set(first) == set(csvtext.COLUMNS)
    assert text.count("\r\n") == 3 == text.count("\n"), "RFC 4180: every line ends with CRLF"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "＝", "\n="])
def test_no_cell_is_a_formula(start: str) -> None:
    """An address is a stranger's word: a spreadsheet that ran it could send the file away (OWASP, CSV injection)."""
    hostile = f'{start}HYPERLINK("http://x","y")@evil.example'
    [row] = read("".join(csvtext.lines([entry(recipient_address=hostile)])))
    assert row["recipient"] == f"'{hostile}"


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_any_words_come_back_from_a_reader(words: list[str]) -> None:
    """Commas, quotes, line ends, other scripts: one cell stays one cell."""
    text = "".join(csvtext.lines(entry(sender_address=word) for word in words))
    assert [row["sender"].removeprefix("'") for row in read(text)] == [word.removeprefix("'") for word in words]


# -- FHIR ----------------------------------------------------------------------------------------------------------------


def parsed(*entries: Entry, addresses: bool = False) -> list[Any]:
    """Read by an independent library (fhir.resources), which refuses what R4 does not know."""
    return list(Bundle.model_validate_json("".join(fhir.bundle(entries, MONDAY, addresses))).entry or ())


def test_the_bundle_is_good_fhir() -> None:
    """One AuditEvent for each message and recipient, one Provenance for each message and picture."""
    other = entry(recipient=hex_id("nurse"))
    second = entry(image=image("b"), scrubbed="")
    found = parsed(entry(), second, other)
    kinds = [one.resource.get_resource_type() for one in found]
    assert sorted(kinds) == ["AuditEvent", "AuditEvent", "Provenance", "Provenance"]
    assert len({one.fullUrl for one in found}) == 4
    assert all(one.fullUrl == f"urn:uuid:{one.resource.id}" for one in found)


def test_an_audit_event_tells_who_what_to_whom_and_why() -> None:
    one = AuditEvent.model_validate(fhir.audit_event([entry(released_by="ig1", released_role="ig")]))
    assert (one.type.system, one.type.code) == ("http://dicom.nema.org/resources/ontology/DCM", "110106")
    assert [c.code for p in one.purposeOfEvent for c in p.coding] == ["COC"]
    sender, recipient, gateway, reviewer = one.agent
    assert (sender.type.coding[0].code, recipient.type.coding[0].code, gateway.type.coding[0].code) == (
        "110153",
        "110152",
        "110150",
    )
    assert (sender.who.identifier.value, recipient.who.identifier.value) == (hex_id("dr"), hex_id("peer"))
    assert (sender.requestor, recipient.requestor, reviewer.who.display) == (True, False, "ig1")
    assert gateway.policy == ["urn:x-clinigate:policy:" + "99" * 32]
    patient, picture, rule = one.entity
    assert (patient.role.code, patient.what.identifier.value) == ("1", hex_id("patient"))
    assert picture.lifecycle.code == "11"
    assert {d.type: d.valueString for d in picture.detail}["sha256-received"] == image("photo")
    assert {d.type: d.valueString for d in rule.detail}["rule"] == "CARE"


def test_a_provenance_tells_from_what_under_which_statement_and_policy() -> None:
    one = Provenance.model_validate(fhir.provenance([entry(), entry(recipient=hex_id("nurse"))]))
    assert one.target[0].identifier.value == fhir.image_uri(image("stripped"))
    assert [e.what.identifier.value for e in one.entity if e.role == "revision"] == [fhir.image_uri(image("photo"))]
    assert [a.who.identifier.value for a in one.agent] == [hex_id("dr"), hex_id("peer"), hex_id("nurse")]
    [said] = one.contained
    assert isinstance(said, Consent)
    assert (said.status, said.provision.type, said.dateTime.isoformat()) == ("active", "permit", "2026-11-20")
    assert {e.url.rpartition(":")[2]: e.valueString for e in said.extension}["given-by"] == "patient"


def test_the_emergency_word_is_break_glass() -> None:
    """v3-ActReason BTG: whoever reads the audit trail finds break-glass access by its code."""
    told = entry(consent="bypassed", purpose="ETREAT", statement={"status": "bypassed", "bypass": "emergency"})
    one = AuditEvent.model_validate(fhir.audit_event([told]))
    assert [c.code for p in one.purposeOfEvent for c in p.coding] == ["ETREAT", "BTG"]


def test_every_purpose_has_a_code_of_hl7_or_says_that_it_is_ours() -> None:
    assert set(PURPOSES) - fhir.ACT_REASONS == {"PUBLISH"}, "HL7 has no code for publication"
    [ours] = fhir.purpose([entry(purpose="PUBLISH")])
    assert ours["coding"][0]["system"] == "urn:x-clinigate:purpose"


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_is_a_good_consent(status: str) -> None:
    for patients in ((), (hex_id("a"),), (hex_id("a"), hex_id("b"))):
        one = entry(consent=status, statement={"status": status, "child": True, "identifiable": False}, patients=patients)
        assert len(parsed(one)) == 2


def test_lines_of_an_older_version_are_good_fhir_too() -> None:
    """What was not written down then is left out, never made up."""
    bare = replace(entry(), ref="", rule="", source=(), policy="", protection="", consent="", form="", purpose="", statement={},
                   cls="", mode="", kind="", format="", codes=(), patients=(), scrubbed="", image="not-a-digest")  # fmt: skip
    [event, provenance] = parsed(bare)
    assert event.resource.purposeOfEvent is None and provenance.resource.contained is None


def test_nobody_is_named_unless_asked_for() -> None:
    text = "".join(fhir.bundle([entry()], MONDAY))
    assert "@" not in text
    assert "dr.chen@royal.example" in "".join(fhir.bundle([entry()], MONDAY, addresses=True))
    assert len(parsed(entry(), addresses=True)) == 2


def test_the_same_line_has_the_same_id_in_every_export() -> None:
    """So that whoever takes it in twice has it once."""
    first, again = (json.loads("".join(fhir.bundle([entry()], at)))["entry"] for at in (MONDAY, MONDAY + 9))
    assert first == again


def test_an_empty_answer_is_a_good_bundle() -> None:
    assert json.loads("".join(fhir.bundle([], MONDAY)))["entry"] == []


@pytest.mark.parametrize(("export", "lines"), [(csvtext.lines, 2000), (lambda entries: fhir.bundle(entries, MONDAY), 250)])
@pytest.mark.slow
def test_a_huge_answer_needs_little_memory(export: Any, lines: int) -> None:
    """Years of mail are written as they are read."""

    def many() -> Iterator[Entry]:
        for number in range(lines):
            yield entry(outcome=hex_id(str(number)))

    tracemalloc.start()
    written = sum(len(piece) for piece in export(many()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written > 5 * peak, (written, peak)
