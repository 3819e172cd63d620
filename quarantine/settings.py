"""The quarantine service's part of the configuration; every option is documented where it is declared."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from quarantine.deadlines import DEADLINES, Deadline, OfficeHours
from quarantine.durations import Span
from quarantine.emergencies.model import Terms

ADDRESS = r"^[^@\s<>]+@[^@\s<>]+$"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Addresses(_Section):
    """Who is written to, by role."""

    sender: str = Field(description="From address of notices; answers and questions go there", pattern=ADDRESS)
    ig: str = Field(description="information-governance team: consent, domain and kind decisions", pattern=ADDRESS)
    mail_admin: str = Field(description="mail administrators: technical holds", pattern=ADDRESS)
    postmaster: str = Field(description="postmaster: owner of what has no other (null senders, automatic mail)", pattern=ADDRESS)
    on_call: str = Field(description="who is told when something must not wait; must be read at night", pattern=ADDRESS)
    on_call_contact: str = Field(default="", description="telephone number or words that notices give for urgent cases")
    questions: str = Field(default="", description="telephone number or words that notices give for questions")
    feedback: str = Field(default="", description="address or page where people say that a notice was not clear; none: not said")


class Relay(_Section):
    """Where notices are handed to: an MTA that queues."""

    host: str = Field(default="127.0.0.1", description="host of the MTA that takes notices")
    port: int = Field(default=25, description="its port", ge=1, le=65535)


class Reviewers(_Section):
    """Who may decide holds with `clinigate hold`, by login name."""

    ig: tuple[str, ...] = Field(default=(), description="login names of the information-governance team")
    mail_admin: tuple[str, ...] = Field(default=(), description="login names of the mail administrators")

    def roles_of(self, user: str) -> frozenset[str]:
        """The roles of a login name."""
        return frozenset(role for role, users in (("ig", self.ig), ("mail-admin", self.mail_admin)) if user in users)


class Replies(_Section):
    """Answers to notices by plain reply: one word, and the email goes on."""

    domain: str = Field(
        default="",
        description="domain of reply addresses (hold+…@domain), which the MTA hands to the gateway; "
        "none: notices ask to send again",
        pattern=r"^([a-z0-9-]+(\.[a-z0-9-]+)+)?$",
    )
    delegates: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="sender's address -> addresses that may answer instead (a secretary); they must be vouched for like senders",
    )
    largest: int = Field(default=262_144, description="octets of a reply that are kept; the word stands at its top", ge=16_384)
    sender_a_minute: int = Field(default=10, description="replies taken from one sender in a minute; more come later", ge=1)
    all_a_minute: int = Field(default=300, description="replies taken in a minute in all", ge=1)
    keep_days: int = Field(default=30, description="days until a sealed reply is erased", ge=0)

    def may_answer(self, sender: str, by: str) -> bool:
        """May ``by`` answer what ``sender`` was asked?"""
        allowed = {
            one.casefold() for name, others in self.delegates.items() if name.casefold() == sender.casefold() for one in others
        }
        return bool(by) and by.casefold() in allowed | {sender.casefold()}


class Retention(_Section):
    """How long things are kept after a hold has ended."""

    content_days: int = Field(default=30, description="days until the sealed message of a hold that has ended is erased", ge=0)
    records_days: int = Field(
        default=2922, description="days until its addresses are blanked and its outcome is erased; codes stay", ge=0
    )
    ledger_days: int = Field(
        default=2922,
        description="days until a line of the disclosure ledger (keyed hashes, codes) is erased; never sooner than records_days",
        ge=0,
    )
    disclosure: Span = Field(
        default=365 * 86400.0, description="how long a consent covers sending the same image again, unless it says", gt=0
    )


class Emergencies(_Section):
    """Review of what went on the emergency word."""

    per_sender: int = Field(
        default=3, description="emergencies of one sender in 30 days above which IG is told; never a block", ge=1
    )
    escalate_to: str = Field(
        default="", description="who is told when a review is overdue; none: the person on call", pattern=ADDRESS + "|^$"
    )


class Consents(_Section):
    """The consent register, and letters to recipients when a patient says no (R-4)."""

    second_person: bool = Field(
        default=False, description="a letter is approved by somebody else than who noted what the patient said"
    )
    remind: Span = Field(
        default=7 * 86400.0, description="how long a letter waits for an answer before recipient and IG are reminded, once", gt=0
    )


class Reports(_Section):
    """What the daily job (`clinigate daily`) tells the IG team and the mail admins."""

    digest: bool = Field(default=True, description="a daily digest of counts (N-8) to IG and mail admins")
    digest_when_empty: bool = Field(default=False, description="also on days with nothing to say")
    weekly: bool = Field(default=True, description="each Monday the report of the week before: files, and a mail to IG")
    folder: Path | None = Field(default=None, description="where weekly reports are written; none: reports in the state folder")
    unused_days: int = Field(default=180, description="days without a picture after which a domain counts as unused", ge=1)
    lists_days: int = Field(default=400, description="days after which lists of freemail and the like are called old", ge=1)


class Alarm(_Section):
    """The alarm outside the service: a hold that nobody was told about is a patient-safety hazard."""

    after: Span = Field(default=900.0, description="age at which a hold nobody was told of raises the alarm", gt=0)
    command: tuple[str, ...] = Field(
        default=(), description="program and arguments; the code and the reference are appended; none: log only"
    )
    timeout: Span = Field(default=30.0, description="how long the program may run", gt=0)


class FormTls(_Section):
    """The form's own TLS."""

    certificate: Path = Field(description="PEM file with the form's certificate chain")
    key: Path = Field(description="PEM file with its private key")


