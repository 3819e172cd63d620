"""The shipped units, users, folders and example configuration, judged by systemd's own tools and by two real users."""

from __future__ import annotations

import json
import os
import re
import smtplib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from gateway.demo.mailbox import Mailbox
from gateway.demo.samples import COLLEAGUE, SAMPLES, SENDER, STRANGER
from tests.support.installation import Installation, free_port, listening, until
from tests.support.needs import needs
from tests.support.paths import ROOT
from tests.support.twousers import PROGRAMS, SYSTEMD, TwoUsers, unit

pytestmark = pytest.mark.e2e

UNITS = sorted(path.name for path in SYSTEMD.iterdir() if path.suffix in (".service", ".socket", ".timer"))
EXECUTABLE = "/opt/clinigate/bin/clinigate"
EXPOSURE = 1.5  # of systemd's scale, 0 to 10, as 15 tenths; "OK" ends at 4


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with an executable that exists here."""
    for name in UNITS:
        (tmp_path / name).write_text((SYSTEMD / name).read_text().replace(EXECUTABLE, sys.executable))
    return tmp_path


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter."""
    with tempfile.TemporaryDirectory(prefix="clinigate-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_systemd_accepts_the_units(units: Path) -> None:
    needs("systemd-analyze")
    done = subprocess.run(["systemd-analyze", "verify", *(str(units / name) for name in UNITS)], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("program", [*PROGRAMS, "alarm", "daily"])
def test_the_sandbox_of_each_program_is_tight(units: Path, program: str) -> None:
    needs("systemd-analyze")
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            f"--threshold={int(EXPOSURE * 10)}",
            str(units / f"clinigate-{program}.service"),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_the_sockets_are_the_listeners_of_the_example() -> None:
    """Name and port of each socket unit are those of a listener, so that the files fit together as shipped."""
    told = yaml.safe_load((SYSTEMD / "clinigate.yaml").read_text())
    shipped = {}
    for name in unit("clinigate-gateway.service")["Sockets"][0].split():
        shipped |= {unit(name)["FileDescriptorName"][0]: unit(name)["ListenStream"][0]}
    assert shipped == {one["name"]: f"127.0.0.1:{one['port']}" for one in told["listeners"]}


def test_the_units_pass_no_private_key_to_the_gateway() -> None:
    given = {line.partition(":")[0] for line in unit("clinigate-gateway.service")["LoadCredential"]}
    assert given == {"release.key", "hash.key"}


def test_check_says_of_a_bare_example_what_to_make_and_where(tmp_path: Path) -> None:
    """On a machine with nothing prepared: each fault is an error that names its place, and nothing is said of what is well."""
    config = tmp_path / "clinigate.yaml"
    text = (SYSTEMD / "clinigate.yaml").read_text()
    options = {"policy": "/etc/clinigate/policies", "release_socket": "/run/clinigate/release.sock"}
    for option, path in options.items():
        text = text.replace(f"\n#{option}: {path}", f"\n{option}: {tmp_path}{path}", 1)
    text = text.replace("/etc/clinigate/keys", f"{tmp_path}/keys")
    text = text.replace("10026", str(free_port())).replace("10027", str(free_port()))
    config.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "check", "--config", str(config)],
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    errors = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("error:")]
    assert (done.returncode, done.stderr) == (1, "")
    for told in ("policy.yaml", "release.key is missing; make one with `clinigate keygen`", "routes: default", "routes: secure"):
        assert any(told in line for line in errors), (told, done.stdout)
    assert re.search(r"^timeouts +ok$", done.stdout, re.MULTILINE) and "Traceback" not in done.stdout


def test_two_users_work_together_and_keep_out_of_each_others_folders(open_folder: Path) -> None:
    """From the shipped files alone: mail is delivered, held, told of and erased, and neither user can do more than its part."""
    site = TwoUsers(open_folder)
    site.install()
    site.change(retention={"content_days": 0})
    mailbox = Mailbox(open_folder / "mailbox", site.ports.mailbox)
    mailbox.start()
    try:
        for program in PROGRAMS:
            site.start(program)
        site.await_up()
        photo = next(sample for sample in SAMPLES if "subject tag" in sample.name)
        with smtplib.SMTP("127.0.0.1", site.ports.gateway, timeout=60) as client:
            client.sendmail(SENDER, [COLLEAGUE, STRANGER], photo.build())
        assert len(mailbox.mails(COLLEAGUE)) == 1
        ref = until(lambda: _held(site), "the hold, taken in by the quarantine service")
        until(lambda: mailbox.mails(SENDER), "the notice")
        until(lambda: site.path("/var/lib/clinigate/snapshot/snapshot.sqlite").exists(), "the snapshot")
        _boundaries(site)
        alarm = site.popen("quarantine", [site.python, "-m", "gateway.cli", "alarm", "--config", str(site.config)])
        assert alarm.wait(30) == 0
        daily = site.popen("quarantine", [site.python, "-m", "gateway.cli", "daily", "--config", str(site.config)])
        assert daily.wait(60) == 0  # it may read the policy and the gateway's versions, and write the outbox and reports
        _command(site, "hold", "refuse", ref, "domain.not-approved")
        assert _command(site, "check").count("error") == 0
        site.stop()
        site.start("quarantine")  # retention runs at the start: with 0 days the content goes now
        until(lambda: not list(site.path("/var/lib/clinigate/store/held").glob("*.hold*")), "erasure of the content", 20)
        assert "step-failed" not in site.log("quarantine")
    finally:
        site.stop()
        mailbox.stop()


