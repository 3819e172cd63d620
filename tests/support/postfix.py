"""A real Postfix in a folder of its own: own configuration, queue and log, Debian's master.cf, Maildirs.  Needs root.

It is set up with the commands that docs/howto-postfix.md shows, word for word but for folders and ports (``MAIL_CONFIG`` tells
postconf, postfix, postqueue and postsuper which instance is meant).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from tests.support.installation import free_port, listening, until
from tests.support.needs import missing, needs, needs_path
from tests.support.paths import ROOT

HOWTO = ROOT / "docs" / "howto-postfix.md"
SNIPPETS = ("main.cf.clinigate", "master.cf.clinigate")
TESTED = re.compile(r"<!-- tested: ([\w-]+) -->\n+```(\w+)\n(.*?)```", re.DOTALL)
SHIPPED_PORTS = (10024, 10025, 10026, 10027)
UNPRIVILEGED = 65534  # owns the Maildirs
FOLDER = "/etc/postfix"


def howto(name: str) -> str:
    """One tested block of the how-to."""
    found = {label: text for label, _, text in TESTED.findall(HOWTO.read_text("utf-8"))}
    return found[name]


class Postfix:
    """``ports``: 25, 465, 587 (submission) and the four of the snippet -> the port used here."""

    def __init__(self, folder: Path, addresses: Iterable[str]) -> None:
        """Debian's defaults and one Maildir for each of ``addresses``; everybody must be able to enter ``folder``."""
        needs("postfix", "postconf", "postqueue", "postsuper")
        if os.geteuid() != 0:
            missing("root (Postfix starts as root)")
        proto = needs_path(Path("/etc/postfix/master.cf.proto"))
        self.folder, self.addresses = folder, tuple(addresses)
        self.config, self.queue, self.maildirs = folder / "etc", folder / "queue", folder / "mail"
        self.ports = {port: free_port() for port in (25, 465, 587, *SHIPPED_PORTS)}
        for path in (self.config, self.queue, folder / "data", self.maildirs):
            path.mkdir()
        shutil.chown(folder / "data", "postfix")
        os.chown(self.maildirs, UNPRIVILEGED, UNPRIVILEGED)
        (self.config / "master.cf").write_text(
            re.sub(r"^smtp( +)inet", rf"127.0.0.1:{self.ports[25]}\1inet", proto.read_text(), flags=re.MULTILINE)
        )
        (self.config / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in self._main().items()))
        (self.config / "maildirs").write_text("".join(f"{one} {one}/Maildir/\n" for one in self.addresses))
        self.command("postconf", "-F", "*/*/chroot=n")  # no copies of /etc in the queue folder
        self._snippets()

    def _main(self) -> dict[str, str]:
        return {
            "compatibility_level": "3.6",
            "queue_directory": str(self.queue),
            "data_directory": str(self.folder / "data"),
            "maillog_file": str(self.folder / "maillog"),
            "maillog_file_prefixes": str(self.folder),
            "myhostname": "mta.clinic.example",
            "mydestination": "",
            "alias_maps": "",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8",
            "virtual_mailbox_domains": ", ".join(sorted({one.partition("@")[2] for one in self.addresses})),
            "virtual_mailbox_base": str(self.maildirs),
            "virtual_mailbox_maps": f"texthash:{self.config}/maildirs",
            "virtual_uid_maps": f"static:{UNPRIVILEGED}",
            "virtual_gid_maps": f"static:{UNPRIVILEGED}",
            "smtp_dns_support_level": "disabled",
        }

    def _snippets(self) -> None:
        """The shipped files with this instance's ports and folders, where the how-to's commands look for them."""
        shelf = self.folder / "systemd" / "postfix"
        shelf.mkdir(parents=True)
        for name in SNIPPETS:
            (shelf / name).write_text(self.here((ROOT / "systemd" / "postfix" / name).read_text()))

    def here(self, text: str) -> str:
        """Shipped or documented text with this instance's ports and folders."""
        for shipped in SHIPPED_PORTS:
            text = text.replace(str(shipped), str(self.ports[shipped]))
        for name, port in (("submission", self.ports[587]), ("submissions", self.ports[465])):
            text = re.sub(rf"^{name} inet", f"127.0.0.1:{port} inet", text, flags=re.MULTILINE)
        return text.replace(FOLDER, str(self.config))

    # -- commands ----------------------------------------------------------------------------------------------------

    def command(self, *words: str, text: str = "") -> str:
        """Run one command of Postfix on this instance; what it says.  Raises AssertionError when it fails."""
        done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=60, env=self._env(), cwd=self.folder)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}\n{self.log()[-3000:]}"
        return done.stdout + done.stderr

    def documented(self, name: str) -> str:
        """Run a tested block of the how-to."""
        old = self._clients_and_servers()
        said = self.command("sh", "-euc", self.here(howto(name)))
        if "postfix reload" in howto(name):
            self._settle(old)
        return said

    def _env(self) -> dict[str, str]:
        return {**os.environ, "MAIL_CONFIG": str(self.config), "LC_ALL": "C"}

    def set(self, **values: str) -> None:
        """``postconf -e``."""
        self.command("postconf", "-e", *(f"{name}={value}" for name, value in values.items()))

    def start(self) -> None:
        self.command("postfix", "start")
        self.await_port(self.ports[25])

    def stop(self) -> None:
        """Ends master and all its children; ``postfix stop`` waits for them."""
        if (self.queue / "pid" / "master.pid").exists() and "is running" in self._status():
            self.command("postfix", "stop")

    def _status(self) -> str:
        done = subprocess.run(["postfix", "status"], capture_output=True, text=True, env=self._env(), timeout=30)
        return (done.stdout + done.stderr + self.log()[-300:]) if done.returncode == 0 else ""

    def await_port(self, port: int, up: bool = True) -> None:
        until(lambda: listening(port) is up, f"Postfix {'' if up else 'not '}on port {port}", 20)

    def reload(self) -> None:
        """Take up the new configuration; what serves a connection goes on with the old one until that ends."""
        old = self._clients_and_servers()
        self.command("postfix", "reload")
        self._settle(old)

    def _clients_and_servers(self) -> list[psutil.Process]:
        pid = self.queue / "pid" / "master.pid"
        if not pid.exists() or not psutil.pid_exists(int(pid.read_text())):
            return []
        return [one for one in psutil.Process(int(pid.read_text())).children() if one.name() in ("smtp", "lmtp", "smtpd")]

    def _settle(self, old: list[psutil.Process]) -> None:
        """Idle processes end by themselves when told of a reload, but within that moment could still take one message."""
        until(lambda: not any(_idle(one) for one in old), "end of idle processes after the reload", 10)

    # -- what became of mail -----------------------------------------------------------------------------------------

    def mails(self, address: str, count: int = 0, seconds: float = 20) -> list[bytes]:
        """Everything delivered to one address, oldest first, with CRLF as it was on the wire; waits for ``count``."""

        def found() -> list[bytes] | None:
            paths = sorted((self.maildirs / address / "Maildir" / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
            return [path.read_bytes().replace(b"\n", b"\r\n") for path in paths] if len(paths) >= count else None

        if not count:
            return found() or []
        try:
            return until(found, f"{count} mails for {address}", seconds) or []
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.command('postqueue', '-p')}\n{self.log()[-4000:]}") from None

    def queued(self) -> list[dict[str, object]]:
        """``postqueue -j``."""
        return [json.loads(line) for line in self.command("postqueue", "-j").splitlines()]

    def await_queue(self, count: int, reason: str = "", seconds: float = 20) -> list[dict[str, object]]:
        """The queue once it holds ``count`` messages, each deferred with a reason that holds ``reason``."""
        end = time.monotonic() + seconds
        while True:
            rows = self.queued()
            if len(rows) == count and all(reason in json.dumps(row) for row in rows):
                return rows
            assert time.monotonic() < end, f"queue is not {count} with {reason!r}: {rows}\n{self.log()[-4000:]}"
            time.sleep(0.1)

    def log(self) -> str:
        path = self.folder / "maillog"
        return path.read_text("utf-8", "replace") if path.exists() else ""


def _idle(process: psutil.Process) -> bool:
    """Alive and talking to nobody."""
    try:
        return not any(one.status == psutil.CONN_ESTABLISHED for one in process.net_connections("tcp"))
    except psutil.NoSuchProcess:
        return False


class Sasl:
    """Cyrus SASL with a password file of its own, for one ``Postfix``.  Every login has the same password."""

    PASSWORD = "correct-horse"

    def __init__(self, mta: Postfix, logins: tuple[str, ...]) -> None:
        needs("saslpasswd2")
        folder = mta.config / "sasl"  # where Debian's Postfix looks, whatever cyrus_sasl_config_path says
        folder.mkdir()
        database = folder / "sasldb2"
        (folder / "smtpd.conf").write_text(
            f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {database}\nmech_list: PLAIN LOGIN\n"
        )
        for login in logins:
            name, _, realm = login.partition("@")
            mta.command("saslpasswd2", "-p", "-c", "-f", str(database), "-u", realm, name, text=self.PASSWORD)
        shutil.chown(database, "postfix")
        mta.set(smtpd_sasl_type="cyrus", smtpd_sasl_path="smtpd")
