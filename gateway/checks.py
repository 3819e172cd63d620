"""The checks of ``clinigate check``: each looks at one thing an installation depends on."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from gateway.app import GROWTH
from gateway.attempts import POISON_AT
from gateway.config import ConfigError, Settings, is_loopback, policy_files
from gateway.delivery import Delivery
from gateway.dkim import Signer
from gateway.encryption.cms import Signing
from gateway.keyring import Keyring
from gateway.links import listener_settings, routes
from gateway.sandbox import Sandbox
from gateway.sandbox.probe import LIBARCHIVE, PROBES, unable
from policies.load import Policy, PolicyError, load_policy
from policies.model import Mode
from quarantine.keyedhash import KeyedHash
from quarantine.keys import KeyFileError, load_private, load_public, load_secret
from quarantine.notices.wording import SHIPPED
from quarantine.notices.wording import load as load_templates

WARN_DAYS: Final = 30
RELAY_SECONDS: Final = 5.0
WARN: Final = timedelta(days=WARN_DAYS)
RECIPIENT: Final = "ask the recipient for a new one: mail to them will be held for want of it"
UPSTREAM_SECONDS: Final = 300.0  # Postfix's lmtp_data_done_timeout in docs/howto-postfix.md is longer
LIBARCHIVE_HELP: Final = "; install the Debian package libarchive13"
UNCONFINED: Final = (
    "is not shut in: this machine or kernel has no seccomp filter that we know, so a decoder that is taken over could open "
    "connections and start programs; use x86-64 or ARM64 with seccomp"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """``where``: file, key or route; ``what``: what is wrong and what to do.  ``level``: error | warning."""

    level: str
    where: str
    what: str


def _error(where: object, what: object) -> Problem:
    return Problem("error", str(where), str(what))


async def check_policy(told: Settings) -> list[Problem]:
    """The policy loads; enforce is possible; every route the register names exists."""
    try:
        policy = _policy(told)
    except (PolicyError, ConfigError) as error:
        return [_error(told.policy, one) for one in error.problems]
    except OSError as error:
        return [_error(told.policy, f"cannot be read: {error.strerror}")]
    problems = [
        _error(f"domains.yaml: {domain}", f"route {route} is not in the configuration; write one of {', '.join(told.routes)}")
        for domain, route in _routes(policy)
        if route not in told.routes
    ]
    enforced = any(mode is Mode.ENFORCE for mode in policy.modes.values())
    for name, contact in (("on_call", policy.settings.on_call), ("ig", policy.settings.ig)):
        if contact is not None and not contact.words():
            example = "is still the example of the shipped policy and is not printed in notices; write your own"
            problems.append(Problem("error" if enforced else "warning", f"policy.yaml: settings: {name}", example))
    if all(mode is Mode.OBSERVE for mode in policy.modes.values()):
        problems.append(Problem("warning", "policy.yaml: modes", "everything is observed: nothing is held or stripped yet"))
    return problems


async def check_keys(told: Settings) -> list[Problem]:
    """Keys are there, private ones are private, and both programs have the same shared ones."""
    problems: list[Problem] = []
    for path, load in (
        (told.keys.quarantine, load_public),
        (told.keys.release, load_secret),
        (told.keys.hash, KeyedHash.load),
        (told.quarantine.keys, load_private),
        (told.quarantine.release_key, load_secret),
        (told.quarantine.hash_key, KeyedHash.load),
    ):
        problems += _tried(path, lambda path=path, load=load: load(path))  # type: ignore[misc]  # bound now, not later
    problems += _same("keys.release and quarantine.release_key", told.keys.release, told.quarantine.release_key)
    problems += _same("keys.hash and quarantine.hash_key", told.keys.hash, told.quarantine.hash_key)
    for one in told.dkim:
        problems += _tried(one.key, lambda one=one: Signer.load(one.domain, one.selector, one.key))  # type: ignore[misc]  # likewise
    return problems


async def check_smime(told: Settings) -> list[Problem]:
    """The signing certificate is usable; recipients' certificates that end soon are named."""
    if told.smime is None:
        return []
    now = datetime.now(UTC)
    try:
        signing = Signing.load(told.smime.signing_certificate, told.smime.signing_key)
        keyring = Keyring.load(told.smime.certificates)
    except (OSError, ValueError) as error:
        return [_error("smime", error)]
    problems = _life("smime: signing_certificate", told.smime.signing_certificate, signing.certificate, now)
    folder = told.smime.certificates
    problems += [Problem("warning", str(folder / one.file), one.text) for one in keyring.problems]
    for one in keyring.expiring(WARN_DAYS, now):
        if not one.replaced:
            word = "expired" if one.ends < now else "expires"
            problems.append(Problem("warning", str(folder / one.file), f"{word} on {one.ends:%-d %B %Y}; {RECIPIENT}"))
    return problems


