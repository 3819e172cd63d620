"""The gateway program, composed: listeners in front, compute processes in the middle, commit and delivery behind."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import structlog

from gateway.answers import Answers, Trust
from gateway.attempts import POISON_AT, Attempts
from gateway.compute.pool import NoWorker, Pool, WorkerLost
from gateway.config import ConfigError, Settings, policy_files, policy_paths
from gateway.delivery import Delivery
from gateway.finishing.outgoing import DEFAULT_ROUTE
from gateway.inbound import activation
from gateway.inbound.limits import MEMORY_FACTOR, MemoryBudget, Share
from gateway.inbound.listener import Listener, start
from gateway.inbound.twins import Twins
from gateway.journal import Journal
from gateway.links import listener_settings, release_settings, routes
from gateway.metrics import Metrics, Server
from gateway.model import Envelope, Plan, Received, Reply
from gateway.outcomes.commit import Committer
from gateway.outcomes.ledger import Ledger
from gateway.outcomes.withdrawals import SnapshotWithdrawals
from gateway.plans import failure_plan, sound, summary
from gateway.policyfolder.swap import Watch
from gateway.policyfolder.versions import NotKept, Versions
from policies.decide import FLOOR, GUARD
from policies.domains.compiled import Known
from policies.load import Policy, PolicyError, load_policy
from quarantine import token
from quarantine.keyedhash import KeyedHash
from quarantine.keys import load_public, load_secret
from quarantine.snapshot import Snapshot
from quarantine.stores import STORES
from quarantine.vault import Vault

log = structlog.get_logger()

GROWTH = 1.4  # how much larger base64 of ciphertext makes a message
RELOAD_SECONDS = 0.25  # how often the policy folder is looked at
RETRY_SECONDS = 30.0  # and after it could not be tried for want of a process or of files
EXPIRE_SECONDS = 3600.0
ATTEMPTS_KEPT = 6 * 86400.0  # longer than an upstream keeps trying
LATER = Reply(451, "4.3.0", "local trouble, try again later")
NEXT_HOP_DOWN = Reply(451, "4.4.1", "the next hop cannot be reached, try again later")
NO_MEMORY = Reply(452, "4.3.1", "too much mail at once, try again later")


class Gateway:
    """One front process with its compute processes.  ``serve`` runs until ``stop`` is called."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        state = settings.state
        for folder in (state, state / "attempts", state / "journal"):
            folder.mkdir(parents=True, exist_ok=True)
        self._hashes = KeyedHash.load(settings.keys.hash)
        self._release_key = load_secret(settings.keys.release)
        self._spec = settings.context_spec()
        self._policy = _policy(self._spec)
        self._rules = _rules(self._policy)
        self._versions = Versions(settings.state / "policies")
        self._pool = Pool(
            self._spec,
            size=settings.limits.compute_processes or os.cpu_count() or 1,
            memory=settings.limits.compute_memory_bytes,
            seconds=settings.limits.compute_seconds,
            log_level=settings.log_level,
        )
        self._attempts = Attempts(state / "attempts")
        self._journal = Journal(state / "journal", "gateway")
        self._ledger = Ledger(state / "ledger.sqlite", "gateway-0", time.time)
        self._delivery = Delivery(routes(settings))
        for name in settings.routes:
            self.metrics.circuit.labels(name).set_function(partial(self._open_circuit, name))
        store = STORES[settings.quarantine.store_kind](settings.quarantine.store)
        store.prepare()
        self._snapshot = Snapshot(settings.quarantine.snapshot, self._hashes)
        vault = Vault(store, load_public(settings.keys.quarantine))
        vouches = {one.name: one.vouches for one in settings.listeners}
        trust = Trust(vouches, tuple(host.lower() for host in settings.trusted_hosts))
        self._answers = Answers(vault, settings.quarantine.replies, trust)
        self._committer = Committer(
            self._delivery,
            vault,
            self._journal,
            self._ledger,
            withdrawals=SnapshotWithdrawals(self._snapshot),
        )
        self._budget = MemoryBudget(settings.limits.memory_bytes, MEMORY_FACTOR)
        self.twins = Twins()
        self._live: Counter[str] = Counter()  # messages being worked on now, by key
        self._unfinished: dict[str, int] = {}  # their tries that an earlier process did not finish
        self._listeners: list[Listener] = []
        self._stopping = asyncio.Event()
        self._server: Server | None = None
        self._chores: list[asyncio.Task[None]] = []

    @property
    def ports(self) -> dict[str, int]:
        """listener name -> port it listens on; "metrics" too."""
        found = {listener.settings.name: listener.port for listener in self._listeners if listener.port}
        return found | ({"metrics": self._server.port} if self._server else {})

    async def start(self) -> None:
        """Open everything.  Raises OSError, NoWorker or ValueError: then nothing listens and no process is left."""
        try:
            await self._open()
        except BaseException:  # not swallowed: only so that nothing of a half-started gateway stays
            await self.close()
            raise

    async def _open(self) -> None:
        await self._pool.start()
        await self._delivery.probe(DEFAULT_ROUTE)
        self._server = Server(self.metrics, self.health, self.settings.metrics.host, self.settings.metrics.port)
        await self._listen(activation.inherited(os.environ))
        await asyncio.to_thread(self._took, "start")
        self._chores = [asyncio.create_task(self._watch_policy()), asyncio.create_task(self._expire())]
        for chore in self._chores:
            chore.add_done_callback(_chore_ended)
        log.info("gateway.started", ports=self.ports, policy=self._policy.digest)

    def _announced(self) -> int:
        """The SIZE we announce: what the next hop takes still holds after encryption made the message larger."""
        taken = self._delivery.size(DEFAULT_ROUTE)
        ours = self.settings.limits.message_bytes
        return min(ours, int(taken / GROWTH)) if taken else ours

    async def _listen(self, passed: dict[str, socket.socket]) -> None:
        """Open every listener, on the socket that its socket unit passed or on one of its own."""
        ours = [(one, activation.claim(passed, one.name, one.port)) for one in self.settings.listeners]
        release = activation.claim(passed, "release")
        activation.none_left(passed)
        for one, sock in ours:
            told = listener_settings(self.settings, one, self._announced())
            self._listeners.append(await start(told, Door(self, one.kind), sock=sock))
        self._listeners.append(await start(release_settings(self.settings), Door(self, "release"), sock=release))

    async def serve(self) -> None:
        """Start, run until ``stop``, finish what is in flight."""
        await self.start()
        activation.notify("READY=1", os.environ)
        await self._stopping.wait()
        activation.notify("STOPPING=1", os.environ)
        await self.close()

    def stop(self) -> None:
        self._stopping.set()

    async def close(self) -> None:
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*(listener.close(self.settings.limits.deadline_seconds) for listener in self._listeners))
        await self._committer.drain()
        await self._pool.stop()
        await self._delivery.aclose()
        await self._ledger.aclose()
        await asyncio.to_thread(self._journal.close)
        if self._server is not None:
            await asyncio.to_thread(self._server.close)
        log.info("gateway.stopped")

    def health(self) -> Mapping[str, Any]:
        """What GET /healthz says.  Mail flows only while the next hop's circuit is closed."""
        return {
            "ok": self._delivery.circuit(DEFAULT_ROUTE) == "closed",
            "policy": self._policy.digest,
            "snapshot_age": self._snapshot.age(),
        }

    # -- one message -------------------------------------------------------------------------------------------------

    async def take(self, received: Received, kind: str) -> list[Reply]:
        """One message: answers to notices are handed over, everything else goes steps 2-11."""
        take = partial(self._take, kind=kind)
        replies = await (take(received) if kind == "release" else self._answers.take(received, take))
        self._count(received, replies)
        return replies

    async def _take(self, received: Received, kind: str) -> list[Reply]:
        """Steps 2-11 for one message; any failure is 451 and nothing is lost (step 12)."""
        deadline = received.at + self.settings.limits.deadline_seconds
        self._live[received.key] += 1
        with self.metrics.seconds.time():
            try:
                plan = await self._plan(received)
                replies = await self._committer.commit(plan, received, kind, deadline)
                self.metrics.decided(plan, replies, self._rules)
                log.info("message", **summary(received, plan, replies, self._rules))
            except (OSError, ValueError, LookupError, sqlite3.Error, NoWorker) as error:
                log.error("message.later", error=type(error).__name__)
                self.metrics.failures.inc()
                replies = [LATER] * (len(received.envelope.recipients) if received.envelope.protocol == "LMTP" else 1)
            finally:
                self._lived(received.key)
        return replies

    async def _plan(self, received: Received) -> Plan:
        """Steps 2-10, counted before each try; at the third try of a message that kills its process it is held as poison."""
        for attempt in range(1, POISON_AT + 1):
            if self._begin(received.key, attempt) >= POISON_AT:
                break
            try:
                return await self._pool.plan(received, lambda plan: sound(self._policy, received, plan))
            except WorkerLost as error:
                log.error("compute.lost", why=error.why, key=self._hashes.of(received.key))
                self.metrics.lost.labels(error.why).inc()
        log.error("message.poison", key=self._hashes.of(received.key))
        return failure_plan(self._policy, received, "poison")

    def _begin(self, key: str, attempt: int) -> int:
        """Tries begun and not finished; without a disk to count on, those of this process."""
        try:
            if attempt > 1 or self._live[key] == 1:
                count = self._attempts.begin(key)
                self._unfinished.setdefault(key, count - 1)
            return self._unfinished.get(key, 0) + attempt
        except OSError as error:
            log.warning("attempts.uncounted", error=type(error).__name__)
            return attempt

    def _lived(self, key: str) -> None:
        """This process outlived the message: whatever became of it, it is no poison."""
        self._live[key] -= 1
        if self._live[key]:
            return
        del self._live[key]
        self._unfinished.pop(key, None)
        try:
            self._attempts.finish(key)
        except OSError as error:
            log.warning("attempts.uncounted", error=type(error).__name__)

    def _count(self, received: Received, replies: list[Reply]) -> None:
        self.metrics.bytes.inc(len(received.raw))
        for reply in replies:
            self.metrics.messages.labels(received.envelope.listener, f"{reply.code // 100}xx").inc()

    # -- chores ------------------------------------------------------------------------------------------------------

    async def _watch_policy(self) -> None:
        """Go over to a changed policy without dropping a connection; a broken one leaves the old in force and says so."""
        seen, pause = self._spec["policy"], RELOAD_SECONDS
        watch = Watch(partial(policy_paths, self.settings.policy))
        while True:
            await asyncio.sleep(pause)
            pause = RELOAD_SECONDS
            try:
                if not await asyncio.to_thread(watch.changed):
                    continue
                now = await asyncio.to_thread(policy_files, self.settings.policy)
                if now == seen:
                    continue
                seen = now
                spec = {**self._spec, "policy": now}
                policy = await asyncio.to_thread(_policy, spec, self._policy.register.known)
                await self._pool.reload(spec)
            except (OSError, ConfigError, PolicyError, NoWorker) as error:
                self.metrics.policy_failed.set(1)
                log.error(
                    "policy.broken",
                    error=type(error).__name__,
                    problems=getattr(error, "problems", []),
                    in_force=self._policy.digest,
                )
                if isinstance(error, NoWorker | OSError):  # no fault of the policy, perhaps: it is tried again
                    seen, pause = self._spec["policy"], RETRY_SECONDS
                    watch.again()
                else:
                    await asyncio.to_thread(self._broke, error.problems)
                continue
            self._spec, self._policy, self._rules = spec, policy, _rules(policy)
            self.metrics.policy_failed.set(0)
            log.info("policy.loaded", digest=policy.digest)
            await self._pool.follow()
            await asyncio.to_thread(self._took, "changed")

    def _took(self, why: str) -> None:
        """Keep the policy now in force, so that it can be had back.  Mail does not wait for that, nor depend on it."""
        try:
            self._versions.keep(self._policy, self._spec["policy"], why, time.time())
            self._versions.mended()
        except (OSError, NotKept) as error:
            log.error("policy.not-kept", error=type(error).__name__, digest=self._policy.digest)

    def _broke(self, problems: Sequence[str]) -> None:
        """What ``clinigate alarm`` and ``clinigate policy history`` tell."""
        try:
            self._versions.broke(problems, self._policy.digest, time.time())
        except OSError as error:
            log.error("policy.broken-not-noted", error=type(error).__name__)

    async def _expire(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._attempts.expire, time.time() - ATTEMPTS_KEPT)
            except OSError as error:
                log.warning("attempts.not-expired", error=type(error).__name__)
            try:
                await self._committer.expire(time.time())
            except sqlite3.Error as error:
                log.warning("ledger.not-expired", error=type(error).__name__)
            await asyncio.sleep(EXPIRE_SECONDS)

    # -- what the listeners ask --------------------------------------------------------------------------------------

    def admit(self) -> Reply | None:
        """451 while the next hop's circuit is open: what could not be answered is better not begun."""
        return NEXT_HOP_DOWN if self._open_circuit(DEFAULT_ROUTE) else None

    def _open_circuit(self, route: str) -> bool:
        return self._delivery.circuit(route) == "open"

    def reserve(self, size: int) -> Share | None:
        return self._budget.reserve(size)

    def extensions(self) -> frozenset[str]:
        return self._delivery.extensions(DEFAULT_ROUTE) & {"8BITMIME", "SMTPUTF8", "DSN"}

    async def went_on(self, key: str) -> None:
        await self._committer.went_on(key)

    def verify_release(self, text: str) -> Mapping[str, Any] | None:
        try:
            return token.verify(text, self._release_key, time.time())
        except token.BadToken:
            log.warning("release.bad-token")
            return None


