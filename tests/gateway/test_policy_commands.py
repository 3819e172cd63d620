"""`clinigate policy`: what the people who edit the policy see; and the versions that the gateway keeps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway import policyswap
from gateway.cli import app
from gateway.config import load, policy_files
from gateway.demo.setup import Ports, prepare
from gateway.policyversions import NotKept, Versions, patients_of, with_patients
from policies.load import load_policy
from tests.bench.replaying import journal
from tests.support.policyfacts import files

pytestmark = pytest.mark.unit

PATIENTS = "patient_addresses:\n  - {address: p.canary@mail.example, verified_on: 2026-11-01, verified_how: phone call}\n"
EXAMPLES = """\
examples:
  - name: a photograph to nobody we know
    to: unknown.example
    pictures: photo
    subject: "[consent written referral]"
    expect: {then: PROTECT}
"""


class Site:
    """A configuration, its policy folder, and what the commands say."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.settings = load(self.config)
        self.folder = self.settings.policy
        self.versions = Versions(self.settings.state / "policies")

    def run(self, *words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["policy", *words, "--config", str(self.config)])
        assert result.exit_code == code, result.output
        return result.output

    def edit(self, old: str, new: str, file: str = "policy.yaml") -> str:
        """Change a file; its text before."""
        before = (self.folder / file).read_text()
        assert old in before
        (self.folder / file).write_text(before.replace(old, new))
        return before

    def took(self, at: float = 1.0) -> str:
        """As the gateway does when it takes a policy up; its digest."""
        texts = policy_files(self.folder)
        policy = load_policy({name: text.encode() for name, text in texts.items()})
        self.versions.keep(policy, texts, "changed", at)
        return policy.digest


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    prepare(folder, Ports(1, 2, 3))
    return folder


@pytest.fixture
def site(prepared: Path, tmp_path: Path) -> Site:
    """A copy of the prepared one: making keys takes long."""
    folder = tmp_path / "site"
    shutil.copytree(prepared, folder)
    config = folder / "clinigate.yaml"
    config.write_text(config.read_text().replace(str(prepared), str(folder)))
    return Site(config)


def test_check_says_what_is_right_and_where_it_is_wrong(site: Site) -> None:
    """File, line, key, nearest word; exit code 2."""
    assert "is right: " in site.run("check")
    site.edit("default: enforce", "default: enforec")
    text = site.run("check", code=2)
    assert "policy.yaml:" in text and "modes.default" in text and 'did you mean "enforce"?' in text


def test_show_and_explain_tell_a_rule_in_plain_words(site: Site) -> None:
    """By id, in any case, by number, and by recipient and kind."""
    text = site.run("show", "care")
    assert "CARE" in text and "to an approved clinical service (A)" in text and "it goes, cleaned and protected" in text
    assert site.run("show", "1").startswith("1. ")
    listed = site.run("show", "--to", "F", "--kind", "K3")
    assert "F-DENIED" in listed and "IMPLIED-CARE" not in listed
    assert "stricter rules that are tried before it: " in site.run("explain", "CARE")
    assert 'did you mean "CARE"?' in site.run("show", "CAER", code=2)


def test_examples_fail_with_file_line_and_reason(site: Site) -> None:
    """The IG team's own mails in words."""
    (site.folder / "tests").mkdir(exist_ok=True)
    (site.folder / "tests" / "ours.yaml").write_text(EXAMPLES)
    text = site.run("test", code=1)
    assert "ours.yaml:2: a photograph to nobody we know" in text and "expected PROTECT, got" in text
    site.run("test", "--verbose", code=1)
    (site.folder / "tests" / "ours.yaml").write_text(
        EXAMPLES.replace("PROTECT", json.loads(site.run("test", "--json", code=1))[0]["action"])
    )
    assert "1 as expected, 0 not" in site.run("test")
    (site.folder / "tests" / "ours.yaml").write_text(EXAMPLES.replace("pictures", "pitcures"))
    assert 'did you mean "pictures"?' in site.run("test", code=2)


def test_diff_says_in_sentences_what_changes(site: Site, tmp_path: Path) -> None:
    """A rule, a mode, a domain; and which typical mails end otherwise."""
    old = tmp_path / "old.yaml"
    old.write_text(site.edit("then: REFUSE", "then: QUARANTINE"))
    site.edit("default: enforce", "default: advise")
    text = site.run("diff", str(old))
    assert "it is not sent, and no copy is kept -> it waits for a reviewer" in text
    assert "Mode for everybody else: enforce -> advise." in text
    assert "Of typical mails:" in text and "freer: " in text
    assert "Both say the same." in site.run("diff", str(site.folder))


def test_replay_counts_by_sender_group(site: Site, tmp_path: Path) -> None:
    """Who would newly be held, from the journal; what cannot be read is counted and passed over."""
    past = tmp_path / "past"
    past.mkdir()
    journal(past, 400)
    segment = next(iter(past.glob("*.jsonl")))
    segment.write_bytes(segment.read_bytes() + b'{"event": "message", "at": 9e9, "record": {"recipients": [{}]}}\nbroken\n{"half')
    new = tmp_path / "new.yaml"
    new.write_text((site.folder / "policy.yaml").read_text().replace("- verbal\n", "- unspecified\n"))
    told = json.loads(site.run("replay", str(new), "--since", "2020-01-01", "--journal", str(past), "--json"))
    assert (told["messages"], told["unreadable"]) == (401, 2)
    assert {"clinical", "non-clinical", "ungrouped"} == set(told["groups"])
    assert (
        sum(one["held"] for one in told["groups"].values())
        == sum(r["recipients"] for r in told["rows"] if r["change"] == "held")
        > 0
    )
    text = site.run("replay", str(new), "--since", "2020-01-01", "--journal", str(past))
    assert "401 messages" in text and "newly" in text
    assert "write 30d" in site.run("replay", str(new), "--since", "a month", code=2)


