"""The ledger and the poison counter by themselves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.attempts import POISON_AT, Attempts
from gateway.outcomes.ledger import Busy, Ledger
from gateway.outcomes.rows import Standing

pytestmark = pytest.mark.unit

Scene = Callable[[], Awaitable[Any]]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def run(scene: Scene) -> Any:
    return asyncio.run(scene())  # type: ignore[arg-type] # an async def without arguments is a coroutine function


def ledgers(folder: Path, clock: Clock, *who: tuple[str, str]) -> list[Ledger]:
    return [Ledger(folder / "ledger", owner, clock, boot=boot) for owner, boot in who]


async def close(*opened: Ledger) -> None:
    for one in opened:
        await one.aclose()


def test_a_live_claim_keeps_others_out_until_its_lease_ends(tmp_path: Path) -> None:
    """Another owner waits for the lease; so does another connection of the same boot."""
    clock = Clock()
    one, other = ledgers(tmp_path, clock, ("gateway-0", "x"), ("gateway-1", "y"))

    async def scene() -> None:
        await one.claim("Q1", ["a"], 60)
        for ledger in (one, other):
            with pytest.raises(Busy):
                await ledger.claim("Q1", ["a", "b"], 60)
        await other.claim("Q1", ["b"], 60)
        clock.now += 61
        await other.claim("Q1", ["a"], 60)
        await close(one, other)

    run(scene)


def test_the_rows_of_an_earlier_life_are_free_at_once(tmp_path: Path) -> None:
    """After a restart nobody waits for a dead process's lease; what it was doing is known."""
    before, after = ledgers(tmp_path, Clock(), ("gateway-0", "first"), ("gateway-0", "second"))

    async def scene() -> None:
        claim = await before.claim("Q1", ["a", "b", "c", "d"], 600)
        await before.sending(claim, {"a": {"do": "send"}, "b": {"do": "hold", "id": "h"}})
        await before.done(claim, {"c": {"do": "done", "state": "delivered"}})
        again = await after.claim("Q1", ["a", "b", "c", "d"], 600)
        assert again.born == claim.born
        assert again.standings == {
            "a": Standing("unknown", 1),
            "b": Standing("intended", 0, {"do": "hold", "id": "h"}),
            "c": Standing("done", 0, {"do": "done", "state": "delivered"}),
            "d": Standing(),
        }
        with pytest.raises(sqlite3.Error, match="the claim was lost"):
            await before.done(claim, {"a": {"do": "done"}})
        await close(before, after)

    run(scene)


def test_closing_touches_only_what_is_finished(tmp_path: Path) -> None:
    """An upstream may have two transactions of one message at once: the end of one does not forget the other."""
    [ledger] = ledgers(tmp_path, Clock(), ("gateway-0", "x"))

    async def scene() -> None:
        first, second = await ledger.claim("Q1", ["a"], 60), await ledger.claim("Q1", ["b"], 60)
        for claim, label in ((first, "a"), (second, "b")):
            await ledger.done(claim, {label: {"do": "done"}}, "r/1")
        await ledger.finish(first)
        await ledger.close("Q1")
        await ledger.abandon(second)
        again = await ledger.claim("Q1", ["a", "b"], 60)
        assert (again.standings["a"].state, again.standings["b"].state, again.generation) == ("fresh", "done", 1)
        await close(ledger)

    run(scene)


def test_rows_expire_after_the_upstream_has_given_up(tmp_path: Path) -> None:
    """Not before; and never beneath a live claim."""
    clock = Clock()
    [ledger] = ledgers(tmp_path, clock, ("gateway-0", "x"))

    async def scene() -> None:
        claim = await ledger.claim("Q1", ["a"], 60)
        await ledger.done(claim, {"a": {"do": "done"}}, "r/1")
        await ledger.finish(claim)
        await ledger.claim("Q2", ["a"], 10 * 86400)
        assert await ledger.known("Q1")
        clock.now += 5 * 86400
        assert await ledger.expire(clock.now) == 0
        clock.now += 2 * 86400
        assert await ledger.expire(clock.now) == 1
        assert not await ledger.known("Q1")
        assert await ledger.known("Q2")
        await close(ledger)

    run(scene)


def test_notes_that_something_depends_on_are_synced(tmp_path: Path) -> None:
    """WAL, and synchronous=FULL (2) when a sending or an outcome is noted."""
    [ledger] = ledgers(tmp_path, Clock(), ("gateway-0", "x"))

    async def scene() -> None:
        claim = await ledger.claim("Q1", ["a"], 60)

        def modes() -> list[Any]:
            assert ledger._db is not None
            return [ledger._db.execute(f"PRAGMA {what}").fetchone()[0] for what in ("journal_mode", "synchronous")]

        for note in (ledger.sending(claim, {"a": {"do": "send"}}), ledger.done(claim, {"a": {"do": "done"}})):
            await note
            assert await ledger._run(modes) == ["wal", 2]
        await close(ledger)

    run(scene)


