"""Commands around a running gateway, as their user runs them: what they print, what they change, how they end."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.samples import COLLEAGUE, CONSENT_HEADER, FILE_SHARE, SENDER, STRANGER
from tests.support import cli as page
from tests.support.commandline import clinigate, inside
from tests.support.installation import Installation, listening, until
from tests.support.letters import canary_photo, letter
from tests.support.needs import missing
from tests.support.paths import ROOT

pytestmark = pytest.mark.e2e

CANARY = "CANARY-cli"
OTHER = "someone@another.example"


def mail(*recipients: str, subject: str, **options: Any) -> bytes:
    """A mail with a photo full of canaries, of its own for each subject."""
    return letter(
        SENDER, recipients, subject, pictures=(canary_photo(CANARY),), message_id=f"<{abs(hash(subject))}@x>", **options
    )


HELD = {
    "ask": (COLLEAGUE, "what is this?"),
    "unknown": (STRANGER, "first [consent verbal]"),
    "refuse": (STRANGER, "second [consent verbal]"),
    "delete": (COLLEAGUE, "another question"),
    "intimate": (COLLEAGUE, "case [consent written, intimate]"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A running installation with one hold of each kind; ``daemon`` is the second reviewer."""
    folder = tmp_path_factory.mktemp("cli")
    made = Installation(folder)
    users = made.settings()["quarantine"]["reviewers"]["ig"]
    made.configure(quarantine={"reviewers": {"ig": [*users, "daemon"], "mail_admin": [*users, "sys"]}})
    with made:
        for to, subject in HELD.values():
            assert made.send(mail(to, subject=subject), (to,))[0] == 250
        made.holds(len(HELD))
        yield made


@pytest.fixture(scope="module")
def refs(site: Installation) -> dict[str, str]:
    """name of HELD -> reference; holds are listed oldest first."""
    rows = sorted(site.holds(), key=lambda row: row["created"])
    return dict(zip(HELD, (row["ref"] for row in rows), strict=True))


def as_user(uid: int) -> dict[str, str]:
    """The environment sudo gives root when this user called it."""
    if os.getuid() != 0:
        missing("root")
    return {"SUDO_UID": str(uid)}


def status(site: Installation, ref: str) -> str:
    return str(json.loads(site.cli("hold", "show", ref, "--json"))["state"])


# -- help ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, _ in page.commands()])
def test_help_mentions_every_option(name: str) -> None:
    words = name.split()[1:]
    done = inside(*words, "--help")
    assert done.exit_code == 0
    for written, _, _ in page.parameters(dict(page.commands())[name]):
        for one in written.split(" ")[0].split(","):
            assert one.lower() in done.output.lower(), f"{name}: {one}"


def test_without_a_command_help_is_shown_and_a_wrong_one_is_usage() -> None:
    assert "hold" in clinigate("--help").stdout
    done = clinigate("hold", "liszt")
    assert done.returncode == 2
    assert "liszt" in done.stderr


# -- check -----------------------------------------------------------------------------------------------------------------


def test_check_says_each_thing_is_ok_or_what_to_do(site: Installation) -> None:
    done = site.run("check")
    assert done.returncode == 0, done.stdout
    for name in ("policy", "keys", "smime", "listeners", "next hop", "timeouts", "quarantine"):
        assert re.search(rf"^{name} +(ok)?$", done.stdout, re.M), done.stdout
    assert "error" not in done.stdout