class Door:
    """What one listener sees of the gateway (``gateway.inbound.intake.Intake``)."""

    def __init__(self, gateway: Gateway, kind: str) -> None:
        self._gateway, self._kind = gateway, kind
        self._closing: set[asyncio.Task[None]] = set()

    def admit(self, envelope_size: int | None) -> Reply | None:
        return self._gateway.admit()

    def reserve(self, size: int) -> Share | None:
        return self._gateway.reserve(size)

    def extensions(self) -> frozenset[str]:
        return self._gateway.extensions()

    def known_as(self, digest: str) -> str:
        return self._gateway.twins.enter(digest)

    def left(self, key: str) -> None:
        self._gateway.twins.left(key)

    async def message(self, received: Received) -> list[Reply]:
        replies = await self._gateway.take(received, self._kind)
        if any(reply.code // 100 == 4 for reply in replies):
            self._gateway.twins.comes_again(received.key)
        return replies

    def went_on(self, key: str) -> None:
        self._gateway.twins.went_on(key)
        task = asyncio.ensure_future(self._gateway.went_on(key))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def verify_release(self, text: str, envelope: Envelope) -> Mapping[str, Any] | None:
        return self._gateway.verify_release(text)


def _policy(spec: Mapping[str, Any], known: Known | None = None) -> Policy:
    return load_policy({name: text.encode() for name, text in spec["policy"].items()}, known)


def _rules(policy: Policy) -> frozenset[str]:
    """What may stand in a metric's label: the rules there are, never a word of a compute process."""
    return frozenset(rule.id for rule in policy.rules) | {FLOOR, GUARD, "internal-error", "poison"}


def _chore_ended(chore: asyncio.Task[None]) -> None:
    """A chore ends only when the gateway does; if not, that is said: policies would never be taken up again."""
    if not chore.cancelled() and (error := chore.exception()) is not None:
        log.error("chore.ended", error=type(error).__name__)
