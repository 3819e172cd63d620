"""A whole Clinigate in a folder, run as an administrator runs it: ``clinigate serve gateway`` and ``clinigate serve quarantine``.

``with Installation(folder) as site:`` prepares what the demo prepares (keys, certificates, the shipped policy enforced, three
domains in the register), starts both programs and a mailbox behind them, and ends all of it afterwards.  Keyword arguments are
merged into clinigate.yaml; a value of None takes the key away::

    Installation(tmp_path, limits={"deadline_seconds": 20}, listeners=[{"name": "mta", "port": 0, ...}])

``mailbox=False`` leaves the next hop to the test: it is then expected on ``site.ports.mailbox``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import yaml

from gateway.demo.mailbox import Mailbox
from gateway.demo.samples import COLLEAGUE, SENDER
from gateway.demo.setup import Ports, prepare
from tests.support.paths import ROOT

T = TypeVar("T")

PROGRAMS = ("gateway", "quarantine")
START_SECONDS = 40.0  # a machine under load starts three interpreters
WAIT_SECONDS = 30.0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(where: int | str) -> bool:
    """Does anybody listen on this port of 127.0.0.1, or on this Unix socket?"""
    with socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET) as probe:
        probe.settimeout(1)
        return probe.connect_ex(where if isinstance(where, str) else ("127.0.0.1", where)) == 0


def until(condition: Callable[[], T], what: str, seconds: float = WAIT_SECONDS) -> T:
    """The first true value of ``condition``; AssertionError naming ``what`` when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        assert time.monotonic() < end, f"{what}: not within {seconds:g} s"
        time.sleep(0.05)


def merged(base: Any, change: Any) -> Any:
    """``base`` with ``change`` laid over it: mappings key by key (None removes), anything else replaced."""
    if not isinstance(base, dict) or not isinstance(change, Mapping):
        return change
    found = {key: value for key, value in base.items() if change.get(key, ...) is not None}
    return found | {key: merged(base.get(key), value) for key, value in change.items() if value is not None}