def _command(site: TwoUsers, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments, "--config", str(site.config)],
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _held(site: TwoUsers) -> str:
    rows = json.loads(_command(site, "hold", "list", "--json"))
    return str(rows[0]["ref"]) if rows else ""


def _boundaries(site: TwoUsers) -> None:
    """Who can do what, tried with a shell as each user."""
    at = site.path
    may = {
        ("gateway", "w", "/var/lib/clinigate/store/incoming"): True,
        ("gateway", "w", "/var/lib/clinigate/gateway/journal"): True,
        ("gateway", "r", "/var/lib/clinigate/snapshot/snapshot.sqlite"): True,
        ("gateway", "r", "/etc/clinigate/keys/quarantine/online.pub"): True,
        ("gateway", "r", "/etc/clinigate/keys/quarantine/online.key"): False,
        ("gateway", "r", "/etc/clinigate/keys/quarantine/review.key"): False,
        ("gateway", "r", "/etc/clinigate/keys/release.key"): False,  # it has its own copy
        ("gateway", "r", "/run/credentials/clinigate-quarantine.service"): False,
        ("gateway", "r", "/var/lib/clinigate/store/held"): False,
        ("gateway", "r", "/var/lib/clinigate/quarantine"): False,
        ("gateway", "w", "/var/lib/clinigate/store"): False,
        ("gateway", "w", "/var/lib/clinigate/snapshot"): False,
        ("gateway", "w", "/etc/clinigate/policies"): False,
        ("quarantine", "w", "/var/lib/clinigate/store/incoming"): True,
        ("quarantine", "r", "/var/lib/clinigate/gateway/journal"): True,
        ("quarantine", "w", "/run/clinigate/release.sock"): True,
        ("quarantine", "w", "/var/lib/clinigate/gateway/journal"): False,
        ("quarantine", "w", "/var/lib/clinigate/gateway"): False,
        ("quarantine", "r", "/var/lib/clinigate/gateway"): False,
        ("quarantine", "r", "/run/credentials/clinigate-gateway.service"): False,
        ("quarantine", "w", "/etc/clinigate/policies"): False,
    }  # fmt: skip
    found = {key: site.as_user(key[0], f"test -{key[1]} '{at(key[2])}'") for key in may}
    assert found == may
    journal = next(at("/var/lib/clinigate/gateway/journal").glob("*.jsonl"))
    assert site.as_user("quarantine", f"cat '{journal}'") and not site.as_user("quarantine", f"echo >> '{journal}'")
    others = [path for path in site.path("/var/lib/clinigate").rglob("*") if path.is_file() and path.stat().st_mode & 0o007]
    assert others == [], "no file is open to everybody"


def _refused_calls() -> list[str]:
    """Every system call that the units' filter refuses, as systemd itself expands the sets."""
    (first, second) = unit("clinigate-gateway.service")["SystemCallFilter"]
    assert second.startswith("~") and unit("clinigate-quarantine.service")["SystemCallFilter"] == [first, second]
    sets = _call_sets()
    allowed = _expanded(first.split(), sets) | _expanded(["@default"], sets)
    return sorted(_expanded(["@known"], sets) - (allowed - _expanded(second.removeprefix("~").split(), sets)))


def _call_sets() -> dict[str, list[str]]:
    said = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True).stdout
    found: dict[str, list[str]] = {}
    for line in said.splitlines():
        if line.startswith("@"):
            found[name := line.strip()] = []
        elif line.startswith("    ") and not line.strip().startswith("#"):
            found[name].append(line.strip())
    return found


def _expanded(names: list[str], sets: dict[str, list[str]]) -> set[str]:
    return set().union(*(_expanded(sets[name], sets) if name.startswith("@") else {name} for name in names))


SANDBOX = """
import ctypes, os, sys
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit(77)
os.execv(sys.executable, [sys.executable, "-m", "gateway.cli", *sys.argv[1:]])
"""