class Form(_Section):
    """Where the web form listens, and how people reach it."""

    host: str = Field(default="127.0.0.1", description="address the form listens on; anything but loopback needs tls")
    port: int = Field(default=9465, description="port the form listens on", ge=1, le=65535)
    url: str = Field(description="what links in notices begin with, as people reach it: https, through your web server")
    offsite: bool = Field(default=False, description="whether it can be reached from outside your network; the page says so")
    tls: FormTls | None = Field(default=None, description="needed where the form listens on anything but loopback")
    proxies: tuple[str, ...] = Field(
        default=("127.0.0.1", "::1"), description="your web servers: whose word about the client's address is believed"
    )
    confirm_sender: bool = Field(default=False, description="whoever answers types the address the email came from")

    @field_validator("url")
    @classmethod
    def _address(cls, given: str) -> str:
        parts = urlsplit(given)
        plain = parts.scheme == "http" and loopback(parts.hostname or "")
        _ = parts.port  # raises ValueError for one that is none
        if not (parts.scheme == "https" or plain) or not parts.hostname or parts.query or parts.fragment or parts.username:
            raise ValueError("write it as https://forms.example.org/clinigate (http only for loopback)")
        if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", parts.path) or not given.isascii():
            raise ValueError("its path holds more than letters, digits and ._~-")
        return given.rstrip("/")

    @model_validator(mode="after")
    def _protected(self) -> Form:
        if not loopback(self.host) and self.tls is None:
            raise ValueError("host is not loopback: add tls, or listen on 127.0.0.1 behind your web server")
        return self


