"""/etc/clinigate/clinigate.yaml: the mail admin's file.  Every option is described where it is declared.

The example ``systemd/clinigate.yaml`` lists them all; ``clinigate check`` reads a file and says what is wrong, where, and
what to write instead.
"""

from __future__ import annotations

import ipaddress
import math
import re
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from gateway.context import ContextSpec, DkimSpec, OpeningSpec, RouteSpec, SmimeSpec
from gateway.identity import Vouches
from gateway.inbound.limits import MEMORY_FACTOR
from gateway.policyfolder import swap
from policies.files.yamlmap import YamlError, explain_validation, parse
from policies.load import EXTRA, POLICY
from quarantine.settings import QuarantineSettings

RELEASE = "release"  # the listener on ``release_socket``


class ConfigError(Exception):
    """The configuration cannot be used.  ``problems`` are lines ``file:line: key: what is wrong and what to write``."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _network(value: str) -> str:
    """A network as ``ipaddress`` writes it: 10.0.0.5/24 means 10.0.0.0/24."""
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise ValueError(f'"{value}" is no network; write an address or a network like 10.1.0.0/16') from None


Network = Annotated[str, AfterValidator(_network)]


class TlsSettings(_Section):
    """Mutual TLS of a listener that is not on loopback."""

    certificate: Path = Field(description="PEM file with our certificate chain")
    key: Path = Field(description="PEM file with our private key")
    client_ca: Path = Field(
        description="PEM file with the CA that signs the MTA's client certificate; required from every client"
    )


class ListenerConfig(_Section):
    """One place where mail comes in."""

    name: str = Field(description="name used in logs, metrics and the ledger")
    kind: Literal["relay", "submission"] = Field(
        default="relay", description="relay: an MTA in front; submission: clients themselves, who may get a 550"
    )
    protocol: Literal["SMTP", "LMTP"] = Field(
        default="LMTP", description="LMTP gives every recipient an answer of its own and is preferred"
    )
    host: str = Field(default="127.0.0.1", description="address to listen on; anything but loopback needs tls")
    port: int = Field(description="port to listen on", ge=0, le=65535)
    vouches: Vouches = Field(
        default=Vouches.NOTHING,
        description="what this listener vouches for: envelope-sender (the MTA binds MAIL FROM to its login), "
        "authenticated-received (the MTA's top Received names the login), or nothing (then no consent statement counts)",
    )
    trusted: tuple[Network, ...] = Field(default=("127.0.0.0/8", "::1/128"), description="networks that may connect")
    xforward: bool = Field(default=True, description="take XFORWARD from the MTA (its queue id is the key of the ledger)")
    bare_newlines: Literal["refuse", "normalise"] = Field(
        default="refuse", description="bare CR or LF in a message: refuse, or normalise for clients known to send them"
    )
    tls: TlsSettings | None = Field(default=None, description="mutual TLS")

    @model_validator(mode="after")
    def _safe(self) -> ListenerConfig:
        if self.tls is None and not is_loopback(self.host):
            raise ValueError(f"listener {self.name} is not on loopback: give it tls (mutual), or write host: 127.0.0.1")
        return self


class Enforced(_Section):
    """What the mail server behind a route enforces towards the recipient's; nobody can see that from here, so you state it."""

    verify: tuple[Literal["pkix", "mta-sts", "dane"], ...] = Field(
        default=("pkix",), description="how it proves the name of their server before it delivers"
    )
    min_version: Literal["1.2", "1.3"] = Field(default="1.2", description="lowest version of TLS it delivers over")


class RouteConfig(_Section):
    """One named next-hop port."""

    host: str = Field(default="127.0.0.1", description="the next hop: a queueing MTA you run")
    port: int = Field(description="its port", ge=1, le=65535)
    protocol: Literal["SMTP", "LMTP"] = Field(default="SMTP", description="what it speaks")
    tls: Literal["none", "opportunistic", "verified", "mutual"] = Field(
        default="none", description="none is for loopback; verified checks chain and name; mutual also shows a certificate"
    )
    server_name: str | None = Field(default=None, description="name the certificate must bear; default: host")
    ca: Path | None = Field(default=None, description="PEM file with the CA to trust; default: the system's")
    certificate: Path | None = Field(default=None, description="our certificate for mutual TLS")
    key: Path | None = Field(default=None, description="its private key")
    connections: int = Field(default=8, description="connections kept open at most", ge=1, le=100)
    timeout: float = Field(default=60.0, description="seconds for each answer of the next hop", gt=0)
    enforces: Enforced | None = Field(
        default=None, description="what it enforces on the way to the recipient; register entries with transport: need it"
    )

    @model_validator(mode="after")
    def _safe(self) -> RouteConfig:
        if self.tls == "none" and not is_loopback(self.host):
            raise ValueError("a next hop that is not on loopback needs tls: verified (or mutual)")
        if self.tls == "mutual" and not (self.certificate and self.key):
            raise ValueError("tls: mutual needs certificate and key")
        return self


