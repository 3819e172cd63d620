"""Metrics and health over real HTTP; labels come from our own tables."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gateway.exitcheck import adopt
from gateway.metrics import Metrics, Server
from gateway.model import Copy, Hold, Plan, Refusal, Reply

pytestmark = pytest.mark.unit

OK, LATER, NO = Reply(250, "2.0.0", "ok"), Reply(451, "4.3.0", "later"), Reply(550, "5.7.1", "no")


class Running:
    def __init__(self) -> None:
        self.metrics = Metrics()
        self.health: Mapping[str, Any] = {"ok": True, "policy": "digest"}
        self.server = Server(self.metrics, lambda: self.health, "127.0.0.1", 0)

    def get(self, path: str, method: str = "GET") -> tuple[int, str, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers["Content-Type"], error.read().decode()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    made = Running()
    yield made
    made.server.close()


def test_metrics_are_told_in_prometheus_form(running: Running) -> None:
    running.metrics.messages.labels("mta", "2xx").inc()
    running.metrics.lost.labels("timeout").inc()
    running.metrics.circuit.labels("default").set(1)
    status, kind, text = running.get("/metrics")
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    for line in (
        'clinigate_messages_total{answer="2xx",listener="mta"} 1.0',
        'clinigate_compute_lost_total{why="timeout"} 1.0',
        'clinigate_next_hop_circuit_open{route="default"} 1.0',
        "clinigate_commit_failures_total 0.0",
        "clinigate_policy_reload_failed 0.0",
    ):
        assert line in text.splitlines()


def test_health_is_200_while_well_and_503_while_not(running: Running) -> None:
    status, kind, text = running.get("/healthz")
    assert (status, kind, json.loads(text)) == (200, "application/json", {"ok": True, "policy": "digest"})
    running.health = {"ok": False}
    assert running.get("/healthz")[0] == 503
    running.health = {}
    assert running.get("/healthz")[0] == 503, "not said to be well is not well"


@pytest.mark.parametrize("path", ["/", "/metrics/", "/../etc/passwd", "/healthz/x"])
def test_anything_else_is_404_and_says_what_there_is(running: Running, path: str) -> None:
    assert running.get(path) == (404, "text/plain", "/metrics or /healthz\n")


def test_scrapes_leave_no_log_line(running: Running, capfd: pytest.CaptureFixture[str]) -> None:
    running.get("/metrics")
    running.get("/healthz")
    running.get("/nothing")
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_closing_frees_the_port() -> None:
    made = Running()
    made.server.close()
    with pytest.raises(OSError):
        made.get("/metrics")
    Server(Metrics(), dict, "127.0.0.1", made.server.port).close()


def test_two_sets_do_not_disturb_each_other() -> None:
    """Each process, and each test, has a registry of its own."""
    first, second = Metrics(), Metrics()
    first.bytes.inc(5)
    assert second.registry.get_sample_value("clinigate_received_bytes_total") == 0


# -- recipients ------------------------------------------------------------------------------------------------------------

RECORD = {"recipients": [{"rule": "CARE"}, {"rule": "UNKNOWN"}, {"rule": "REFUSED"}]}
PLAN = Plan(
    (Copy((0,), adopt(b"x", "Cleared"), "default", "none"),),
    (Hold((1,), "QUARANTINE", "UNKNOWN", (), "review", "ig"),),
    (Refusal((2,), "REFUSED", ()),),
    RECORD,
)
RULES = frozenset({"CARE", "UNKNOWN", "REFUSED", "poison"})


def counted(plan: Plan, *replies: Reply) -> dict[tuple[str, str], float]:
    metrics = Metrics()
    metrics.decided(plan, replies, RULES)
    samples = [sample for family in metrics.recipients.collect() for sample in family.samples if sample.name.endswith("_total")]
    return {(sample.labels["fate"], sample.labels["rule"]): sample.value for sample in samples}


def test_each_recipient_is_counted_by_fate_and_rule() -> None:
    everybody = {("sent", "CARE"): 1, ("held", "UNKNOWN"): 1, ("refused", "REFUSED"): 1}
    assert counted(PLAN, OK) == everybody
    assert counted(PLAN, OK, OK, OK) == everybody
    assert counted(PLAN, OK, OK, NO) == everybody, "a refusal that is told is a refusal"


@pytest.mark.slow
def test_who_is_told_to_try_again_is_counted_when_it_ends() -> None:
    assert counted(PLAN, LATER) == {}
    assert counted(PLAN, OK, LATER, OK) == {("sent", "CARE"): 1, ("refused", "REFUSED"): 1}


@pytest.mark.parametrize(
    "record", [{}, {"recipients": "x"}, {"recipients": [1]}, {"recipients": [{"rule": "patient jones"}]}, {"failure": "jones"}]
)
@pytest.mark.slow
def test_no_word_of_a_compute_process_becomes_a_label(record: dict[str, Any]) -> None:
    """P5, and a metric whose labels grow without end stops the monitoring."""
    plan = Plan((Copy((0,), adopt(b"x", "Cleared"), "default", "none"),), record=record)
    assert counted(plan, OK) == {("sent", "other"): 1}
    assert counted(Plan(record={"failure": "poison"}, copies=plan.copies), OK) == {("sent", "poison"): 1}
