"""The three systems that are compared, each started once in front of the same sink."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from gateway.demo.setup import Ports
from tests.bench import meter
from tests.support.installation import PROGRAMS, Installation, free_port, listening, until

PATIENCE = 20.0  # and is not waited for longer than this


class System(ABC):
    """``port`` takes mail; ``roots`` are the processes whose trees handle it, ``helpers`` those that work afterwards."""

    name: str
    port: int
    quiet = 0.4  # it is at rest when it has used next to nothing for so many seconds

    @property
    @abstractmethod
    def roots(self) -> Sequence[int]: ...

    @property
    def helpers(self) -> Sequence[int]:
        return ()

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def rest(self) -> None:
        """Wait until everything that a burst left to do is done: it belongs to the burst that caused it."""
        until_ = time.monotonic() + PATIENCE
        while time.monotonic() < until_:
            before = meter.cpu((*self.roots, *self.helpers))
            time.sleep(self.quiet)
            if meter.cpu((*self.roots, *self.helpers)) - before <= 0.1 * self.quiet and not self.backlog():
                return

    def backlog(self) -> int:
        """Things still to be done."""
        return 0


class Bare(System):
    """Stock aiosmtpd and smtplib (``bare_relay.py``)."""

    name = "bare"

    def __init__(self, sink: int) -> None:
        program = str(Path(__file__).with_name("bare_relay.py"))
        self._process = subprocess.Popen([sys.executable, program, str(sink)], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    @property
    def roots(self) -> Sequence[int]:
        return (self._process.pid,)

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=10)


class Postfix(System):
    """Debian's Postfix with its defaults: smtpd, queue on disk, smtp clients towards the sink.  Needs root, as Postfix does."""

    name = "postfix"

    def __init__(self, folder: Path, sink: int) -> None:
        self.port = free_port()
        self._queue, config = folder / "queue", folder / "etc"
        for path in (folder, config, self._queue, folder / "data"):
            path.mkdir()
        shutil.chown(folder / "data", "postfix")
        self._env = {**os.environ, "MAIL_CONFIG": str(config), "LC_ALL": "C"}
        shipped = Path("/etc/postfix/master.cf.proto").read_text()
        (config / "master.cf").write_text(re.sub(r"^smtp( +)inet", rf"127.0.0.1:{self.port}\1inet", shipped, flags=re.M))
        (config / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in self._main(folder, sink).items()))
        self._command("postconf", "-F", "*/*/chroot=n")  # no copies of /etc in the queue folder
        self._command("postfix", "start")
        self._master = int((self._queue / "pid" / "master.pid").read_text())
        until(lambda: listening(self.port), "start of Postfix")

    @staticmethod
    def _main(folder: Path, sink: int) -> dict[str, str]:
        return {
            "compatibility_level": "3.6",
            "queue_directory": str(folder / "queue"),
            "data_directory": str(folder / "data"),
            "maillog_file": str(folder / "maillog"),
            "maillog_file_prefixes": str(folder),
            "myhostname": "mta.clinic.example",
            "mydestination": "",
            "alias_maps": "",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8",
            "relayhost": f"[127.0.0.1]:{sink}",
            "smtp_dns_support_level": "disabled",
            "message_size_limit": "60000000",
        }

    @property
    def roots(self) -> Sequence[int]:
        return (self._master,)

    def backlog(self) -> int:
        return sum(1 for part in ("incoming", "active", "deferred") for path in (self._queue / part).rglob("*") if path.is_file())

    def close(self) -> None:
        self._command("postfix", "stop")

    def _command(self, *words: str) -> None:
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=self._env)
        if done.returncode:
            raise OSError(f"{' '.join(words)}: {done.stdout}{done.stderr}")


class Clinigate(System):
    """Gateway in enforce with everything on, as ``clinigate serve`` runs it, and the quarantine service beside it."""

    name = "clinigate"
    quiet = 2.5  # the quarantine service looks for work every second, and notices wait another one to be merged

    def __init__(self, folder: Path, sink: int, notices: int, logos: Sequence[str], *, quarantine: bool = True) -> None:
        listener = {"name": "bench", "kind": "relay", "protocol": "SMTP", "port": free_port(), "vouches": "envelope-sender"}
        self.site = Installation(
            folder,
            mailbox=False,
            ports=Ports(int(str(listener["port"])), free_port(), sink),
            listeners=[listener],
            limits={"compute_processes": 0},
            quarantine={"relay": {"port": notices}, "poll": None, "snapshot_every": None},  # as shipped; the demo hurries
        )
        self.port = self.site.port
        self.site.policy(settings={"known_logos": list(logos)})
        _approve(folder / "policies" / "domains.yaml", "practice.example")
        try:
            self.site.start(*(PROGRAMS if quarantine else PROGRAMS[:1]))
        except BaseException:
            self.site.close()
            raise

    @property
    def roots(self) -> Sequence[int]:
        return (self.site.programs["gateway"].pid,)

    @property
    def helpers(self) -> Sequence[int]:
        return [self.site.programs["quarantine"].pid] if "quarantine" in self.site.programs else []

    def backlog(self) -> int:
        """Sealed objects that the quarantine service has not taken in yet."""
        incoming = self.site.folder / "store" / "incoming"
        return len(os.listdir(incoming)) if self.helpers and incoming.exists() else 0

    def close(self) -> None:
        self.site.close()


def _approve(register: Path, domain: str) -> None:
    """A further approved domain, to be reached over the secure route like the register's first."""
    told: dict[str, list[dict[str, Any]]] = yaml.safe_load(register.read_text())
    told["domains"].append({**told["domains"][0], "domain": domain})
    register.write_text(yaml.safe_dump(told, sort_keys=False))