class SmimeConfig(_Section):
    """Protection method smime."""

    certificates: Path = Field(description="folder with the recipients' certificates (PEM or DER), crls/ and anchors/ beneath")
    signing_certificate: Path = Field(description="PEM file with the organisation's signing certificate")
    signing_key: Path = Field(description="PEM file with its private key")


class DkimConfig(_Section):
    """DKIM signing of messages that Clinigate changed."""

    domain: str = Field(description="sender domain")
    selector: str = Field(description="selector of the published key")
    key: Path = Field(description="PEM file with the private key (RSA or Ed25519)")


class Limits(_Section):
    """What one message and one machine may use."""

    message_bytes: int = Field(
        default=50_000_000, description="largest message taken; announce no more than the next hop's limit / 1.4", ge=100_000
    )
    recipients: int = Field(default=100, description="recipients of one message", ge=1, le=1000)
    connections: int = Field(default=100, description="connections at one time, per listener", ge=1)
    memory_bytes: int = Field(
        default=1_500_000_000, description="memory for messages in flight; when it is spent MAIL is answered 452", ge=100_000_000
    )
    command_seconds: float = Field(default=300.0, description="idle time before a client is let go", gt=0)
    deadline_seconds: float = Field(
        default=240.0,
        description="time after the final dot in which an answer is given; below the upstream's own limit",
        ge=10,
        le=540,
    )
    compute_seconds: float = Field(
        default=30.0, description="time one attempt at one message may take in a compute process", gt=0
    )
    compute_processes: int = Field(default=0, description="compute processes; 0: one a core", ge=0, le=64)
    compute_memory_bytes: int = Field(default=2_000_000_000, description="address space of one compute process", ge=500_000_000)

    @model_validator(mode="after")
    def _roomy(self) -> Limits:
        needed = math.ceil(self.message_bytes * MEMORY_FACTOR)
        if self.memory_bytes < needed:
            raise ValueError(f"memory_bytes: the largest message would be told to come back for ever; write {needed} or more")
        return self


class Opening(_Section):
    """What looking into one message may cost: pictures in files in files; what goes beyond is held as `limit`."""

    depth: int = Field(default=8, description="containers inside one another", ge=1, le=32)
    members: int = Field(default=2000, description="files in all containers together", ge=1)
    total_bytes: int = Field(default=512 << 20, description="unpacked bytes of all containers together", ge=1_000_000)
    ratio: int = Field(default=200, description="unpacked to packed size of one file of more than a megabyte", ge=2)
    pixels: int = Field(default=200_000_000, description="pixels of one picture", ge=1_000_000)
    seconds: float = Field(default=20.0, description="time for one message; below compute_seconds", gt=0)
    sandbox_memory_bytes: int = Field(
        default=1_500_000_000, description="address space of the process in which C code decodes", ge=300_000_000
    )
    recognise: int = Field(
        default=40, description="clinical pictures of one message that are noted so that they can be found again; 0: none", ge=0
    )
    recognise_seconds: float = Field(default=5.0, description="time for them in one message; without them the mail goes on", gt=0)


class KeysConfig(_Section):
    """Keys the gateway has: only public ones for the quarantine, and the shared ones."""

    quarantine: Path = Field(description="folder with online.pub and review.pub")
    release: Path = Field(description="file with the key that signs releases, shared with the quarantine service")
    hash: Path = Field(description="file with the key of keyed hashes in journal, audit and snapshot")


class MetricsConfig(_Section):
    """Prometheus metrics and health on one HTTP port; loopback by default."""

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=9464, description="0 picks a free port", ge=0, le=65535)


