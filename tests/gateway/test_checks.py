"""``clinigate check``: each check is silent when all is well and says what is wrong, where and what to do when it is not."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import yaml
from aiosmtpd.smtp import SMTP

from gateway.checks import (
    CHECKS,
    Problem,
    check_form,
    check_keys,
    check_listeners,
    check_next_hop,
    check_policy,
    check_quarantine,
    check_replies,
    check_smime,
    check_timeouts,
)
from gateway.config import Settings, load
from gateway.demo.setup import Ports, prepare
from tests.support.certs import NOW, Identity, authority, client, issue, person, server
from tests.support.installation import merged

pytestmark = pytest.mark.unit

CA = authority("Check CA")
SERVER = server(issuer=CA)


@cache
def prepared() -> Path:
    """Keys are made once: that takes its time."""
    made = Path(mkdtemp(prefix="clinigate-test-"))
    prepare(made, Ports(2525, 9464, 2526))
    return made


class Site:
    """A prepared installation that is changed for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(prepared(), folder, dirs_exist_ok=True)
        self.path = folder / "clinigate.yaml"
        self.path.write_text(self.path.read_text().replace(str(prepared()), str(folder)))
        for name in ("gateway", "quarantine", "store", "run"):
            (folder / name).mkdir(exist_ok=True)
        self.change(quarantine={"reviewers": {"ig": ["alice"], "mail_admin": ["bob"]}})

    def change(self, **overrides: Any) -> Settings:
        self.path.write_text(yaml.safe_dump(merged(yaml.safe_load(self.path.read_text()), overrides)))
        return load(self.path)

    def policy(self, name: str = "policy.yaml", **overrides: Any) -> Settings:
        path = self.folder / "policies" / name
        path.write_text(yaml.safe_dump(merged(yaml.safe_load(path.read_text()), overrides)))
        return load(self.path)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def said(problems: list[Problem]) -> str:
    return "\n".join(f"{one.level}: {one.where}: {one.what}" for one in problems)


@pytest.mark.parametrize("name", [name for name in CHECKS if name not in ("next hop", "relay", "sandbox")])
async def test_a_prepared_installation_is_well(site: Site, name: str) -> None:
    """The demo's; only its self-signed certificates and the servers behind it are not judged here."""
    assert await CHECKS[name](load(site.path)) == []


async def test_the_web_form_needs_a_port_of_its_own_and_a_key_that_fits(site: Site) -> None:
    url = "https://answers.clinic.example/clinigate"
    told = site.change(quarantine={"form": {"url": url, "port": 9464}})
    assert said(await check_form(told)) == "error: quarantine: form: port: 9464 is the port of metrics too; write another"
    certificate, _ = SERVER.write(site.folder, "form")
    _, key = client(issuer=CA).write(site.folder, "other")
    told = site.change(
        quarantine={"form": {"port": 9465, "host": "0.0.0.0", "tls": {"certificate": str(certificate), "key": str(key)}}}
    )
    assert "error: quarantine: form: tls:" in said(await check_form(told))
    assert await check_form(site.change(quarantine={"form": {"tls": {"key": str(site.folder / "form.key")}}})) == []


# -- policy ----------------------------------------------------------------------------------------------------------------


async def test_a_broken_policy_is_told_with_its_line(site: Site) -> None:
    (site.folder / "policies" / "policy.yaml").write_text("modes: {default: everything}\n")
    told = said(await check_policy(load(site.path)))
    assert "error:" in told
    assert "policy.yaml:1: modes.default" in told


async def test_a_policy_folder_that_is_not_there_or_not_text_is_told(site: Site) -> None:
    assert "error:" in said(await check_policy(site.change(policy=str(site.folder / "nowhere"))))
    (site.folder / "policies" / "domains.yaml").write_bytes(b"\xff")
    assert "not UTF-8" in said(await check_policy(site.change(policy=str(site.folder / "policies"))))


async def test_a_register_that_names_a_route_we_have_not_is_told_with_those_we_have(site: Site) -> None:
    told = site.change(routes={"secure": None, "nhsmail": {"port": 2526}})
    assert said(await check_policy(told)) == (
        "error: domains.yaml: royal-example.example: route secure is not in the configuration; write one of default, nhsmail"
    )


async def test_observing_everything_is_said(site: Site) -> None:
    told = said(await check_policy(site.policy(modes={"default": "observe"})))
    assert told == "warning: policy.yaml: modes: everything is observed: nothing is held or stripped yet"


