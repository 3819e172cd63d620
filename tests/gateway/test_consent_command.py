"""``clinigate consent``: how a patient is named, what is said back, and that a number is repeated nowhere."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from gateway.cli import app
from gateway.commands.consent import app as consent
from gateway.commands.disclosed.match import MEMORY
from gateway.config import load
from gateway.demo.pictures import photo
from gateway.demo.setup import Ports, prepare
from gateway.evidence.likeness import Likenesses
from gateway.sandbox import Sandbox
from quarantine.audit import Audit
from quarantine.consents.alike import resaved
from quarantine.consents.ending import reason
from quarantine.ingest import Intake
from quarantine.keyedhash import KeyedHash
from quarantine.keys import load_private, load_public
from quarantine.ledger.fingerprintkey import FingerprintKey
from quarantine.records import Records
from quarantine.stores import FolderStore
from quarantine.vault import Vault
from tests.support.quarantine_kit import PEER, SENDER, image, outcome_object

pytestmark = [pytest.mark.unit, pytest.mark.slow]

NHS = "943 476 5919"
TODAY = datetime.now(UTC).date()


class World:
    """An installation with one email of a patient's picture that went, and the command line as one person or another."""

    def __init__(self, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config, self._monkeypatch = config, monkeypatch
        self.settings = load(config).quarantine
        self.hashes = KeyedHash.load(self.settings.hash_key)
        self.settings.state.mkdir(parents=True, exist_ok=True)
        monkeypatch.setattr(consent, "WAIT_SECONDS", 0.0)  # no service runs here
        self.take(outcome_object(
            delivered=[PEER], images=[[image("sent"), ""]], patients=[self.hashes.patient(NHS)], ref="H7Q2-93KD",
            created=datetime.now(UTC).timestamp(),
        ))  # fmt: skip

    def take(self, obj: Any) -> None:
        store = FolderStore(self.settings.store)
        store.prepare()
        records = Records(self.settings.records)
        audit = Audit(self.settings.audit, self.hashes, lambda: 0.0)
        Vault(store, load_public(self.settings.keys)).put(obj)
        Intake(store, records, load_private(self.settings.keys), self.hashes, audit, self.settings).run(0.0)
        records.close()

    def run(self, *words: str, text: str = "", by: str = "") -> Result:
        if by:
            self._monkeypatch.setattr(consent, "user", lambda: by)
        done = CliRunner().invoke(app, ["consent", *words, "--config", str(self.config)], input=text)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert "4765919" not in done.output.replace(" ", ""), done.output
        return done

    def facts(self, *words: str, text: str = "") -> Any:
        done = self.run(*words, "--json", text=text)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("site"), Ports(2525, 9464, 2526))


