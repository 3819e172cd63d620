"""`clinigate policy`: what the people who edit the policy see; and the versions that the gateway keeps."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from gateway.cli import app
from gateway.commands.register.registertext import RegisterText
from gateway.config import load, policy_files
from gateway.demo.setup import Ports, prepare
from gateway.policyfolder import swap
from gateway.policyfolder.versions import NotKept, Versions, patients_of, with_patients
from policies.load import load_policy
from tests.bench.replaying import journal
from tests.support.policyfacts import files

pytestmark = [pytest.mark.unit, pytest.mark.slow]

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
    assert "may release it, once the no is taken back" in " ".join(site.run("show", "REFUSED-CARE").split())
    assert "taken back" not in site.run("show", "K4-ASK")


def test_show_says_what_may_be_asked_for(site: Site) -> None:
    """Symptom: "--kind k3" and "--to Z" listed a few rules as if there were no others.  Any case, photo and image will do."""
    assert ". CARE\n" in site.run("show", "--to", "a", "--kind", "k3")
    one, any_photo = (site.run("show", "--to", "A", "--kind", kind) for kind in ("K2", "photo"))
    assert "K5-CARE" in any_photo and "K5-CARE" not in one
    told = site.run("show", "--to", "Z", code=2)
    assert '--to: "Z" is not allowed here; write one of O, A, B, C, D, E, F, archive' in told
    assert 'did you mean "photo"?' in site.run("show", "--kind", "foto", code=2)
    assert "there is no such file" in site.run("explain", "nowhere.yaml", code=1)


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


ROYAL = "domain: royal-example.example\n    status: approved"
STOPPED = "domain: royal-example.example\n    status: suspended\n    reason: under review"
DENIED = "domain: royal-example.example\n    status: denied\n    reason: pictures were sold\n    class: denied"


@pytest.fixture
def partners(site: Site) -> Site:
    """A site with the shipped register."""
    (site.folder / "domains.yaml").write_bytes(files()["domains.yaml"])
    return site


def entry_of(site: Site, name: str) -> Any:
    return RegisterText((site.folder / "domains.yaml").read_text()).entry(name)


def standing(site: Site, domain: str) -> str:
    texts = policy_files(site.folder)
    policy = load_policy({name: text.encode() for name, text in texts.items()})
    return policy.register.match(f"jane@{domain}", today=datetime.now(UTC).date()).standing


def test_a_rollback_keeps_a_suspended_domain_stopped(partners: Site) -> None:
    """Suspending takes one person, coming back two: an old register does not undo that, and signatures are void."""
    first = partners.took(1.0)
    partners.edit(ROYAL, STOPPED, "domains.yaml")
    partners.edit("default: enforce", "default: advise")
    before = (partners.folder / "domains.yaml").read_text()
    said = partners.run("rollback", first[:8], "--show")
    assert "royal-example.example stays suspended, as it is now: only new signatures" in said
    assert (partners.folder / "domains.yaml").read_text() == before
    assert "royal-example.example stays suspended" in partners.run("rollback", first[:8])
    assert (partners.folder / "policy.yaml").read_text().count("default: enforce") == 1
    entry = entry_of(partners, "royal-example.example")
    assert (entry["status"], entry["reason"]) == ("suspended", "under review")
    assert not {"approved_by", "approved_on", "signed_terms"} & set(entry)
    assert (standing(partners, "royal-example.example"), standing(partners, "burns-unit.example")) == ("suspended", "approved")
    again = partners.run("rollback", first[:8])
    assert "holds this version already" in again and "stays suspended" in again


def test_a_rollback_keeps_a_denied_domain_denied(partners: Site) -> None:
    """By its entry or by the list of denied names, and where the old register served it through the domain above."""
    old = "include_subdomains: true\n    subdomains_reason: one trust\n    "
    partners.edit(ROYAL, f"domain: royal-example.example\n    {old}status: approved", "domains.yaml")
    first = partners.took(1.0)
    below = "domains:\n  - {domain: ward.royal-example.example, status: denied, class: denied, reason: not theirs}\n"
    partners.edit("domains:\n", below, "domains.yaml")
    denied = next(partners.folder.rglob("denied.txt"))
    denied.write_text("burns-unit.example\n" + denied.read_text())
    partners.edit("domain: burns-unit.example", "domain: burns-other.example", "domains.yaml")
    said = partners.run("rollback", first[:8])
    for name in ("ward.royal-example.example", "burns-unit.example"):
        assert f"{name} stays denied" in said
        assert standing(partners, name) == "denied"
    assert entry_of(partners, "ward.royal-example.example")["reason"] == "not theirs"
    assert "was denied when an older version was put back" in entry_of(partners, "burns-unit.example")["reason"]
    assert standing(partners, "royal-example.example") == "approved"


def test_a_denied_entry_takes_the_place_of_an_approved_one(partners: Site) -> None:
    """With its reason."""
    first = partners.took(1.0)
    text = partners.edit(ROYAL, ROYAL, "domains.yaml")
    start = text.index("  - domain: royal")
    end = text.index("  - domain: burns")
    (partners.folder / "domains.yaml").write_text(f"{text[:start]}  - {DENIED}\n\n{text[end:]}")
    assert "royal-example.example stays denied" in partners.run("rollback", first[:8])
    assert entry_of(partners, "royal-example.example")["reason"] == "pictures were sold"
    assert standing(partners, "royal-example.example") == "denied"


def test_breaking_the_policy_first_opens_nothing(partners: Site) -> None:
    """With broken rules the register of today counts; with a broken register the policy in force."""
    first = partners.took(1.0)
    partners.edit(ROYAL, STOPPED, "domains.yaml")
    partners.took(2.0)
    (partners.folder / "policy.yaml").write_text("rules: [\n")
    assert "stays suspended" in partners.run("rollback", first[:8], "--show")
    (partners.folder / "domains.yaml").write_text("domains: [\n")
    said = partners.run("rollback", first[:8])
    assert "is broken" in said and "royal-example.example stays suspended" in said
    assert entry_of(partners, "royal-example.example")["reason"] == "under review"
    assert standing(partners, "royal-example.example") == "suspended"


def test_where_nobody_can_say_what_is_stopped_nothing_is_rolled_back(site: Site) -> None:
    """The register is broken and the version in force is damaged."""
    first = site.took(1.0)
    site.edit("default: enforce", "default: advise")
    second = site.took(2.0)
    (site.versions.folder / f"{second}.json.gz").write_bytes(b"damaged")
    (site.folder / "domains.yaml").write_text("domains: [\n")
    assert "mend it first" in site.run("rollback", first[:8], code=1)
    assert (site.folder / "domains.yaml").read_text() == "domains: [\n"


def test_a_register_in_one_line_is_left_to_people(site: Site) -> None:
    """What cannot be edited entry by entry is not rolled back past a stop."""
    written = yaml.safe_load((site.folder / "domains.yaml").read_text())
    flow = json.dumps(written, default=str)
    (site.folder / "domains.yaml").write_text(flow + "\n")
    first = site.took(1.0)
    (site.folder / "domains.yaml").write_text(flow.replace('"approved"', '"suspended", "reason": "x"', 1) + "\n")
    assert "nothing was changed" in site.run("rollback", first[:8], code=1)
    assert '"suspended"' in (site.folder / "domains.yaml").read_text()


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
        swap.replace(tmp_path, {"a.yaml": "new", "missing/b.yaml": "new"}, {"a.yaml": "old"})
    assert (tmp_path / "a.yaml").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]
    swap.replace(tmp_path, {"a.yaml": "new", "c.yaml": "more"}, {"a.yaml": "old"})
    assert (tmp_path / "a.yaml").read_text() == "new" and (tmp_path / "a.yaml").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "c.yaml"]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """Nor is a file that was not there when it was read, and nothing lies about."""
    (tmp_path / "a.yaml").write_text("theirs")
    for seen in ({"a.yaml": "old"}, {}):
        with pytest.raises(swap.ChangedMeanwhile, match="somebody else"):
            swap.replace(tmp_path, {"a.yaml": "ours", "b.yaml": "ours"}, seen)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.yaml", "theirs")]


def test_rollback_does_not_undo_a_change_made_while_it_works(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Symptom: a domain suspended while somebody rolled back was served again.  Cause: files were replaced as once read."""
    first = site.took()
    before = site.edit("name: uk-strict", "name: other")
    real = swap.replace

    def meanwhile(*told: Any) -> None:
        (site.folder / "policy.yaml").write_text(before + "# by somebody else\n")
        real(*told)

    monkeypatch.setattr(swap, "replace", meanwhile)
    assert "somebody else" in site.run("rollback", first[:12], code=1)
    assert (site.folder / "policy.yaml").read_text().endswith("# by somebody else\n")


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