def test_check_finds_the_next_hop_gone_and_tells_programs_too(site: Installation, tmp_path: Path) -> None:
    broken = tmp_path / "clinigate.yaml"
    broken.write_text(site.config.read_text().replace(f"port: {site.ports.mailbox}", "port: 1"))
    done = clinigate("check", "--config", broken, "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert {row["check"] for row in found} == {"next hop", "relay"}
    assert all(set(row) == {"check", "level", "where", "what"} for row in found)
    assert all("127.0.0.1:1" in row["where"] for row in found)


# -- explain ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "subject", "rule", "words"),
    [
        (COLLEAGUE, "x [consent verbal]", "CARE", "goes, cleaned and protected"),
        (COLLEAGUE, "x", "CARE-ASK", "[consent verbal]"),
        (STRANGER, "x [consent verbal]", "UNKNOWN", "no agreement with the recipient's organisation"),
        (FILE_SHARE, "x [consent verbal]", "F-DENIED", "is not sent, and no copy is kept"),
        (COLLEAGUE, "x [consent refused]", "REFUSED", "patient has said no"),
    ],
)
def test_explain_says_rule_why_and_what_would_help(
    site: Installation, tmp_path: Path, to: str, subject: str, rule: str, words: str
) -> None:
    path = tmp_path / "mail.eml"
    path.write_bytes(mail(to, subject=subject))
    done = site.run("explain", str(path), "--rcpt", to)
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^Rule: {rule}", done.stdout, re.M), done.stdout
    assert words in done.stdout
    assert "part 1.2: jpeg, K3: " in done.stdout
    assert "exif.gps" in done.stdout
    assert CANARY not in done.stdout
    assert site.mailbox is not None
    assert not site.mailbox.mails(FILE_SHARE), "nothing is sent"


def test_explain_takes_several_recipients_and_speaks_json(site: Installation, tmp_path: Path) -> None:
    path = tmp_path / "mail.eml"
    path.write_bytes(mail(COLLEAGUE, STRANGER, subject="x [consent verbal]").replace(b"\r\n", b"\n"))
    done = site.run("explain", str(path), "--rcpt", COLLEAGUE, "--rcpt", STRANGER, "--json")
    rows = json.loads(done.stdout)
    assert [(row["recipient"], row["action"]) for row in rows] == [(COLLEAGUE, "PROTECT"), (STRANGER, "QUARANTINE")]
    assert rows[0]["facts"]["vouched"] is True
    spoofed = site.run("explain", str(path), "--rcpt", COLLEAGUE, "--from", "boss@clinic.example", "--json")
    assert json.loads(spoofed.stdout)[0]["facts"]["vouched"] is False
    assert json.loads(spoofed.stdout)[0]["action"] != "PROTECT"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.eml", "--rcpt", COLLEAGUE], "nowhere.eml"),
        (["MAIL"], "--rcpt"),
        (["MAIL", "--rcpt", "nobody"], "--rcpt nobody: write an address like name@clinic.example"),
        (["MAIL", "--rcpt", COLLEAGUE, "--listener", "other"], "--listener other: the configuration has demo"),
    ],
)
def test_explain_used_wrongly_is_exit_2(site: Installation, tmp_path: Path, arguments: list[str], words: str) -> None:
    path = tmp_path / "mail.eml"
    path.write_bytes(b"Subject: x\r\n\r\n")
    done = inside("explain", *[one.replace("MAIL", str(path)) for one in arguments], "--config", site.config)
    assert done.exit_code == 2
    assert words in done.stderr


# -- serve -----------------------------------------------------------------------------------------------------------------


def test_serve_with_a_broken_configuration_is_exit_2_with_every_fault() -> None:
    broken = ROOT / "tests" / "bad_config" / "key-misspelt.yaml"
    done = clinigate("serve", "gateway", "--config", broken)
    assert done.returncode == 2
    assert f'{broken}:3: hostnam: no such key; did you mean "hostname"?' in done.stderr
    assert f"{broken}:3: hostname: is missing and must be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert inside("serve", "quarantine", "--config", broken).exit_code == 2


