"""``clinigate daily``, ``report weekly``, ``emergency`` as their users call them: what they do, say and refuse."""

from __future__ import annotations

import json
import shutil
import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from gateway import config as configuration
from gateway import registerdue
from gateway.cli import app
from gateway.commands import daily as daily_command
from gateway.commands import emergency, weekly
from gateway.demo.setup import Ports, prepare
from gateway.policyfolder.versions import Versions
from policies.load import load_policy
from quarantine.emergencies.cases import Cases
from quarantine.emergencies.reason import sealed
from quarantine.journal import read_journal
from quarantine.keys import load_public
from quarantine.records import Records
from tests.support import history
from tests.support.history import SENDERS, event, journal

pytestmark = [pytest.mark.unit, pytest.mark.slow]

MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC).timestamp()
DAY = 86_400.0
WHY = "CANARY-reason: unconscious, airway"


class Site:
    """A prepared site without running programs, and its clock."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config = folder / "clinigate.yaml"
        self.folder, self._monkeypatch, self.now = folder, monkeypatch, MONDAY
        self.settings = configuration.load(self.config).quarantine
        self.settings.state.mkdir(parents=True)
        self.domains(expires=date(2027, 12, 31))

    def domains(self, **entry: object) -> None:
        """One approved domain."""
        ends = str(entry["expires"])
        basis = {"type": "implied-care", "owner": "owner@clinic.example", "signed": "2026-01-01", "expires": ends}
        one = {
            "domain": "royal-example.example", "status": "approved", "class": "clinical", "organisation": "Royal Example",
            "purposes": ["TREAT"], "methods": ["smime"], "approved_by": ["alice.ig", "bob.caldicott"], "agreement": basis,
        }  # fmt: skip
        (self.folder / "policies" / "domains.yaml").write_text(yaml.safe_dump({"domains": [one]}))

    def run(self, *words: str, by: str = "ig1") -> Result:
        for module in (daily_command, weekly):
            self._monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: self.now))
        for module in (weekly, emergency):
            self._monkeypatch.setattr(module, "user", lambda: by)
        return CliRunner().invoke(app, [*words, "--config", str(self.config)])

    def daily(self) -> dict[str, object]:
        done = self.run("daily", "--json")
        assert done.exit_code == 0, done.output
        told: dict[str, object] = json.loads(done.output)
        return told

    def records(self) -> Records:
        return Records(self.settings.records)

    def waiting(self) -> list[str]:
        return sorted(f"{row.kind} {row.role} {row.to}".strip() for row in self.records().outbox_due(1e12))

    def count(self, *events: dict[str, object]) -> None:
        journal(self.settings.journal, list(events))
        read_journal(self.settings.journal, self.records(), self.settings.office)


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and policy, made once.  The lists are short: they are read again at every run."""
    folder = tmp_path_factory.mktemp("pattern") / "site"
    config = prepare(folder, Ports(1, 2, 3))
    told = yaml.safe_load(config.read_text())
    told["quarantine"]["reviewers"] = {"ig": ["ig1", "ig2"], "mail_admin": ["adm"]}
    config.write_text(yaml.safe_dump(told))
    for name in registerdue.LISTS:
        path = folder / "policies" / name
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for at, line in enumerate(lines) if at < 120 or line.startswith("#")))
    return folder


