"""S4-22, H-05: the day and the side of a picture go from the file and may be written into the encrypted text, only there."""

from __future__ import annotations

import email
from email import policy as email_policy

import pytest

from filters.api import ImageInfo
from gateway.demo.samples import Sample, picture
from gateway.finishing.capture import _line
from gateway.finishing.finish import Finisher
from gateway.pipeline import judge
from tests.gateway.test_pipeline import TAGGED
from tests.support.contexts import COLLEAGUE, context, received

pytestmark = pytest.mark.unit


def finisher(*attach: object, **settings: object) -> Finisher:
    made = context("enforce", **settings)
    told = received(Sample("dated", (COLLEAGUE,), TAGGED, attach=attach).build())  # type: ignore[arg-type]  # pictures
    return Finisher(made, told, judge(made, told).opened)


def texts(data: bytes) -> list[str]:
    message = email.message_from_bytes(data, policy=email_policy.SMTP)
    return [part.get_content() for part in message.walk() if part.get_content_type() == "text/plain"]


def test_the_date_is_written_into_the_encrypted_text_if_the_policy_says_so() -> None:
    inner = finisher(picture(7), capture_date_in_text=True).inner().cleared.data
    *_, note = texts(inner)
    assert note.splitlines()[1].endswith("-1of1.jpg: taken 3 March 2026, 14:02")
    assert b"DateTimeOriginal" not in inner


def test_it_is_not_written_by_default_and_never_outside() -> None:
    assert not any("taken" in text for text in texts(finisher(picture(7)).inner().cleared.data))
    made = finisher(picture(7), capture_date_in_text=True)
    told = received(Sample("dated", (COLLEAGUE,), TAGGED, attach=(picture(7),)).build())
    judged = judge(context("enforce"), told)
    plain = made.plain(judged.decisions[0], judged.facts[0].consent).cleared.data
    assert not any("taken" in text for text in texts(plain))


@pytest.mark.parametrize(
    ("taken", "side", "line"),
    [
        ("2026:03:04 10:20:30", "", "a.jpg: taken 4 March 2026, 10:20"),
        ("20260304", "L", "a.jpg: taken 4 March 2026, side: left"),
        ("2026-03-04T10:20", "R", "a.jpg: taken 4 March 2026, 10:20, side: right"),
        ("0000:00:00 00:00:00", "B", "a.jpg: side: both sides"),
        ("yesterday, by nurse Jones", "", ""),
    ],
)
def test_only_a_day_and_a_side_can_come_out_of_a_file(taken: str, side: str, line: str) -> None:
    """Whatever else stands in these fields never reaches a text."""
    assert _line("a.jpg", ImageInfo(1, 1, 8, taken=taken, laterality=side)) == line
