"""docs/replies.md, ``gateway.outcomes.replies`` and the real commit say the same, row by row."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from gateway.model import Hold, Plan, Received, Refusal, Reply
from gateway.outcomes.fates import MOST_SENDS
from gateway.outcomes.replies import NOTIFIED, REPLIES, SENDER_KINDS, Row, find, reply
from policies.reasons import REASONS
from quarantine.model import ObjectKind
from tests.support.commitworld import World, copy, received, without_fsync
from tests.support.paths import ROOT

pytestmark = pytest.mark.unit

DOC = ROOT / "docs" / "replies.md"
SUBJECT = "dr.lee@royal.example"  # the recipient a row is about
OTHER = "dr.chen@royal.example"


def tables() -> list[list[list[str]]]:
    """Every Markdown table of the document: rows of cells, headings first."""
    found: list[list[list[str]]] = [[]]
    for line in DOC.read_text().splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if set("".join(cells)) != {"-"}:
                found[-1].append(cells)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def test_the_document_and_the_code_have_the_same_replies() -> None:
    """Row for row, in order: whoever reads the one knows the other."""
    heading, *rows = tables()[0]
    assert heading == ["outcome", "others", "listener", "protocol", "reply", "whose", "text", "ledger", "written", "told"]
    code = [
        [r.outcome, r.others, ", ".join(r.listeners), ", ".join(r.protocols), f"{r.code} {r.enhanced}", r.whose, r.text, r.ledger,
         ", ".join(r.written) or "nothing", r.told]
        for r in REPLIES
    ]  # fmt: skip
    assert rows == code


def test_the_document_and_the_code_notify_the_same_people() -> None:
    """Who is told, by state and kind of sender."""
    heading, *rows = tables()[1]
    assert heading == ["state", *SENDER_KINDS]
    assert rows == [[state, *(told[kind] for kind in SENDER_KINDS)] for state, told in NOTIFIED.items()]


def test_every_case_of_mail_has_exactly_one_row() -> None:
    """No outcome is left without an answer and none has two."""
    outcomes = {row.outcome for row in REPLIES}
    for outcome, others, listener, protocol in product(outcomes, ("some", "none"), ("relay", "submission"), ("SMTP", "LMTP")):
        fits = [r for r in REPLIES if r.outcome == outcome and r.others in ("any", others)]
        fits = [r for r in fits if listener in r.listeners and protocol in r.protocols]
        assert len(fits) == 1, (outcome, others, listener, protocol)


def test_releases_come_over_lmtp_only() -> None:
    """A release has one answer for each recipient; SMTP could not give it."""
    with pytest.raises(LookupError):
        find("delivered", False, "release", "SMTP")


@pytest.mark.parametrize(
    ("code", "enhanced", "line"),
    [
        (452, "4.2.2", "452 4.2.2"),
        (452, "", "452 4.0.0"),
        (452, "5.1.1", "452 4.0.0"),
        (421, "4.3.2", "451 4.4.1"),
        (0, "", "451 4.4.1"),
    ],
)
def test_of_the_next_hop_only_fitting_codes_are_passed_on(code: int, enhanced: str, line: str) -> None:
    """Never its text, never 421 (it would announce that our connection closes), never a code of another class."""
    assert reply(find("temporary", False, "relay", "SMTP"), code, enhanced).line().startswith(line + " the next hop")


# -- every row against the real commit --------------------------------------------------------------------------------

# An answer never comes to the commit: tests/gateway/test_answers.py runs its row.
COMMITTED = [row for row in REPLIES if row.outcome != "answer"]
CASES = [(row, listener, protocol) for row in COMMITTED for listener in row.listeners for protocol in row.protocols]
HOP = {"passed": "ok", "delivered": "ok", "temporary": "4yz", "unknown": "dropped", "permanent": "5yz", "spent": "dropped"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    without_fsync(monkeypatch)
    made = World(tmp_path)
    yield made
    made.ledger._disconnect()


def plan_for(row: Row, listener: str, others: bool, sender_kind: str) -> Plan:
    """A plan in which recipient 0 meets the row's outcome; with ``others``, recipient 1 is delivered first."""
    second = (copy([1], b"other"),) if others else ()
    record = {"recipients": [{"class": "A", "rule": "r-1", "reasons": ["why"], "notice": "N-3"}] * 2}
    kind = {"record": record, "sender_kind": sender_kind, "owner": "owner@trust.example"}
    if row.outcome == "held" or (row.outcome == "unwritten" and listener != "release"):
        return Plan(second, (Hold((0,), "ASK", "r-2", ("why",), "online", "sender", "N-1"),), **kind)  # type: ignore[arg-type] # kind holds three different fields
    if row.outcome == "refused":
        return Plan(second, (), (Refusal((0,), "r-3", ("withdrawn",)),), **kind)  # type: ignore[arg-type] # likewise
    return Plan((*second, copy([0], b"subject")), plain=row.outcome == "passed", **kind)  # type: ignore[arg-type] # likewise