def test_serve_names_what_is_in_the_way(site: Installation, tmp_path: Path) -> None:
    """A second gateway on the same port, a policy that is broken, records that are none, a program there is not."""
    taken = clinigate("serve", "gateway", "--config", site.config)
    assert taken.returncode == 1
    assert "address already in use" in taken.stderr.lower()
    assert listening(site.port), "the first goes on"
    other = Installation(tmp_path / "other", mailbox=False)
    (other.folder / "policies" / "policy.yaml").write_text("modes: {default: everything}\n")
    broken = clinigate("serve", "gateway", "--config", other.config)
    assert broken.returncode == 2
    assert "policy.yaml:1: modes.default" in broken.stderr
    third = Installation(tmp_path / "third", mailbox=False)
    (third.folder / "quarantine").mkdir()
    (third.folder / "quarantine" / "records.sqlite").write_text("no database at all, but long enough to be looked at" * 100)
    ruined = clinigate("serve", "quarantine", "--config", third.config)
    assert ruined.returncode == 1
    assert "not a database" in ruined.stderr
    assert "Traceback" not in taken.stderr + broken.stderr + ruined.stderr
    assert inside("serve", "everything", "--config", site.config).exit_code == 2


# -- hold ------------------------------------------------------------------------------------------------------------------


def test_list_and_show_tell_the_facts_and_no_content(site: Installation, refs: dict[str, str]) -> None:
    listed = site.run("hold", "list")
    assert listed.returncode == 0
    for ref in refs.values():
        assert ref in listed.stdout
    shown = site.run("hold", "show", refs["unknown"])
    assert "rule:        UNKNOWN" in shown.stdout
    assert "We have no agreement with the recipient's organisation" in shown.stdout
    as_json = json.loads(site.run("hold", "show", refs["unknown"].lower(), "--json").stdout)
    assert (as_json["rule"], as_json["releases"], as_json["sender"]) == ("UNKNOWN", "ig", SENDER)
    everything = listed.stdout + shown.stdout + json.dumps(as_json) + site.cli("hold", "list", "--json")
    for secret in (CANARY, "IMG_0000", "consent verbal", "what is this"):
        assert secret not in everything
    audit = (site.folder / "quarantine" / "audit.jsonl").read_text().splitlines()
    assert any(as_json["id"] in line and "shown" in line for line in audit), "who looked is recorded"


@pytest.mark.parametrize("command", [["show"], ["release"], ["refuse", "domain.not-approved"], ["delete"]])
def test_a_reference_nobody_has_is_exit_1(site: Installation, refs: dict[str, str], command: list[str]) -> None:
    word, *rest = command
    done = inside("hold", word, "ZZZZ-ZZZZ", *rest, "--config", site.config)
    assert (done.exit_code, done.stderr) == (1, "no hold has this reference\n")


def test_only_reviewers_decide_and_each_within_their_role(site: Installation, refs: dict[str, str]) -> None:
    stranger = site.run("hold", "release", refs["unknown"], env=as_user(2))
    assert stranger.returncode == 1
    assert "you are in no reviewers' list" in stranger.stderr
    admin = site.run("hold", "refuse", refs["unknown"], "domain.not-approved", env=as_user(3))
    assert admin.returncode == 1
    assert "ig" in admin.stderr.lower()
    assert status(site, refs["unknown"]) == "QUARANTINED"


def test_a_release_that_is_held_again_says_how_to_go_on_and_that_works(site: Installation, refs: dict[str, str]) -> None:
    """The reviewer copies the line that was printed; what leaves is clean."""
    ref = refs["unknown"]
    first = site.run("hold", "release", ref)
    assert first.returncode == 1
    assert "It was held again: " in first.stdout
    (line,) = re.findall(r"clinigate (hold release .*--accept protect\.no-method.*)", first.stdout)
    again = site.run(*shlex.split(line))
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.startswith(f"{ref} is RELEASE")
    until(lambda: status(site, ref) == "RELEASED", "the release")
    (arrived,) = site.mails(STRANGER, 1)
    assert CANARY.encode() not in arrived.read_bytes()


def test_two_people_release_what_is_intimate(site: Installation, refs: dict[str, str]) -> None:
    ref = refs["intimate"]
    second = as_user(1)
    first = site.run("hold", "release", ref)
    assert first.returncode == 0, first.stderr
    assert "another person must release it with the same terms" in first.stdout
    same = site.run("hold", "release", ref)
    assert status(site, ref) == "QUARANTINED", f"one person twice is one person: {same.stdout}"
    done = site.run("hold", "release", ref, env=second)
    assert done.returncode == 0, done.stdout + done.stderr
    until(lambda: status(site, ref) == "RELEASED", "the release by two")
    history = json.loads(site.cli("hold", "show", ref, "--json"))["history"]
    assert {"daemon"} < {one["who"] for one in history}