@pytest.fixture
def world(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Keys and configuration are made once; what the quarantine knows is forgotten between tests."""
    told = load(prepared).quarantine
    for path in (told.state, told.store):
        shutil.rmtree(path, ignore_errors=True)
    return World(prepared, monkeypatch)


@pytest.mark.parametrize("written", [NHS, "9434765919", "NHS: 943-476-5919", " 943 476 5919 \n", "nhs no 9434765919"])
def test_a_number_is_read_as_in_mail_from_standard_input_or_the_line(world: World, written: str) -> None:
    reference = world.hashes.patient("9434765919")
    assert world.facts("withdraw", text=written)["patients"] == [reference]
    assert world.facts("refuse", written)["patients"] == [reference]
    assert world.facts("show", reference)["patients"][0]["status"] == "refused"


@pytest.mark.parametrize("words", [("-",), ("--patient", "-"), ("--patient", NHS)])
def test_a_patient_is_named_as_for_case_and_disclosures(world: World, words: tuple[str, ...]) -> None:
    """Symptoms: "No such option: --patient"; "-" was taken for a number with a wrong digit."""
    assert world.facts("withdraw", *words, text=NHS)["patients"] == [world.hashes.patient("9434765919")]


@pytest.mark.parametrize("number", ["010101-1237", "8003 6088 3335 7361", "2123 45670 1"], ids=["chi", "ihi", "medicare"])
def test_other_countries_numbers_are_read_too(world: World, number: str) -> None:
    assert len(world.facts("withdraw", text=number)["patients"]) == 1


def test_whoever_is_only_observed_is_said(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In observe and advise nothing is stopped, not even by a no: IG must not think so."""
    assert "Careful" not in world.run("withdraw", text=NHS).output
    (tmp_path / "policy.yaml").write_text("modes: {default: observe, groups: {clinical: enforce, hr: advise}}\n")
    monkeypatch.setattr(consent, "_watched", functools.partial(lambda read, _: read(tmp_path), consent._watched))
    assert "sets for everybody else, hr." in " ".join(world.run("withdraw", text=NHS).output.split())
    assert "Careful" not in world.run("restore", text=NHS).output
    (tmp_path / "policy.yaml").write_text("modes: [")
    assert "Careful" not in world.run("withdraw", text=NHS).output  # `clinigate check` is there to say that


def test_a_number_on_the_command_line_is_warned_of(world: World) -> None:
    assert "shell's history" in world.run("withdraw", NHS).stderr
    assert "shell's history" not in world.run("show", world.hashes.patient(NHS)).output + world.run("show", text=NHS).output


def test_several_numbers_of_one_patient_are_noted_as_one(world: World) -> None:
    made = world.facts("withdraw", text="943 476 5919\n987 654 4322\n")
    assert len(made["patients"]) == 2
    assert len(world.facts("list")) == 1


@pytest.mark.parametrize("wrong", ["943 476 5918", "Mary Smith", "12345", "x" * 32, "zz" * 16])
@pytest.mark.parametrize("command", ["withdraw", "show", "restore"])
def test_what_is_no_number_is_said_without_repeating_it(world: World, command: str, wrong: str) -> None:
    for done in (world.run(command, text=wrong + "\n"), world.run(command, wrong)):
        assert done.exit_code == 1
        assert "passes its check" in done.output and wrong not in done.output


def test_nobody_named_is_said(world: World) -> None:
    done = world.run("withdraw", text="\n")
    assert done.exit_code == 2 and "nobody is named" in done.output


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["withdraw", "943 476 5919", "--ref", "H7Q2-93KD"], "one of them"),
        (["withdraw", "--from", "a@b.example"], "--on and the day"),
        (["withdraw", "--on", "2026-03-03"], "--on and the day"),
        (["withdraw", "--to", PEER, "--on", "3 March"], "3 March is not a day; write it like 2026-03-03"),
        (["withdraw", "943 476 5919", "--since", "yesterday"], "yesterday is not a day"),
        (["limit", "943 476 5919"], "say which uses are left"),
        (["limit", "943 476 5919", "--scope", "everything"], "--scope everything is not known; there are: record, teaching"),
        (["limit", "943 476 5919", "--purpose", "PLAY"], "--purpose PLAY is not known; there are: none, care"),
        (["list", "--since", "1/2/26"], "1/2/26 is not a day"),
    ],
)
def test_a_command_used_wrongly_says_what_to_write(world: World, words: list[str], problem: str) -> None:
    done = world.run(*words)
    assert done.exit_code == 2 and problem in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["withdraw", "943 476 5919", "--reason", "Mrs Smith rang"], "the reason is a code"),
        (["withdraw", "943 476 5919", "--since", "2099-01-01"], "a day to come"),
        (["withdraw", "--ref", "ZZZZ-ZZZZ"], "no email has this reference"),
        (["withdraw", "--to", "nobody@there.example", "--on", str(TODAY)], "no email with pictures between these people"),
        (["withdraw", "--image", "/nowhere/photo.jpg"], "/nowhere/photo.jpg: cannot be read"),
        (["restore", "943 476 5919"], "nothing is on file"),
        (["approve", "ffffffff"], "no letter is called so"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(world: World, words: list[str], problem: str) -> None:
    done = world.run(*words)
    assert done.exit_code == 1 and problem in done.output


def test_whoever_is_not_ig_learns_nothing(world: World) -> None:
    """Not even whether a patient is known, or a number valid."""
    for words in (["show"], ["withdraw"], ["restore"], ["list"], ["recalls"], ["letter", "abcd"], ["approve", "abcd"]):
        done = world.run(*words, text="943 476 5918\n", by="mallory")
        assert done.exit_code == 1 and "information-governance team" in done.output, words


def test_the_whole_story_in_plain_words(world: World, tmp_path: Path) -> None:
    said = world.run("withdraw", "--since", "2026-11-12", text=NHS).output
    assert "Agreement taken back: noted for patient" in said and "and 1 picture." in said
    assert "is the quarantine service running?" in said  # it does not run here
    assert f"1 to {PEER}, by route, ref H7Q2-93KD: cannot be called back" in said
    assert "Letters drafted for your approval: 1" in said
    shown = world.run("show", text=NHS).output
    assert "agreement taken back: nothing may go, since 12 Nov 2026" in shown and "patient.withdrew" in shown
    (letter,) = world.facts("recalls")
    assert letter["ref"] in world.run("recalls").output
    assert "reference" in world.run("letter", letter["ref"]).output
    assert f"to {PEER}: will be sent now" in world.run("approve", letter["ref"]).output
    assert "on its way" in world.run("recalls").output
    assert world.run("confirmed", letter["ref"]).exit_code == 1
    limited = world.run("limit", "--scope", "record", text=NHS).output
    assert "Left: the patient's care, emergencies, what the patient asks for." in limited
    assert "Nothing on file any more" in world.run("allow", text=NHS).output  # as some would call it
    assert "nothing is on file" in world.run("show", text=NHS).output
    lines = world.run("list").output.splitlines()
    assert [line.split()[4] for line in lines] == ["withdrawn", "limited", "restored"]


def test_a_broken_template_is_said_in_a_line(world: World, tmp_path: Path) -> None:
    """Symptom: `consent letter` ended in a traceback."""
    world.run("withdraw", text=NHS)
    (letter,) = world.facts("recalls")
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "R-4.txt").write_text("[line]\n{reff}\n")
    site = world.config.read_text().replace("quarantine:\n", f"quarantine:\n  templates: {tmp_path}\n", 1)
    world.config = world.config.with_name("own-words.yaml")
    world.config.write_text(site)
    done = world.run("letter", letter["ref"])
    assert done.exit_code == 1 and "R-4.txt:2: {reff} is not known here" in " ".join(done.output.split())


