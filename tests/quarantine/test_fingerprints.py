"""A disclosed picture is found again by itself; the records without the key tell nobody what it shows."""

from __future__ import annotations

import io
import json
import sqlite3
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from filters.likeness import likeness, probe
from quarantine.consents.model import Entry
from quarantine.consents.model import image as subject
from quarantine.keyedhash import KeyedHash
from quarantine.ledger import matching
from quarantine.ledger.fingerprint import Fingerprint, NotAFingerprint, apart, read, shape
from quarantine.ledger.fingerprintkey import FingerprintKey, OtherKey
from quarantine.ledger.matching import How
from quarantine.retention import purge
from quarantine.snapshot import Snapshot, write_snapshot
from tests.support.quarantine_kit import MONDAY, PEER, World, hold_object, image, outcome_object
from tests.support.wounds import shot, skin

pytestmark = pytest.mark.unit
SECOND = "dr.rao@hospice.example"
DAY = 86400.0


@cache
def picture(seed: int, moved: float = 0.0, number: int = 0) -> Image.Image:
    return shot(skin(seed, 640, 480), seed + 1000 * number, moved)


def saved(shown: Image.Image, quality: int = 92) -> bytes:
    file = io.BytesIO()
    shown.save(file, "JPEG", quality=quality)
    return file.getvalue()


@cache
def noted(seed: int, moved: float = 0.0, number: int = 0) -> bytes:
    return likeness(saved(picture(seed, moved, number)))


@cache
def resaved(seed: int = 4) -> bytes:
    """The same picture as a smaller file."""
    return likeness(saved(picture(seed).resize((480, 360)), 75))


@cache
def cut(seed: int = 4) -> tuple[bytes, ...]:
    """What a cut of it is looked for by."""
    return tuple(probe(saved(picture(seed).crop((110, 60, 560, 400)))))


def forms(found: tuple[bytes, ...] | list[bytes]) -> list[Fingerprint]:
    return [read(one) for one in found]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def disclose(world: World, name: str, seed: int, to: str = PEER, at: float = MONDAY, moved: float = 0.0, number: int = 0) -> str:
    """A picture goes to somebody; returns its SHA-256 as received."""
    sha256 = image(f"{name}-{seed}-{number}")
    text = FingerprintKey(world.hashes).to_text(sha256, noted(seed, moved, number))
    told = outcome_object(delivered=[to], name=name, created=at, fingerprints={sha256: text})
    told.meta["images"] = [{"sha256": sha256, "scrubbed": image(f"sent-{name}")}]
    world.take(told)
    return sha256


def asked(world: World) -> Snapshot:
    write_snapshot(world.settings.snapshot, world.records, world.now)
    return Snapshot(world.settings.snapshot, world.hashes, 900.0, world.clock)


# -- the form in which they are kept -------------------------------------------------------------------------------------


def test_only_the_key_opens_what_is_kept_and_only_for_its_file() -> None:
    key, other = FingerprintKey(KeyedHash(b"k" * 32)), FingerprintKey(KeyedHash(b"o" * 32))
    kept = key.close(image(), noted(4))
    assert key.open(image(), kept) == noted(4)
    assert key.close(image(), noted(4)) == kept  # a mail decided twice leaves the same record
    for opener, name, data in ((other, image(), kept), (key, image("x"), kept), (key, image(), kept[:-1]), (key, image(), b"")):
        with pytest.raises(OtherKey):
            opener.open(name, data)
    assert key.id != other.id
    for text in ("", "x", f"{key.id}:", f"{other.id}:abc", f"{key.id}:\u00e9", f"{key.id}:~~~"):
        with pytest.raises(OtherKey):
            key.from_text(image(), text)


def test_neither_records_nor_snapshot_nor_outcome_row_hold_a_fingerprint_in_the_clear(world: World) -> None:
    disclose(world, "a", 4)
    asked(world).close()
    secret = noted(4)
    pieces = (secret[5:37], secret[60:92], secret[140:160], secret[5:21].hex().encode(), secret[60:76].hex().encode())
    world.records.all("PRAGMA wal_checkpoint(TRUNCATE)")
    files = [path for path in world.root.rglob("*") if path.is_file()]
    assert len(files) >= 2
    for path in files:
        data = path.read_bytes()
        assert not any(piece in data for piece in pieces), path.name


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x02" + bytes(200), noted(4)[:-1], noted(4) + b"\0", b"\x01" + bytes(133)])
def test_what_is_no_fingerprint_is_told_from_one(data: bytes) -> None:
    with pytest.raises(NotAFingerprint):
        read(data)