# -- keys ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda keys: (keys / "quarantine" / "review.pub").unlink(), "review.pub is missing"),
        (lambda keys: (keys / "quarantine" / "online.key").unlink(), "online.key is missing"),
        (lambda keys: (keys / "release.key").chmod(0o644), "release.key is open to everybody"),
        (lambda keys: (keys / "hash.key").write_text("short"), "hash.key: expected 32 bytes"),
        (lambda keys: (keys / "quarantine" / "online.pub").write_text("x"), "online.pub: not a PEM public key"),
        (lambda keys: (keys / "hash.key").unlink(), "hash.key is missing; make one with `clinigate keygen`"),
    ],
)
async def test_each_fault_of_a_key_is_told_with_what_to_do(site: Site, spoil: Callable[[Path], None], words: str) -> None:
    spoil(site.folder / "keys")
    told = said(await check_keys(load(site.path)))
    assert words in told
    assert "warning" not in told


@pytest.mark.parametrize("name", ["release", "hash"])
async def test_programs_with_different_shared_keys_are_told(site: Site, name: str) -> None:
    """Releases would be refused, or withdrawals never found, without any other sign."""
    other = site.folder / "keys" / "other.key"
    other.write_text("ab" * 32)
    other.chmod(0o600)
    told = said(await check_keys(site.change(quarantine={f"{name}_key": str(other)})))
    assert told == f"error: keys.{name} and quarantine.{name}_key: hold different keys; both programs need the same"


async def test_a_dkim_key_that_does_not_load_is_told(site: Site) -> None:
    (site.folder / "dkim.pem").write_text("no key")
    dkim = [{"domain": "clinic.example", "selector": "s1", "key": str(site.folder / "dkim.pem")}]
    problems = await check_keys(site.change(dkim=dkim))
    assert [(one.level, one.where) for one in problems] == [("error", str(site.folder / "dkim.pem"))]
    assert "no key" not in problems[0].what.replace("no key file", "")


# -- S/MIME ----------------------------------------------------------------------------------------------------------------


def signer(site: Site, identity: Identity) -> Settings:
    certificate, key = identity.write(site.folder, "signer")
    return site.change(smime={"signing_certificate": str(certificate), "signing_key": str(key)})


@pytest.mark.parametrize(
    ("options", "level", "words"),
    [
        ({"start": timedelta(days=-400), "days": 30}, "error", "expired on"),
        ({"start": timedelta(days=5)}, "error", "is valid from"),
        ({"days": 11}, "warning", "expires on"),
    ],
)
async def test_a_signing_certificate_that_is_over_or_nearly_is_told_with_its_date(
    site: Site, options: dict[str, Any], level: str, words: str
) -> None:
    (one,) = await check_smime(signer(site, person("gateway@clinic.example", issuer=CA, **options)))
    assert (one.level, one.where) == (level, "smime: signing_certificate")
    assert words in one.what
    assert str(NOW.year) in one.what or str(NOW.year + 1) in one.what or str(NOW.year - 1) in one.what


async def test_a_key_of_another_certificate_is_told(site: Site) -> None:
    certificate, _ = person("a@clinic.example", issuer=CA).write(site.folder, "one")
    _, key = person("b@clinic.example", issuer=CA).write(site.folder, "two")
    told = said(await check_smime(site.change(smime={"signing_certificate": str(certificate), "signing_key": str(key)})))
    assert "does not belong to the certificate" in told


async def test_recipients_certificates_are_told_by_file_with_date_or_fault(site: Site) -> None:
    """Symptom: ``expires within 30 days: Expiry(ends=datetime...)`` for one that was over, and a fault without its file.
    Cause: values were printed as Python shows them."""
    folder = site.folder / "smime" / "certificates"
    person("old@x.example", issuer=CA, start=timedelta(days=-100), days=10).write(folder, "old")
    person("soon@x.example", issuer=CA, days=10).write(folder, "soon")
    person("renewed@x.example", issuer=CA, days=10).write(folder, "renewed-1")
    person("renewed@x.example", issuer=CA).write(folder, "renewed-2")
    (folder / "broken.pem").write_text("x")
    told = {one.where.removeprefix(f"{folder}/"): one for one in await check_smime(load(site.path))}
    assert set(told) == {"old.pem", "soon.pem", "broken.pem"}, "one that has its successor is no news"
    assert told["old.pem"].what.startswith("expired on ")
    assert told["soon.pem"].what.startswith("expires on ")
    assert told["broken.pem"].what == "not read: ValueError"
    assert {one.level for one in told.values()} == {"warning"}


async def test_without_smime_there_is_nothing_to_check(site: Site) -> None:
    assert await check_smime(site.change(smime=None)) == []


async def test_a_folder_of_certificates_that_is_not_there_is_told(site: Site) -> None:
    told = said(await check_smime(site.change(smime={"certificates": str(site.folder / "nowhere")})))
    assert told.startswith("error: smime:")
    assert "nowhere" in told