def loopback(host: str) -> bool:
    """Does this name or address never leave the machine?"""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class QuarantineSettings(_Section):
    """Options of the quarantine service (`quarantine:` in clinigate.yaml)."""

    state: Path = Field(
        default=Path("/var/lib/clinigate/quarantine"), description="the service's own folder: records, audit, heartbeat"
    )
    store: Path = Field(default=Path("/var/lib/clinigate/store"), description="sealed objects: incoming, held, damaged")
    store_kind: Literal["folder"] = Field(default="folder", description="kind of store")
    keys: Path = Field(
        default=Path("/etc/clinigate/keys/quarantine"),
        description="folder with online.pub, review.pub, online.key and, unless offline, review.key",
    )
    release_key: Path = Field(
        default=Path("/etc/clinigate/keys/release.key"),
        description="file with the key that signs releases, shared with the gateway",
    )
    hash_key: Path = Field(
        default=Path("/etc/clinigate/keys/hash.key"), description="file with the key of keyed hashes, shared with the gateway"
    )
    journal: Path = Field(
        default=Path("/var/lib/clinigate/gateway/journal"), description="the gateway's journal segments, read only"
    )
    snapshot: Path = Field(
        default=Path("/var/lib/clinigate/snapshot/snapshot.sqlite"),
        description="what the gateway is told of the past; written here",
    )
    snapshot_every: Span = Field(
        default=30.0, description="shortest time between two snapshots; what a patient said goes at once", gt=0
    )
    snapshot_refresh: Span = Field(
        default=300.0, description="longest time between two snapshots, so that the gateway sees that it is not stale", gt=0
    )
    release_socket: Path = Field(
        default=Path("/run/clinigate/release.sock"), description="the gateway's Unix socket for releases"
    )
    release_timeout: Span = Field(default=300.0, description="how long the gateway may take to answer a release", gt=0)
    addresses: Addresses = Field(description="who is written to")
    relay: Relay = Relay()
    replies: Replies = Replies()
    templates: Path | None = Field(
        default=None, description="folder with the IG team's own texts of notices; none: the texts shipped"
    )
    organisation: str = Field(default="", description="name of the organisation as it stands in notices")
    language: str = Field(default="en", description="language of notices")
    review_hours: str = Field(
        default="",
        description='how soon the IG team decides ("4 working hours"), if you promise it; none: notices promise nothing',
    )
    languages: dict[str, str] = Field(
        default_factory=dict, description="domain or address of who is written to -> another language of notices"
    )
    merge_window: Span = Field(
        default=20.0, description="how long a notice waits for the other copies of a message that an upstream split", ge=0
    )
    note_every: Span = Field(
        default=30 * 86400.0,
        description="a sender gets one note about an email without a picture in this time, as about a link to a file share",
        ge=0,
    )
    deadlines: dict[str, Deadline] = Field(default_factory=lambda: dict(DEADLINES), description="spans by action and urgency")
    office: OfficeHours = OfficeHours()
    reviewers: Reviewers = Reviewers()
    retention: Retention = Retention()
    consents: Consents = Consents()
    alarm: Alarm = Alarm()
    emergencies: Emergencies = Emergencies()
    reports: Reports = Reports()
    form: Form | None = Field(
        default=None, description="the page that a link in notices opens: the sender answers there; without it there is no link"
    )
    poll: Span = Field(default=1.0, description="how often the service looks for work", gt=0)

    @field_validator("deadlines")
    @classmethod
    def _known(cls, given: dict[str, Deadline]) -> dict[str, Deadline]:
        if unknown := sorted(set(given) - set(DEADLINES)):
            raise ValueError(f"unknown: {', '.join(unknown)}; write one of {', '.join(DEADLINES)}")
        return {**DEADLINES, **given}

    @model_validator(mode="after")
    def _refresh(self) -> QuarantineSettings:
        if self.snapshot_refresh < self.snapshot_every:
            raise ValueError("snapshot_refresh must not be shorter than snapshot_every")
        return self

    @property
    def report_folder(self) -> Path:
        """Where weekly reports are written."""
        return self.reports.folder or self.state / "reports"

    @property
    def emergency_terms(self) -> Terms:
        """What opens a case needs of this."""
        return Terms(self.office, self.emergencies.per_sender)

    @property
    def records(self) -> Path:
        """The records database."""
        return self.state / "records.sqlite"

    @property
    def audit(self) -> Path:
        """The audit file."""
        return self.state / "audit.jsonl"

    @property
    def heartbeat(self) -> Path:
        """Touched by the service at every round."""
        return self.state / "heartbeat.json"