def test_both_programs_work_inside_the_sandbox_of_the_units(tmp_path: Path) -> None:
    """SystemCallFilter, MemoryDenyWriteExecute, NoNewPrivileges and no capability: nothing that the work needs is refused.

    strace answers EPERM to what the filter refuses, as systemd would have the kernel do.
    """
    needs("setpriv", "strace", "systemd-analyze")
    launcher = tmp_path / "sandbox.py"
    launcher.write_text(SANDBOX)
    refused = ",".join(f"?{name}" for name in _refused_calls())
    inside = ["setpriv", "--no-new-privs", "--bounding-set=-all", "strace", "-f", "-qq", "-e", f"inject={refused}:error=EPERM"]
    site = Installation(tmp_path / "site")
    site.mailbox.start()  # type: ignore[union-attr]  # there unless told otherwise
    programs = []
    try:
        for name in PROGRAMS:
            with site.log_path(name).open("ab") as log:
                command = [*inside, "-o", str(tmp_path / f"{name}.strace"), sys.executable, str(launcher), "serve", name]
                env = {**os.environ, "PYTHONPATH": str(ROOT)}
                site.programs[name] = subprocess.Popen([*command, "--config", str(site.config)], stdout=log, stderr=log, env=env)
        until(lambda: listening(site.port) or site.programs["gateway"].poll() is not None, "the gateway")
        if site.programs["gateway"].poll() == 77:
            pytest.skip("this kernel has no PR_SET_MDWE (6.3)")
        for name in PROGRAMS:
            site.await_ready(name)
            programs += psutil.Process(site.programs[name].pid).children()
        for wanted in ("subject tag", "S/MIME", "three fates"):
            sample = next(sample for sample in SAMPLES if wanted in sample.name)
            assert site.send(sample.build(), sample.recipients)[0] == 250
        assert [fate["state"] for event in site.events() for fate in event["recipients"]] == [
            "delivered", "delivered", "delivered", "held", "refused",
        ]  # fmt: skip
        site.holds(1)
        until(lambda: any(STRANGER in mail.read_text() for mail in site.mails(SENDER)), "a notice about the held one")
    finally:
        for program in programs:
            program.terminate()
        site.close()
    for name in PROGRAMS:
        calls = (tmp_path / f"{name}.strace").read_text()
        # Memory policy is advice that OpenBLAS can do without; SQLite gives files away only when it runs as root, as here.
        assert set(re.findall(r"(\w+)\([^\n]*\(INJECTED\)", calls)) <= {"mbind", "fchown"}


def test_passed_sockets_are_served_and_a_restart_refuses_nobody(tmp_path: Path) -> None:
    """Under systemd's own activation tool the gateway starts with the first connection and answers on both sockets."""
    needs("systemd-socket-activate")
    first, second = free_port(), free_port()
    listeners = [
        {"name": "submitted", "port": first, "protocol": "LMTP", "vouches": "envelope-sender"},
        {"name": "other", "port": second, "protocol": "SMTP"},
    ]
    site = Installation(tmp_path, mailbox=False, listeners=listeners)
    with (tmp_path / "activate.log").open("wb") as log:
        activator = subprocess.Popen(
            ["systemd-socket-activate", f"--listen=127.0.0.1:{first}", f"--listen=127.0.0.1:{second}",
             "--fdname=submitted:other", f"--setenv=PYTHONPATH={ROOT}", sys.executable, "-m", "gateway.cli", "serve", "gateway",
             "--config", str(site.config)],
            stdout=log, stderr=log, cwd=tmp_path,
        )  # fmt: skip
    try:
        until(lambda: "Listening on" in (tmp_path / "activate.log").read_text(), "the sockets")
        with (
            socket.create_connection(("127.0.0.1", first), 30) as one,
            socket.create_connection(("127.0.0.1", second), 30) as two,
        ):
            for sock, word in ((one, b"LHLO x\r\n"), (two, b"EHLO x\r\n")):
                sock.settimeout(30)
                assert sock.recv(100).startswith(b"220 ")
                sock.sendall(word)
                assert sock.recv(1000).startswith(b"250")
    finally:
        activator.terminate()  # it has become the gateway
        assert activator.wait(30) == 0
        site.close()


def test_a_socket_unit_for_no_listener_or_another_port_is_an_error(tmp_path: Path) -> None:
    """Mail must not wait on a socket that nobody serves."""
    needs("systemd-socket-activate")
    port = free_port()
    for name, told in (("nobody", "no listener is named nobody"), ("demo", "its socket unit listens on")):
        site = Installation(tmp_path / name, mailbox=False)
        process = subprocess.Popen(
            ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", f"--fdname={name}", f"--setenv=PYTHONPATH={ROOT}",
             sys.executable, "-m", "gateway.cli", "serve", "gateway", "--config", str(site.config)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        )  # fmt: skip
        try:
            until(lambda: listening(port), "the socket")
            _, said = process.communicate(timeout=40)
        finally:
            process.kill()
        assert process.returncode == 1 and told in said


def test_the_service_manager_is_told_when_mail_is_taken_and_when_it_ends(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(40)
        site = Installation(tmp_path / "site", mailbox=False, env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        site.spawn("gateway")
        try:
            assert manager.recv(100) == b"READY=1"
            assert listening(site.port)
        finally:
            site.stop("gateway")
        assert manager.recv(100) == b"STOPPING=1"
        site.spawn("quarantine")
        try:
            assert manager.recv(100) == b"READY=1"
        finally:
            site.stop("quarantine")
