"""The packaged installation in a folder: users, folders and credentials made from the shipped sysusers.d, tmpfiles.d and units.

Each program runs as its own user, with the umask, the group and the credentials that its unit gives it.  What systemd itself
would add (mount namespaces, system call filters) is not there.  Needs root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gateway.config import load
from gateway.demo.setup import Ports, prepare
from tests.support.installation import free_port, until
from tests.support.needs import missing, needs
from tests.support.paths import ROOT

SYSTEMD = ROOT / "systemd"
MOVED = ("/etc/clinigate", "/var/lib/clinigate", "/run/clinigate")
PROGRAMS = ("gateway", "quarantine")


@dataclass(frozen=True)
class User:
    name: str
    uid: int
    gid: int


def unit(name: str) -> dict[str, list[str]]:
    """option -> values of a shipped unit, in order; sections thrown together."""
    found: dict[str, list[str]] = {}
    for line in (SYSTEMD / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


class TwoUsers:
    """``root``: a folder that everybody may enter; it becomes ``/`` for the shipped files."""

    def __init__(self, root: Path) -> None:
        needs("systemd-sysusers", "systemd-tmpfiles", "setpriv")
        if os.geteuid() != 0:
            missing("root (two users are needed)")
        self.root = root
        for folder in ("etc", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d"):
            (root / folder).mkdir(parents=True)
        for kind in ("sysusers", "tmpfiles"):
            shutil.copy(SYSTEMD / f"{kind}.d" / "clinigate.conf", root / "usr/lib" / f"{kind}.d")
        self._run("systemd-sysusers", f"--root={root}")
        self._run("systemd-tmpfiles", f"--root={root}", "--create")
        lines = [line.split(":") for line in (root / "etc/passwd").read_text().splitlines()]
        self.users = {name: User(name, int(uid), int(gid)) for name, _, uid, gid, *_ in lines}
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        self.ports = Ports(free_port(), free_port(), free_port())
        self.other = free_port()
        self.python = next(filter(self._usable, (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}")), "")
        if not self.python:
            missing("a Python and a checkout that other users may read")

    def _usable(self, python: str) -> bool:
        """Can another user run it, and start it again as the gateway starts its compute processes?"""
        readable = f"import pydantic; open({str(ROOT / 'gateway' / 'cli.py')!r}).close()"
        again = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {readable!r}]))"
        probe = self.popen("gateway", [python, "-c", again], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return probe.wait(60) == 0

    def user(self, program: str) -> User:
        return self.users[unit(f"clinigate-{program}.service")["User"][0]]

    def path(self, absolute: str) -> Path:
        return self.root / absolute.lstrip("/")

    @property
    def config(self) -> Path:
        return self.path("/etc/clinigate/clinigate.yaml")

    def install(self) -> None:
        """Keys as root makes them, the demo's policy, the example configuration with this folder's paths and ports."""
        self._run(sys.executable, "-m", "gateway.cli", "keygen", str(self.path("/etc/clinigate/keys")))
        prepare(self.root / "demo", self.ports)
        shutil.copytree(self.root / "demo/policies", self.path("/etc/clinigate/policies"), dirs_exist_ok=True)
        shutil.rmtree(self.root / "demo")
        told = self._moved(load(SYSTEMD / "clinigate.yaml").model_dump(mode="json"))
        told["hostname"] = "gateway.clinic.example"
        for listener, port in zip(told["listeners"], (self.ports.gateway, self.other), strict=True):
            listener["port"] = port
        told["listeners"][0] |= {"kind": "submission", "protocol": "SMTP"}
        for route in told["routes"].values():
            route["port"] = self.ports.mailbox
        told["metrics"]["port"] = self.ports.metrics
        told["limits"]["compute_processes"] = 1
        told["quarantine"] |= {"poll": 0.3, "merge_window": 1, "snapshot_every": 1, "relay": {"port": self.ports.mailbox}}
        told["quarantine"]["reviewers"] = {"ig": ["root"], "mail_admin": ["root"]}
        self.config.write_text(yaml.safe_dump(told, sort_keys=False))
        self._run("systemd-tmpfiles", f"--root={self.root}", "--create")  # modes of what was made since
        for program in PROGRAMS:
            self._credentials(program)

    def change(self, **quarantine: Any) -> None:
        """Change options of the quarantine service."""
        told = yaml.safe_load(self.config.read_text())
        told["quarantine"] |= quarantine
        self.config.write_text(yaml.safe_dump(told, sort_keys=False))

    def _moved(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._moved(one) for key, one in value.items() if one is not None}
        if isinstance(value, list):
            return [self._moved(one) for one in value]
        return str(self.path(value)) if isinstance(value, str) and value.startswith(MOVED) else value

    def _credentials(self, program: str) -> None:
        """What LoadCredential= does: a copy for this user alone."""
        name, user = f"clinigate-{program}.service", self.user(program)
        folder = self.path(f"/run/credentials/{name}")
        folder.mkdir(parents=True)
        for line in unit(name)["LoadCredential"]:
            credential, _, source = line.partition(":")
            shutil.copy(self.path(source), folder / credential)
            os.chown(folder / credential, user.uid, user.gid)
            (folder / credential).chmod(0o400)
        os.chown(folder, user.uid, user.gid)
        folder.chmod(0o500)

    def popen(self, program: str, command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a command as the user, group and umask of one program."""
        user = self.user(program)
        became = [
            "setpriv",
            f"--reuid={user.uid}",
            f"--regid={user.gid}",
            "--clear-groups",
            "--no-new-privs",
            "--bounding-set=-all",
        ]
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(ROOT), sysconfig.get_path("purelib"))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": "/nonexistent",
            "CREDENTIALS_DIRECTORY": str(self.path(f"/run/credentials/clinigate-{program}.service")),
        }
        umask = int(unit(f"clinigate-{program}.service")["UMask"][0], 8)
        return subprocess.Popen([*became, *command], env=env, umask=umask, cwd="/", stdin=subprocess.DEVNULL, **options)

    def as_user(self, program: str, script: str) -> bool:
        """Can this program's user do what a shell command does?"""
        return self.popen(program, ["sh", "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait(20) == 0

    def start(self, program: str) -> None:
        with (self.root / f"{program}.log").open("ab") as log:
            command = [self.python, "-m", "gateway.cli", "serve", program, "--config", str(self.config)]
            self.programs[program] = self.popen(program, command, stdout=log, stderr=log)

    def stop(self) -> None:
        for program in self.programs.values():
            program.terminate()
        for program in self.programs.values():
            program.wait(30)
        self.programs.clear()

    def log(self, program: str) -> str:
        return (self.root / f"{program}.log").read_text()

    def await_up(self) -> None:
        heartbeat = self.path("/var/lib/clinigate/quarantine/heartbeat.json")
        release = self.path("/run/clinigate/release.sock")

        def up() -> bool:
            for name, program in self.programs.items():
                assert program.poll() is None, f"{name} ended:\n{self.log(name)}"
            return heartbeat.exists() and release.exists()

        until(up, "both programs", 40)
        time.sleep(0.2)

    def _run(self, *command: str) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
