"""A next hop on a fixed port whose manners change while it runs.

``manners`` maps a verb (``connect``, ``ehlo``, ``mail``, ``rcpt``, ``data``, ``final``, or ``rcpt <address>``) to what it is
answered instead: a reply line, or one of ``DROP`` (closes), ``HANG`` (says nothing), ``GARBAGE``.  What is taken is kept, by
recipient.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping

DROP, HANG, GARBAGE = "drop", "hang", "garbage"
NOISE = b"\xff\x00 what?\r\n250 hm\r\n\r\n"
HONEST = {"connect": "220 next.example ESMTP", "data": "354 go on", "quit": "221 bye"}


class _Dropped(Exception):
    pass


class Troublesome:
    """``with Troublesome(port) as hop:`` listens until the block ends; ``stop`` and ``start`` make it dead and alive."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.manners: dict[str, str] = {}
        self.taken: dict[str, list[bytes]] = defaultdict(list)
        self.seen: list[bytes] = []  # every message whose final dot came, taken or not
        self._server: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()

    def __enter__(self) -> Troublesome:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._ended.clear()
        server = socket.create_server(("127.0.0.1", self.port))
        self._server = server
        self._run(self._accept, server)

    def stop(self) -> None:
        """Dead: nobody listens, open connections are cut."""
        self._ended.set()
        if self._server is not None:
            with contextlib.suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self._server = None
        self.cut()
        for thread in self._threads:
            thread.join(10)
        self._threads.clear()

    def cut(self) -> None:
        """End every open connection, so that the next message meets new manners from the greeting on."""
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def behaving(self, manners: Mapping[str, str]) -> Iterator[None]:
        self.manners = dict(manners)
        if not {"connect", "ehlo"}.isdisjoint(manners):
            self.cut()
        try:
            yield
        finally:
            self.manners = {}

    def _run(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]  # any of ours
        self._threads.append(thread)
        thread.start()

    def _accept(self, server: socket.socket) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            self._open.add(connection)
            self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, contextlib.suppress(_Dropped, OSError):
            self._say(connection, "connect")
            wanted: list[str] = []
            while line := lines.readline():
                verb = line.split(b" ")[0].strip().decode("ascii", "replace").lower()
                if verb == "ehlo":
                    self._say(connection, "ehlo", "250-next.example\r\n250-8BITMIME\r\n250 SIZE 70000000")
                elif verb == "rcpt":
                    address = line.partition(b"<")[2].partition(b">")[0].decode()
                    if self._say(connection, f"rcpt {address}", self.manners.get("rcpt", "250 ok")).startswith("250"):
                        wanted.append(address)
                elif verb == "data":
                    if self._say(connection, "data").startswith("354"):
                        self._take(connection, lines, wanted)
                    wanted = []
                else:
                    self._say(connection, verb)
                if verb == "quit":
                    break
        self._open.discard(connection)

    def _take(self, connection: socket.socket, lines: object, wanted: list[str]) -> None:
        body = bytearray()
        while (line := lines.readline()) != b".\r\n":  # type: ignore[attr-defined]  # a socket's file
            if not line:
                raise _Dropped
            body += line[1:] if line.startswith(b".") else line
        self.seen.append(bytes(body))
        final = self.manners.get("final", "250 2.0.0 taken")
        if final.startswith("250") or final == f"{DROP} taken":
            for address in wanted:
                self.taken[address].append(bytes(body))
        self._say(connection, "final", "250 2.0.0 taken")

    def _say(self, connection: socket.socket, verb: str, default: str = "") -> str:
        answer = self.manners.get(verb) or default or HONEST.get(verb, "250 ok")
        if answer.startswith(DROP):
            raise _Dropped
        if answer == HANG:
            self._ended.wait(30)
            raise _Dropped
        if answer == GARBAGE:
            connection.sendall(NOISE)
            return answer
        connection.sendall(answer.encode() + b"\r\n")
        return answer
