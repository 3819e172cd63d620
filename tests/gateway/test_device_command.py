"""``clinigate device`` and ``clinigate lists`` for the lists beside the register: comments stay, a bad edit changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import app
from gateway.config import policy_files
from gateway.demo.pictures import photo
from gateway.demo.setup import Ports, prepare
from policies.load import load_policy

pytestmark = [pytest.mark.unit, pytest.mark.slow]

TEXT = """\
# our cameras
devices:
  # the old one
  - {id: "1", make: Nikon, model: D850,   serial: '0012', owner: Illustration}   # keep the quotes
  - id: derm-2
    make: Canon
    model: EOS 850D   # since March
    owner: Ward 4
# the end
"""
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("device")
    return prepare(folder, Ports(1, 2, 3))


@pytest.fixture
def config(made: Path) -> Path:
    """An installation whose policy folder has no devices.yaml yet."""
    (made.parent / "policies" / "devices.yaml").unlink(missing_ok=True)
    return made


@pytest.fixture
def run(config: Path) -> Run:
    return lambda *words: CliRunner().invoke(app, [*words, "--config", str(config)])


def register(config: Path) -> Path:
    return config.parent / "policies" / "devices.yaml"


def test_a_camera_is_added_by_a_picture_it_took(run: Run, config: Path, tmp_path: Path) -> None:
    """In an older folder the file is made; make, model and number are those of the picture."""
    (tmp_path / "a.jpg").write_bytes(photo(3))
    done = run(
        "device", "add", "derm-1", "--owner", "Illustration", "--location", "Clinic 2", "--picture", str(tmp_path / "a.jpg")
    )
    assert done.exit_code == 0, done.output
    assert done.output == "derm-1 is registered: Samplephone S-1000, serial number SN000003.\n"
    assert "# The register of clinical cameras" in register(config).read_text()
    listed = json.loads(run("device", "list", "--json").output)
    assert [(one["id"], one["serial"], one["counts"]) for one in listed] == [("derm-1", "SN000003", True)]
    shown = run("device", "show", str(tmp_path / "a.jpg")).output
    assert "device.registered" in shown and "It is derm-1, Illustration." in shown
    (tmp_path / "b.jpg").write_bytes(photo(4))
    assert "device.unregistered" in run("device", "show", str(tmp_path / "b.jpg")).output


def test_retiring_changes_that_entry_and_nothing_else(run: Run, config: Path) -> None:
    register(config).write_text(TEXT)
    done = run("device", "retire", "derm-2", "--reason", "sold", "--on", "2026-11-01")
    assert (done.exit_code, done.output) == (0, "derm-2 does not count from 2026-11-01 on.\n")
    text = register(config).read_text()
    assert text.replace("    retired: 2026-11-01\n    notes: sold\n", "").split() == TEXT.split()
    for kept in ("# our cameras", "# the old one", "serial: '0012'", "# keep the quotes", "# since March", "# the end"):
        assert kept in text
    again = run("device", "retire", "DERM-2")
    assert again.exit_code == 1 and "retired on 2026-11-01 already" in again.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "1", "--owner", "A", "--make", "X", "--model", "Y"), "1 is in the register already"),
        (("add", "9", "--owner", "A"), "name a --picture, or --make and --model"),
        (("add", "9", "--owner", "A", "--make", "Nikon", "--model", "D850", "--serial", "12"), "this serial number stands twice"),
        (("add", "9", "--owner", "A", "--make", "X", "--model", "Y", "--until", "soon"), '"soon" is no day'),
        (
            ("add", "9", "--owner", "A", "--make", "X", "--model", "Y", "--from", "2027-01-01", "--until", "2026-01-01"),
            "is before",
        ),
        (("retire", "nobody"), "nobody is not in the register"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_changes(run: Run, config: Path, words: tuple[str, ...], told: str) -> None:
    register(config).write_text(TEXT)
    done = run("device", *words)
    assert done.exit_code != 0 and told in done.output, done.output
    assert register(config).read_text() == TEXT


def test_a_picture_without_hidden_data_registers_nothing(run: Run, config: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no picture")
    done = run("device", "add", "x", "--owner", "A", "--picture", str(tmp_path / "a.txt"))
    assert done.exit_code == 1 and "no picture that can be read here" in done.output
    assert not register(config).exists()


def test_without_a_serial_number_it_is_said_what_that_means(run: Run) -> None:
    done = run("device", "add", "x", "--owner", "A", "--make", "Apple", "--model", "iPhone 15")
    assert "every device of this model counts, private ones too" in done.output


@pytest.mark.parametrize(
    ("which", "published", "line"),
    [
        ("file-shares", "https://share.new.example/x newshare\nplain.example\n", "share.new.example/x  newshare"),
        ("clinical-words", "a new word\n", "a new word"),
        ("referral-words", "Refer   On\n", "refer on"),
        ("personal-devices", "NewPhone *\n", "newphone *"),
    ],
)
def test_a_list_is_renewed_below_its_marker(
    run: Run, config: Path, tmp_path: Path, which: str, published: str, line: str
) -> None:
    """What is kept by hand stays above; the source and the day are written; the policy with it is sound."""
    (tmp_path / "list.txt").write_text(f"# a comment\n{published}")
    path = config.parent / "policies" / f"{which}.txt"
    before = policy_files(path.parent)[path.name]
    done = run("lists", "update", which, str(tmp_path / "list.txt"), "--source", "somewhere (CC0)")
    assert done.exit_code == 0, done.output
    text = path.read_text()
    assert text.startswith(before.rstrip("\n")) and f"\n{line}\n" in text and "# source: somewhere (CC0)" in text
    load_policy({name: one.encode() for name, one in policy_files(path.parent).items()})
    path.unlink()


def test_another_kind_of_file_is_no_list(run: Run, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("this is a letter, no list of hosts\n")
    done = run("lists", "update", "file-shares", str(tmp_path / "list.txt"), "--source", "x")
    assert done.exit_code == 1 and "line 1" in done.output