def test_a_hold_is_released_with_the_statement_that_was_missing(site: Installation, refs: dict[str, str]) -> None:
    bad = site.run("hold", "release", refs["ask"], "--statement", CONSENT_HEADER, "--json")
    assert bad.returncode == 0, bad.stderr
    assert json.loads(bad.stdout)["ref"] == refs["ask"]
    until(lambda: status(site, refs["ask"]) == "RELEASED", "the release with a statement")


def test_refuse_takes_a_code_and_no_free_text_and_tells_the_sender(site: Installation, refs: dict[str, str]) -> None:
    ref = refs["refuse"]
    text = site.run("hold", "refuse", ref, "because Mrs Jones said so")
    assert text.returncode == 1
    assert "is a code of letters" in text.stderr
    done = site.run("hold", "refuse", ref, "domain.not-approved", "--json")
    assert json.loads(done.stdout)["state"] == "REFUSED"
    again = site.run("hold", "release", ref)
    assert again.returncode == 1
    assert again.stderr.count("\n") == 1


def test_delete_ends_a_hold_and_list_shows_it_with_all_only(site: Installation, refs: dict[str, str]) -> None:
    ref = refs["delete"]
    done = site.run("hold", "delete", ref, "--reason", "sender.asked")
    assert (done.returncode, done.stdout) == (0, f"{ref} is DELETED\n")
    assert ref not in site.cli("hold", "list")
    assert ref in site.cli("hold", "list", "--all")


def test_hold_without_a_records_database_says_so_in_one_line(tmp_path: Path, site: Installation) -> None:
    broken = tmp_path / "clinigate.yaml"
    broken.write_text(site.config.read_text().replace(str(site.folder / "keys" / "hash.key"), "/nowhere/hash.key"))
    done = clinigate("hold", "list", "--config", broken)
    assert done.returncode == 1
    assert "hash.key is missing" in done.stderr
    assert "Traceback" not in done.stderr


# -- report ----------------------------------------------------------------------------------------------------------------


def test_report_observe_says_what_would_have_been_held(site: Installation) -> None:
    """Last: it sets the site to observe."""
    before = json.loads(site.cli("report", "observe", "--json"))
    assert before["observed"] == 0
    assert before["messages"] >= len(HELD)
    site.policy(modes={"default": "observe"})
    until(lambda: "policy.loaded" in site.log("gateway"), "the new policy")
    for number in range(2):
        assert site.send(mail(OTHER, subject=f"observed {number} [consent verbal]"), (OTHER,))[0] == 250
    until(lambda: len(site.events()) >= before["messages"] + 2, "their events")
    found = json.loads(site.cli("report", "observe", "--json"))
    assert (found["observed"], found["would_stay"]) == (2, 2)
    (row,) = found["rows"]
    assert (row["decided"], row["rule"], row["group"], row["count"]) == ("QUARANTINE", "UNKNOWN", "clinical", 2)
    printed = site.cli("report", "observe", "--days", "7")
    assert "In observe mode 2 recipients got mail as it came; 2 of them would not have." in printed
    assert OTHER not in printed
    none = json.loads(site.cli("report", "observe", "--days", "0", "--json"))
    assert (none["messages"], none["recipients"], none["rows"]) == (0, 0, [])


def test_report_without_a_journal_says_so(tmp_path: Path, site: Installation) -> None:
    other = tmp_path / "clinigate.yaml"
    other.write_text(site.config.read_text().replace(f"state: {site.folder / 'gateway'}\n", f"state: {tmp_path / 'none'}\n"))
    done = clinigate("report", "observe", "--config", other)
    assert done.returncode == 1
    assert "No such file or directory" in done.stderr
