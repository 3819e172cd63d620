"""``clinigate demo``: start both programs and a mailbox, send the samples through SMTP, show what became of each."""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import shutil
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any, BinaryIO

from rich.console import Console
from rich.table import Table

from gateway.demo.mailbox import Mailbox
from gateway.demo.samples import SAMPLES, SENDER, Sample
from gateway.demo.setup import Ports, free_ports, prepare

MARK = ".clinigate-demo"  # only a folder with this file in it is ever cleared
START_SECONDS = 40.0
STOP_SECONDS = 20.0
SETTLE_SECONDS = 30.0
CHANGED = {True: "metadata removed, statement taken out", False: "nothing"}
LINK = re.compile(r"http://127\.0\.0\.1:\d+/answer/[a-z2-7]+")
TAG = re.compile(r"\[consent verbal\]")


class DemoFailed(Exception):
    """The demo could not be started; the text says why and where to look."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table: what became of one recipient of one sample."""

    sample: str
    recipient: str
    happened: str
    why: str
    changed: str
    look: str


class Demo:
    """Everything that runs.  ``folder`` is made anew each time, if it is a demo's: an installation looks much the same."""

    def __init__(self, folder: Path) -> None:
        """Raises DemoFailed or OSError."""
        self._lock = _cleared(folder)
        self.folder = folder.resolve()
        self.ports: Ports = free_ports()
        self.config = prepare(self.folder, self.ports)
        self.mailbox = Mailbox(self.folder / "mailbox", self.ports.mailbox)
        self._programs: list[subprocess.Popen[bytes]] = []

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Both programs and the mailbox are up inside; all are ended after."""
        self.mailbox.start()
        try:
            for name in ("gateway", "quarantine"):
                self._start(name)
            self._wait()
            yield
        finally:
            for program in self._programs:
                program.terminate()
            for program in self._programs:
                _ended(program)
            self.mailbox.stop()
            self._lock.close()

    def _start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            command = [sys.executable, "-m", "gateway.cli", "serve", name, "--config", str(self.config)]
            self._programs.append(subprocess.Popen(command, stderr=log, stdout=log, stdin=subprocess.DEVNULL))  # noqa: S603 - our own program

    def _wait(self) -> None:
        """Until the gateway takes mail and the quarantine service has written its first heartbeat."""
        heartbeat = self.folder / "quarantine" / "heartbeat.json"
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            for program, name in zip(self._programs, ("gateway", "quarantine"), strict=True):
                if program.poll() is not None:
                    raise DemoFailed(f"{name} ended at once; its log is {self.folder / name}.log")
            with (
                contextlib.suppress(OSError, smtplib.SMTPException),
                smtplib.SMTP("127.0.0.1", self.ports.gateway, timeout=5) as client,
            ):
                if client.noop()[0] == 250 and heartbeat.exists():
                    return
            time.sleep(0.1)
        raise DemoFailed(f"the gateway did not answer within {START_SECONDS:g} s; see {self.folder / 'gateway.log'}")

    # -- samples -----------------------------------------------------------------------------------------------------

    def send(self, data: bytes, recipients: tuple[str, ...]) -> str:
        """Send one message to the gateway; its reply as text."""
        with smtplib.SMTP("127.0.0.1", self.ports.gateway, timeout=60) as client:
            try:
                client.sendmail(SENDER, list(recipients), data)
            except smtplib.SMTPDataError as error:
                return f"{error.smtp_code} {error.smtp_error!r}"
        return "250"

    def lines(self) -> Iterator[Line]:
        """Send every sample and tell what became of each recipient."""
        for sample in SAMPLES:
            yield from self._sample(sample, sample.name, sample.subject)
            if sample.again_with_answer:
                tag = self._told_tag()
                yield from self._sample(sample, "… the same, with the tag the notice told", f"{sample.subject} {tag}")

    def _sample(self, sample: Sample, name: str, subject: str) -> Iterator[Line]:
        before = {address: len(self.mailbox.mails(address)) for address in sample.recipients}
        seen = len(self._events())
        reply = self.send(sample.build(subject), sample.recipients)
        event = self._event(seen)
        for index, address in enumerate(sample.recipients):
            yield self._line(name, address, event, index, before[address], reply)

    def _line(self, name: str, address: str, event: dict[str, Any], index: int, before: int, reply: str) -> Line:
        fate, record = event["recipients"][index], event["record"]["recipients"][index]
        why = f"{record['rule']}: {record['words']}"
        if fate["state"] in ("delivered", "") and reply == "250":
            mails = self.mailbox.mails(address)
            look = str(mails[before].relative_to(self.folder)) if len(mails) > before else "?"
            how = {"route": "delivered over the secure route", "smime": "delivered, encrypted (S/MIME)"}.get(
                fate["method"], "delivered as it came"
            )
            return Line(name, address, how, why, CHANGED[fate["method"] in ("route", "smime")], look)
        if fate["state"] == "held":
            ref = self._reference(fate["hold"])
            return Line(name, address, f"held ({record['action'].lower()})", why, "nothing", f"clinigate hold show {ref}")
        return Line(
            name,
            address,
            f"refused ({reply.split(' ')[0]})",
            why,
            "no copy kept",
            "notice in the sender's mailbox" if reply == "250" else "reply to the sender's program",
        )

    def waiting_link(self) -> str:
        """The link in the notice about the last mail that waits for its sender; "" when none comes."""
        asked = [row["ref"] for row in json.loads(self.command("hold", "list", "--json")) if row["state"] == "ASKED"]
        end = time.monotonic() + SETTLE_SECONDS
        while asked and time.monotonic() < end:
            for mail in reversed(self.mailbox.mails(SENDER)):
                notice = message_from_bytes(mail.read_bytes(), policy=default)
                body = notice.get_body(("plain",))
                found = LINK.search(body.get_content()) if body is not None else None
                if found and asked[-1] in str(notice["Subject"]):
                    return found.group()
            time.sleep(0.2)
        return ""

    def _told_tag(self) -> str:
        """The tag that the newest notice in the sender's mailbox tells to write."""
        end = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end:
            for mail in reversed(self.mailbox.mails(SENDER)):
                if found := TAG.search(mail.read_text("utf-8", "replace")):
                    return found.group()
            time.sleep(0.2)
        raise DemoFailed(f"no notice arrived for {SENDER}; see {self.folder / 'quarantine.log'}")

    def _events(self) -> list[dict[str, Any]]:
        journal = self.folder / "gateway" / "journal"
        lines = [line for segment in sorted(journal.glob("*.jsonl")) for line in segment.read_bytes().splitlines(keepends=True)]
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def _event(self, seen: int) -> dict[str, Any]:
        end = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end:
            events = self._events()
            if len(events) > seen:
                return events[seen]
            time.sleep(0.05)
        raise DemoFailed(f"the gateway wrote no event; see {self.folder / 'gateway.log'}")

    def _reference(self, hold: str) -> str:
        """The reference people use for a hold, once the quarantine service has taken it."""
        end = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end:
            for row in json.loads(self.command("hold", "list", "--all", "--json")):
                if row["id"] == hold:
                    return str(row["ref"])
            time.sleep(0.3)
        raise DemoFailed(f"the quarantine service did not take hold {hold}; see {self.folder / 'quarantine.log'}")

    def command(self, *arguments: str) -> str:
        """Run one ``clinigate`` command on this demo."""
        line = [sys.executable, "-m", "gateway.cli", *arguments, "--config", str(self.config)]
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own program


