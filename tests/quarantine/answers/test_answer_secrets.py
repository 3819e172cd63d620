"""Secrets of questions: nobody makes one without the key, and none serves another hold, person or way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarantine.answers.model import FORM, REPLY, BadSecret
from quarantine.answers.secrets import LENGTH, Secrets, named, reply_address

pytestmark = pytest.mark.unit

KEY, HOLD, WHO = b"k" * 32, "ab" * 16, "dr.lee@own.example"


def test_a_secret_opens_its_own_hold_whatever_its_case() -> None:
    """Mail programs fold the case of local parts; people type capitals."""
    secret = Secrets(KEY).make(HOLD, WHO, REPLY)
    for spelt in (secret, secret.upper(), secret.title(), f" {secret} "):
        assert Secrets(KEY).verify(spelt, WHO.upper(), REPLY) == HOLD


def test_an_address_fits_into_what_smtp_allows() -> None:
    local = reply_address(Secrets(KEY).make(HOLD, WHO, REPLY), "hold.own.example").rpartition("@")[0]
    assert len(local) <= 64  # RFC 5321 4.5.3.1.1
    assert local.isascii()
    assert local == local.lower()


def test_the_same_question_has_the_same_secret() -> None:
    """Nothing is stored: a rebuilt index, and a reminder, know the address of the first notice."""
    assert Secrets(KEY).make(HOLD, WHO, REPLY) == Secrets(KEY).make(HOLD, WHO, REPLY)


@pytest.mark.parametrize(
    ("key", "hold", "who", "way"),
    [
        (b"x" * 32, HOLD, WHO, REPLY),
        (KEY, "ac" * 16, WHO, REPLY),
        (KEY, HOLD, "other@own.example", REPLY),
        (KEY, HOLD, WHO, FORM),
    ],
)
def test_no_secret_serves_another_key_hold_person_or_way(key: bytes, hold: str, who: str, way: str) -> None:
    given = Secrets(KEY).make(HOLD, WHO, REPLY)
    with pytest.raises(BadSecret):
        Secrets(key).verify(
            given[:26] + given[26:] if hold == HOLD else Secrets(KEY).make(hold, WHO, REPLY)[:26] + given[26:], who, way
        )


@given(st.text(max_size=80) | st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", min_size=LENGTH, max_size=LENGTH))
def test_what_is_guessed_is_refused(text: str) -> None:
    with pytest.raises(BadSecret):
        Secrets(KEY).verify(text, WHO, REPLY)


@given(st.integers(0, LENGTH - 1), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_one_letter_changed_is_no_secret(at: int, letter: str) -> None:
    secret = Secrets(KEY).make(HOLD, WHO, REPLY)
    changed = secret[:at] + letter + secret[at + 1 :]
    if changed != secret:
        with pytest.raises(BadSecret):
            Secrets(KEY).verify(changed, WHO, REPLY)


def test_an_error_never_shows_what_was_given() -> None:
    with pytest.raises(BadSecret) as error:
        named("CANARY")
    assert "CANARY" not in str(error.value)


def test_a_short_key_is_no_key() -> None:
    with pytest.raises(ValueError, match="32"):
        Secrets(b"short")
