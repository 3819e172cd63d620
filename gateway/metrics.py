"""Prometheus metrics and the health endpoint.  Labels are ids and codes from our own tables, never anything of a message."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from gateway.model import Copy, Hold, Plan, Refusal, Reply
from gateway.plans import recorded

Health = Callable[[], Mapping[str, Any]]


class Metrics:
    """All metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.messages = Counter("clinigate_messages", "Messages answered", ["listener", "answer"], registry=self.registry)
        self.recipients = Counter("clinigate_recipients", "Recipients by fate and rule", ["fate", "rule"], registry=self.registry)
        self.seconds = Histogram(
            "clinigate_message_seconds",
            "Seconds from the final dot to our reply",
            buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 240),
            registry=self.registry,
        )
        self.bytes = Counter("clinigate_received_bytes", "Bytes of messages received", registry=self.registry)
        self.lost = Counter("clinigate_compute_lost", "Compute processes lost", ["why"], registry=self.registry)
        self.failures = Counter(
            "clinigate_commit_failures",
            "Messages answered 451 because something could not be made durable",
            registry=self.registry,
        )
        self.policy_failed = Gauge(
            "clinigate_policy_reload_failed",
            "1 while a new policy is broken and the old one stays in force",
            registry=self.registry,
        )
        self.circuit = Gauge(
            "clinigate_next_hop_circuit_open", "1 while mail is answered 451 at MAIL", ["route"], registry=self.registry
        )

    def decided(self, plan: Plan, replies: Sequence[Reply], rules: Collection[str]) -> None:
        """Count what was decided for each recipient; whoever is told to try again is counted then."""
        groups = (("sent", plan.copies), ("held", plan.holds), ("refused", plan.refusals))
        for fate, one in ((fate, one) for fate, group in groups for one in group):
            for index in one.recipients:
                if replies[index if len(replies) > 1 else 0].code // 100 != 4:
                    rule = _rule(plan, one, index)
                    self.recipients.labels(fate, rule if rule in rules else "other").inc()


def _rule(plan: Plan, one: Copy | Hold | Refusal, index: int) -> str:
    """The rule of a hold or refusal; of a copy, what the record says of its recipient."""
    if not isinstance(one, Copy):
        return one.rule
    return str(recorded(plan, index).get("rule") or plan.record.get("failure", ""))


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are not worth a log line."""


class Server:
    """GET /metrics and GET /healthz (200 when ``health()["ok"]``, else 503) on a thread of its own."""

    def __init__(self, metrics: Metrics, health: Health, host: str, port: int) -> None:
        exposition = make_wsgi_app(metrics.registry)

        def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if environ.get("PATH_INFO") == "/metrics":
                body: Iterable[bytes] = exposition(environ, start_response)
                return body
            if environ.get("PATH_INFO") != "/healthz":
                start_response("404 Not Found", [("Content-Type", "text/plain")])
                return [b"/metrics or /healthz\n"]
            status = health()
            start_response("200 OK" if status.get("ok") else "503 Service Unavailable", [("Content-Type", "application/json")])
            return [json.dumps(status).encode() + b"\n"]

        self._server = make_server(host, port, app, ThreadingWSGIServer, handler_class=_Quiet)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