def _cleared(folder: Path) -> BinaryIO:
    """An empty folder that is marked as this demo's; the mark is locked while it is open.  Raises DemoFailed or OSError."""
    mark = folder / MARK
    if folder.exists() and any(folder.iterdir()):
        if not mark.exists():
            raise DemoFailed(f"{folder} is not empty and not a demo's folder: give another one with --folder")
        _locked(mark).close()
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return _locked(mark)


def _locked(mark: Path) -> BinaryIO:
    file = mark.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise DemoFailed(f"a demo is running in {mark.parent}: end it first, or give another folder with --folder") from None
    return file


def _ended(program: subprocess.Popen[bytes]) -> None:
    """Wait for a program that was told to end; one that does not is killed."""
    try:
        program.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


def show(demo: Demo, console: Console) -> None:
    """Send the samples and print the table."""
    table = Table(title="What became of each sample", show_lines=True)
    for column in ("sample", "recipient", "what happened", "why (rule, in words)", "what changed", "where to look"):
        table.add_column(column, overflow="fold")
    for line in demo.lines():
        table.add_row(line.sample, line.recipient, line.happened, line.why, line.changed, line.look)
    console.print(table)


def tell(demo: Demo, console: Console) -> None:
    """How to go on by hand."""
    ours = f"--config {demo.config}"
    console.print(
        f"""
The demo goes on running; Ctrl-C ends it.  Its folder: {demo.folder}
  mailbox            {demo.folder}/mailbox/ADDRESS/NUMBER.eml   (notices: mailbox/{SENDER}/)
  answer one that waits, in a browser
                     {demo.waiting_link() or "see the notices in the mailbox"}
  send your own      swaks --server 127.0.0.1:{demo.ports.gateway} --from {SENDER} --to dr.lee@royal-example.example \\
                           --header 'Subject: Second opinion [consent verbal]' --attach @PHOTO.jpg
  list what is held  clinigate hold list {ours}
  show one           clinigate hold show REF {ours}
  release one        clinigate hold release REF {ours}
  why, without sending  clinigate explain MAIL.eml --rcpt ADDRESS {ours}
  metrics, health    http://127.0.0.1:{demo.ports.metrics}/metrics  /healthz
(clinigate is {Path(sys.executable).parent / "clinigate"})""",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