def test_the_shape_alone_is_a_fingerprint_without_corners() -> None:
    alone = read(shape(noted(4)))
    assert len(alone.places) == 0
    assert apart(alone, read(noted(4))) == 0.0


# -- intake and retention ------------------------------------------------------------------------------------------------


def test_a_fingerprint_that_cannot_be_read_never_stops_a_disclosure_from_being_noted(world: World) -> None:
    wrong = FingerprintKey(KeyedHash(b"w" * 32)).to_text(image(), noted(4))
    for number, told in enumerate(({image(): wrong}, {image(): 7}, {image(): ""}, ["x"], "x", None)):
        world.take(outcome_object(delivered=[PEER], name=f"o{number}", fingerprints=told))
    assert len(world.records.disclosures()) == 6
    assert world.records.fingerprint_count("")[0] == 0


def test_a_fingerprint_goes_with_the_last_disclosure_of_its_picture(world: World) -> None:
    old = disclose(world, "old", 4)
    world.now += 300 * DAY
    new = disclose(world, "new", 8, at=world.now)
    years = (max(world.settings.retention.ledger_days, world.settings.retention.records_days) - 200) * DAY
    world.now += years
    purge(world.store, world.records, world.audit, world.settings.retention, world.now)
    assert world.records.fingerprint(old) is None
    assert world.records.fingerprint(new) is not None


def test_what_waits_in_an_open_hold_keeps_its_fingerprint(world: World) -> None:
    hold = hold_object("h")
    sha256 = image("held")
    text = FingerprintKey(world.hashes).to_text(sha256, noted(4))
    told = outcome_object(holds=[hold], name="o", fingerprints={sha256: text})
    told.meta["images"] = [{"sha256": sha256, "scrubbed": ""}]
    world.take(hold)
    world.take(told)
    world.records.drop_fingerprints(world.now + 9999 * DAY)
    assert world.records.fingerprint(sha256) is not None
    world.records.run("UPDATE holds SET closed = 1")
    world.records.drop_fingerprints(world.now + 9999 * DAY)
    assert world.records.fingerprint(sha256) is None


def test_a_rebuild_keeps_what_is_known(world: World) -> None:
    sha256 = disclose(world, "a", 4)
    world.intake.rebuild(world.now)
    assert world.records.fingerprint(sha256) is not None


# -- looking for a picture -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_picture_is_found_by_its_file_saved_anew_and_cut(world: World) -> None:
    wanted = disclose(world, "a", 4)
    for number, seed in enumerate((8, 13, 21)):
        disclose(world, f"other{number}", seed)
    by_file = matching.match(world.records, world.hashes, wanted)
    assert [(one.image, one.how) for one in by_file.matches] == [(wanted, How.FILE)]
    as_sent = matching.match(world.records, world.hashes, image("sent-a"))
    assert [one.how for one in as_sent.matches] == [How.FILE]
    anew = matching.match(world.records, world.hashes, image("unknown"), forms([resaved(), *cut()[1:]]))
    assert [(one.image, one.how) for one in anew.matches] == [(wanted, How.PICTURE)]
    part = matching.match(world.records, world.hashes, image("unknown"), forms(cut()))
    assert [one.image for one in part.matches] == [wanted]
    assert part.matches[0].how in (How.LIKELY, How.VERY_LIKELY)
    assert part.matches[0].corners >= matching.LIKELY
    assert (part.pictures, part.unreadable) == (4, 0)
    (entry,) = part.matches[0].entries
    assert (entry.recipient_address, entry.at) == (PEER, MONDAY)


def test_a_picture_that_never_went_is_not_found(world: World) -> None:
    disclose(world, "a", 8)
    unknown = forms(probe(saved(picture(4))))
    assert matching.match(world.records, world.hashes, image("unknown"), unknown).matches == ()


def test_the_surest_stands_first(world: World) -> None:
    moment = disclose(world, "moment", 4, moved=0.03, number=1)
    same = disclose(world, "same", 4)
    found = matching.match(world.records, world.hashes, same, forms(probe(saved(picture(4)))))
    assert (found.matches[0].image, found.matches[0].how) == (same, How.FILE)
    assert moment in [one.image for one in found.matches[1:]]


