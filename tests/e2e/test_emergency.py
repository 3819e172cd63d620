"""Break-glass end to end: by tag, by header and by a replied word; IG is told, reviews, and the figures of the day show it."""

from __future__ import annotations

import email
import json
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.demo.pictures import photo
from gateway.demo.samples import COLLEAGUE, SENDER
from tests.support.installation import Installation, until

pytestmark = pytest.mark.e2e

IG = "ig@clinic.example"
ADMINS = "mail-admin@clinic.example"
REPLIES = "hold.clinic.example"
WHY = "CANARY-reason unconscious, Mrs Jones, airway"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("emergency")
    with Installation(folder, quarantine={"replies": {"domain": REPLIES}}) as made:
        yield made


def mail(number: int, subject: str = "opinion", to: str = COLLEAGUE, **headers: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = SENDER, to, subject
    message["Message-ID"] = f"<urgent-{number}@clinic.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Dear colleague,\n\nplease look.\n")
    message.add_attachment(photo(number), "image", "jpeg", filename="IMG_1.JPG")
    return message.as_bytes()


def cases(site: Installation, count: int) -> list[dict[str, object]]:
    """The newest emergencies, once there are ``count``."""

    def listed() -> list[list[dict[str, object]]]:
        found = json.loads(site.cli("emergency", "list", "--all", "--json"))
        return [found] if len(found) >= count else []

    return until(listed, f"{count} emergencies")[0]


def told(site: Installation, address: str, words: str, ref: str) -> str:
    """The text of the notice to ``address`` that says this of this reference."""

    def found() -> list[str]:
        texts = []
        for path in site.mails(address):
            message = email.message_from_bytes(path.read_bytes(), policy=default)
            body = message.get_body(("plain",))
            texts.append(f"{message['Subject']}\n{body.get_content() if body else ''}")
        return [text for text in texts if words in " ".join(text.split()) and ref in text]

    return until(found, f"a notice that says {words!r} of {ref}")[-1]


def check(site: Installation, way: str, count: int) -> str:
    """One more emergency: the case, the two notices, the sealed reason."""
    case = cases(site, count)[-1]
    ref = str(case["ref"])
    assert (case["way"], case["sender"], case["verdict"]) == (way, SENDER, "")
    assert [one["address"] for one in case["recipients"]] == [COLLEAGUE]  # type: ignore[attr-defined]  # a list of people
    to_ig, to_sender = told(site, IG, "Emergency word used", ref), told(site, SENDER, "as an emergency", ref)
    assert "Please review it by" in " ".join(to_ig.split())
    assert "tell the patient that you sent it" in to_sender
    for text in (to_ig, to_sender):
        assert "CANARY" not in text and "Jones" not in text
    assert SENDER not in to_ig and COLLEAGUE not in to_ig
    assert f"reason:       {WHY}" in site.cli("emergency", "show", ref)
    return ref


def test_by_tag_by_header_and_by_reply(site: Installation) -> None:
    """Each way goes at once, IG and sender are told, and the case is there with its reason sealed."""
    assert site.send(mail(1, f"[emergency: {WHY}]"))[0] == 250
    check(site, "subject", 1)
    field = f'bypassed; v=1; purpose=ETREAT; bypass=emergency; reason="{WHY}"'
    assert site.send(mail(2, Clinical_Image_Consent=field))[0] == 250
    check(site, "header", 2)
    assert site.send(mail(3))[0] == 250  # nothing about consent: held, and asked
    address = until(lambda: _reply_to(site), "the notice that asks")
    answer = EmailMessage(policy=SMTP)
    answer["From"], answer["To"], answer["Subject"] = SENDER, address, "Re: Waiting for you"
    answer["Message-ID"] = "<answer-3@clinic.example>"
    answer.set_content(f"EMERGENCY {WHY}\n")
    assert site.send(answer.as_bytes(), [address])[0] == 250
    check(site, "reply", 3)
    assert len(site.mails(COLLEAGUE, 3)) == 3


def _reply_to(site: Installation) -> str:
    for path in reversed(site.mails(SENDER)):
        found = str(email.message_from_bytes(path.read_bytes(), policy=default)["Reply-To"] or "")
        if found.endswith(REPLIES):
            return found
    return ""


def test_the_reason_stands_nowhere_on_the_disk(site: Installation) -> None:
    """Not in journal, ledger, records, audit, logs, store, notices; not even in what the colleague got."""
    cases(site, 3)
    for path in (one for one in site.folder.rglob("*") if one.is_file()):
        data = path.read_bytes()
        assert b"CANARY-reason" not in data and b"Mrs Jones" not in data, path


def test_reviewed_and_shown_in_the_figures(site: Installation) -> None:
    """The reviewer writes down what was found; digest and report of real mail count it; a second run says nothing twice."""
    refs = [str(case["ref"]) for case in cases(site, 3)]
    today = datetime.now(ZoneInfo("Europe/London")).date()
    site.cli("emergency", "review", refs[0], "justified", "--informed", today.isoformat())
    assert "not-justified" in site.cli("emergency", "review", refs[1], "not-justified", "--note", "IG-7")
    assert [row["ref"] for row in json.loads(site.cli("emergency", "list", "--json"))] == [refs[2]]
    year, week, _ = today.isocalendar()
    page, tables = site.folder / "report.html", site.folder / "tables"
    until(lambda: _counted(site, f"{year}-W{week:02d}", tables), "the journal counted")
    site.cli("report", "weekly", "--week", f"{year}-W{week:02d}", "--html", str(page), "--csv", str(tables))
    found = {line.split(",")[0]: line.split(",")[1] for line in _csv(tables, "emergencies")}
    assert (found["used"], found["reviewed in time"], found["found not justified"], found["the patient has been told"]) == (
        "3", "2", "1", "1",
    )  # fmt: skip
    assert "The week is not over." in page.read_text()
    first = json.loads(site.cli("daily", "--json"))
    assert first["digest"] is True and first["wrong"] == []
    digest = told(site, IG, "Emergencies that nobody has reviewed yet (1)", refs[2])
    assert told(site, ADMINS, "What waits now", refs[2]) and "CANARY" not in digest
    assert json.loads(site.cli("daily", "--json"))["digest"] is False
    assert site.run("alarm").returncode == 0


def _csv(folder: Path, name: str) -> list[str]:
    return next(folder.glob(f"*-{name}.csv")).read_text().splitlines()[1:]


def _counted(site: Installation, week: str, tables: Path) -> bool:
    site.cli("report", "weekly", "--week", week, "--csv", str(tables))
    last = _csv(tables, "weeks")[-1].split(",")
    return last[2].isdigit() and int(last[2]) >= 3