@pytest.fixture
def site(pattern: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """IG is ig1."""
    folder = Path(shutil.copytree(pattern, tmp_path / "site"))
    config = folder / "clinigate.yaml"
    config.write_text(config.read_text().replace(str(pattern), str(folder)))
    return Site(folder, monkeypatch)


# -- daily ---------------------------------------------------------------------------------------------------------------


def test_owners_are_warned_before_an_approval_ends_and_again_at_each_stage(site: Site) -> None:
    """It ends on day 79: warned 60, 30 and 7 days before, in grace and after it, whatever days the job ran on."""
    site.domains(expires=date(2027, 2, 10))
    told = []
    for days in (0, 19, 20, 49, 72, 80, 120):
        site.now = MONDAY + days * DAY
        told.append((days, site.daily()["register"]["new"]))  # type: ignore[index]  # the part's own counts
    assert [days for days, new in told if new] == [19, 49, 72, 80, 120]
    warned = [row for row in site.records().outbox_due(1e12) if row.kind == "domain-due"]
    assert {row.to for row in warned} == {"owner@clinic.example"}
    said = " ".join(line for row in warned for line in row.detail["lines"])
    assert "Mail still goes until" in said and "Mail with pictures is held." in said
    assert len(warned) == 5


def test_a_second_run_promises_nothing_twice(site: Site) -> None:
    """By hand beside the timer."""
    site.domains(expires=date(2026, 12, 1))
    site.count(event(MONDAY - 2 * DAY, SENDERS[0], located=1))
    first = site.daily()
    before = site.waiting()
    assert first["weekly report"] == ["2026-W47"] and before == [
        "N-8 ig", "N-8 mail-admin", "domain-due owner owner@clinic.example", "weekly ig",
    ]  # fmt: skip
    again = site.daily()
    assert again["register"] == {"due": 1, "new": 0, "lists": 0} and again["weekly report"] == [] and again["digest"] is False
    assert site.waiting() == before


def test_the_weekly_report_is_written_where_the_settings_say(site: Site) -> None:
    """A page and its tables; counts of the domain's use come from the journal."""
    told = yaml.safe_load(site.config.read_text())
    told["quarantine"]["reports"] = {"folder": str(site.folder / "ig")}
    site.config.write_text(yaml.safe_dump(told))
    site.count(event(MONDAY - 2 * DAY, SENDERS[0]))
    site.daily()
    names = sorted(path.name for path in (site.folder / "ig").iterdir())
    assert "2026-W47.html" in names and "2026-W47-weeks.csv" in names and len(names) == 15
    assert "Example Clinic" in (site.folder / "ig" / "2026-W47.html").read_text()


@pytest.mark.parametrize("off", ["weekly", "digest"])
def test_what_is_switched_off_is_not_made(site: Site, off: str) -> None:
    """reports: weekly, digest."""
    told = yaml.safe_load(site.config.read_text())
    told["quarantine"]["reports"] = {off: False}
    site.config.write_text(yaml.safe_dump(told))
    site.count(event(MONDAY - DAY, SENDERS[0], located=1))
    site.daily()
    kinds = {row.partition(" ")[0] for row in site.waiting()}
    assert kinds == ({"N-8"} if off == "weekly" else {"weekly"})


def test_a_broken_policy_is_told_and_the_rest_is_done(site: Site) -> None:
    """The digest goes, the report says that the register could not be read, the job has run: exit code 1 and why."""
    site.count(event(MONDAY - DAY, SENDERS[0], located=1))
    Versions(configuration.load(site.config).state / "policies").broke(["policy.yaml:3: no"], "d" * 64, MONDAY - 3600)
    (site.folder / "policies" / "policy.yaml").write_text("rules: [")
    done = site.run("daily")
    assert done.exit_code == 1 and "the policy cannot be used: policy.yaml" in done.output
    assert site.waiting() == ["N-8 ig", "N-8 mail-admin", "policy-broken ig", "weekly ig"]
    page = (site.settings.report_folder / "2026-W47.html").read_text()
    assert "The register of domains could not be read" in page
    assert site.records().fact("daily.ran") == str(MONDAY)


def test_records_that_cannot_be_written_are_an_error_and_the_run_does_not_count(site: Site) -> None:
    """A folder that is a file: said, exit code 1; the alarm will notice."""
    site.count(event(MONDAY - DAY, SENDERS[0]))
    site.settings.report_folder.write_text("in the way")
    done = site.run("daily")
    assert done.exit_code == 1 and "weekly report:" in done.output
    assert site.records().fact("daily.ran") is None
    assert site.run("daily").exit_code == 1  # and again, until it is mended


def test_old_lists_are_named(site: Site) -> None:
    """By the day in the file; a list without one is the site's own and never old."""
    files = {"freemail.txt": "# taken: 2025-01-01, 5 names\n", "denied.txt": "# taken: 2026-11-01\n", "suffixes.txt": "uk\n"}
    assert registerdue.old_lists(files, date(2026, 11, 23), 400) == ["freemail.txt: taken on 2025-01-01"]
    site.now = MONDAY + 500 * DAY
    assert site.daily()["register"]["lists"] == 1  # type: ignore[index]  # the shipped lists are of 2026-11


# -- which domains are unused --------------------------------------------------------------------------------------------


def test_unused_domains_by_what_was_counted_and_by_the_register() -> None:
    """Never used counts only where counting began long enough ago; a subdomain's use is a use of the domain."""
    entry = "{{domain: {0}, status: {1}, class: clinical, purposes: [TREAT], methods: [smime], approved_by: [a.b, c.d], {2}}}"
    rows = [
        entry.format("used.example", "approved", "expires: 2027-12-31"),
        entry.format("old.example", "approved", "expires: 2027-12-31, last_used: 2026-01-05"),
        entry.format("never.example", "approved", "expires: 2027-12-31"),
        entry.format("sub.example", "approved", "expires: 2027-12-31, include_subdomains: true, subdomains_reason: one trust"),
        entry.format("asked.example", "proposed", "expires: 2027-12-31"),
    ]
    folder = Path(registerdue.__file__).parent.parent / "policies"
    files = {name: (folder / "data" / name).read_bytes() for name in registerdue.LISTS}
    files |= {"policy.yaml": (folder / "default.yaml").read_bytes(), "domains.yaml": f"domains: [{', '.join(rows)}]".encode()}
    policy = load_policy(files)
    today = date(2026, 11, 23)
    used = {"used.example": today - timedelta(days=3), "mail.sub.example": today}
    long = registerdue.told(policy, today, used, date(2026, 1, 1), 180)
    assert [(one.name, one.day) for one in long.unused] == [("never.example", None), ("old.example", date(2026, 1, 5))]
    new = registerdue.told(policy, today, used, today - timedelta(days=30), 180)
    assert [one.name for one in new.unused] == ["old.example"]


# -- report weekly -------------------------------------------------------------------------------------------------------


def test_a_report_on_the_screen_as_page_and_as_tables(site: Site, tmp_path: Path) -> None:
    """Without options a summary; with them files, and their names."""
    site.count(event(MONDAY - DAY, SENDERS[0], located=1))
    shown = site.run("report", "weekly")
    assert shown.exit_code == 0 and "2026-W47, 16 November 2026" in shown.output and "1 of 1 (100 %)" in shown.output
    done = site.run("report", "weekly", "--week", "2026-W47", "--html", str(tmp_path / "r.html"), "--csv", str(tmp_path / "csv"))
    assert done.exit_code == 0 and len(list((tmp_path / "csv").iterdir())) == 14
    assert "<title>Clinigate: 2026-W47" in (tmp_path / "r.html").read_text()


def test_a_week_that_is_none_is_refused(site: Site) -> None:
    """With how to write it."""
    done = site.run("report", "weekly", "--week", "last")
    assert done.exit_code == 2 and "write it as 2026-W47" in done.output


def test_names_are_for_ig_and_recorded(site: Site, tmp_path: Path) -> None:
    """A mail admin is refused; IG's asking stands in the audit."""
    site.count(event(MONDAY - DAY, SENDERS[0], basis="not-patient"))
    assert "only IG may ask for names" in site.run("report", "weekly", "--names", by="adm").output
    assert not site.settings.audit.exists()
    done = site.run("report", "weekly", "--names", "--html", str(tmp_path / "r.html"))
    assert done.exit_code == 0
    assert '"event":"report-named","what":"2026-W47","actor":"ig1"' in site.settings.audit.read_text()


def test_a_report_before_the_first_start_says_what_to_do(site: Site) -> None:
    """Symptom: "run this as a user who may read" of records that are not there."""
    shutil.rmtree(site.settings.state, ignore_errors=True)
    done = site.run("report", "weekly")
    assert done.exit_code == 1 and "start the quarantine service once" in " ".join(done.output.split())


def test_a_report_file_that_cannot_be_written_is_said(site: Site) -> None:
    """One line, exit code 1, no traceback."""
    done = site.run("report", "weekly", "--html", str(site.folder / "nowhere" / "r.html"))
    assert done.exit_code == 1 and "r.html: No such file or directory; the report is not written" in done.output


# -- emergency -----------------------------------------------------------------------------------------------------------


def case(site: Site) -> str:
    """One emergency, as the service opened it."""
    records = site.records()
    history.emergency(records, "e", MONDAY - 10 * DAY, site.settings.office)
    (found,) = Cases(records).all()
    blob = sealed(WHY, found.id, load_public(site.settings.keys))
    records.run("UPDATE emergencies SET reason = :reason", {"reason": blob})
    return found.ref


def test_an_emergency_is_listed_shown_and_reviewed(site: Site) -> None:
    """List, show with the reason, review, and nothing waits any more."""
    ref = case(site)
    listed = site.run("emergency", "list")
    assert ref in listed.output and "OVERDUE" in listed.output and "CANARY" not in listed.output
    shown = site.run("emergency", "show", ref)
    assert shown.exit_code == 0 and WHY in shown.output and "not reviewed yet" in shown.output
    done = site.run("emergency", "review", ref, "not-justified", "--note", "IG-7")
    assert f"{ref} is not-justified; the patient has not been told yet" in done.output
    assert "CANARY" not in site.settings.audit.read_text()
    assert "No emergency waits" in site.run("emergency", "list").output
    assert json.loads(site.run("emergency", "list", "--all", "--json").output)[0]["note"] == "IG-7"


def test_the_reason_is_read_with_the_review_key_kept_elsewhere(site: Site, tmp_path: Path) -> None:
    """--key; without it the command says so."""
    ref = case(site)
    elsewhere = tmp_path / "stick.key"
    (site.settings.keys / "review.key").rename(elsewhere)
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
    assert "--key" in site.run("emergency", "show", ref).output
    assert WHY in site.run("emergency", "show", ref, "--key", str(elsewhere)).output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("show", "AAAA-2222"), "no emergency has this reference"),
        (("review", "AAAA-2222", "justified"), "no emergency has this reference"),
    ],
)
def test_a_wrong_reference_is_one_line(site: Site, words: tuple[str, ...], says: str) -> None:
    """Exit code 1, what to do, no traceback."""
    case(site)
    done = site.run("emergency", *words)
    assert done.exit_code == 1 and says in done.output and "Traceback" not in done.output


def test_who_is_not_ig_sees_no_reason(site: Site) -> None:
    """A mail admin may list, not read."""
    ref = case(site)
    done = site.run("emergency", "show", ref, by="adm")
    assert done.exit_code == 1 and "reviewed by IG" in done.output and "CANARY" not in done.output