def test_what_is_counted_is_said_in_good_english(world: World) -> None:
    """Symptoms: "1 pictures of", "in 1 forms", "2 of them with something on file" after all was restored."""
    world.run("withdraw", text=NHS)
    assert "1 picture of " in world.run("recalls").output
    restored = world.run("restore", text=NHS).output
    assert "Letters dropped, because they are not true any more: " in restored
    shown = world.run("show", text=NHS).output
    assert "Pictures known: 1 (in 1 form)\n" in shown


def test_what_was_noted_today_is_in_the_list_of_today(world: World) -> None:
    """Symptom: `consent list --since TODAY` said "Nothing has been noted": today was taken for this moment."""
    world.run("withdraw", text=NHS)
    today = str(datetime.now().astimezone().date())
    assert len(world.run("list", "--since", today).output.splitlines()) == 1
    assert world.run("list", "--since", "2999-01-01").output == "Nothing has been noted.\n"


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Australia/Sydney", "Europe/London"])
def test_the_day_a_patient_said_so_is_that_day_everywhere(world: World, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """Symptom: west of Greenwich `show` said the day before."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        world.run("withdraw", "--since", "2026-11-12", text=NHS)
        (patient,) = world.facts("show", text=NHS)["patients"]
        assert ", since 12 Nov 2026" in world.run("show", text=NHS).output
        assert reason(patient["since"]).endswith("2026-11-12")  # what senders are told
    finally:
        monkeypatch.undo()
        time.tzset()


def test_an_email_is_named_by_its_people_and_the_day(world: World) -> None:
    """The photo to Dr X, about then."""
    made = world.facts("withdraw", "--from", SENDER, "--to", PEER, "--on", str(TODAY), "--days", "1")
    assert made["patients"] == [world.hashes.patient(NHS)] and made["images"] == 1
    world.take(outcome_object(
        delivered=[PEER], name="second", images=[[image("second"), ""]], ref="AAAA-2222", created=datetime.now(UTC).timestamp(),
    ))  # fmt: skip
    done = world.run("withdraw", "--to", PEER, "--on", str(TODAY))
    assert done.exit_code == 1 and "several emails fit" in done.output and "AAAA-2222" in done.output
    assert world.facts("withdraw", "--ref", "aaaa-2222")["images"] == 1


def test_a_picture_is_named_by_its_file(world: World, tmp_path: Path) -> None:
    """Known or not: it is stopped from now on."""
    file = tmp_path / "photo.jpg"
    file.write_bytes(photo())
    made = world.facts("withdraw", "--image", str(file))
    assert (made["patients"], made["images"]) == ([], 1)
    assert world.facts("show", "--image", str(file))["images"][0]["status"] == "withdrawn"


@pytest.mark.parametrize("data", [b"root:x:0:0\n", b"%PDF-1.4\n1 0 obj\n", b""])
def test_a_file_that_is_no_picture_is_not_noted_as_one(world: World, tmp_path: Path, data: bytes) -> None:
    """Symptom: a letter named by mistake was "noted for 1 picture", and the picture went on."""
    file = tmp_path / "letter.jpg"
    file.write_bytes(data)
    done = world.run("withdraw", "--image", str(file))
    assert done.exit_code == 1 and "name the picture itself, or the email by --ref" in " ".join(done.output.split())
    assert world.run("list").output == "Nothing has been noted.\n"


def test_no_number_stands_in_any_file_of_ours(world: World) -> None:
    world.facts("withdraw", text=NHS)
    world.facts("show", text=NHS)
    for path in world.config.parent.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"9434765919" not in data and NHS.encode() not in data, path


def saved_anew(data: bytes, quality: int = 70) -> bytes:
    """As a messenger or a phone saves it: another file, smaller, without its hidden data."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(data)) as picture:
        picture.convert("RGB").resize((picture.width // 2, picture.height // 2)).save(out, "JPEG", quality=quality)
    return out.getvalue()


def test_a_picture_that_was_saved_anew_is_the_same_picture(world: World, tmp_path: Path) -> None:
    """Given the copy from a telephone, the one in the ledger is meant, its recipients are written to; another is not meant."""
    sent, other = photo(3), photo(4)
    key = FingerprintKey(world.hashes)
    records = Records(world.settings.records)
    for data, name in ((sent, "third"), (other, "fourth")):
        sha256 = hashlib.sha256(data).hexdigest()
        looks = {sha256: key.to_text(sha256, likeness(data))}
        ref = f"{name.upper():X<9}"
        world.take(outcome_object(delivered=[PEER], name=name, images=[[sha256, ""]], ref=ref, fingerprints=looks))
    copy = tmp_path / "from-the-phone.jpg"
    copy.write_bytes(saved_anew(sent))
    made = world.facts("withdraw", "--image", str(copy))
    assert [mail["ref"] for one in made["recalls"] for mail in one["mails"]] == ["THIRDXXXX"]
    stands = {subject for subject, _ in records.consents_in_force()}
    assert (
        f"image:{hashlib.sha256(sent).hexdigest()}" in stands
        and f"image:{hashlib.sha256(copy.read_bytes()).hexdigest()}" in stands
    )
    assert f"image:{hashlib.sha256(other).hexdigest()}" not in stands
    assert resaved(records, world.hashes, [hashlib.sha256(sent).hexdigest()]) == {hashlib.sha256(sent).hexdigest()}
    records.close()


def likeness(data: bytes) -> bytes:
    sandbox = Sandbox(MEMORY, 30.0)
    try:
        return Likenesses(sandbox, 1, 30.0)(data)
    finally:
        sandbox.close()