def run_row(world: World, row: Row, listener: str, protocol: str, sender_kind: str = "person") -> tuple[Reply, Received]:
    alone = ("passed", "busy", "unwritten")
    others = row.others == "some" or (row.others == "any" and protocol == "LMTP" and row.outcome not in alone)
    release = {"release": "r1", "hold": "f" * 32} if listener == "release" else None
    mail = received([SUBJECT, OTHER][: 2 if others else 1], protocol=protocol, release=release)
    plan = plan_for(row, listener, others, sender_kind)
    world.answers[SUBJECT] = HOP.get(row.outcome, "ok")
    deadline = 1240.0
    if row.outcome == "late":
        deadline = 1001.5
        world.on_send = lambda: setattr(world, "now", 1002.0)
        if not others:
            world.now = 1002.0
    if row.outcome == "unwritten":
        world.vault_broken, world.ledger_broken = listener != "release", listener == "release"

    async def commit() -> list[Reply]:
        if row.outcome == "busy":
            key = "release:r1" if release else mail.key
            digest = "" if release else hashlib.sha256(mail.raw).hexdigest()
            await world.ledger.claim(key, [SUBJECT], 60, digest=digest)
        for _ in range(MOST_SENDS if row.outcome == "spent" else 0):
            first = received([SUBJECT], protocol=protocol, release=release)
            await world.committer.commit(plan_for(row, listener, False, sender_kind), first, listener, deadline)
        return await world.committer.commit(plan, mail, listener, deadline)

    return asyncio.run(commit())[0], mail


def name_of(value: Row | str) -> str:
    return value if isinstance(value, str) else f"{value.outcome}-{value.others}"


@pytest.mark.parametrize(("row", "listener", "protocol"), CASES, ids=name_of)
def test_the_commit_does_what_the_row_says(world: World, row: Row, listener: str, protocol: str) -> None:
    """Reply, ledger row, objects written and who tells: as the table has it."""
    answer, _ = run_row(world, row, listener, protocol)

    if row.whose == "ours":
        why = {"held": "why", "refused": "withdrawn", "spent": "delivery-unknown"}.get(row.outcome, "")
        if row.told == "reply":  # a person's mail program shows it
            why = REASONS["withdrawn"]
        assert answer == Reply(row.code, row.enhanced, row.text.replace("{why}", why))
    else:
        assert (answer.code // 100, answer.text) == (row.code // 100, row.text)
        assert answer.code in (452, 550)
    assert "example" not in answer.line(), "the next hop's text names people"

    wrong = row.outcome in ("unwritten", "busy")
    mine = [obj for obj in world.holds if any(line["address"] == SUBJECT for line in obj.meta["envelope"]["recipients"])]
    lines = [line for obj in world.outcomes for line in obj.meta["recipients"] if line["address"] == SUBJECT]
    assert [obj.meta["action"] == "DEFERRED" for obj in mine] == [word == "deferred" for word in row.written if word != "outcome"]
    assert len(lines) == row.written.count("outcome")
    for line in lines:
        assert line["kind"] == {"notice": "notice", "dsn": "dsn"}.get(row.told, "")
    if not wrong:
        others = {"DONE"} if OTHER in [address for address, _ in world.taken] and row.outcome != "passed" else set()
        mine_states = {"DONE": {"DONE"}, "UNKNOWN": {"UNKNOWN"}, "none": set()}[row.ledger]
        assert set(world.row_states()) == others | mine_states


@pytest.mark.parametrize("sender_kind", SENDER_KINDS)
@pytest.mark.parametrize("state", NOTIFIED)
def test_the_outcome_object_says_whom_to_tell(world: World, state: str, sender_kind: str) -> None:
    """The second table, as the quarantine service will read it from the object."""
    outcome = {"deferred": "temporary", "failed": "permanent"}.get(state, state)
    row = find(outcome, True, "relay", "SMTP")
    run_row(world, row if row.others != "any" else find(outcome, False, "relay", "SMTP"), "relay", "SMTP", sender_kind)
    line = next(line for obj in world.outcomes for line in obj.meta["recipients"] if line["address"] == SUBJECT)
    assert (line["state"], line["tell"]) == (state, NOTIFIED[state][sender_kind])
    assert world.outcomes[0].meta["owner"] == "owner@trust.example"


def test_notify_never_gets_no_failure_report(world: World) -> None:
    """RFC 3461 4.1: NOTIFY=NEVER, or one without FAILURE, forbids the report."""
    world.answers[SUBJECT] = "5yz"
    plan = Plan((copy([0], b"a"), copy([1], b"b")))
    mail = received([SUBJECT, OTHER], notify="SUCCESS,DELAY")
    [answer] = asyncio.run(world.committer.commit(plan, mail, "relay", 1240.0))
    line = next(line for line in world.of(ObjectKind.OUTCOME)[0].meta["recipients"] if line["address"] == SUBJECT)
    assert (answer.code, line["state"], line["kind"], line["tell"], line["code"]) == (250, "failed", "", "nobody", "550 5.1.1")
