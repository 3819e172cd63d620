"""Stores: what put() returned from is durable and whole; each system call may fail."""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quarantine.model import ObjectKind
from quarantine.stores import STORES, Missing, Place, Store, StoreError
from quarantine.stores.folder import FolderStore, System
from tests.support.quarantine_kit import CONTENT, World, hold_object

pytestmark = pytest.mark.unit

ID, OTHER, HOLD = "ab" * 16, "cd" * 16, ObjectKind.HOLD


def folder(root: Path) -> FolderStore:
    store = FolderStore(root)
    store.prepare()
    return store


MAKERS = {"folder": folder}


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MAKERS[request.param](tmp_path)


def test_what_is_put_can_be_opened_listed_moved_and_deleted(store: Store) -> None:
    store.put(ID, HOLD, b"data")
    assert [(e.id, e.kind, e.size) for e in store.list(Place.INCOMING)] == [(ID, HOLD, 4)]
    store.move(ID, HOLD, Place.INCOMING, Place.HELD)
    assert store.open(ID, HOLD) == b"data"
    assert store.head(ID, HOLD, 2) == b"da"
    assert list(store.list(Place.INCOMING)) == []
    store.delete(ID, HOLD, erase=3)
    store.delete(ID, HOLD, erase=3)  # nothing there: nothing to do
    with pytest.raises(Missing):
        store.open(ID, HOLD)


def test_a_second_put_keeps_the_first(store: Store) -> None:
    store.put(ID, HOLD, b"first")
    store.put(ID, HOLD, b"second")
    assert store.open(ID, HOLD, Place.INCOMING) == b"first"
    store.put(ID, HOLD, b"third", replace=True)
    assert store.open(ID, HOLD, Place.INCOMING) == b"third"


def test_only_one_of_two_movers_wins(store: Store) -> None:
    store.put(ID, HOLD, b"data")
    store.move(ID, HOLD, Place.INCOMING, Place.HELD)
    with pytest.raises(Missing):
        store.move(ID, HOLD, Place.INCOMING, Place.HELD)


def test_an_id_cannot_leave_the_store(store: Store) -> None:
    for bad in ("../../etc/passwd", "AB" * 16, "", "ab/" * 10 + "ab"):
        with pytest.raises(StoreError):
            store.put(bad, HOLD, b"x")


class Failing:
    """System calls that fail at one call; ``after`` successful ones of that name."""

    def __init__(self, name: str, after: int = 0) -> None:
        self.calls: list[str] = []
        self._name, self._left = name, after

    def system(self) -> System:
        real = System()
        return replace(
            real,
            **{name: self._wrap(name, getattr(real, name)) for name in ("open", "write", "fsync", "close", "rename", "unlink")},
        )

    def _wrap(self, name: str, real: Any) -> Any:
        def call(*args: Any) -> Any:
            self.calls.append(name)
            if name == self._name:
                self._left -= 1
                if self._left < 0:
                    if name == "close":
                        real(*args)
                    raise OSError(errno.ENOSPC, "no space")
            return real(*args)

        return call


CALLS = ("open", "write", "fsync", "close", "rename", "open", "fsync", "close")


def test_put_is_temp_write_fsync_rename_fsync_folder(tmp_path: Path) -> None:
    """The order is the promise: the content is durable before it has its name, the name before put() returns."""
    folder(tmp_path)
    spy = Failing("nothing")
    FolderStore(tmp_path, spy.system()).put(ID, HOLD, b"data")
    assert tuple(spy.calls[1:]) == CALLS  # the first open asks whether it is there already


@pytest.mark.parametrize(
    ("name", "after"), [(name, nth) for name in sorted(set(CALLS)) for nth in range(("open", *CALLS).count(name))]
)
def test_each_failing_call_of_put_is_told_and_leaves_nothing_half(tmp_path: Path, name: str, after: int) -> None:
    plain = folder(tmp_path)
    store = FolderStore(tmp_path, Failing(name, after).system())
    with pytest.raises(StoreError):
        store.put(ID, HOLD, b"data")
    left = list((tmp_path / "incoming").iterdir())
    assert all(path.read_bytes() == b"data" and path.name == f"{ID}.hold" for path in left)  # whole or not there
    plain.put(ID, HOLD, b"data")  # a retry succeeds
    assert plain.open(ID, HOLD, Place.INCOMING) == b"data"


