"""The web form behind a real nginx, with the configuration as shipped: TLS in front, loopback behind, no link in any log."""

from __future__ import annotations

import os
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from quarantine.form.app import make_app
from quarantine.form.server import FormServer
from quarantine.model import State
from tests.support import certs
from tests.support.formkit import FormWorld, nonce_of, secret_of
from tests.support.installation import free_port, listening, until
from tests.support.needs import needs
from tests.support.paths import ROOT

pytestmark = pytest.mark.e2e

SHIPPED = ROOT / "systemd" / "nginx" / "clinigate-form.conf"


@dataclass
class Front:
    """nginx and what stands behind it."""

    folder: Path
    port: int
    form: FormWorld

    def ask(self, path: str, fields: dict[str, str] | None = None, host: str = "") -> tuple[int, str, dict[str, str]]:
        """A request over verified TLS."""
        trusting = ssl.create_default_context(cadata=certs.authority().pem.decode())
        asked = urllib.request.Request(f"https://localhost:{self.port}{path}", urlencode(fields).encode() if fields else None)
        if host:
            asked.add_header("Host", host)
        try:
            with urllib.request.urlopen(asked, timeout=20, context=trusting) as got:
                return got.status, got.read().decode(), {name.lower(): value for name, value in got.headers.items()}
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), {}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    needs("nginx")
    folder = tmp_path_factory.mktemp("nginx")
    port, behind = free_port(), free_port()
    form = FormWorld(folder / "form", url=f"https://localhost:{port}/clinigate", port=behind)
    server = FormServer(make_app(form.office, form.options), form.options)
    certificate, key = certs.server(issuer=certs.authority(), dns=("localhost",)).write(folder, "answers")
    config = folder / "nginx.conf"
    config.write_text(whole(folder, adapted(port, behind, certificate, key, folder)))
    subprocess.run(["nginx", "-t", "-c", str(config)], check=True, capture_output=True)
    nginx = subprocess.Popen(["nginx", "-c", str(config), "-g", "daemon off;"])
    until(lambda: listening(port), "nginx")
    yield Front(folder, port, form)
    nginx.terminate()
    nginx.wait(20)
    server.stop()


def adapted(port: int, behind: int, certificate: Path, key: Path, folder: Path) -> str:
    """The shipped file with this machine's names, as its reader would fill them in; nothing else is changed."""
    text = SHIPPED.read_text()
    for old, new in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"), ("    listen [::]:443 ssl;\n", ""),
        ("answers.clinic.example", "localhost"), ("127.0.0.1:9465", f"127.0.0.1:{behind}"),
        ("/etc/nginx/tls/answers.pem", str(certificate)), ("/etc/nginx/tls/answers.key", str(key)),
        ("/var/log/nginx/clinigate-form.log", str(folder / "form.log")),
    ):  # fmt: skip
        assert old in text, old
        text = text.replace(old, new)
    return text


def whole(folder: Path, site: str) -> str:
    """What Debian's nginx.conf has around a site: its access log is on."""
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    return (
        f"{user} pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1; events {{}}\n"
        f"http {{ access_log {folder}/access.log; {temporary}\n{site}\n}}\n"
    )


def test_the_page_opens_and_answers_through_it(front: Front) -> None:
    path = front.form.hold("through").partition(f"{front.port}")[2]
    status, page, headers = front.ask(path)
    assert status == 200 and "Your email is waiting" in page
    assert headers["cache-control"] == "no-store" and headers["strict-transport-security"]
    status, page, _ = front.ask(path, {"nonce": nonce_of(page), "answer": "VERBAL"})
    assert status == 200 and "We are sending it now" in page
    assert front.form.row("through").state is State.RELEASING


def test_neither_log_holds_a_link(front: Front) -> None:
    path = front.form.hold("logged").partition(f"{front.port}")[2]
    front.ask(path)
    front.ask(path[:-1])
    front.ask(path, {"a": "x" * 10_000})
    for log in front.folder.glob("*.log"):
        assert secret_of(path)[:-1] not in log.read_text(), log.name


def test_nothing_else_is_reached_through_it(front: Front) -> None:
    """Not even the form's own health page."""
    for path in ("/", "/healthz", "/clinigate", "/etc/passwd"):
        assert front.ask(path)[0] in (301, 404)
    assert front.ask("/clinigate/x")[0] == 404


def test_a_body_too_large_ends_at_the_front(front: Front) -> None:
    path = front.form.hold("large").partition(f"{front.port}")[2]
    assert front.ask(path, {"told": "x" * 20_000})[0] == 413


def test_clients_are_told_apart_by_what_nginx_says(front: Front) -> None:
    """Twenty wrong links of one client; nobody can pretend to be another by a header of his own."""
    codes = []
    for number in range(25):
        asked = urllib.request.Request(
            f"https://localhost:{front.port}/clinigate/wrong", headers={"X-Forwarded-For": f"10.0.0.{number}"}
        )
        trusting = ssl.create_default_context(cadata=certs.authority().pem.decode())
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(asked, timeout=20, context=trusting)
        codes.append(caught.value.code)
        caught.value.close()
    assert codes[-1] == 429
