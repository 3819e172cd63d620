"""``clinigate disclosures`` and ``case`` as an information-governance officer uses them, and everybody else does not."""

from __future__ import annotations

import csv
import io
import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from fhir.resources.R4B.bundle import Bundle
from typer.testing import CliRunner

from gateway.cli import app
from gateway.commands.disclosed import case, disclosures
from gateway.demo.setup import Ports, prepare
from quarantine import audit
from quarantine.keyedhash import KeyedHash
from quarantine.ledger.query import Entry
from quarantine.records import Records
from tests.support.ledgerkit import entry, note
from tests.support.quarantine_kit import MONDAY, hex_id, image

pytestmark = [pytest.mark.unit, pytest.mark.slow]
NUMBER = "943 476 5919"  # the NHS's own example
PEOPLE = {"sender": "dr.lee@own.example", "peer": "dr.chen@royal.example"}


class World:
    """A configuration with a ledger of three lines, and the command line as one person or another."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config, self._monkeypatch = folder / "clinigate.yaml", monkeypatch
        shutil.rmtree(folder / "quarantine", ignore_errors=True)
        (folder / "quarantine").mkdir()
        self.hashes = KeyedHash.load(folder / "keys" / "hash.key")
        self.records = Records(folder / "quarantine" / "records.sqlite")
        self.audit = folder / "quarantine" / "audit.jsonl"
        patient = self.hashes.patient("9434765919")
        told = {"sender_group": "wards", "domain": "royal.example", "mode": "enforce"}
        note(self.records, "one", (), image="a", scrubbed="a sent", kind="K3", **told)
        note(self.records, "two", (), image="b", at=MONDAY + 86400, **told)
        note(self.records, "three", (), image="c", at=MONDAY + 9 * 86400, ref="REFE-REN3", **told)
        self.records.run("INSERT INTO disclosure_patients VALUES (:p, :o)", {"p": patient, "o": hex_id("one")})
        lines = [{"address": PEOPLE["peer"]}]
        meta = {"envelope": {"sender": PEOPLE["sender"]}, "recipients": lines, "ref": "OUTC-OME2"}
        for name in ("one", "two", "three"):
            self.records.add_outcome(hex_id(name), f"msg-{name}", "", MONDAY, meta)
        self.records.run("UPDATE disclosures SET line = 0")

    def run(self, *words: str, by: str = "ig1", text: str = "", width: int = 240) -> Result:
        for module in (disclosures, case):
            self._monkeypatch.setattr(module, "user", lambda: by)
        self._monkeypatch.setenv("COLUMNS", str(width))
        return CliRunner().invoke(app, [*words, "--config", str(self.config)], input=text)

    def looks(self) -> list[dict[str, Any]]:
        if not self.audit.exists():
            return []
        return [json.loads(line) for line in self.audit.read_text().splitlines()]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and configuration, made once."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.demo.setup.user", lambda: "ig1")
        prepare(folder, Ports(1, 2, 3))
    (folder / "store").mkdir()
    return folder


@pytest.fixture
def world(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(site, monkeypatch)
    yield made
    made.records.close()


def test_everything_that_went_as_a_table(world: World) -> None:
    done = world.run("disclosures")
    assert done.exit_code == 0, done.output
    for expected in (
        PEOPLE["sender"],
        PEOPLE["peer"],
        "2026-11-23",
        "REFE-REN3",
        image("a")[:8],
        "photo",
        "secure route",
        "CARE",
    ):
        assert expected in done.stdout, expected


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--recipient", "DR.CHEN@royal.example"), 0),  # the lines' people are invented hashes
        (("--image", image("a")), 1),
        (("--image", image("a sent").upper()), 1),
        (("--since", "2026-11-24"), 2),
        (("--until", "2026-11-24"), 2),
        (("--ref", "refe-ren3"), 1),
        (("--since", "2030-01-01"), 0),
    ],
)
def test_searches_are_written_as_people_write_them(world: World, words: tuple[str, ...], found: int) -> None:
    done = world.run("disclosures", "--json", *words)
    assert (done.exit_code, len(done.stdout.splitlines())) == (0, found), done.output


def test_a_picture_at_hand_is_looked_for_by_its_bytes(world: World, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"a")  # the kit hashes names: "a" is picture a
    assert len(world.run("disclosures", "--json", "--image", str(path)).stdout.splitlines()) == 1


def test_a_patient_is_asked_for_and_stands_nowhere(world: World) -> None:
    """The number comes from the keyboard or standard input; neither the answer nor the audit trail repeats it."""
    done = world.run("disclosures", "--patient", "-", text=f"NHS {NUMBER}\n")
    assert (done.exit_code, done.stderr) == (0, "")
    assert image("a")[:8] in done.stdout and image("b")[:8] not in done.stdout
    seen = json.dumps(world.looks()) + done.output
    assert "9434765919" not in seen and NUMBER not in seen
    assert world.looks()[-1]["asked"] == {"patient": world.hashes.patient("9434765919")}
    warned = world.run("disclosures", "--patient", NUMBER)
    assert "shell's history" in warned.stderr and image("a")[:8] in warned.stdout
    by_reference = world.run("disclosures", "--patient", world.hashes.patient("9434765919"))
    assert by_reference.stderr == "", "a reference is no number"


def test_of_two_numbers_none_is_left_aside(world: World) -> None:
    """Symptom: of two lines of standard input the second was not looked at, and nothing said so."""
    done = world.run("disclosures", "--patient", "-", text=f"{NUMBER}\n987 654 4322\n")
    assert done.exit_code != 0 and "more than one number was given" in done.stderr


@pytest.mark.parametrize("by", ["adm", "root", "nobody"])
@pytest.mark.parametrize("words", [("disclosures",), ("disclosures", "--summary"), ("case", "OUTC-OME2")])
def test_nobody_but_the_governance_team_may_read_it(world: World, by: str, words: tuple[str, ...]) -> None:
    done = world.run(*words, by=by)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "only the information-governance team" in done.stderr


def test_every_look_is_recorded_before_anything_is_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be recorded is not shown."""
    world.run("disclosures", "--csv", "--sender", PEOPLE["sender"])
    line = world.looks()[-1]
    assert (line["event"], line["actor"], line["what"]) == ("looked", "ig1", "disclosures --csv")
    assert line["asked"] == {"sender": world.hashes.address(PEOPLE["sender"])} and PEOPLE["sender"] not in json.dumps(line)
    audit.verify(world.audit)

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit.os, "write", full)
    done = world.run("disclosures")
    assert (done.exit_code, done.stdout) == (1, "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("disclosures", "--csv", "--fhir"), "write one of --csv, --fhir and --json"),
        (("disclosures", "--since", "yesterday"), "--since yesterday: write 30d"),
        (("disclosures", "--until", "soon"), "--until soon: write a day like"),
        (("disclosures", "--image", "no-such.jpg"), "no-such.jpg: no file, and no SHA-256"),
        (("disclosures", "--patient", "12345"), "no NHS, CHI, IHI or Medicare number that passes its check"),
        (("disclosures", "--patient", "-"), "no patient's number was given"),
        (("disclosures", "--output", "x.csv"), "--output goes with --csv, --fhir or --json"),
        (("disclosures", "--summary", "--ref", "A"), "only --since and --until go with it"),
        (("disclosures", "--summary", "--csv"), "--summary is printed as a table or with --json"),
        (("case",), "name one: a reference, --patient or --image"),
        (("case", "OUTC-OME2", "--image", "x"), "name one: a reference, --patient or --image"),
        (("case", "OUTC-OME2", "--html", "--json"), "write one of --html and --json"),
        (("case", "ZZZZ-ZZZZ"), "nothing is noted about this: look at the reference, or search with `clinigate disclosures`"),
        (("case", "--image", "0" * 64), "a cut or re-saved picture is found by `clinigate match`"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(world: World, words: tuple[str, ...], says: str) -> None:
    done = world.run(*words)
    assert done.exit_code in (1, 2) and done.stdout == ""
    assert says in done.stderr and "Traceback" not in done.stderr


def test_a_csv_file_says_that_it_is_utf8_and_a_pipe_gets_none_of_it(world: World, tmp_path: Path) -> None:
    """Symptom: a spreadsheet that was given the file by a double click showed "mÃ¼ller"."""
    path = tmp_path / "out.csv"
    assert world.run("disclosures", "--csv", "--output", str(path)).exit_code == 0
    assert path.read_bytes().startswith(b"\xef\xbb\xbfat,reference,") and path.read_bytes().count(b"\xef\xbb\xbf") == 1
    assert world.run("disclosures", "--csv").stdout.startswith("at,reference,")


def test_whoever_looks_by_a_picture_is_told_that_only_its_bytes_count_here(world: World) -> None:
    done = world.run("disclosures", "--image", image("unheard of"))
    assert done.exit_code == 0 and "Nothing that fits" in done.stdout and "`clinigate match`" in done.stderr


def test_files_are_for_their_owner_alone_and_never_written_over(world: World, tmp_path: Path) -> None:
    for form, words in {
        "csv": ("disclosures", "--csv"),
        "json": ("disclosures", "--fhir"),
        "html": ("case", "OUTC-OME2", "--html"),
    }.items():
        path = tmp_path / f"out.{form}"
        done = world.run(*words, "--output", str(path))
        assert (done.exit_code, done.stdout) == (0, ""), done.output
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        before = path.read_bytes()
        again = world.run(*words, "--output", str(path))
        assert (again.exit_code, path.read_bytes()) == (1, before)
        assert f"{path}: is there already" in again.stderr
    assert sorted(one.name for one in tmp_path.iterdir() if one.is_file()) == ["out.csv", "out.html", "out.json"], (
        "nothing half-written"
    )


def test_csv_and_fhir_say_the_same_as_the_table(world: World) -> None:
    rows = list(csv.DictReader(io.StringIO(world.run("disclosures", "--csv").stdout, newline="")))
    assert [row["image_received_sha256"] for row in rows] == [image("a"), image("b"), image("c")]
    text = world.run("disclosures", "--fhir").stdout
    assert len(Bundle.model_validate_json(text).entry) == 6 and "@" not in text
    assert PEOPLE["peer"] in world.run("disclosures", "--fhir", "--addresses").stdout


def test_the_summary_tells_how_many_name_no_patient(world: World) -> None:
    done = world.run("disclosures", "--summary")
    assert "2 of 3 emails (67%) name no patient" in done.stdout
    weeks = json.loads(world.run("disclosures", "--summary", "--json", "--since", "2026-11-30").stdout)
    assert [(one["week"], one["messages"], one["unnamed"], one["share"]) for one in weeks] == [("2026-11-30", 1, 1, 1.0)]
    assert "Nothing is in the ledger" in world.run("disclosures", "--summary", "--since", "2031-01-01").stdout


def test_an_address_is_no_markup_and_moves_no_cursor(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile: Entry = entry(recipient_address="[red]\x1b[2J\u202ex[/red]@x.example")
    monkeypatch.setattr(disclosures, "stream", lambda records, **asked: iter([hostile]))
    out = world.run("disclosures").stdout
    assert "[red]?[2J?x[/red]@x.example" in out and "\x1b[2J" not in out


@pytest.mark.parametrize(
    "words", [("disclosures",), ("disclosures", "--csv"), ("disclosures", "--json"), ("disclosures", "--fhir")]
)
def test_an_address_that_is_no_text_is_written_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], tmp_path: Path
) -> None:
    monkeypatch.setattr(disclosures, "stream", lambda records, **asked: iter([entry(recipient_address="dr\udcff@x.example")]))
    assert world.run(*words).exit_code == 0
    if len(words) > 1:
        assert world.run(*words, "--addresses", "--output", str(tmp_path / "out")).exit_code == 0
        assert "udcff" in (tmp_path / "out").read_text()


def test_a_long_table_says_that_it_is_not_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disclosures, "SHOWN", 2)
    done = world.run("disclosures")
    assert "Only the first 2 are shown; --csv gives them all." in done.stderr


def test_the_page_by_reference_patient_and_picture(world: World) -> None:
    for words in (("OUTC-OME2",), ("outc-ome2",), ("--image", image("a")), ("--patient", "-")):
        done = world.run("case", *words, text=NUMBER)
        assert done.exit_code == 0, done.output
        assert "Who it was for, and what became of it" in done.stdout and PEOPLE["peer"] in done.stdout
    emails = json.loads(world.run("case", "REFE-REN3", "--json").stdout)["emails"]
    assert [one["people"][0]["address"] for one in emails] == [PEOPLE["peer"]]
    assert {line["what"] for line in world.looks()} == {"case"}


def test_too_many_emails_for_one_page_are_not_put_on_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case, "MOST", 1)
    world.records.run("UPDATE disclosures SET ref = 'SAME-SAM2'")
    done = world.run("case", "SAME-SAM2")
    assert done.exit_code == 1 and "3 emails fit, more than a page holds" in done.stderr