class Settings(_Section):
    """The whole file."""

    hostname: str = Field(description="name in our banner and Received lines; also our loop id")
    state: Path = Field(
        default=Path("/var/lib/clinigate/gateway"), description="the gateway's own folder: ledger, journal, attempts"
    )
    policy: Path = Field(default=Path("/etc/clinigate/policies"), description="the IG team's folder: policy.yaml, domains.yaml")
    listeners: tuple[ListenerConfig, ...] = Field(description="where mail comes in", min_length=1)
    release_socket: Path = Field(
        default=Path("/run/clinigate/release.sock"),
        description="Unix socket for releases; only the quarantine service may reach it",
    )
    routes: dict[str, RouteConfig] = Field(description="named next-hop ports; `default` must be among them", min_length=1)
    trusted_hosts: tuple[str, ...] = Field(
        default=(), description="host names whose Received line may name the login (authenticated-received)"
    )
    keys: KeysConfig
    smime: SmimeConfig | None = Field(default=None, description="S/MIME; without it the method smime serves nobody")
    dkim: tuple[DkimConfig, ...] = Field(default=(), description="DKIM keys by sender domain")
    limits: Limits = Limits()
    opening: Opening = Opening()
    metrics: MetricsConfig = MetricsConfig()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="what is logged; no level ever logs content"
    )
    quarantine: QuarantineSettings = Field(description="the quarantine service")

    @field_validator("hostname")
    @classmethod
    def _host(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", value):
            raise ValueError(f'"{value}" is no host name; write one like gateway.clinic.example')
        return value

    @field_validator("routes")
    @classmethod
    def _default(cls, routes: dict[str, RouteConfig]) -> dict[str, RouteConfig]:
        if "default" not in routes:
            raise ValueError("one route must be named default")
        return routes

    @field_validator("listeners")
    @classmethod
    def _named(cls, listeners: tuple[ListenerConfig, ...]) -> tuple[ListenerConfig, ...]:
        names = [listener.name for listener in listeners]
        if len(set(names)) != len(names):
            raise ValueError("each listener needs a name of its own")
        if RELEASE in names:
            raise ValueError(f"the name {RELEASE} is the release socket's; choose another")
        return listeners

    def context_spec(self) -> dict[str, Any]:
        """What a compute process is told.  Raises OSError when the policy cannot be read."""
        return ContextSpec(
            hostname=self.hostname,
            policy=policy_files(self.policy),
            routes={name: _enforced(route) for name, route in self.routes.items()},
            vouches={listener.name: listener.vouches for listener in self.listeners},
            trusted_hosts=[host.lower() for host in self.trusted_hosts],
            snapshot=str(self.quarantine.snapshot),
            hash_key=str(self.keys.hash),
            smime=SmimeSpec.model_validate({name: str(value) for name, value in self.smime}) if self.smime else None,
            opening=OpeningSpec(**self.opening.model_dump()),
            dkim=[DkimSpec(domain=one.domain.lower(), selector=one.selector, key=str(one.key)) for one in self.dkim],
        ).model_dump(mode="json")


def _enforced(route: RouteConfig) -> RouteSpec:
    return RouteSpec(**route.enforces.model_dump()) if route.enforces else RouteSpec()


def load(path: Path) -> Settings:
    """Read and check one configuration file.  Raises ConfigError naming file, line, key and what to write."""
    try:
        data, lines = parse(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except YamlError as error:
        raise ConfigError([str(error)]) from None
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise ConfigError(explain_validation(error, lines, str(path), Settings)) from None


def policy_files(folder: Path) -> dict[str, str]:
    """name -> text of every YAML and list file of a policy folder.  Raises OSError, ConfigError."""
    try:
        with swap.reading(folder):
            found = {str(path.relative_to(folder)): path.read_text("utf-8") for path in policy_paths(folder)}
    except UnicodeDecodeError as error:
        raise ConfigError([f"{folder}: a policy file is not UTF-8 text: {error.reason} at byte {error.start}"]) from None
    named = {name.rpartition("/")[2] for name in found}
    return found if POLICY not in named else found | {name: text for name, text in shipped_extra().items() if name not in named}


def policy_paths(folder: Path) -> list[Path]:
    """What of a policy folder ``policy_files`` reads.  Raises OSError."""
    files = (path for path in folder.rglob("*") if path.suffix in {".yaml", ".txt"} and _counts(path.relative_to(folder)))
    return sorted(files)


@cache
def shipped_extra() -> dict[str, str]:
    """The files beside policy and register that a folder made by an earlier version lacks, as they ship."""
    shipped = resources.files("policies")
    return {name: (shipped / "data" / name if name.endswith(".txt") else shipped / name).read_text("utf-8") for name in EXTRA}


def _counts(path: Path) -> bool:
    """Not the IG team's own tests, and not what an editor leaves beside a file it has open."""
    return "tests" not in path.parts and not any(part.startswith((".", "#")) for part in path.parts)


def is_loopback(host: str) -> bool:
    """Does this address or name stay on this machine?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