async def check_next_hop(told: Settings) -> list[Problem]:
    """Every route answers, with the TLS it asks for, and takes messages as large as ours."""
    try:
        delivery = Delivery(routes(told))
    except (OSError, ValueError) as error:
        return [_error("routes", error)]
    problems: list[Problem] = []
    try:
        for name, route in told.routes.items():
            where = f"routes: {name} ({route.host}:{route.port})"
            problems += _certificate(f"routes: {name}: certificate", route.certificate)
            if route.tls == "opportunistic" and not is_loopback(route.host):
                text = "anybody on the way can switch opportunistic TLS off; write tls: verified"
                problems.append(Problem("warning", where, text))
            answer = await delivery.probe(name)
            if answer != "ok":
                problems.append(_error(where, answer))
                continue
            limit = delivery.size(name)
            if limit is not None and told.limits.message_bytes * GROWTH > limit:
                fits = int(limit / GROWTH)
                problems.append(
                    Problem(
                        "warning",
                        where,
                        f"takes {limit} bytes; set limits: message_bytes to {fits} or less: encryption adds 40 %",
                    )
                )
    finally:
        await delivery.aclose()
    return problems


async def check_listeners(told: Settings) -> list[Problem]:
    """Listeners are safe, their certificates load, and somebody is vouched for."""
    problems: list[Problem] = []
    for one in told.listeners:
        problems += _certificate(f"listeners: {one.name}: tls: certificate", one.tls.certificate if one.tls else None)
        problems += _tried(f"listeners: {one.name}", lambda one=one: listener_settings(told, one, told.limits.message_bytes))  # type: ignore[misc]  # bound now
        if one.vouches == "nothing":
            problems.append(
                Problem(
                    "warning",
                    f"listeners: {one.name}",
                    "vouches for nothing, so no statement counts; see docs/howto-postfix.md",
                )
            )
    return problems


async def check_replies(told: Settings) -> list[Problem]:
    """Answers by reply count only from a listener that vouches; without a domain there are none."""
    if not told.quarantine.replies.domain:
        return []
    if all(one.vouches == "nothing" for one in told.listeners):
        why = "is set, but no listener vouches for a sender, so no answer would count: give one `vouches:`"
        return [_error("quarantine: replies: domain", why)]
    return []


async def check_form(told: Settings) -> list[Problem]:
    """The web form has a port of its own and, where it speaks TLS itself, a certificate and key that fit."""
    form = told.quarantine.form
    if form is None:
        return []
    taken = {told.metrics.port: "metrics", **{one.port: f"listeners: {one.name}" for one in told.listeners}}
    problems = []
    if form.port in taken:
        problems.append(_error("quarantine: form: port", f"{form.port} is the port of {taken[form.port]} too; write another"))
    if form.tls is not None:
        where, tls = "quarantine: form: tls", form.tls
        problems += _certificate(f"{where}: certificate", tls.certificate)
        problems += _tried(where, lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.key))
    return problems


async def check_timeouts(told: Settings) -> list[Problem]:
    """Our deadline ends before the upstream gives up, a message that hangs is held before it, and a bomb before that."""
    problems = []
    deadline, one_try = told.limits.deadline_seconds, told.limits.compute_seconds
    if deadline >= UPSTREAM_SECONDS:
        text = f"{deadline:g} s is not below the {UPSTREAM_SECONDS:g} s an upstream may wait; write 240"
        problems.append(_error("limits: deadline_seconds", text))
    tries = POISON_AT - 1
    if one_try * tries >= deadline:
        text = (
            f"{tries} tries of {one_try:g} s take longer than deadline_seconds ({deadline:g}); write {int(deadline / 4)} or less"
        )
        problems.append(_error("limits: compute_seconds", text))
    if told.opening.seconds >= one_try:
        text = f"{told.opening.seconds:g} s is not below limits: compute_seconds ({one_try:g}); a bomb would be tried three times"
        problems.append(_error("opening: seconds", f"{text}; write {one_try * 2 / 3:g} or less"))
    return problems


async def check_sandbox(told: Settings) -> list[Problem]:
    """The process in which C code decodes starts, is shut in, and can open what is sent."""
    sandbox = Sandbox(told.opening.sandbox_memory_bytes, told.opening.seconds)
    try:
        missing = unable(sandbox)
        confined = sandbox.confined
    finally:
        sandbox.close()
    if len(missing) == len(PROBES):
        text = "does not start, so every PDF and packed file would be held; opening: sandbox_memory_bytes may be too small"
        return [_error("sandbox", text)]
    problems = [
        Problem("warning", "sandbox", f"{name} cannot be opened and is held" + (LIBARCHIVE_HELP if name == LIBARCHIVE else ""))
        for name in missing
    ]
    if not confined:
        problems.append(Problem("warning", "sandbox", UNCONFINED))
    return problems


