"""Run a command in a network of its own whose only name server knows our TXT records.

    unshare -r -m -n python -m tests.support.with_dns RECORDS.json COMMAND...

For judges that cannot be given a DKIM key but through DNS.  Loopback is the only interface in that network.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.support.needs import missing, needs

ROOT = Path(__file__).resolve().parents[2]


def judged(folder: Path, records: dict[str, str], *command: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run ``command`` with ``data`` on its standard input; the test skips where no such network can be made."""
    needs("unshare", "ip", command[0])
    if subprocess.run(["unshare", "-r", "-m", "-n", "true"], capture_output=True).returncode:
        missing("a network namespace (unshare -r -m -n)")
    file = folder / "records.json"
    file.write_text(json.dumps(records))
    inside = ["unshare", "-r", "-m", "-n", sys.executable, "-m", "tests.support.with_dns", str(file), *command]
    return subprocess.run(inside, input=data, capture_output=True, cwd=ROOT, timeout=60)


def answer(query: bytes, records: dict[str, str]) -> bytes:
    """The reply to one DNS query."""
    asked = dns.message.from_wire(query)
    reply = dns.message.make_response(asked)
    reply.flags |= dns.flags.RA | dns.flags.AA
    name = asked.question[0].name
    text = records.get(name.to_text(omit_final_dot=True).lower())
    if text is None:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    else:
        strings = " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", strings))
    return reply.to_wire()


def serve(server: socket.socket, records: dict[str, str]) -> None:
    while True:
        query, client = server.recvfrom(4096)
        server.sendto(answer(query, records), client)


def main(records_file: str, *command: str) -> int:
    records = json.loads(Path(records_file).read_text())
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as resolv:
        resolv.write("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
        resolv.flush()
        subprocess.run(["mount", "--bind", resolv.name, "/etc/resolv.conf"], check=True)
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 53))
        threading.Thread(target=serve, args=(server, records), daemon=True).start()
        return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
