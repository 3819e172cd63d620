"""Searching the ledger: by patient, picture, people, time and reference; fast, and as much as there is."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from quarantine.ledger import query, summary
from quarantine.ledger.query import family, find, stream
from quarantine.records import Records
from tests.support.ledgerkit import note
from tests.support.quarantine_kit import MONDAY, hex_id, image

pytestmark = pytest.mark.unit
WEEK = 7 * 86400


@pytest.fixture
def records() -> Records:
    return Records(":memory:")


@pytest.fixture
def filled(records: Records) -> Records:
    note(records, "one", ("anna",), image="a", scrubbed="a sent", recipient="peer", sender="dr")
    note(records, "two", ("anna", "ben"), image="b", recipient="nurse", sender="dr", at=MONDAY + 60)
    note(records, "three", (), image="a", scrubbed="a sent", recipient="nurse", sender="other", at=MONDAY + 120, ref="REFE-REN3")
    return records


@pytest.mark.parametrize(
    ("asked", "outcomes"),
    [
        ({}, ["one", "two", "three"]),
        ({"patient": hex_id("anna")}, ["one", "two"]),
        ({"patient": hex_id("ben")}, ["two"]),
        ({"patient": hex_id("nobody")}, []),
        ({"image": image("a")}, ["one", "three"]),
        ({"image": image("a sent")}, ["one", "three"]),
        ({"recipient": hex_id("nurse")}, ["two", "three"]),
        ({"sender": hex_id("dr")}, ["one", "two"]),
        ({"since": MONDAY + 60}, ["two", "three"]),
        ({"until": MONDAY + 60}, ["one"]),
        ({"ref": "REFE-REN3"}, ["three"]),
        ({"message": "msg-two"}, ["two"]),
        ({"patient": hex_id("anna"), "recipient": hex_id("nurse"), "since": MONDAY, "until": MONDAY + 61}, ["two"]),
        ({"patient": hex_id("ben"), "image": image("a")}, []),
    ],
)
def test_whatever_is_known_finds_it(filled: Records, asked: dict[str, Any], outcomes: list[str]) -> None:
    """All that is given must fit; the oldest comes first."""
    assert [entry.outcome for entry in find(filled, **asked)] == [hex_id(one) for one in outcomes]


def test_what_was_asked_is_never_part_of_the_statement(filled: Records) -> None:
    """A word of a stranger stays a value."""
    for hostile in ("' OR 1=1 --", "x') OR ('1'='1", '"; DROP TABLE disclosures; --', "\x00", "%"):
        for name in ("patient", "image", "recipient", "sender", "ref", "message"):
            assert find(filled, **{name: hostile}) == []
    assert len(find(filled)) == 3


def test_a_picture_is_found_in_every_form_it_had(records: Records) -> None:
    """What we stripped, came back and was stripped again, and forwarded by somebody who only had our copy, is one picture."""
    note(records, "first", image="camera", scrubbed="ours")
    note(records, "again", image="ours", scrubbed="ours too", at=MONDAY + 1)
    records.add_scrubbed(image("camera"), image("ours"))
    records.add_scrubbed(image("ours"), image("ours too"))
    note(records, "other", image="another", at=MONDAY + 2)
    for one in ("camera", "ours", "ours too"):
        assert [e.outcome for e in find(records, image=image(one))] == [hex_id("first"), hex_id("again")], one
    assert len({e.recipient for e in find(records, image=image("camera"))}) == 1, "S4-3: how many people got this picture"


def test_a_ring_of_forms_ends(records: Records) -> None:
    for number in range(500):
        records.add_scrubbed(image(str(number)), image(str((number + 1) % 500)))
    assert len(family(records, image("0"))) <= query.MOST_FORMS + 2


def test_a_long_answer_comes_page_by_page(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many lines of the very same moment included: nothing is left out at the edge of a page, nothing comes twice."""
    monkeypatch.setattr(query, "PAGE", 7)
    for number in range(60):
        note(records, f"o{number // 3}", image=f"i{number % 3}", recipient=f"r{number % 3}", at=MONDAY + number // 30)
    found = find(records)
    assert len(found) == 60
    assert len({(e.outcome, e.image, e.recipient) for e in found}) == 60
    assert [(e.at, e.outcome, e.image, e.recipient) for e in found] == sorted(
        (e.at, e.outcome, e.image, e.recipient) for e in found
    )


def test_a_search_goes_on_while_the_service_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two connections on one file; what was there at the beginning is found, once each."""
    monkeypatch.setattr(query, "PAGE", 5)
    path = tmp_path / "records.sqlite"
    service, reader = Records(path), Records(path)
    service.run("PRAGMA synchronous = OFF")
    for number in range(40):
        note(service, f"o{number}", at=MONDAY + number)
    done = threading.Event()

    def write() -> None:
        number = 1000
        while not done.is_set() and number < 3000:
            note(service, f"new{number}", at=MONDAY - number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = [entry.outcome for entry in stream(reader, since=MONDAY)]
    finally:
        done.set()
        writer.join()
    assert found == [hex_id(f"o{number}") for number in range(40)]
    service.close()
    reader.close()


_PLANS = [
    ({"patient": "p"}, "disclosure_patients"),
    ({"image": "i"}, "disclosures_image"),
    ({"recipient": "r"}, "disclosures_recipient"),
    ({"recipient": "r", "since": 1.0}, "disclosures_recipient_at"),
    ({"sender": "s"}, "disclosures_sender"),
    ({"since": 1.0, "until": 2.0}, "disclosures_at"),
    ({"message": "m"}, "disclosures_message"),
    ({"ref": "r"}, "disclosures_ref"),
]


@pytest.mark.parametrize(("asked", "index"), _PLANS)
def test_no_search_reads_the_whole_ledger(records: Records, asked: dict[str, Any], index: str, monkeypatch: Any) -> None:
    """Each goes by an index: of a million lines only those that fit are read."""
    said: list[str] = []
    every = records.all

    def explained(statement: str, params: Any = None) -> Any:
        if "FROM disclosures WHERE" in statement:
            said.extend(row["detail"] for row in every("EXPLAIN QUERY PLAN " + statement, params))
        return every(statement, params)

    monkeypatch.setattr(records, "all", explained)
    find(records, **asked)
    assert any(index in line for line in said), said
    assert not any(line.startswith("SCAN disclosures") and "INDEX" not in line for line in said), said


def test_searching_is_fast_and_so_is_noting(records: Records) -> None:
    """A small stand-in for the benchmark (tests/bench/disclosures.py: a million lines): well under 100 ms a search."""
    rows = [(f"o{n}", {"image": f"i{n % 999}", "recipient": f"r{n % 800}", "at": MONDAY + n}) for n in range(4_000)]
    with records.transaction():
        for outcome, told in rows:
            note(records, outcome, (f"p{outcome}",), **told)
    for asked in ({"patient": hex_id("po77")}, {"image": image("i77")}, {"recipient": hex_id("r77")}):
        start = time.perf_counter()
        assert find(records, **asked)
        assert time.perf_counter() - start < 0.1


# -- how much names a patient --------------------------------------------------------------------------------------------


def test_the_share_without_a_reference_is_told_by_week_and_group(records: Records) -> None:
    """A message counts once, whatever it carried; weeks begin on Mondays."""
    monday = MONDAY - MONDAY % 86400  # the kit's Monday, at midnight
    note(records, "one", ("anna",), sender_group="wards", at=monday)
    note(records, "one", ("anna",), sender_group="wards", at=monday, recipient="nurse")
    note(records, "two", (), sender_group="wards", at=monday + 6 * 86400)
    note(records, "three", ("anna", "ben"), sender_group="wards", at=monday + WEEK)
    note(records, "four", (), sender_group="", at=monday + 1)
    found = summary.shares(records, 0, monday + 10 * WEEK)
    assert [(s.week.isoformat(), s.group, s.messages, s.unnamed, s.pictures, s.unnamed_pictures) for s in found] == [
        ("2026-11-23", "", 1, 1, 1, 1), ("2026-11-23", "wards", 2, 1, 3, 1), ("2026-11-30", "wards", 1, 0, 1, 0),
    ]  # fmt: skip
    assert [round(s.share, 2) for s in found] == [1.0, 0.5, 0.0]
    whole = summary.total(found)
    assert whole is not None and (whole.messages, whole.unnamed, whole.share) == (4, 2, 0.5)
    assert summary.shares(records, monday + WEEK, monday + WEEK) == [] and summary.total([]) is None