class Installation:
    """Folder, configuration and processes of one Clinigate.

    ``ports``: gateway (the first listener), metrics, mailbox (the next hop).  ``folder``: everything, as the demo lays it out:
    ``clinigate.yaml``, ``policies/``, ``keys/``, ``gateway/``, ``quarantine/``, ``store/``, ``mailbox/ADDRESS/NUMBER.eml``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        mailbox: bool = True,
        env: Mapping[str, str] | None = None,
        ports: Ports | None = None,
        **overrides: Any,
    ) -> None:
        """Prepares; starts nothing.  ``env``: more environment for the programs (``CLINIGATE_CRASH_AT`` and the like)."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self.ports = ports or Ports(free_port(), free_port(), free_port())
        self.config = prepare(self.folder, self.ports)
        self.env = dict(env or {})
        self.configure(**overrides)
        self.mailbox = Mailbox(self.folder / "mailbox", self.ports.mailbox) if mailbox else None
        self.programs: dict[str, subprocess.Popen[bytes]] = {}

    # -- configuration -----------------------------------------------------------------------------------------------

    def configure(self, **overrides: Any) -> None:
        """Merge into clinigate.yaml; read by the programs when they start."""
        _rewrite(self.config, overrides)

    def settings(self) -> dict[str, Any]:
        """clinigate.yaml as it stands."""
        found: dict[str, Any] = yaml.safe_load(self.config.read_text())
        return found

    def policy(self, **overrides: Any) -> None:
        """Merge into policies/policy.yaml; a running gateway takes it up within seconds (``policy.loaded`` in its log)."""
        _rewrite(self.folder / "policies" / "policy.yaml", overrides)

    # -- processes ---------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            if self.mailbox is not None:
                self.mailbox.start()
            self.start(*PROGRAMS)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End everything that runs."""
        self.stop(*reversed(list(self.programs)))
        if self.mailbox is not None:
            with contextlib.suppress(AttributeError):  # aiosmtpd's controller, never started
                self.mailbox.stop()

    def start(self, *names: str) -> None:
        """Start ``gateway``, ``quarantine`` or both, and wait until they work."""
        for name in names:
            self.spawn(name)
        for name in names:
            self.await_ready(name)

    def spawn(self, name: str, *, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start one program without waiting for it."""
        assert name not in self.programs, f"{name} is running"
        if name == "quarantine":
            (Path(self.settings()["quarantine"]["state"]) / "heartbeat.json").unlink(missing_ok=True)  # of an earlier life
        with self.log_path(name).open("ab") as log:
            self.programs[name] = subprocess.Popen(
                self._command("serve", name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env(env),
                cwd=self.folder,
            )
        return self.programs[name]

    def await_ready(self, name: str) -> None:
        """Until ``name`` works; AssertionError with its log when it does not."""
        program = self.programs[name]
        told = self.settings()
        heartbeat = Path(told["quarantine"]["state"]) / "heartbeat.json"

        def ready() -> bool:
            assert program.poll() is None, f"{name} ended at once:\n{self.log(name)}"
            if name == "quarantine":
                return heartbeat.exists()
            return listening(self.port) and listening(told["release_socket"])

        until(ready, f"start of {name}", START_SECONDS)

    def stop(self, *names: str, seconds: float = 30.0) -> None:
        """SIGTERM, as systemd would, and wait.  A program that does not end in time is killed, and that is an error."""
        late = []
        for name in names or tuple(self.programs):
            program = self.programs.pop(name)
            program.terminate()
            try:
                program.wait(seconds)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
                late.append(name)
        assert not late, f"did not end on SIGTERM within {seconds:g} s: {', '.join(late)}"

    def kill(self, name: str) -> None:
        """SIGKILL, as a power cut would.  Compute processes end by themselves when their parent is gone."""
        program = self.programs.pop(name)
        program.send_signal(signal.SIGKILL)
        program.wait()

    def restart(self, *names: str) -> None:
        self.stop(*names)
        self.start(*names)

    @property
    def port(self) -> int:
        """Port of the first listener."""
        return int(self.settings()["listeners"][0]["port"])

    # -- what came of it ---------------------------------------------------------------------------------------------

    def send(
        self, data: bytes, recipients: Sequence[str] = (COLLEAGUE,), sender: str = SENDER, port: int | None = None
    ) -> tuple[int, bytes]:
        """Hand one message to the gateway over SMTP; its final reply, also when it is a refusal."""
        with smtplib.SMTP("127.0.0.1", port or self.port, timeout=60) as client:
            client.ehlo()
            client.mail(sender)
            for recipient in recipients:
                code, text = client.rcpt(recipient)
                if code != 250:
                    return code, text
            return client.data(data)

    def events(self) -> list[dict[str, Any]]:
        """Everything in the gateway's journal, oldest first."""
        journal = Path(self.settings()["state"]) / "journal"
        lines = [line for segment in sorted(journal.glob("*.jsonl")) for line in segment.read_bytes().splitlines(keepends=True)]
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def event(self, seen: int = 0, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """The event after the first ``seen`` ones, waiting for it."""
        return until(lambda: self.events()[seen : seen + 1], "an event in the journal", seconds)[0]

    def mails(self, address: str, count: int = 0, seconds: float = WAIT_SECONDS) -> list[Path]:
        """What arrived in the mailbox for one address, oldest first; waits for ``count`` of them."""
        assert self.mailbox is not None, "this installation has no mailbox of its own"
        mailbox = self.mailbox
        until(lambda: len(mailbox.mails(address)) >= count, f"{count} mails for {address}", seconds)
        return mailbox.mails(address)

    def holds(self, count: int = 0, seconds: float = WAIT_SECONDS) -> list[dict[str, Any]]:
        """``clinigate hold list --all --json``; waits until there are ``count``."""

        def listed() -> list[list[dict[str, Any]]]:
            rows = json.loads(self.cli("hold", "list", "--all", "--json"))
            return [rows] if len(rows) >= count else []

        return until(listed, f"{count} holds", seconds)[0]

    def cli(self, *arguments: str, check: bool = True, env: Mapping[str, str] | None = None) -> str:
        """Run ``clinigate ARGUMENTS --config …``; standard output.  ``check``: a failure is an AssertionError with its texts."""
        done = self.run(*arguments, env=env)
        assert not check or done.returncode == 0, f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """The same, whatever its exit code."""
        return subprocess.run(
            self._command(*arguments), capture_output=True, text=True, timeout=120, env=self._env(env), cwd=self.folder
        )

    def log_path(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def log(self, name: str) -> str:
        """What a program wrote to standard output and error since the installation was made."""
        path = self.log_path(name)
        return path.read_text("utf-8", "replace") if path.exists() else ""

    # -- inside ------------------------------------------------------------------------------------------------------

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "gateway.cli", *arguments, "--config", str(self.config)]

    def _env(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), **self.env, **(more or {})}


def _rewrite(path: Path, overrides: Mapping[str, Any]) -> None:
    """Merge ``overrides`` into a YAML file, atomically: a running program may be reading it."""
    if not overrides:
        return
    fresh = path.with_suffix(".new")
    changed = merged(yaml.safe_load(path.read_text("utf-8")), overrides)
    fresh.write_text(yaml.safe_dump(changed, sort_keys=False, allow_unicode=True))
    fresh.replace(path)


@contextlib.contextmanager
def installation(folder: Path, **options: Any) -> Iterator[Installation]:
    """``Installation`` as a context manager function, for fixtures."""
    with Installation(folder, **options) as site:
        yield site