def test_the_file_names_nobody(tmp_path: Path) -> None:
    """P5: no address and no queue id at rest, and one address looks different in every message."""
    [ledger] = ledgers(tmp_path, Clock(), ("gateway-0", "x"))

    async def scene() -> None:
        for key in ("CANARYQUEUEID1", "CANARYQUEUEID2"):
            claim = await ledger.claim(key, ["canary@patient.example"], 60, digest="d")
            await ledger.sending(claim, {"canary@patient.example": {"do": "hold", "id": "h"}})
        await close(ledger)

    run(scene)
    data = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"canary" not in data.lower()
    with sqlite3.connect(tmp_path / "ledger") as db:
        assert db.execute("SELECT COUNT(DISTINCT rcpt) FROM recipients").fetchone() == (2,)
    db.close()


def test_a_file_that_went_away_is_not_written_to(tmp_path: Path) -> None:
    """A note in a deleted file would be durable nowhere: a running claim fails, and the next one begins anew."""
    [ledger] = ledgers(tmp_path, Clock(), ("gateway-0", "x"))

    async def scene() -> None:
        claim = await ledger.claim("Q1", ["a"], 60)
        for file in tmp_path.iterdir():
            file.unlink()
        with pytest.raises(sqlite3.Error):
            await ledger.done(claim, {"a": {"do": "done"}})
        assert (await ledger.claim("Q1", ["a"], 60)).standings["a"] == Standing()
        await close(ledger)

    run(scene)


@pytest.mark.parametrize("damage", ["garbage", "folder"])
def test_a_ledger_that_cannot_be_read_says_so_and_recovers(tmp_path: Path, damage: str) -> None:
    """sqlite3.Error (451 for clinical mail), and work again as soon as the file is sound."""
    path = tmp_path / "ledger"
    if damage == "garbage":
        path.write_bytes(b"not a database, " * 100)
    else:
        path.mkdir()
    [ledger] = ledgers(tmp_path, Clock(), ("gateway-0", "x"))

    async def scene() -> None:
        with pytest.raises(sqlite3.Error):
            await ledger.known("Q1")
        if damage == "garbage":
            path.unlink()
        else:
            path.rmdir()
        assert not await ledger.known("Q1")
        await close(ledger)

    run(scene)


def test_a_look_waits_for_no_writer_and_sees_what_others_wrote(tmp_path: Path) -> None:
    """All mail without a picture asks ``known``: another process's transaction, or a ledger taken away, does not hold it up."""
    one, other = ledgers(tmp_path, Clock(), ("gateway-0", "x"), ("gateway-1", "y"))

    async def scene() -> None:
        assert not await one.known("Q1")
        await other.claim("Q1", ["a"], 60)
        assert await one.known("Q1")
        with contextlib.closing(sqlite3.connect(tmp_path / "ledger", isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            assert await asyncio.wait_for(one.known("Q1"), 1.0)
        for file in tmp_path.glob("ledger*"):
            file.unlink()
        assert not await one.known("Q1")
        await close(one, other)

    run(scene)


def test_tries_that_killed_their_process_are_counted(tmp_path: Path) -> None:
    """P1: nothing but ``finish`` lowers the count, not a new process either."""
    counts = [Attempts(tmp_path / "attempts").begin("Q1") for _ in range(POISON_AT)]
    assert counts == [1, 2, POISON_AT]
    Attempts(tmp_path / "attempts").finish("Q1")
    assert Attempts(tmp_path / "attempts").begin("Q1") == 1


def test_the_counter_tells_messages_apart_and_names_none(tmp_path: Path) -> None:
    """One file a message; its name is a hash."""
    attempts = Attempts(tmp_path)
    assert (attempts.begin("CANARY"), attempts.begin("other")) == (1, 1)
    attempts.finish("never begun")
    names = [file.name for file in tmp_path.iterdir()]
    assert len(names) == 2 and not any("CANARY" in name for name in names)


def test_old_counts_expire(tmp_path: Path) -> None:
    """By the time of the last try."""
    attempts = Attempts(tmp_path)
    attempts.begin("old")
    os.utime(next(tmp_path.iterdir()), (1000, 1000))
    attempts.begin("new")
    assert attempts.expire(2000.0) == 1
    assert (attempts.begin("old"), attempts.begin("new")) == (1, 2)