def test_pictures_under_an_earlier_key_are_counted_and_not_guessed_at(world: World) -> None:
    """After the hash key is changed, pictures noted before are found by their SHA-256 only, and the answer says so."""
    sha256 = disclose(world, "a", 4)
    later = KeyedHash(b"n" * 32)
    looked = matching.match(world.records, later, image("unknown"), forms([resaved()]))
    assert (looked.matches, looked.pictures, looked.unreadable) == ((), 1, 1)
    assert matching.match(world.records, later, sha256, forms([resaved()])).matches[0].how is How.FILE


# -- what the gateway asks -----------------------------------------------------------------------------------------------


def test_the_same_picture_saved_anew_is_known_to_have_gone_to_this_recipient(world: World) -> None:
    disclose(world, "a", 4)
    snapshot = asked(world)
    assert snapshot.disclosed_again(resaved(), PEER) is True
    assert snapshot.disclosed_again(resaved(), PEER.upper()) is True
    assert snapshot.disclosed_again(resaved(), SECOND) is False  # another recipient has never had it
    assert snapshot.disclosed_again(noted(8), PEER) is False


@pytest.mark.slow
def test_neither_a_cut_nor_another_photograph_of_the_same_wound_is_the_same_picture(world: World) -> None:
    disclose(world, "a", 4)
    snapshot = asked(world)
    assert snapshot.disclosed_again(cut()[0], PEER) is False
    for number in range(1, 5):
        assert snapshot.disclosed_again(noted(4, 0.03, number), PEER) is False


def test_what_went_without_agreement_or_whose_agreement_is_over_is_asked_about_again(world: World) -> None:
    disclose(world, "a", 4)
    world.records.run("UPDATE disclosures SET covered = 0")
    assert asked(world).disclosed_again(resaved(), PEER) is False
    world.records.run("UPDATE disclosures SET covered = 1, until = :now", {"now": world.now - 1})
    assert asked(world).disclosed_again(resaved(), PEER) is False


def brought(found: list[tuple[str, str, bool]] | None) -> set[str]:
    """The messages that brought them."""
    assert found is not None
    return {message for _, message, _ in found}


@pytest.mark.slow
def test_pictures_of_one_place_are_near_identical_for_as_long_as_is_asked(world: World) -> None:
    for number, days in ((1, 40), (2, 20), (3, 10), (4, 1)):
        disclose(world, f"m{number}", 4, at=world.now - days * DAY, moved=0.004, number=number)
    disclose(world, "other", 8, at=world.now - DAY)
    snapshot = asked(world)
    month = world.now - 30 * DAY
    assert brought(snapshot.gone_alike(noted(4), PEER, month)) == {"msg-m2", "msg-m3", "msg-m4"}
    assert brought(snapshot.gone_alike(noted(4), PEER, world.now - 5 * DAY)) == {"msg-m4"}
    assert brought(snapshot.gone_alike(noted(4), SECOND, month)) == set()
    assert brought(snapshot.gone_alike(noted(13), PEER, month)) == set()


def test_a_snapshot_that_is_missing_or_stale_knows_nothing(world: World) -> None:
    disclose(world, "a", 4)
    snapshot = asked(world)
    world.now += 1000
    assert snapshot.disclosed_again(resaved(), PEER) is None
    assert snapshot.gone_alike(resaved(), PEER, 0.0) is None
    assert snapshot.said_of_likeness(resaved()) is None
    world.settings.snapshot.unlink()
    assert snapshot.disclosed_again(resaved(), PEER) is None


def test_what_a_patient_said_of_a_picture_holds_for_it_saved_anew_and_cut(world: World) -> None:
    sha256 = disclose(world, "a", 4)
    world.records.consent_add([Entry("e", subject(sha256), "refused", MONDAY, MONDAY, "ig1", "ig", "patient.said", "command")])
    snapshot = asked(world)
    for asked_about in (resaved(), noted(4)):
        assert [one.status for one in snapshot.said_of_likeness(asked_about) or ()] == ["refused"]
    assert snapshot.said_of_likeness(noted(8)) == []


def test_the_words_of_an_answer_are_plain() -> None:
    assert set(matching.WORDS) == set(How)
    assert json.dumps([one.value for one in How])
    assert not any(word in text for text in matching.WORDS.values() for word in ("hash", "perceptual", "Hamming"))


def test_the_table_has_what_the_snapshot_reads(world: World) -> None:
    disclose(world, "a", 4)
    asked(world).close()
    with sqlite3.connect(world.settings.snapshot) as read_only:
        (row,) = read_only.execute("SELECT recipient_hash, length(shape) FROM pictures").fetchall()
    assert row == (world.hashes.address(PEER), 134 + 16)