# -- next hop --------------------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def next_hop(folder: Path, identity: Identity | None = None, size: int = 100_000_000) -> AsyncIterator[int]:
    context = None
    if identity is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*identity.write(folder, "server"))
    loop = asyncio.get_running_loop()
    make: Any = lambda: SMTP(None, hostname="next.example", tls_context=context, data_size_limit=size)  # noqa: E731 - one line
    listening = await loop.create_server(make, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await asyncio.sleep(0.01)


def routed(site: Site, port: int, **options: Any) -> Settings:
    ca, _ = CA.write(site.folder, "ca")
    if options.get("tls") in ("verified", "mutual"):
        options["ca"] = str(ca)
    return site.change(routes={"default": {"port": port, **options}, "secure": None})


async def test_a_next_hop_that_answers_is_well(site: Site) -> None:
    async with next_hop(site.folder, SERVER) as port:
        for tls in ("none", "verified"):
            assert await check_next_hop(routed(site, port, tls=tls)) == []


async def test_a_next_hop_that_is_down_is_told(site: Site) -> None:
    async with next_hop(site.folder) as port:
        pass
    (one,) = await check_next_hop(routed(site, port))
    assert (one.level, one.where) == ("error", f"routes: default (127.0.0.1:{port})")
    assert "connect" in one.what


@pytest.mark.parametrize(
    ("identity", "options", "words"),
    [
        (SERVER, {"server_name": "mx.clinic.example"}, "Hostname mismatch"),
        (server(issuer=authority("Another CA")), {}, "certificate refused"),
        (server(issuer=CA, days=0), {}, "certificate has expired"),
        (None, {}, "tls: not offered"),
    ],
    ids=["name", "authority", "expired", "none"],
)
async def test_each_fault_of_its_tls_is_told(site: Site, identity: Identity | None, options: dict[str, Any], words: str) -> None:
    async with next_hop(site.folder, identity) as port:
        (one,) = await check_next_hop(routed(site, port, tls="verified", **options))
    assert one.level == "error"
    assert words in one.what


async def test_a_next_hop_that_takes_less_than_we_is_told_with_the_number_to_write(site: Site) -> None:
    async with next_hop(site.folder, size=10_000_000) as port:
        (one,) = await check_next_hop(routed(site, port))
    assert one.level == "warning"
    assert "set limits: message_bytes to 7142857 or less" in one.what


async def test_a_next_hop_without_a_limit_is_well(site: Site) -> None:
    """RFC 1870 4: SIZE 0 means none."""
    async with next_hop(site.folder, size=0) as port:
        assert await check_next_hop(routed(site, port)) == []


@pytest.mark.parametrize(
    ("name", "words"), [("missing", "nowhere.pem"), ("rubbish", "are not PEM files that fit together")]
)  # fmt: skip
async def test_a_file_of_a_route_that_does_not_load_is_named(site: Site, name: str, words: str) -> None:
    """Symptom: "[Errno 2] No such file or directory" and no file.  Cause: the ssl module names none."""
    path = site.folder / "nowhere.pem"
    if name == "rubbish":
        path.write_text("x")
    told = site.change(routes={"default": {"port": 25, "tls": "verified", "ca": str(path)}, "secure": None})
    assert words in said(await check_next_hop(told))


async def test_our_own_certificate_for_a_route_is_looked_at(site: Site) -> None:
    old = issue("gateway", issuer=CA, start=timedelta(days=-50), days=20)
    certificate, key = old.write(site.folder, "gateway")
    async with next_hop(site.folder, SERVER) as port:
        problems = await check_next_hop(routed(site, port, tls="mutual", certificate=str(certificate), key=str(key)))
    assert [(one.level, one.where) for one in problems] == [("error", "routes: default: certificate")]
    assert "expired on" in problems[0].what


async def test_opportunistic_tls_across_a_network_is_warned_of(site: Site) -> None:
    told = site.change(routes={"default": {"host": "localhost", "port": 1, "tls": "opportunistic"}, "secure": None})
    assert "switch opportunistic" not in said(await check_next_hop(told))
    away = told.model_copy(
        update={"routes": {"default": told.routes["default"].model_copy(update={"host": "127.0.0.1.nip.invalid"})}}
    )
    assert "warning: routes: default (127.0.0.1.nip.invalid:1): anybody on the way can switch opportunistic TLS off" in said(
        await check_next_hop(away)
    )


# -- listeners -------------------------------------------------------------------------------------------------------------


def listening(site: Site, **tls: Any) -> Settings:
    ca, _ = CA.write(site.folder, "ca")
    certificate, key = SERVER.write(site.folder, "ours")
    files = {"certificate": str(certificate), "key": str(key), "client_ca": str(ca), **{k: str(v) for k, v in tls.items()}}
    one = {"name": "mta", "port": 10024, "host": "192.0.2.1", "vouches": "envelope-sender", "tls": files}
    return site.change(listeners=[one])


async def test_a_listener_with_mutual_tls_is_well(site: Site) -> None:
    assert await check_listeners(listening(site)) == []


async def test_answers_that_could_never_count_are_an_error(site: Site) -> None:
    """A domain for replies, and nobody vouched for: every clinician's answer would be turned away."""
    listeners = [{**site.change().listeners[0].model_dump(mode="json", exclude_none=True), "vouches": "nothing"}]
    [one] = await check_replies(site.change(listeners=listeners, quarantine={"replies": {"domain": "hold.clinic.example"}}))
    assert (one.level, one.where) == ("error", "quarantine: replies: domain")
    assert await check_replies(site.change(quarantine={"replies": {"domain": ""}})) == []


async def test_a_listener_that_vouches_for_nothing_is_warned_of(site: Site) -> None:
    (one,) = await check_listeners(site.change(listeners=[{"name": "mta", "port": 1}]))
    assert (one.level, one.where) == ("warning", "listeners: mta")
    assert "vouches for nothing" in one.what


@pytest.mark.parametrize("option", ["certificate", "key", "client_ca"])
async def test_a_file_of_a_listener_that_does_not_load_is_named(site: Site, option: str) -> None:
    (site.folder / "rubbish.pem").write_text("x")
    for path in (site.folder / "nowhere.pem", site.folder / "rubbish.pem"):
        told = said(await check_listeners(listening(site, **{option: path})))
        assert told.startswith("error: listeners: mta")
        assert path.name in told


async def test_a_listeners_certificate_that_is_over_is_told(site: Site) -> None:
    certificate, key = server(issuer=CA, days=0).write(site.folder, "old")
    told = said(await check_listeners(listening(site, certificate=certificate, key=key)))
    assert told.startswith(f"error: listeners: mta: tls: certificate: {certificate} expired on ")


async def test_a_key_of_another_certificate_is_told_for_listeners_too(site: Site) -> None:
    _, key = client(issuer=CA).write(site.folder, "client")
    assert "are not a PEM certificate and its key" in said(await check_listeners(listening(site, key=key)))


# -- timeouts, quarantine --------------------------------------------------------------------------------------------------


async def test_a_deadline_the_upstream_does_not_wait_for_is_told(site: Site) -> None:
    (one,) = await check_timeouts(site.change(limits={"deadline_seconds": 300}))
    assert one.level == "error"
    assert one.what.endswith("write 240")


async def test_tries_that_outlast_the_deadline_are_told(site: Site) -> None:
    (one,) = await check_timeouts(site.change(limits={"deadline_seconds": 100, "compute_seconds": 50}))
    assert one.where == "limits: compute_seconds"
    assert one.what.endswith("write 25 or less")


async def test_opening_that_outlasts_its_try_is_told(site: Site) -> None:
    """A bomb must end as a limit, not as a process that hangs."""
    (one,) = await check_timeouts(site.change(opening={"seconds": 30}))
    assert one.where == "opening: seconds"
    assert one.what.endswith("write 20 or less")


NOWHERE = {"state": "/nowhere/at/all/gateway", "quarantine": {"journal": "/nowhere/at/all/gateway/journal"}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (NOWHERE, "error: /nowhere/at/all: is not there"),
        ({"quarantine": {"addresses": {"on_call_contact": ""}}}, "error: quarantine: addresses: on_call_contact: is empty"),
        ({"quarantine": {"reviewers": {"ig": []}}}, "warning: quarantine: reviewers: ig: is empty"),
        ({"quarantine": {"reviewers": {"mail_admin": []}}}, "warning: quarantine: reviewers: mail_admin: is empty"),
        ({"quarantine": {"release_socket": "/run/other.sock"}}, "error: release_socket and quarantine: release_socket: "),
        ({"quarantine": {"journal": "/var/other"}}, "error: state and quarantine: journal: "),
        ({"quarantine": {"templates": "/nowhere"}}, "error: /nowhere: "),
    ],
)  # fmt: skip
async def test_each_fault_of_the_quarantine_is_told(site: Site, change: dict[str, Any], words: str) -> None:
    told = said(await check_quarantine(site.change(**change)))
    assert words in told
    assert len(told.splitlines()) == 1


@pytest.mark.slow
async def test_no_check_shows_a_secret(site: Site) -> None:
    """Whatever is broken, key material is never part of the words."""
    for path in (site.folder / "keys").rglob("*"):
        if path.is_file():
            path.write_text("TOP-SECRET-KEY")
            path.chmod(0o600)
    for path in (site.folder / "smime").glob("*"):
        if path.is_file():
            path.write_text("TOP-SECRET-KEY")
    told = "".join([said(await check(load(site.path))) for name, check in CHECKS.items() if name != "next hop"])
    assert "keys" in told
    assert "TOP-SECRET" not in told
