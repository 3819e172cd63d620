"""What steps 2-10 need beside the message: policy, keys, memory of the past.  Built alike in every compute process.

``ContextSpec`` is plain JSON, made from the configuration by ``gateway.config``; private keys are named by path, never carried.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from filters.api import Cleaning
from filters.budget import Budget, Limits
from filters.decorative import DecorativeSettings
from filters.registry import OPENERS
from filters.tree import Tools
from gateway.dkim import Signer
from gateway.encryption import METHODS
from gateway.encryption.smime import Signing
from gateway.evidence.likeness import Likenesses
from gateway.facts import Memory
from gateway.identity import Vouches
from gateway.keyring import Keyring
from gateway.model import Recipient
from gateway.opening import attached
from gateway.opening.leaves import Decoration
from gateway.sandbox import Sandbox, sandboxed
from policies.domains.compiled import Known
from policies.load import Policy, load_policy
from policies.model import RecipientFacts
from quarantine.keyedhash import KeyedHash
from quarantine.snapshot import Snapshot


class DkimSpec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    domain: str
    selector: str
    key: str


class SmimeSpec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    certificates: str
    signing_certificate: str
    signing_key: str


class RouteSpec(BaseModel):
    """What the mail server behind a route enforces; ``gateway.config.Enforced`` says what each is."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    verify: tuple[str, ...] = ()
    min_version: str = ""


class OpeningSpec(BaseModel):
    """What looking into one message may cost; ``gateway.config.Opening`` says what each is."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    depth: int
    members: int
    total_bytes: int
    ratio: int
    pixels: int
    seconds: float
    sandbox_memory_bytes: int
    recognise: int = 0
    recognise_seconds: float = 5.0


class ContextSpec(BaseModel):
    """Everything a compute process needs to know, as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    hostname: str
    policy: dict[str, str]  # file name -> text
    routes: dict[str, RouteSpec]
    vouches: dict[str, Vouches]  # listener -> what it vouches for
    trusted_hosts: list[str] = []
    snapshot: str | None = None
    snapshot_max_age: float = 900.0
    hash_key: str
    smime: SmimeSpec | None = None
    dkim: list[DkimSpec] = []
    opening: OpeningSpec


@dataclass(frozen=True, slots=True)
class Context:
    spec: ContextSpec
    policy: Policy
    memory: Memory
    keyring: Keyring | None
    signing: Signing | None
    signers: Mapping[str, Signer]  # by domain
    hashes: KeyedHash
    seen_inline: Callable[[str, str], bool | None]  # (sha256, sender)
    now: Callable[[], float]
    decorative: DecorativeSettings
    tools: Tools
    sandbox: Sandbox

    def opening(self) -> Tools:
        """``tools`` for a message that comes in: its clinical pictures are noted so that they can be found again."""
        told = self.spec.opening
        noted = Likenesses(self.sandbox, told.recognise, told.recognise_seconds) if told.recognise else None
        return replace(self.tools, likeness=noted)

    def budget(self) -> Budget:
        """A new account of what opening one message may cost; its clock runs from now on."""
        told = self.spec.opening
        limits = Limits(told.depth, told.members, told.total_bytes, told.ratio, told.pixels)
        end = time.monotonic() + told.seconds
        return Budget(limits, lambda: time.monotonic() > end)

    def decoration(self, sender: str) -> Decoration:
        """What makes an image decorative when ``sender`` sends it."""
        return Decoration(self.decorative, self.policy.known_logos, lambda digest: self.seen_inline(digest, sender))

    def methods(self, recipient: Recipient, known: RecipientFacts, at: datetime) -> Mapping[str, str]:
        """method -> "ok" or the code why it cannot serve this recipient now."""
        return {name: method.ready(self, recipient, known, at) for name, method in METHODS.items()}


def build(spec: Mapping[str, Any], now: Callable[[], float] | None = None) -> Context:
    """Load everything ``spec`` names.  Raises PolicyError, OSError or ValueError."""
    told = ContextSpec.model_validate(spec)
    hashes = KeyedHash.load(Path(told.hash_key))
    snapshot = Snapshot(Path(told.snapshot), hashes, told.snapshot_max_age) if told.snapshot else None
    clock = now or (lambda: datetime.now(UTC).timestamp())
    policy = _policy(told.policy, None)
    sandbox = Sandbox(told.opening.sandbox_memory_bytes, told.opening.seconds)
    return Context(
        spec=told,
        policy=policy,
        memory=_memory(snapshot),
        keyring=Keyring.load(Path(told.smime.certificates)) if told.smime else None,
        signing=Signing.load(Path(told.smime.signing_certificate), Path(told.smime.signing_key)) if told.smime else None,
        signers={one.domain: Signer.load(one.domain, one.selector, Path(one.key)) for one in told.dkim},
        hashes=hashes,
        seen_inline=snapshot.seen_inline if snapshot else _unknown,
        now=clock,
        tools=_tools(sandbox, _cleaning(policy, hashes)),
        sandbox=sandbox,
        decorative=_decorative(policy),
    )


def renewed(context: Context, files: Mapping[str, str]) -> Context:
    """``context`` under another policy; entries of the register that have not changed are not read again.  Raises PolicyError."""
    policy = _policy(files, context.policy.register.known)
    return replace(
        context,
        policy=policy,
        tools=replace(context.tools, cleaning=_cleaning(policy, context.hashes)),
        decorative=_decorative(policy),
    )


def _policy(files: Mapping[str, str], known: Known | None) -> Policy:
    return load_policy({name: text.encode() for name, text in files.items()}, known)


def _decorative(policy: Policy) -> DecorativeSettings:
    return DecorativeSettings(**policy.decorative)  # type: ignore[arg-type]  # the policy's model has the same fields


def _tools(sandbox: Sandbox, cleaning: Cleaning) -> Tools:
    """Everything the filters have, and attached mail; what decodes with C code in a sandbox of this process."""
    tools = Tools(openers={**OPENERS, **attached.OPENERS}, cleaning=cleaning)
    return sandboxed(tools, sandbox)


def _cleaning(policy: Policy, hashes: KeyedHash) -> Cleaning:
    chosen = policy.settings.cleaning
    return Cleaning(
        properties=chosen.properties,
        authors=chosen.authors,
        revisions=chosen.revisions,
        previews=chosen.previews,
        dicom=frozenset(chosen.dicom_options),
        uid_key=bytes.fromhex(hashes.of("dicom-uids")),
    )


def _memory(snapshot: Snapshot | None) -> Memory:
    if snapshot is None:
        return Memory(_unknown, _unknown_acquaintance, _unknown_patient, _unknown_patient, _unknown_image, _unknown_gone)
    return Memory(
        snapshot.disclosed,
        snapshot.first_written_to,
        snapshot.withdrawn,
        snapshot.said,
        snapshot.said_of_image,
        gone=snapshot.gone,
        said_of_likeness=snapshot.said_of_likeness,
        disclosed_again=snapshot.disclosed_again,
        gone_alike=snapshot.gone_alike,
    )


def _unknown(_first: str, _second: str) -> bool | None:
    return None


def _unknown_acquaintance(_sender: str, _addresses: Iterable[str]) -> None:
    return None


def _unknown_gone(_numbers: Sequence[str], _recipient: str, _since: float) -> None:
    return None


def _unknown_patient(_numbers: Sequence[str]) -> None:
    return None


def _unknown_image(_sha256: str) -> None:
    return None
