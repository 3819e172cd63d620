"""Identical messages without a queue id: repeats meet their first try, others are messages of their own."""

from __future__ import annotations

import pytest

from gateway.inbound import twins
from gateway.inbound.twins import Twins

pytestmark = pytest.mark.unit


def test_one_after_the_other_has_the_same_key() -> None:
    """The ledger's generations tell them apart once the client went on."""
    book = Twins()
    for _ in range(3):
        assert book.enter("d") == "d"
        book.went_on("d")


def test_at_the_same_time_they_are_different_messages() -> None:
    book = Twins()
    assert [book.enter("d") for _ in range(3)] == ["d", "d~1", "d~2"]
    book.went_on("d~1")
    assert book.enter("d") == "d~1"


def test_who_left_without_a_word_comes_again_under_the_same_key() -> None:
    book = Twins()
    first, second = book.enter("d"), book.enter("d")
    book.left(second)
    assert book.enter("d") == second
    book.left(first)
    assert book.enter("d") == first


def test_who_was_told_to_try_later_comes_again_under_the_same_key() -> None:
    book = Twins()
    first, second = book.enter("d"), book.enter("d")
    book.comes_again(second)
    book.went_on(second)
    book.went_on(first)
    assert book.enter("d") == second


def test_a_queue_id_is_none_of_its_business() -> None:
    book = Twins()
    book.left("4XyZ")
    book.went_on("4XyZ")
    book.comes_again("4XyZ")
    assert book.enter("d") == "d"


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twins, "MOST_WAITING", 3)
    book = Twins()
    for number in range(10):
        book.left(book.enter(f"d{number}"))
    assert len(book._places) == 3
    assert book.enter("d9") == "d9"
