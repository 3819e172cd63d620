"""Sealed objects: only the private key opens them, and nothing can be cut, swapped or changed unseen."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given, settings
from hypothesis import strategies as st

from quarantine import keys, seal
from quarantine.model import ObjectKind, SealedObject

pytestmark = pytest.mark.unit

PRIVATE = {name: keys.PrivateKey.generate() for name in keys.NAMES}
PUBLIC = {name: key.public_key() for name, key in PRIVATE.items()}
CHUNK = seal.CHUNK


def make(content: bytes = b"CANARY content", meta: dict[str, object] | None = None, key: str = "review") -> SealedObject:
    return SealedObject("ab" * 16, ObjectKind.HOLD, key, meta if meta is not None else {"sender": "CANARY@a.example"}, content)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])
def test_what_was_sealed_is_opened_again_whatever_its_length(size: int) -> None:
    obj = make(os.urandom(size))
    assert seal.unseal(seal.seal(obj, PUBLIC), PRIVATE) == obj


@settings(max_examples=50)
@given(
    st.binary(max_size=5000),
    st.dictionaries(st.text(max_size=8), st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=4), max_size=5),
)
def test_any_meta_and_content_survive(content: bytes, meta: dict[str, object]) -> None:
    obj = make(content, meta)
    assert seal.unseal(seal.seal(obj, PUBLIC), PRIVATE) == obj


def test_an_address_that_is_not_unicode_survives() -> None:
    """Addresses are kept with surrogates for bytes that are no UTF-8; a hold must not fail for one."""
    obj = make(meta={"sender": "a\udcff@b.example"})
    assert seal.unseal(seal.seal(obj, PUBLIC), PRIVATE).meta["sender"] == "a\udcff@b.example"


def test_nothing_of_meta_or_content_is_readable() -> None:
    sealed = seal.seal(make(), PUBLIC)
    assert b"CANARY" not in sealed
    assert b"a.example" not in sealed


def test_peek_reads_the_header_and_only_that_without_a_key() -> None:
    sealed = seal.seal(make(), PUBLIC)
    assert seal.peek(sealed[:4096]) == seal.Header("ab" * 16, ObjectKind.HOLD, "review", keys.key_id(PUBLIC["review"]), 1)


def test_another_key_does_not_open_it() -> None:
    sealed = seal.seal(make(), PUBLIC)
    with pytest.raises(seal.NoKey):
        seal.unseal(sealed, {"online": PRIVATE["online"]})
    with pytest.raises(seal.NoKey):
        seal.unseal(sealed, {"review": keys.PrivateKey.generate()})


@settings(max_examples=150)
@given(st.data())
def test_every_flipped_bit_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(seal.seal(make(os.urandom(300)), PUBLIC))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(seal.SealError):
        seal.unseal(bytes(sealed), PRIVATE)


@settings(max_examples=100)
@given(st.data())
def test_every_truncation_and_every_tail_is_noticed(data: st.DataObject) -> None:
    sealed = seal.seal(make(os.urandom(500)), PUBLIC)
    cut = data.draw(st.integers(0, len(sealed) - 1))
    with pytest.raises(seal.Damaged):
        seal.unseal(sealed[:cut], PRIVATE)
    with pytest.raises(seal.Damaged):
        seal.unseal(sealed + sealed[: data.draw(st.integers(1, 50))], PRIVATE)


def test_truncation_at_a_chunk_border_is_noticed() -> None:
    """The last flag of STREAM: whole chunks cut off the end must not look like a shorter object, even with a lying header."""
    sealed = seal.seal(make(os.urandom(3 * CHUNK)), PUBLIC)
    shorter = sealed[: -(CHUNK + 16)]
    with pytest.raises(seal.Damaged):
        seal.unseal(shorter, PRIVATE)
    lying = shorter.replace(str(3 * CHUNK).encode(), str(2 * CHUNK).encode(), 1)
    with pytest.raises(seal.Damaged):
        seal.unseal(lying, PRIVATE)


def test_swapped_chunks_are_noticed() -> None:
    sealed = seal.seal(make(os.urandom(3 * CHUNK)), PUBLIC)
    size = CHUNK + 16
    body, first = sealed[: -3 * size], sealed[-3 * size :]
    for order in ((1, 0, 2), (0, 0, 2), (2, 1, 0)):
        with pytest.raises(seal.Damaged):
            seal.unseal(body + b"".join(first[n * size : (n + 1) * size] for n in order), PRIVATE)


def test_chunks_and_keys_of_another_object_do_not_fit() -> None:
    one, other = seal.seal(make(b"x" * 50), PUBLIC), seal.seal(replace(make(b"y" * 50), id="cd" * 16), PUBLIC)
    body = len(one) - (50 + 16)
    with pytest.raises(seal.SealError):
        seal.unseal(one[:body] + other[body:], PRIVATE)
    header = one.index(b"}") + 1
    with pytest.raises(seal.SealError):
        seal.unseal(one[:header] + other[header:], PRIVATE)  # the other's wrapped key and chunks under this id


def test_a_renamed_object_does_not_open() -> None:
    sealed = seal.seal(make(), PUBLIC).replace(b"ab" * 16, b"cd" * 16)
    with pytest.raises(seal.SealError):
        seal.unseal(sealed, PRIVATE)


def test_one_object_is_written_in_one_way_only() -> None:
    """A header that means the same but reads otherwise (upper-case hex, a space) is not ours."""
    sealed = seal.seal(make(), PUBLIC)
    nonce = json.loads(sealed[19 : sealed.index(b"}") + 1])["nonce"].encode()
    key_id = keys.key_id(PUBLIC["review"]).encode()
    for old in (nonce, key_id):
        if old.upper() != old:
            with pytest.raises(seal.Damaged):
                seal.unseal(sealed.replace(old, old.upper()), PRIVATE)
    with pytest.raises(seal.Damaged):
        seal.peek(sealed.replace(b'"content":14', b'"content": 4'))


def test_the_format_is_what_the_document_says() -> None:
    """docs/sealed-objects.md, followed by hand with a reader of its own."""
    obj = make(os.urandom(CHUNK + 100))
    data = seal.seal(obj, PUBLIC)
    magic, version, length = data[:16], data[16], int.from_bytes(data[17:19], "big")
    assert (magic, version) == (b"CLINIGATE-SEALED", 1)
    header = json.loads(data[19 : 19 + length])
    frame = 19 + length
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    secret = suite.decrypt(data[frame : frame + 80], PRIVATE["review"], info=data[:frame])
    short = json.dumps({k: header[k] for k in sorted(header) if k not in ("key", "key_id")}, separators=(",", ":")).encode()
    bound = magic + bytes([version]) + len(short).to_bytes(2, "big") + short
    at, plain = frame + 80, []
    sizes = [header["meta"], CHUNK, 100]
    for index, size in enumerate(sizes):
        nonce = bytes.fromhex(header["nonce"]) + index.to_bytes(4, "big") + bytes([index == len(sizes) - 1])
        plain.append(AESGCM(secret).decrypt(nonce, data[at : at + size + 16], bound))
        at += size + 16
    assert at == len(data)
    assert json.loads(plain[0]) == obj.meta
    assert b"".join(plain[1:]) == obj.content


def test_rewrap_hands_it_to_another_key_without_changing_what_is_inside() -> None:
    obj = make(os.urandom(CHUNK + 5))
    handed = seal.rewrap(seal.seal(obj, PUBLIC), PRIVATE, "online", PUBLIC["online"])
    assert seal.peek(handed).key == "online"
    assert seal.unseal(handed, {"online": PRIVATE["online"]}) == replace(obj, key="online")
    with pytest.raises(seal.NoKey):
        seal.unseal(handed, {"review": PRIVATE["review"]})


def test_each_seal_has_its_own_data_key() -> None:
    """The same object sealed twice shares no bytes of ciphertext."""
    one, two = (seal.seal(make(b"\0" * 100), PUBLIC) for _ in range(2))
    assert one[-100:] != two[-100:]


@pytest.mark.parametrize("change", [{"id": "short"}, {"id": "AB" * 16}, {"key": "No Such"}])
def test_a_bad_id_or_key_name_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(seal.SealError):
        seal.seal(replace(make(), **change), PUBLIC | {"No Such": PUBLIC["online"]})


@pytest.mark.parametrize(
    "data", [b"", b"CLINIGATE-SEALED", b"CLINIGATE-SEALED\x02\x00\x02{}", b"CLINIGATE-SEALED\x01\x00\x02{}", b"x" * 500]
)
def test_what_is_no_sealed_object_is_damaged(data: bytes) -> None:
    with pytest.raises(seal.Damaged):
        seal.unseal(data, PRIVATE)


def test_key_files_are_private_and_never_overwritten(tmp_path: Path) -> None:
    made = keys.generate(tmp_path)
    assert set(made) == {"online", "review"}
    for name in keys.NAMES:
        assert stat.S_IMODE((tmp_path / f"{name}.key").stat().st_mode) == 0o600
        assert keys.key_id(keys.load_public(tmp_path)[name]) == made[name]
        assert (tmp_path / f"{name}.pub").read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----")
    with pytest.raises(keys.KeyFileError):
        keys.generate(tmp_path)


def test_the_review_key_may_be_elsewhere_but_not_the_online_key(tmp_path: Path) -> None:
    keys.generate(tmp_path)
    (tmp_path / "review.key").unlink()
    assert set(keys.load_private(tmp_path)) == {"online"}
    (tmp_path / "online.key").unlink()
    with pytest.raises(keys.KeyFileError, match=r"online\.key"):
        keys.load_private(tmp_path)


def test_a_key_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    keys.generate(tmp_path)
    (tmp_path / "online.key").chmod(0o644)
    with pytest.raises(keys.KeyFileError, match="chmod"):
        keys.load_private(tmp_path)