async def check_quarantine(told: Settings) -> list[Problem]:
    """Folders can be written, notices can be made, and somebody may review."""
    problems = [
        _error(folder, "is not there; make it, writable for its program")
        for folder in (told.state.parent, told.quarantine.state.parent, told.quarantine.store.parent, told.release_socket.parent)
        if not folder.is_dir()
    ]
    for where, ours, theirs in (
        ("release_socket and quarantine: release_socket", told.release_socket, told.quarantine.release_socket),
        ("state and quarantine: journal", told.state / "journal", told.quarantine.journal),
    ):
        if ours.resolve() != theirs.resolve():
            problems.append(_error(where, f"{ours} and {theirs} differ; both programs need the same"))
    problems += _tried(told.quarantine.templates or "notices", lambda: _wording(told))
    problems += _gaps(told.quarantine.templates)
    if not told.quarantine.addresses.on_call_contact:
        problems.append(
            _error("quarantine: addresses: on_call_contact", "is empty; give a telephone number: notices tell it in urgent cases")
        )
    for role, people in (("ig", told.quarantine.reviewers.ig), ("mail_admin", told.quarantine.reviewers.mail_admin)):
        if not people:
            problems.append(Problem("warning", f"quarantine: reviewers: {role}", "is empty, so nobody may decide such holds"))
    return problems


async def check_relay(told: Settings) -> list[Problem]:
    """Notices are handed to an MTA: nobody would be told of a hold without it."""
    relay = told.quarantine.relay
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(relay.host, relay.port), RELAY_SECONDS)
    except OSError as error:  # TimeoutError is one
        why = f"does not answer ({type(error).__name__}); notices to senders could not leave"
        return [_error(f"quarantine: relay ({relay.host}:{relay.port})", why)]
    writer.close()
    return []


CHECKS: Final[Mapping[str, Callable[[Settings], Coroutine[None, None, list[Problem]]]]] = {
    "policy": check_policy,
    "keys": check_keys,
    "smime": check_smime,
    "listeners": check_listeners,
    "answers": check_replies,
    "form": check_form,
    "next hop": check_next_hop,
    "timeouts": check_timeouts,
    "sandbox": check_sandbox,
    "quarantine": check_quarantine,
    "relay": check_relay,
}


def _routes(policy: Policy) -> list[tuple[str, str]]:
    """(domain or address, route) for every entry of the register that names one."""
    entries = {**policy.register.domains, **policy.register.addresses}
    return [(name, entry.route) for name, entry in entries.items() if entry.route is not None]


def _policy(told: Settings) -> Policy:
    return load_policy({name: text.encode() for name, text in policy_files(told.policy).items()})


def _wording(told: Settings) -> None:
    """Raises OSError or ValueError where notices could not be written."""
    languages = load_templates(told.quarantine.templates or SHIPPED).languages
    for name in (told.quarantine.language, *told.quarantine.languages.values()):
        if name not in languages:
            raise ValueError(f"no folder for language {name}; there are: {', '.join(sorted(languages))}")


def _gaps(folder: Path | None) -> list[Problem]:
    """Where English words stand in another language's notices; templates with a mistake are told of elsewhere."""
    try:
        gaps = load_templates(folder or SHIPPED).gaps
    except (OSError, ValueError):
        return []
    return [Problem("warning", str(folder), f"{gap} is missing: the English words stand in its place") for gap in gaps]


def _tried(where: object, work: Callable[[], object]) -> list[Problem]:
    try:
        work()
    except (OSError, ValueError, KeyFileError) as error:
        return [_error(where, error)]
    return []


def _certificate(where: str, path: Path | None) -> list[Problem]:
    """The first certificate of a PEM file of ours; a file that cannot be read is named by whoever loads it."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())[0] if path else None
    except (OSError, ValueError):
        return []
    return _life(where, path, found, datetime.now(UTC)) if found else []


def _life(where: str, path: object, certificate: x509.Certificate, now: datetime) -> list[Problem]:
    """Is it valid now, and for a while to come?"""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < start:
        return [_error(where, f"{path} is valid from {start:%-d %B %Y} only; use another until then")]
    if now > end:
        return [_error(where, f"{path} expired on {end:%-d %B %Y}; renew it")]
    return [Problem("warning", where, f"{path} expires on {end:%-d %B %Y}; renew it")] if end - now < WARN else []


def _same(where: str, one: Path, other: Path) -> list[Problem]:
    try:
        return (
            [] if load_secret(one) == load_secret(other) else [_error(where, "hold different keys; both programs need the same")]
        )
    except (OSError, KeyFileError):
        return []  # named above
