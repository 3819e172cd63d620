"""The disclosure ledger of a running installation: the demo's mails, and what their recipients really hold."""

from __future__ import annotations

import email
import email.policy
import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from gateway.demo.pictures import photo
from gateway.demo.samples import COLLEAGUE, HOSPICE, SAMPLES, SENDER, STRANGER, Sample, picture
from tests.support.installation import Installation, until

pytestmark = pytest.mark.e2e
OWN = "nurse@clinic.example"
WATCHED = "someone@watched.example"
MINE = (
    Sample("photo inside the organisation", (OWN,), "For the record", attach=(picture(20),)),
    Sample("photo where we only watch", (WATCHED,), "No word of consent", attach=(picture(21),)),
)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Every sample has been sent, and the ledger has settled."""
    made = Installation(tmp_path_factory.mktemp("ledger"))
    made.policy(modes={"recipient_domains": {"watched.example": "observe"}})
    with made:
        for sample in (*SAMPLES, *MINE):
            made.send(sample.build(), sample.recipients)
        until(lambda: len(ledger(made)) >= len(expected(made)), "the ledger")
        yield made


def ledger(site: Installation, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in site.cli("disclosures", "--json", *words).splitlines()]


def expected(site: Installation) -> list[tuple[str, str, str]]:
    """(recipient's keyed hash, picture as received, rule) as the gateway's own journal says."""
    found = []
    for event in site.events():
        record = event["record"]
        images = sorted({one["sha256"] for one in record["images"]})
        for fate, line in zip(event["recipients"], record["recipients"], strict=True):
            if fate["state"] == "delivered":
                found += [(line["address"], image, line["rule"]) for image in images]
    return sorted(found)


def attached(path: Path) -> list[bytes]:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return [part.get_content() for part in message.walk() if part.get_content_type() == "image/jpeg"]


def test_the_ledger_is_what_the_gateway_did(site: Installation) -> None:
    """Delivered recipients × pictures, neither more nor less; logos, plain text and what is held or refused are not in it."""
    assert sorted((one["recipient"], one["image"], one["rule"]) for one in ledger(site)) == expected(site)


@pytest.mark.parametrize("seed", [1, 2, 3, 7, 8])
def test_the_picture_in_the_recipients_mailbox_is_the_one_in_the_ledger(site: Installation, seed: int) -> None:
    """Judged by the mail that arrived: SHA-256 as received is the phone's file, as sent the one that the recipient holds."""
    [entry] = [one for one in ledger(site, "--image", sha256(photo(seed))) if one["recipient_address"] == COLLEAGUE]
    assert entry["image"] == sha256(photo(seed)) and entry["scrubbed"] != entry["image"]
    arrived = {sha256(data) for path in site.mails(COLLEAGUE) for data in attached(path)}
    assert entry["scrubbed"] in arrived
    assert (entry["sender_address"], entry["mode"], entry["cls"], entry["protection"]) == (SENDER, "enforce", "A", "route secure")
    assert [one["image"] for one in ledger(site, "--image", entry["scrubbed"])] == [entry["image"]]


def test_what_was_only_watched_or_stayed_at_home_is_marked(site: Installation) -> None:
    [watched] = ledger(site, "--recipient", WATCHED)
    assert (watched["mode"], watched["method"], watched["scrubbed"], watched["consent"]) == ("observe", "observe", "", "")
    assert sha256(photo(21)) in {sha256(data) for data in attached(site.mails(WATCHED)[0])}
    [own] = ledger(site, "--recipient", OWN)
    assert (own["cls"], own["mode"]) == ("O", "enforce")


def test_the_statement_is_the_one_that_was_made(site: Installation) -> None:
    by_image = {one["image"]: one for one in ledger(site)}
    header, tag, phone, emergency = (by_image[sha256(photo(seed))] for seed in (1, 2, 3, 8))
    assert header["statement"] == {
        "status": "given", "form": "verbal", "given_by": "patient", "purpose": "COC", "scope": ["record"], "carrier": "header",
    }  # fmt: skip
    assert (tag["statement"]["carrier"], phone["statement"]["carrier"]) == ("subject", "body")
    assert tag["statement"]["inferred"] is True and tag["purpose"] == "COC", "nobody named a use: recorded as inferred"
    assert (emergency["consent"], emergency["purpose"]) == ("bypassed", "ETREAT")
    [smime] = ledger(site, "--recipient", HOSPICE)
    assert smime["protection"] == "smime aes-256-cbc rsa-2048 signed"


def test_a_release_is_in_the_ledger_with_who_let_it_go_and_leaves_from_its_sender(site: Installation) -> None:
    """The gateway writes the outcome of a release itself, before it answers: also when the service dies at that moment."""
    [hold] = [one for one in site.holds() if one["recipients"] == [STRANGER] and one["state"] == "QUARANTINED"][:1]
    before = len(site.mails(STRANGER))
    site.cli("hold", "release", hold["ref"], "--accept", "domain.unknown", "--accept", "protect.no-method")
    [entry] = until(lambda: ledger(site, "--ref", hold["ref"]), "the release in the ledger")
    assert (entry["recipient_address"], entry["sender_address"], entry["released_role"]) == (STRANGER, SENDER, "ig")
    assert (entry["hold"], entry["sender_group"]) == (hold["id"], "clinical")
    assert site.mails(STRANGER, before + 1)[before].read_bytes().startswith(f"Return-Path: <{SENDER}>".encode())
    page = site.cli("case", hold["ref"])
    assert "let it go" in page and STRANGER in page and "The rule says: if to an organisation that is not approved" in page


def test_the_exports_of_the_whole_ledger(site: Installation, tmp_path: Path) -> None:
    bundle = Bundle.model_validate_json(site.cli("disclosures", "--fhir"))
    found = ledger(site)
    kinds = [one.resource.get_resource_type() for one in bundle.entry]
    assert kinds.count("AuditEvent") == len({(one["outcome"], one["recipient"]) for one in found})
    assert kinds.count("Provenance") == len({(one["outcome"], one["image"]) for one in found})
    path = tmp_path / "all.csv"
    site.cli("disclosures", "--csv", "--output", str(path))
    assert path.read_bytes().count(b"\r\n") == len(found) + 1


def test_every_email_has_a_page(site: Installation) -> None:
    """Also those that nobody got.  No page shows a subject, a file name or a picture."""
    gone, held = ledger(site), site.holds()
    assert len({one["ref"] for one in gone}) > 10
    for ref in (gone[0]["ref"], gone[-1]["ref"], *(one["ref"] for one in held if one["state"] in ("ASKED", "QUARANTINED"))):
        page = site.cli("case", ref, "--html")
        assert "Who it was for, and what became of it" in page
        assert not any(word in page for word in ("Second opinion", "IMG_20", "John Sample", "<img", "<script"))


def test_a_search_beside_a_service_at_work(site: Installation) -> None:
    """The service goes on taking mail in while people search, and nobody waits for the other."""
    seen = len(ledger(site))
    failures: list[str] = []

    def search() -> None:
        for _ in range(4):
            done = site.run("disclosures", "--csv")
            if done.returncode:
                failures.append(done.stderr)

    searcher = threading.Thread(target=search)
    searcher.start()
    for seed in range(30, 36):
        sample = Sample("one more", (COLLEAGUE,), "[consent verbal] one more", attach=(picture(seed),))
        assert site.send(sample.build(), sample.recipients)[0] == 250
    searcher.join()
    assert failures == []
    until(lambda: len(ledger(site)) == seen + 6, "six more lines")


def test_what_was_looked_for_is_in_the_audit_trail(site: Installation) -> None:
    lines = [json.loads(line) for line in (site.folder / "quarantine" / "audit.jsonl").read_text().splitlines()]
    looks = [line for line in lines if line["event"] == "looked"]
    assert {"disclosures --json", "disclosures --fhir", "case"} <= {line["what"] for line in looks}
    assert all("@" not in json.dumps(line["asked"]) for line in looks)
