"""DESIGN section 7: C code that decodes hostile bytes can be lost without losing anything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from filters.api import Budget, FilterError, Malformed, Member, Seen, TooBig
from filters.budget import Limits
from gateway.sandbox.parent import Sandbox, SandboxedOpener, SandboxFailed
from tests.support.sabotage.decoder import SABOTAGES

pytestmark = pytest.mark.e2e
SECONDS = 3.0


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(600_000_000, SECONDS, "tests.support.sabotage.decoder")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def nothing_is_written() -> Iterator[None]:
    yield
    wrote = Path("/dev/shm/clinigate-sandbox-wrote")
    assert not wrote.exists() or wrote.stat().st_size == 0
    wrote.unlink(missing_ok=True)


def opened(sandbox: Sandbox, how: str, budget: Budget | None = None) -> list[Seen]:
    return list(SandboxedOpener("zip", sandbox, rebuilds=True).open(how.encode(), budget or Budget()))


HONEST = [Member("only", b"what it is")]


def test_the_honest_one_is_believed(sandbox: Sandbox) -> None:
    assert opened(sandbox, "honest") == HONEST
    assert sandbox.confined
    assert SandboxedOpener("zip", sandbox, True).rebuild(b"a", {"k": b"b"}, {}, Budget()) == b"ab"


@pytest.mark.parametrize("how", sorted(set(SABOTAGES) - {"honest"}))
def test_whatever_one_file_does_to_it_the_file_is_unreadable_and_the_next_is_not(sandbox: Sandbox, how: str) -> None:
    """A crash, a hang, a flood, a lie: a FilterError within its time, no content in its text, and a new child."""
    started = time.monotonic()
    with pytest.raises(FilterError) as caught:
        opened(sandbox, how)
    assert time.monotonic() - started < SECONDS + 2
    assert "content" not in str(caught.value)
    assert opened(sandbox, "honest") == HONEST


@pytest.mark.parametrize(("how", "why"), [("hang", TooBig), ("flood", TooBig), ("crash", Malformed), ("refuse", Malformed)])
def test_the_reason_says_limit_or_corrupt(sandbox: Sandbox, how: str, why: type[FilterError]) -> None:
    """A rule may tell the two apart."""
    with pytest.raises(why):
        opened(sandbox, how, Budget(Limits(total=20_000_000)))


def test_a_sandbox_that_does_not_start_is_no_fault_of_the_file() -> None:
    """The clinician is not told that a sound document is damaged: the machine's fault is held as an internal error."""
    made = Sandbox(600_000_000, SECONDS, "no.such.program")
    with pytest.raises(SandboxFailed) as caught:
        opened(made, "honest")
    assert not isinstance(caught.value, FilterError)
    assert made._channel is None


def test_what_it_decodes_is_paid_from_the_message_s_budget(sandbox: Sandbox) -> None:
    budget = Budget(Limits(total=25, members=2))
    assert opened(sandbox, "honest", budget) == opened(sandbox, "honest", budget) == HONEST
    with pytest.raises(TooBig):
        opened(sandbox, "honest", budget)


def test_a_child_ends_with_its_parent() -> None:
    """No sandbox outlives the compute process, however that one ends."""
    made = Sandbox(600_000_000, SECONDS, "tests.support.sabotage.decoder")
    opened(made, "honest")
    process = made._process
    assert process is not None
    made.close()
    assert process.poll() is not None
