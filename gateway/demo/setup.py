"""Everything a demo needs in one folder: keys, certificates, policy, configuration.  Invented names, keys made anew each time."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.commands.options import user
from gateway.demo.samples import HOSPICE
from policies.load import LISTS
from quarantine.keys import generate, generate_secret


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the demo listens: the gateway, its metrics, the mailbox behind it, and the web form (0: none)."""

    gateway: int
    metrics: int
    mailbox: int
    form: int = 0


def free_ports(wanted: tuple[int, int, int, int] = (2525, 9464, 2526, 9465)) -> Ports:
    """The usual ports where they are free, else others."""
    found = []
    for port in wanted:
        found.append(port if _is_free(port) else _any_port())
    return Ports(*found)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prepare(folder: Path, ports: Ports) -> Path:
    """Fill ``folder``; returns the path of clinigate.yaml.  Raises OSError."""
    keys, smime = folder / "keys", folder / "smime"
    for part in (keys, smime / "certificates", folder / "policies", folder / "run"):
        part.mkdir(parents=True, exist_ok=True)
    generate(keys / "quarantine")
    generate_secret(keys / "release.key")
    generate_secret(keys / "hash.key")
    _certificate(smime / "gateway.pem", smime / "gateway.key", "gateway@clinic.example")
    _certificate(smime / "certificates" / "hospice.pem", smime / "hospice.key", HOSPICE)
    _write_policy(folder / "policies")
    config = folder / "clinigate.yaml"
    config.write_text(yaml.safe_dump(_config(folder, ports), sort_keys=False))
    return config


def _config(folder: Path, ports: Ports) -> Mapping[str, object]:
    keys = folder / "keys"
    next_hop = {"host": "127.0.0.1", "port": ports.mailbox}
    return {
        "hostname": "gateway.clinic.example",
        "state": str(folder / "gateway"),
        "policy": str(folder / "policies"),
        "listeners": [
            {"name": "demo", "kind": "submission", "protocol": "SMTP", "port": ports.gateway, "vouches": "envelope-sender"}
        ],
        "release_socket": str(folder / "run" / "release.sock"),
        "routes": {"default": next_hop, "secure": next_hop},
        "keys": {
            "quarantine": str(keys / "quarantine"),
            "release": str(keys / "release.key"),
            "hash": str(keys / "hash.key"),
        },
        "smime": {
            "certificates": str(folder / "smime" / "certificates"),
            "signing_certificate": str(folder / "smime" / "gateway.pem"),
            "signing_key": str(folder / "smime" / "gateway.key"),
        },
        "limits": {"compute_processes": 1},
        "metrics": {"port": ports.metrics},
        "quarantine": {
            "state": str(folder / "quarantine"),
            "store": str(folder / "store"),
            "keys": str(keys / "quarantine"),
            "release_key": str(keys / "release.key"),
            "hash_key": str(keys / "hash.key"),
            "journal": str(folder / "gateway" / "journal"),
            "snapshot": str(folder / "snapshot" / "snapshot.sqlite"),
            "snapshot_every": 2,
            "release_socket": str(folder / "run" / "release.sock"),
            "relay": {"port": ports.mailbox},
            "replies": {"domain": "hold.clinic.example"},
            "form": {"port": ports.form, "url": f"http://127.0.0.1:{ports.form}/answer"} if ports.form else None,
            "organisation": "Example Clinic",
            "merge_window": 1,
            "poll": 0.3,
            "addresses": {
                "sender": "clinigate@clinic.example",
                "ig": "ig@clinic.example",
                "mail_admin": "mail-admin@clinic.example",
                "postmaster": "postmaster@clinic.example",
                "on_call": "on-call@clinic.example",
                "on_call_contact": "ext. 4410",
                "questions": "ext. 4400",
            },
            "reviewers": {"ig": [user()], "mail_admin": [user()]},
        },
    }


def _write_policy(folder: Path) -> None:
    """The shipped policy, enforced, with the demo's domains in its register."""
    shipped = resources.files("policies")
    policy = yaml.safe_load((shipped / "default.yaml").read_text("utf-8"))
    policy["settings"] |= {
        "own_domains": ["clinic.example"],
        "on_call": {"name": "IG on call", "phone": "ext. 4410"},
        "ig": {"name": "IG team", "phone": "ext. 4400", "hours": "9 to 5 on weekdays"},
    }
    policy["sender_groups"] = {"clinical": {"domains": ["clinic.example"]}}
    policy["modes"] = {"default": "enforce"}
    (folder / "policy.yaml").write_text(yaml.safe_dump(policy, sort_keys=False, allow_unicode=True))
    today = datetime.now(UTC).date()
    domains = [
        _entry("royal-example.example", "Royal Example Hospital", "route", today.year),
        _entry("hospice-example.example", "Example Hospice", "smime", today.year),
        {"domain": "fileshare.example", "status": "denied", "class": "denied", "notes": "file sharing"},
    ]
    (folder / "domains.yaml").write_text(yaml.safe_dump({"domains": domains}, sort_keys=False))
    for name in LISTS:
        (folder / name).write_text((shipped / "data" / name).read_text("utf-8"))


def _entry(domain: str, organisation: str, method: str, year: int) -> dict[str, object]:
    entry: dict[str, object] = {
        "domain": domain,
        "status": "approved",
        "class": "clinical",
        "organisation": organisation,
        "purposes": ["TREAT", "COC", "ETREAT"],
        "methods": [method],
        "approved_by": ["alice.ig", "bob.caldicott"],
        "agreement": {
            "type": "implied-care",
            "owner": "ig@clinic.example",
            "signed": f"{year}-01-01",
            "expires": f"{year + 1}-12-31",
        },
    }
    return entry | ({"route": "secure"} if method == "route" else {})


def _certificate(certificate: Path, key: Path, address: str) -> None:
    """A self-signed S/MIME certificate for a demo address."""
    private = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
        .add_extension(x509.KeyUsage(True, True, True, False, False, False, False, False, False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    key.chmod(0o600)