@pytest.mark.parametrize("name", ["open", "fsync", "close"])
def test_a_put_of_what_is_there_does_not_succeed_unless_it_is_durable(tmp_path: Path, name: str) -> None:
    folder(tmp_path).put(ID, HOLD, b"data")
    with pytest.raises(StoreError):
        FolderStore(tmp_path, Failing(name).system()).put(ID, HOLD, b"data")


@pytest.mark.parametrize("name", ["rename", "open", "fsync", "close"])
def test_each_failing_call_of_move_is_told_and_the_object_is_somewhere(tmp_path: Path, name: str) -> None:
    folder(tmp_path).put(ID, HOLD, b"data")
    with pytest.raises(StoreError):
        FolderStore(tmp_path, Failing(name).system()).move(ID, HOLD, Place.INCOMING, Place.HELD)
    found = [entry.id for place in (Place.INCOMING, Place.HELD) for entry in folder(tmp_path).list(place)]
    assert found == [ID]


@pytest.mark.parametrize("name", ["open", "write", "fsync", "close", "unlink"])
def test_each_failing_call_of_delete_is_told(tmp_path: Path, name: str) -> None:
    store = folder(tmp_path)
    store.put(ID, HOLD, b"data", Place.HELD)
    with pytest.raises(StoreError):
        FolderStore(tmp_path, Failing(name).system()).delete(ID, HOLD, erase=4)


def test_delete_overwrites_the_wrapped_key_before_it_unlinks(tmp_path: Path) -> None:
    store = folder(tmp_path)
    store.put(ID, HOLD, b"secret" + b"rest", Place.HELD)
    with pytest.raises(StoreError):
        FolderStore(tmp_path, Failing("unlink").system()).delete(ID, HOLD, erase=6)
    assert store.open(ID, HOLD) == b"\0" * 6 + b"rest"


def test_short_writes_are_continued(tmp_path: Path) -> None:
    folder(tmp_path)
    store = FolderStore(tmp_path, replace(System(), write=lambda fd, data: os.write(fd, data[:3])))
    store.put(ID, HOLD, b"0123456789")
    assert store.open(ID, HOLD, Place.INCOMING) == b"0123456789"


def test_left_overs_are_swept_but_not_what_is_being_written(tmp_path: Path) -> None:
    store = folder(tmp_path)
    (tmp_path / "incoming" / ".tmp-old").write_bytes(b"x")
    os.utime(tmp_path / "incoming" / ".tmp-old", (0, 0))
    (tmp_path / "incoming" / ".tmp-new").write_bytes(b"x")
    assert store.sweep(Place.INCOMING, 1000.0) == 1
    assert [path.name for path in (tmp_path / "incoming").iterdir()] == [".tmp-new"]
    assert list(store.list(Place.INCOMING)) == []


def test_what_is_set_aside_never_hides_another(tmp_path: Path) -> None:
    store = folder(tmp_path)
    for content in (b"one", b"two"):
        (tmp_path / "incoming" / "odd.name").write_bytes(content)
        store.set_aside(next(store.list(Place.INCOMING)), Place.INCOMING)
    assert sorted(path.read_bytes() for path in (tmp_path / "damaged").iterdir()) == [b"one", b"two"]


def test_the_vault_may_be_used_by_many_threads_and_a_retry_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    objects = [hold_object(f"hold {n}") for n in range(8)]
    threads = [threading.Thread(target=world.vault.put, args=(obj,)) for obj in objects * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = {entry.id: world.store.open(entry.id, HOLD, Place.INCOMING) for entry in world.store.list(Place.INCOMING)}
    assert set(stored) == {obj.id for obj in objects}
    world.vault.put(objects[0])
    assert world.store.open(objects[0].id, HOLD, Place.INCOMING) == stored[objects[0].id]
    assert CONTENT not in b"".join(stored.values())