def test_history_and_rollback(site: Site) -> None:
    """Break it, have it back: whole, checked, and without touching the addresses of patients."""
    first = site.took(1.0)
    before = site.edit("default: enforce", "default: advise")
    second = site.took(2.0)
    text = site.run("history")
    assert text.index(second[:12]) < text.index(first[:12])
    (site.folder / "policy.yaml").write_text("rules: [\n")
    register = site.folder / "domains.yaml"
    register.write_text(with_patients(register.read_text(), PATIENTS))
    assert "would be replaced" in site.run("rollback", first[:8], "--show")
    assert "is broken" in site.run("rollback", first[:8])
    assert (site.folder / "policy.yaml").read_text() == before
    assert "p.canary@mail.example" in register.read_text()
    assert "holds this version already" in site.run("rollback", first[:8])
    assert "no version" in site.run("rollback", "abcdef99", code=1)
    assert "no folder, no file" in site.run("diff", "nonsense", code=2)


def test_a_rollback_says_which_stopped_domain_it_opens(site: Site) -> None:
    """Suspending takes one person, coming back two: an old register must not undo that unseen."""
    first = site.took(1.0)
    site.edit("status: approved", "status: suspended\n  reason: under review", "domains.yaml")
    said = site.run("rollback", first[:8], "--show")
    assert "Careful: royal-example.example is suspended now." in said and "without new signatures" in said
    site.run("rollback", first[:8])
    assert "Careful" not in site.run("rollback", first[:8])


def test_no_patient_is_kept_in_a_version(site: Site) -> None:
    """P5: their addresses are cut out; where one stands elsewhere too, the version is not kept."""
    register = site.folder / "domains.yaml"
    register.write_text(PATIENTS + register.read_text() + "\n")
    digest = site.took()
    assert "canary" not in site.versions.files(digest)["domains.yaml"]
    assert "domains:" in site.versions.files(digest)["domains.yaml"]
    register.write_text(register.read_text() + "# p.canary@mail.example phoned\nfreemail: [other.example]\n")
    with pytest.raises(NotKept):
        site.took()


def test_the_block_of_patients_is_cut_whole() -> None:
    """Wherever it stands, with its comments; the rest stays byte for byte."""
    for text in (f"domains: []\n{PATIENTS}", f"{PATIENTS}domains: []\n", f"denied: [a.example]\n{PATIENTS}domains: []\n"):
        block = patients_of(text)
        assert block == PATIENTS
        assert with_patients(text, "") == text.replace(PATIENTS, "")
        assert patients_of(with_patients(text, block)) == block
    assert patients_of("domains: []\n") == ""


def test_a_start_notes_nothing_that_is_known(site: Site) -> None:
    """Restarts do not fill the history; a damaged version and a cut line are told or passed over."""
    texts = {name: text.decode() for name, text in files().items()}
    policy = load_policy(dict(files()))
    for at in (1.0, 2.0):
        site.versions.keep(policy, texts, "start", at)
    assert len(site.versions.taken()) == 1
    with (site.versions.folder / "taken.jsonl").open("a") as log:
        log.write('{"at": 1')
    assert len(site.versions.taken()) == 1
    (site.versions.folder / f"{policy.digest}.json.gz").write_bytes(b"\x1f\x8bdamaged")
    with pytest.raises(LookupError):
        site.versions.files(policy.digest)


def test_a_broken_policy_is_told_by_history_until_it_is_mended(site: Site) -> None:
    """What the gateway noted, for people and for the alarm."""
    site.versions.broke(["policy.yaml:3: name: is missing"], "a" * 64, 5.0)
    assert "is broken since" in site.run("history") and "policy.yaml:3" in site.run("history")
    assert json.loads(site.run("history", "--json"))["broken"]["in_force"] == "a" * 64
    site.versions.mended()
    assert site.versions.broken() is None


def test_files_change_all_or_none(tmp_path: Path) -> None:
    """One that cannot be written leaves every other as it was, and nothing lies about."""
    (tmp_path / "a.yaml").write_text("old")
    (tmp_path / "a.yaml").chmod(0o640)
    with pytest.raises(OSError):
        policyswap.replace(tmp_path, {"a.yaml": "new", "missing/b.yaml": "new"})
    assert (tmp_path / "a.yaml").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]
    policyswap.replace(tmp_path, {"a.yaml": "new", "c.yaml": "more"})
    assert (tmp_path / "a.yaml").read_text() == "new" and (tmp_path / "a.yaml").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "c.yaml"]


def test_the_alarm_tells_a_broken_policy(site: Site) -> None:
    """A timer sees it, whoever reads logs."""
    site.versions.broke(["policy.yaml:3: name: is missing"], "a" * 64, 5.0)
    result = CliRunner().invoke(app, ["alarm", "--json", "--config", str(site.config)])
    assert result.exit_code == 1
    found = {one["code"]: one["text"] for one in json.loads(result.stdout)}
    assert "policy.yaml:3" in found["policy-broken"]
    site.versions.mended()
    again = CliRunner().invoke(app, ["alarm", "--json", "--config", str(site.config)])
    assert "policy-broken" not in {one["code"] for one in json.loads(again.stdout)}
